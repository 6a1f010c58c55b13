//! What was filled in, as an App reads it: a choice is what it is called and what it stands for.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use quick_cache::unsync::Cache;
use serde_json::{Value, json};
use tessera_types::{Field, RawJson, SelectOption};

use super::{Asking, Bridge};

/// How many choices are remembered that Apps offered lately.
const HELD: usize = 10_000;

/// What choices are called that Apps offered when they were looked up: Mattermost sends back what they stand for alone.
/// It is only remembered: another process of ours, or a later one, tells Apps what it stands for twice.
pub(super) struct Labels(Mutex<Cache<String, String>>);

impl Labels {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Cache::new(HELD)))
    }

    pub(super) fn remember(&self, asking: Asking<'_>, field: &str, items: &[SelectOption]) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for item in items.iter().filter(|item| !item.label.is_empty() && item.label != item.value) {
            held.insert(key(asking, field, &item.value), item.label.clone());
        }
    }

    fn of(&self, asking: Asking<'_>, field: &str, value: &str) -> Option<String> {
        let key = key(asking, field, value);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }
}

fn key(asking: Asking<'_>, field: &str, value: &str) -> String {
    format!("{} {} {field} {value}", asking.app, asking.who.user_id)
}

/// Whether a field's values are choices.
pub(super) fn is_select(field: &Field) -> bool {
    matches!(field.kind.as_str(), "static_select" | "dynamic_select" | "user" | "channel")
}

/// The value of a choice: a text where a dialog is sent or changed, an object of label and value where a choice of it is looked up, as
/// Mattermost's web client of 11.6 has it.
fn value_of(chosen: &Value) -> &str {
    chosen.as_str().or_else(|| chosen["value"].as_str()).unwrap_or_default()
}

fn is_nothing(given: &Value) -> bool {
    match given {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(_) => value_of(given).is_empty(),
        _ => false,
    }
}

impl Bridge {
    /// The values of a form's fields, from what a dialog sent.
    pub(super) async fn filled(
        &self,
        asking: Asking<'_>,
        fields: &[Field],
        submission: &BTreeMap<String, Value>,
    ) -> BTreeMap<String, RawJson> {
        let mut values = BTreeMap::new();
        for field in fields {
            let given = submission.get(&field.name).filter(|given| !is_nothing(given));
            let Some(given) = given else { continue };
            let value = match given {
                Value::Array(all) if is_select(field) => {
                    let mut chosen = Vec::with_capacity(all.len());
                    for one in all {
                        chosen.push(self.chosen(asking, field, one).await);
                    }
                    Value::Array(chosen)
                }
                one if is_select(field) => self.chosen(asking, field, one).await,
                Value::String(text) if field.kind == "bool" => json!(text == "true"),
                Value::Number(number) => json!(number.to_string()),
                other => other.clone(),
            };
            if let Ok(value) = RawJson::from_value(&value) {
                values.insert(field.name.clone(), value);
            }
        }
        values
    }

    async fn chosen(&self, asking: Asking<'_>, field: &Field, value: &Value) -> Value {
        let text = value_of(value);
        let option = field.options.iter().find(|option| option.value == text && !option.label.is_empty());
        let label = match option {
            Some(option) => Some(option.label.clone()),
            None => match before(field, text).or_else(|| self.labels.of(asking, &field.name, text)) {
                Some(label) => Some(label),
                None => self.called(asking, field, text).await,
            },
        };
        json!({"label": label.as_deref().unwrap_or(text), "value": text})
    }
}

/// What a choice was called that stood there before.
fn before(field: &Field, text: &str) -> Option<String> {
    let value: Value = field.value.as_ref()?.to().ok()?;
    let all = value.as_array().map_or(std::slice::from_ref(&value), Vec::as_slice);
    let one = all.iter().find(|one| one["value"] == text)?;
    one["label"].as_str().filter(|label| !label.is_empty()).map(str::to_owned)
}
