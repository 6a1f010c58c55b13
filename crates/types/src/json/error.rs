//! What is told to who sent the wrong JSON, in the words of Go's decoder.

use std::fmt::{self, Display};

use serde::de;

/// The text for a document, or a typed structure, nested too deep.
pub(super) const TOO_DEEP: &str = "exceeded max depth";

/// Why a text is not the JSON that was wanted. Its `Display` is the text that Go's `encoding/json` gives, and
/// never holds a string of the document (which may be a secret); a refused number is quoted, as Go does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Syntax,
    Type,
    Utf8,
    Write,
}

impl Error {
    pub(super) fn syntax(text: impl Into<String>) -> Self {
        Self { kind: Kind::Syntax, text: text.into() }
    }

    pub(super) fn mismatch(text: impl Into<String>) -> Self {
        Self { kind: Kind::Type, text: text.into() }
    }

    pub(super) fn utf8() -> Self {
        Self { kind: Kind::Utf8, text: "invalid UTF-8 in JSON text".to_owned() }
    }

    pub(super) fn write(error: &serde_json::Error) -> Self {
        Self { kind: Kind::Write, text: format!("json: {error}") }
    }

    /// The text is not JSON: a stray character, an early end, or too deep a nesting.
    pub fn is_syntax(&self) -> bool {
        self.kind == Kind::Syntax
    }

    /// The text is JSON, but not of the wanted type.
    pub fn is_type(&self) -> bool {
        self.kind == Kind::Type
    }

    /// The text is not UTF-8.
    pub fn is_utf8(&self) -> bool {
        self.kind == Kind::Utf8
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

/// What a hand-written `Deserialize` says. The defaults of serde quote what was found; these do not.
impl de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self::mismatch(message.to_string())
    }

    fn invalid_type(found: de::Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        Self::mismatch(format!("json: cannot unmarshal {} into {wanted}", word(&found)))
    }

    fn invalid_value(found: de::Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        Self::mismatch(format!("json: unsuitable {}, expected {wanted}", word(&found)))
    }

    fn unknown_variant(_: &str, wanted: &'static [&'static str]) -> Self {
        Self::mismatch(format!("json: unknown value, expected one of {}", wanted.join(", ")))
    }
}

fn word(found: &de::Unexpected<'_>) -> &'static str {
    match found {
        de::Unexpected::Bool(_) => "bool",
        de::Unexpected::Unsigned(_) | de::Unexpected::Signed(_) | de::Unexpected::Float(_) => "number",
        de::Unexpected::Unit | de::Unexpected::Option => "null",
        de::Unexpected::Seq => "array",
        de::Unexpected::Map => "object",
        _ => "string",
    }
}
