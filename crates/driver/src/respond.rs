//! Call responses: `return respond::text("Done.")`.

use std::fmt::Display;

use serde::Serialize;
use tessera_types::{Binding, CallResponse, Form, RawJson, SelectOption};

/// `ok` with markdown for the user.
pub fn text(markdown: impl Into<String>) -> CallResponse {
    CallResponse::text(markdown)
}

/// `error` with a text for the user. The status is 200 all the same: it is the App's answer.
pub fn error(error: impl Display) -> CallResponse {
    CallResponse::error(error.to_string())
}

/// `error` with a text for single fields of a form: `[("client_id", "is needed")]`.
pub fn field_errors<'a>(
    text: impl Into<String>,
    errors: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> CallResponse {
    let errors: serde_json::Map<_, _> =
        errors.into_iter().map(|(field, text)| (field.to_owned(), text.into())).collect();
    with_data(CallResponse::ERROR, text.into(), &serde_json::json!({ "errors": errors }))
}

/// `ok` with data for the caller, for example the provider's URL from `/oauth2/connect`. A value that
/// cannot be written as JSON becomes an error response.
pub fn data(value: &(impl Serialize + ?Sized)) -> CallResponse {
    with_data(CallResponse::OK, String::new(), value)
}

/// `ok` with nothing in it.
pub fn ok() -> CallResponse {
    text("")
}

/// A form that the user fills in.
pub fn form(form: impl Into<Form>) -> CallResponse {
    CallResponse::form(form.into())
}

/// Sends the user to a URL.
pub fn navigate(url: impl Into<String>) -> CallResponse {
    CallResponse::navigate(url)
}

/// The options of a `dynamic_select` field.
pub fn lookup(options: &[SelectOption]) -> CallResponse {
    data(&serde_json::json!({ "items": options }))
}

/// The answer of a bindings call.
pub fn bindings(bindings: &[Binding]) -> CallResponse {
    data(bindings)
}

fn with_data(kind: &str, text: String, value: &(impl Serialize + ?Sized)) -> CallResponse {
    match RawJson::from_value(value) {
        Ok(data) => CallResponse { kind: kind.into(), text, data: Some(data), ..CallResponse::default() },
        Err(reason) => error(format!("the App's answer cannot be written as JSON: {reason}")),
    }
}
