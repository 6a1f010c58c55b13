//! The serde deserialiser over a checked text. It recurses only where the wanted type does.

use std::any::type_name;
use std::borrow::Cow;
use std::str::FromStr;

use serde::de::value::StrDeserializer;
use serde::de::{Deserializer, Visitor};

use super::access::{Elements, Fields, Members};
use super::document::{Document, Span};
use super::error::{Error, TOO_DEEP};
use super::{RAW_TOKEN, go_type, text};
use crate::shorthand;

/// Bytes of stack that typed arrays and objects inside one another may take, in an unoptimised build (where they take
/// most), so that a thread of 2 MiB does. It is some 340 levels of an untyped value, some 35 of a Binding.
pub(super) const STACK: usize = 1_280 << 10;

/// What a reader of a `T` takes of it, from measurement: its frames hold the value, and its parts, several times.
const fn frames<T>() -> usize {
    3_000 + 22 * size_of::<T>()
}

/// The member being read, for error texts: Go names the innermost struct, and the path from the outermost.
pub(super) struct Place<'a> {
    pub(super) owner: &'static str,
    pub(super) field: &'static str,
    pub(super) outer: Option<&'a Place<'a>>,
}

/// All values that were sent for one place: several when a member was repeated. What is wanted there decides
/// whether they are merged or the last one wins.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a, 'de> {
    pub(super) document: &'a Document<'de>,
    pub(super) spans: &'a [Span],
    pub(super) place: Option<&'a Place<'a>>,
    /// Bytes that are left of [`STACK`].
    pub(super) stack: usize,
}

impl<'a, 'de> Reader<'a, 'de> {
    fn last(&self) -> &'de str {
        self.spans.last().map_or("", |&span| self.document.text(span))
    }

    /// The last that is not null: null leaves a scalar as it is.
    fn scalar(&self) -> Option<&'de str> {
        self.spans.iter().rev().map(|&span| self.document.text(span)).find(|&text| text != "null")
    }

    /// Those since the last null, which empties a pointer, map or list.
    fn since_null(&self) -> &'a [Span] {
        let null = self.spans.iter().rposition(|&span| self.document.text(span) == "null");
        self.spans.get(null.map_or(0, |at| at + 1)..).unwrap_or_default()
    }

    fn only_last(self) -> Self {
        Self { spans: self.spans.get(self.spans.len().saturating_sub(1)..).unwrap_or_default(), ..self }
    }

    /// The reader for the parts of a `T`.
    fn deeper<T>(self) -> Result<Self, Error> {
        let stack = self.stack.checked_sub(frames::<T>()).ok_or_else(|| Error::syntax(TOO_DEEP))?;
        Ok(Self { stack, ..self })
    }

    /// Go's text for a value of the wrong type.
    fn mismatch(&self, found: &str, wanted: &str) -> Error {
        let found = match found.as_bytes().first() {
            Some(b'"') => "string",
            Some(b'{') => "object",
            Some(b'[') => "array",
            Some(b't' | b'f') => "bool",
            Some(b'n') => "null",
            _ => "number",
        };
        self.at_place(found, wanted)
    }

    /// Go's text for a value that is no number, or not such a number.
    fn no_number(&self, found: &str, wanted: &str) -> Error {
        if is_number(found) {
            self.at_place(&format!("number {found}"), wanted)
        } else {
            self.mismatch(found, wanted)
        }
    }

    fn at_place(&self, found: &str, wanted: &str) -> Error {
        let Some(place) = self.place else {
            return Error::mismatch(format!("json: cannot unmarshal {found} into Go value of type {wanted}"));
        };
        let fields: Vec<_> =
            std::iter::successors(Some(place), |place| place.outer).map(|p| p.field).collect();
        let path = fields.into_iter().rev().collect::<Vec<_>>().join(".");
        let owner = place.owner;
        Error::mismatch(format!(
            "json: cannot unmarshal {found} into Go struct field {owner}.{path} of type {wanted}"
        ))
    }

    fn string(&self) -> Result<Cow<'de, str>, Error> {
        match self.scalar() {
            None => Ok(Cow::Borrowed("")),
            Some(found) if found.starts_with('"') => Ok(text::decoded(found)),
            Some(found) => Err(self.mismatch(found, "string")),
        }
    }

    fn number<N: FromStr + Default>(&self, wanted: &str) -> Result<N, Error> {
        let Some(found) = self.scalar() else { return Ok(N::default()) };
        found.parse().map_err(|_| self.no_number(found, wanted))
    }

    fn float(&self) -> Result<f64, Error> {
        let Some(found) = self.scalar() else { return Ok(0.0) };
        // Rust reads names as floats, too, and gives infinity for what is too large.
        let number = found.parse::<f64>().ok().filter(|number| is_number(found) && number.is_finite());
        number.ok_or_else(|| self.no_number(found, "float64"))
    }
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
}

