//! Our mark on what goes out with a dialog and comes back with its answer: for whom it is, for how long, and what is to be called.
//! Who answers is believed for its sake alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use tessera_types::{AppId, Call, Context, Field};

use super::Bridge;
use crate::vault::Domain;

/// How long a dialog may stay open, ms.
const OPEN_FOR: i64 = 60 * 60_000;

/// What is to be done with an answer.
#[derive(Serialize, Deserialize)]
pub(super) struct Marked {
    /// What is called.
    pub(super) submit: Call,
    /// What was asked: names, types and choices alone.
    pub(super) fields: Vec<Field>,
    /// Where.
    pub(super) context: Context,
    owner: String,
    until: i64,
}

impl Bridge {
    /// A text that comes back with the answer.
    pub(super) fn mark(
        &self,
        app: &AppId,
        owner: &str,
        submit: Call,
        fields: &[Field],
        context: Context,
    ) -> String {
        let fields = fields.iter().filter(|field| field.kind != "markdown").map(|field| Field {
            name: field.name.clone(),
            kind: field.kind.clone(),
            options: field.options.clone(),
            ..Field::default()
        });
        let (fields, until) = (fields.collect(), self.env.now_ms() + OPEN_FOR);
        let marked = Marked { submit, fields, context, owner: owner.to_owned(), until };
        let text = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&marked).unwrap_or_default());
        format!("{text}.{}", self.mac(app, &text))
    }

    /// What was marked for this person; None for everything else.
    pub(super) fn marked(&self, app: &AppId, user: &str, state: &str) -> Option<Marked> {
        let (text, mac) = state.split_once('.')?;
        if !bool::from(self.mac(app, text).as_bytes().ct_eq(mac.as_bytes())) {
            return None;
        }
        let marked: Marked = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        (marked.owner == user && marked.until >= self.env.now_ms()).then_some(marked)
    }

    fn mac(&self, app: &AppId, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.vault.digest(Domain::Form, format!("dialog\n{app}\n{text}").as_bytes()))
    }
}
