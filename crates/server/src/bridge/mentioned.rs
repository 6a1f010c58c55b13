//! People and channels that were named in a command: `@ada`, `~town-square`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tessera_types::{Field, RawJson};

use super::typed::{label, plain};
use super::{Asking, Bridge, Error, Typed};
use crate::platform::By;

impl Bridge {
    /// Puts those that were meant in the place of names that were typed. Mattermost found some already; the others are looked
    /// for as the typist may see them. Gives what is wrong with a name, in words.
    pub(super) async fn name_chosen(
        &self,
        asking: Asking<'_>,
        fields: &[Field],
        typed: &Typed,
        values: &mut BTreeMap<String, RawJson>,
    ) -> Result<Result<(), String>, Error> {
        let reader = &asking.who.user_id;
        for field in fields.iter().filter(|field| matches!(field.kind.as_str(), "user" | "channel")) {
            let is_user = field.kind == "user";
            // What the form itself says is no name that was typed.
            let typed_one = values.get(&field.name).filter(|value| field.value.as_ref() != Some(*value));
            let value: Option<Value> = typed_one.and_then(|value| value.to().ok());
            let Some(Value::String(text)) = value else { continue };
            let name = text.trim_start_matches(if is_user { '@' } else { '~' }).to_lowercase();
            let mentioned = if is_user { &typed.people } else { &typed.places };
            let by = mentioned.get(&name).map_or(By::Name(&name), |id| By::Id(id));
            let found = match is_user {
                true => self.site.person(reader, by).await?,
                false => self.site.place(reader, &typed.team_id, by).await?,
            };
            let Some(found) = found else {
                let (what, sign) = if is_user { ("person", '@') } else { ("channel", '~') };
                let (flag, name) = (plain(label(field)), plain(&name));
                return Ok(Err(format!(
                    "`--{flag}` is a {what} of this site, and you see no `{sign}{name}`."
                )));
            };
            let value = json!({"label": found.label, "value": found.id});
            if let Ok(value) = RawJson::from_value(&value) {
                values.insert(field.name.clone(), value);
            }
        }
        Ok(Ok(()))
    }

    /// What somebody or something is called that was chosen by its id; None where that cannot be told.
    pub(super) async fn called(&self, asking: Asking<'_>, field: &Field, id: &str) -> Option<String> {
        let reader = &asking.who.user_id;
        let found = match field.kind.as_str() {
            "user" => self.site.person(reader, By::Id(id)).await,
            "channel" => self.site.place(reader, "", By::Id(id)).await,
            _ => return None,
        };
        found
            .inspect_err(|error| tracing::debug!(%error, "what was chosen stays without its name"))
            .ok()
            .flatten()
            .map(|found| found.label)
    }
}
