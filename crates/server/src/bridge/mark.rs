//! Our mark on what goes out to people and comes back with what they do: for whom it is, for how long, and what is to be done.
//! Who answers is believed for its sake alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use tessera_types::{AppId, Call, Context, Field, Form};

use super::Bridge;
use crate::vault::Domain;

/// How long something may stand before somebody, ms.
const OPEN_FOR: i64 = 60 * 60_000;

/// What is marked: the mark of one is none on another.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A dialog.
    Dialog,
    /// A button.
    Button,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Dialog => "dialog",
            Self::Button => "button",
        }
    }
}

/// What is to be done with a dialog.
#[derive(Serialize, Deserialize)]
pub(super) struct Sheet {
    /// What is called with what was filled in.
    pub(super) submit: Option<Call>,
    /// What is called when the form depends on what was filled in so far.
    pub(super) source: Option<Call>,
    /// What was asked: names, types, choices, and where they are looked up.
    pub(super) fields: Vec<Field>,
    /// Where.
    pub(super) context: Context,
}

impl Sheet {
    pub(super) fn of(form: &Form, context: Context) -> Self {
        let fields = form.fields.iter().filter(|field| field.kind != "markdown").map(|field| Field {
            name: field.name.clone(),
            kind: field.kind.clone(),
            options: field.options.clone(),
            lookup: field.lookup.clone(),
            // It names what was chosen before.
            value: field.value.clone().filter(|_| super::filled::is_select(field)),
            ..Field::default()
        });
        let fields = fields.collect();
        Self { submit: form.submit.clone(), source: form.source.clone(), fields, context }
    }
}

#[derive(Serialize, Deserialize)]
struct Marked<T> {
    what: T,
    owner: String,
    until: i64,
}

impl Bridge {
    /// A text that comes back with what this person does.
    pub(super) fn mark<T: Serialize>(&self, kind: Kind, app: &AppId, owner: &str, what: &T) -> String {
        let marked = Marked { what, owner: owner.to_owned(), until: self.env.now_ms() + OPEN_FOR };
        let text = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&marked).unwrap_or_default());
        format!("{text}.{}", self.mac(kind, app, &text))
    }

    /// What was marked for this person; None for everything else.
    pub(super) fn marked<T: DeserializeOwned>(
        &self,
        kind: Kind,
        app: &AppId,
        user: &str,
        mark: &str,
    ) -> Option<T> {
        let (text, mac) = mark.split_once('.')?;
        if !bool::from(self.mac(kind, app, text).as_bytes().ct_eq(mac.as_bytes())) {
            return None;
        }
        let marked: Marked<T> = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        (marked.owner == user && marked.until >= self.env.now_ms()).then_some(marked.what)
    }

    fn mac(&self, kind: Kind, app: &AppId, text: &str) -> String {
        let said = format!("{}\n{app}\n{text}", kind.word());
        URL_SAFE_NO_PAD.encode(self.vault.digest(Domain::Form, said.as_bytes()))
    }
}
