//! What an App answers (apps-framework.md section 5.3).

use serde::{Deserialize, Serialize};

use crate::{AppMetadata, Call, Form, RawJson, SelectOption, is_default, json};

/// An App's answer to a call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallResponse {
    /// `ok`, `error`, `form`, `navigate`, `call`; empty from an App means `ok`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Markdown for `ok`, the error's text for `error`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Whether clients should fetch the bindings again.
    #[serde(skip_serializing_if = "is_default")]
    pub refresh_bindings: bool,
    /// The result; for `error` the fields' errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<RawJson>,
    /// For `navigate`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub navigate_to_url: String,
    /// For `navigate`.
    #[serde(skip_serializing_if = "is_default")]
    pub use_external_browser: bool,
    /// For `call`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<Call>,
    /// For `form`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
}

impl CallResponse {
    /// The type of a good answer.
    pub const OK: &'static str = "ok";
    /// The type of an error.
    pub const ERROR: &'static str = "error";
    /// The type of an answer that shows a form.
    pub const FORM: &'static str = "form";
    /// The type of an answer that leads to a page.
    pub const NAVIGATE: &'static str = "navigate";

    /// Markdown for the person who made the call.
    pub fn text(text: impl Into<String>) -> Self {
        Self { kind: Self::OK.into(), text: text.into(), ..Self::default() }
    }

    /// An error for the person who made the call.
    pub fn error(text: impl Into<String>) -> Self {
        Self { kind: Self::ERROR.into(), text: text.into(), ..Self::default() }
    }

    /// A result.
    pub fn data<T: Serialize + ?Sized>(data: &T) -> Result<Self, json::Error> {
        Ok(Self { kind: Self::OK.into(), data: Some(RawJson::from_value(data)?), ..Self::default() })
    }

    /// A form to fill in.
    pub fn form(form: Form) -> Self {
        Self { kind: Self::FORM.into(), form: Some(form), ..Self::default() }
    }

    /// A page to go to.
    pub fn navigate(url: impl Into<String>) -> Self {
        Self { kind: Self::NAVIGATE.into(), navigate_to_url: url.into(), ..Self::default() }
    }

    /// The options that a lookup found.
    pub fn lookup(items: &[SelectOption]) -> Result<Self, json::Error> {
        #[derive(Serialize)]
        struct Items<'a> {
            items: &'a [SelectOption],
        }
        Self::data(&Items { items })
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.kind == Self::ERROR
    }
}

/// What a user agent gets: the answer, and who the App is (section 2.7).
#[derive(Debug, Clone, Default, Serialize)]
pub struct CallResponseWithMetadata {
    /// The answer.
    #[serde(flatten)]
    pub response: CallResponse,
    /// Who the App is.
    pub app_metadata: AppMetadata,
}