fn give<'de, V: Visitor<'de>>(text: Cow<'de, str>, visitor: V) -> Result<V::Value, Error> {
    match text {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $go:literal)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.number($go)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_, 'de> {
    type Error = Error;

    numbers! {
        deserialize_i8 visit_i8 "int8" deserialize_i16 visit_i16 "int16" deserialize_i32 visit_i32 "int32"
        deserialize_i64 visit_i64 "int64" deserialize_i128 visit_i128 "int64"
        deserialize_u8 visit_u8 "uint8" deserialize_u16 visit_u16 "uint16" deserialize_u32 visit_u32 "uint32"
        deserialize_u64 visit_u64 "uint64" deserialize_u128 visit_u128 "uint64"
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let found = self.last();
        match found.as_bytes().first() {
            Some(b'n') => visitor.visit_unit(),
            Some(b't' | b'f') => self.deserialize_bool(visitor),
            Some(b'"') => give(text::decoded(found), visitor),
            Some(b'[') => self.deserialize_seq(visitor),
            Some(b'{') => self.only_last().deserialize_map(visitor),
            _ => match (found.parse::<u64>(), found.parse::<i64>()) {
                (Ok(number), _) => visitor.visit_u64(number),
                (_, Ok(number)) if number != 0 => visitor.visit_i64(number),
                _ => visitor.visit_f64(self.only_last().float()?),
            },
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.scalar() {
            Some("true") => visitor.visit_bool(true),
            Some("false") | None => visitor.visit_bool(false),
            Some(found) => Err(self.mismatch(found, "bool")),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(self.float()?)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(self.float()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        give(self.string()?, visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        give(self.string()?, visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        give(self.string()?, visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        give(self.string()?, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.since_null() {
            [] => visitor.visit_none(),
            spans => visitor.visit_some(Self { spans, ..self }),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match name {
            RAW_TOKEN => visitor.visit_borrowed_str(self.last()),
            shorthand::TOKEN if self.last().starts_with('"') => give(text::decoded(self.last()), visitor),
            shorthand::TOKEN => visitor.visit_some(self.only_last()),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let found = self.last();
        match (found.as_bytes().first(), self.spans.last()) {
            (Some(b'['), Some(&span)) => {
                visitor.visit_seq(Elements::new(self.deeper::<V::Value>()?, Some(span)))
            }
            (Some(b'n'), _) => visitor.visit_seq(Elements::new(self, None)),
            _ => Err(self.mismatch(found, &go_type::named(type_name::<V::Value>()))),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let spans = self.since_null();
        for &span in spans {
            let found = self.document.text(span);
            if !found.starts_with('{') {
                return Err(self.mismatch(found, &go_type::named(type_name::<V::Value>())));
            }
        }
        visitor.visit_map(Members::new(Self { spans, ..self.deeper::<V::Value>()? }))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let all = if matches!(name, "Call" | "Form") { self.only_last() } else { self };
        for &span in all.spans {
            let found = self.document.text(span);
            if !found.starts_with(['{', 'n']) {
                return Err(self.mismatch(found, &format!("apps.{name}")));
            }
        }
        visitor.visit_map(Fields::new(all.deeper::<V::Value>()?, name, fields))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(StrDeserializer::new(&self.string()?))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { bytes byte_buf unit unit_struct }
}
