//! The parts of arrays, maps and structs, handed to serde one after the other.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess};

use super::document::{Parts, Span};
use super::error::Error;
use super::read::{Place, Reader};
use super::text;

/// The elements of an array.
pub(super) struct Elements<'a, 'de> {
    reader: Reader<'a, 'de>,
    parts: Option<Parts>,
}

impl<'a, 'de> Elements<'a, 'de> {
    /// Those of the array at `span`, or none.
    pub(super) fn new(reader: Reader<'a, 'de>, span: Option<Span>) -> Self {
        Self { reader, parts: span.map(|span| reader.document.parts(span)) }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let part = self.parts.as_mut().and_then(|parts| parts.next(self.reader.document));
        part.map(|(_, value)| seed.deserialize(Reader { spans: &[value], ..self.reader })).transpose()
    }
}

/// The members of a map: of every object that was sent for it, in the order sent.
pub(super) struct Members<'a, 'de> {
    reader: Reader<'a, 'de>,
    objects: std::slice::Iter<'a, Span>,
    parts: Option<Parts>,
    value: Option<Span>,
}

impl<'a, 'de> Members<'a, 'de> {
    /// Those of the objects at the spans of `reader`.
    pub(super) fn new(reader: Reader<'a, 'de>) -> Self {
        Self { reader, objects: reader.spans.iter(), parts: None, value: None }
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        loop {
            let part = self.parts.as_mut().and_then(|parts| parts.next(self.reader.document));
            if let Some((name, value)) = part {
                self.value = Some(value);
                return seed.deserialize(Reader { spans: &[name], ..self.reader }).map(Some);
            }
            let Some(&object) = self.objects.next() else { return Ok(None) };
            self.parts = Some(self.reader.document.parts(object));
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let value = self.value.take().ok_or_else(out_of_turn)?;
        seed.deserialize(Reader { spans: &[value], ..self.reader })
    }
}

/// One field of a struct, and every value sent for it.
struct Sent {
    field: &'static str,
    first: Span,
    /// Empty but for repeated members; then it holds the first too.
    all: Vec<Span>,
}

/// The members of a struct that it knows, each once, in the order in which they first came.
pub(super) struct Fields<'a, 'de> {
    reader: Reader<'a, 'de>,
    owner: &'static str,
    sent: std::vec::IntoIter<Sent>,
    value: Option<Sent>,
}

impl<'a, 'de> Fields<'a, 'de> {
    /// Gathers the `fields` of the struct `owner` from the objects (or nulls) at the spans of `reader`.
    pub(super) fn new(reader: Reader<'a, 'de>, owner: &'static str, fields: &'static [&'static str]) -> Self {
        let document = reader.document;
        let mut slots = vec![None; fields.len()];
        let mut sent: Vec<Sent> = Vec::new();
        for &object in reader.spans.iter().filter(|&&span| document.text(span) != "null") {
            let mut parts = document.parts(object);
            while let Some((name, value)) = parts.next(document) {
                let Some(field) = text::field_of(fields, &text::decoded(document.text(name))) else {
                    continue;
                };
                let (Some(slot), Some(&field)) = (slots.get_mut(field), fields.get(field)) else { continue };
                match slot.and_then(|at: usize| sent.get_mut(at)) {
                    Some(Sent { first, all, .. }) => {
                        if all.is_empty() {
                            all.push(*first);
                        }
                        all.push(value);
                    }
                    None => {
                        *slot = Some(sent.len());
                        sent.push(Sent { field, first: value, all: Vec::new() });
                    }
                }
            }
        }
        Self { reader, owner, sent: sent.into_iter(), value: None }
    }
}

impl Sent {
    fn spans(&self) -> &[Span] {
        if self.all.is_empty() { std::slice::from_ref(&self.first) } else { &self.all }
    }
}

impl<'de> MapAccess<'de> for Fields<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let document = self.reader.document;
        let says_something = |sent: &Sent| sent.spans().iter().any(|&span| document.text(span) != "null");
        self.value = self.sent.find(says_something);
        self.value.as_ref().map(|sent| seed.deserialize(StrDeserializer::new(sent.field))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let sent = self.value.take().ok_or_else(out_of_turn)?;
        let place = Place { owner: self.owner, field: sent.field, outer: self.reader.place };
        seed.deserialize(Reader { spans: sent.spans(), place: Some(&place), ..self.reader })
    }
}

/// A hand-written visitor asked for a value before its key.
fn out_of_turn() -> Error {
    Error::mismatch("json: a value was asked for before its key")
}
