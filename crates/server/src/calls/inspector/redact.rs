//! Calls without their secrets. What is secret by its type or its place is replaced before anything is written;
//! values go by their names; and whatever was replaced is looked for in the answer too.

use serde_json::{Value, json};
use tessera_types::{
    AccessToken, CallRequest, CallResponse, ClientSecret, RawJson, WebhookSecret, json as wire,
};

/// What stands in a secret's place.
const REDACTED: &str = "[redacted]";
/// Parts of names whose values are nobody's business.
const TELLING: &[&str] = &[
    "secret",
    "token",
    "password",
    "passwd",
    "passphrase",
    "code",
    "key",
    "state",
    "credential",
    "auth",
    "pin",
];
/// Anything shorter would be found everywhere.
const SHORTEST: usize = 4;

/// What was replaced in a request. It lives as long as the call.
#[derive(Default)]
pub(in crate::calls) struct Masks(Vec<String>);

impl Masks {
    fn keep(&mut self, text: &str) {
        if text.len() >= SHORTEST {
            self.0.push(text.to_owned());
        }
    }

    /// All texts of a value.
    fn keep_all(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.keep(text),
            Value::Array(items) => items.iter().for_each(|item| self.keep_all(item)),
            Value::Object(members) => members.values().for_each(|member| self.keep_all(member)),
            _ => {}
        }
    }

    /// A text without what was replaced in the request, and without the queries of addresses.
    pub(super) fn mask(&self, text: &str) -> String {
        let masked = self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, REDACTED));
        without_queries(&masked)
    }

    fn mask_all(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.mask(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.mask_all(item)).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(name, member)| match is_telling(&name) && !member.is_object() {
                    true => (name, Value::from(REDACTED)),
                    false => (name, self.mask_all(member)),
                })
                .collect(),
            other => other,
        }
    }
}

/// A provider's address carries a state, and a callback's a code.
fn without_queries(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://").and_then(|at| Some(at + rest.get(at..)?.find('?')?)) {
        let (before, query) = rest.split_at(at + 1);
        let end = query.find(|c: char| c.is_whitespace() || ")>\"'`".contains(c)).unwrap_or(query.len());
        shown.push_str(before);
        shown.push_str(if end > 0 && !before[..at].ends_with(char::is_whitespace) { REDACTED } else { "" });
        rest = query.get(end..).unwrap_or_default();
    }
    shown + rest
}

fn is_telling(name: &str) -> bool {
    let name = name.to_lowercase();
    TELLING.iter().any(|part| name.contains(part))
}

/// What is shown of a request, and what was replaced in it.
pub(super) fn request(mut request: CallRequest) -> (Value, Masks) {
    let mut masks = Masks::default();
    let context = &mut request.context;
    for token in [&mut context.bot_access_token, &mut context.acting_user_access_token] {
        if !token.is_empty() {
            masks.keep(token.expose());
            *token = AccessToken::new(REDACTED);
        }
    }
    if let Some(app) = context.app.as_mut().filter(|app| !app.webhook_secret.is_empty()) {
        masks.keep(app.webhook_secret.expose());
        app.webhook_secret = WebhookSecret::new(REDACTED);
    }
    let oauth2 = &mut context.oauth2;
    if !oauth2.client_secret.is_empty() {
        masks.keep(oauth2.client_secret.expose());
        oauth2.client_secret = ClientSecret::new(REDACTED);
    }
    for opaque in [&mut oauth2.user, &mut oauth2.data, &mut request.state] {
        replace(opaque.as_mut(), &mut masks);
    }
    for (name, value) in &mut request.values {
        if is_telling(name) {
            replace(Some(value), &mut masks);
        }
    }
    if !request.raw_command.is_empty() {
        // It repeats the values, and may hold what was meant for a password field.
        request.raw_command = REDACTED.to_owned();
    }
    let shown = as_value(&request);
    (shown, masks)
}

fn replace(raw: Option<&mut RawJson>, masks: &mut Masks) {
    let Some(raw) = raw else { return };
    if let Ok(value) = raw.to::<Value>() {
        masks.keep_all(&value);
    }
    if let Ok(redacted) = RawJson::from_value(REDACTED) {
        *raw = redacted;
    }
}

/// What is shown of an answer to a request in which this was replaced.
pub(super) fn response(response: &CallResponse, masks: &Masks) -> Value {
    masks.mask_all(as_value(response))
}

/// Never fails for what was read from the wire; if it did, nothing would be shown.
fn as_value<T: serde::Serialize>(shown: &T) -> Value {
    wire::to_vec(shown).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(json!(null))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_secret_is_shown_in_either_direction() {
        let secret = |n: u8| format!("planted-{n}-secret");
        let given = json!({
            "path": "/x", "state": {"deep": [secret(1)]}, "raw_command": format!("/x --pw {}", secret(2)),
            "values": {"client_secret": secret(3), "PIN": 12345, "colour": "green"},
            "context": {
                "bot_access_token": secret(4), "acting_user_access_token": secret(5),
                "app": {"webhook_secret": secret(6)},
                "oauth2": {"client_id": "cid", "client_secret": secret(7), "user": {"a": secret(8)}, "data": secret(9)},
            },
        });
        let (shown, masks) = request(wire::from_slice_strict(given.to_string().as_bytes()).unwrap());
        let text = shown.to_string();
        assert!(!text.contains("planted") && !text.contains("12345"), "{text}");
        assert_eq!(
            (&shown["values"]["colour"], &shown["context"]["oauth2"]["client_id"]),
            (&json!("green"), &json!("cid"))
        );

        let echoed: Vec<_> = (1..=9).filter(|n| *n != 2).map(secret).collect();
        let url = "https://p.example/auth?state=planted-state&x=1";
        let answer = json!({
            "type": "ok", "text": format!("[go]({url}) {}", echoed.join(" ")),
            "data": {"url": url, "access_token": "planted-new", "list": echoed},
        });
        let answer: CallResponse = wire::from_slice_strict(answer.to_string().as_bytes()).unwrap();
        let shown = response(&answer, &masks);
        assert!(!shown.to_string().contains("planted"), "{shown}");
        assert!(
            shown["text"].as_str().unwrap().starts_with("[go](https://p.example/auth?[redacted]) [redacted]")
        );
    }

    #[test]
    fn only_the_queries_of_addresses_go() {
        let cases = [
            ("Really? Yes.", "Really? Yes."),
            (
                "https://a.example/x?y=1 and https://b.example?z",
                "https://a.example/x?[redacted] and https://b.example?[redacted]",
            ),
            ("see https://a.example ok?", "see https://a.example ok?"),
        ];
        for (text, shown) in cases {
            assert_eq!(without_queries(text), shown);
        }
    }
}
