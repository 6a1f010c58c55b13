//! The parameters of a query or a form, with the two rules of RFC 6749 §3.1 and §3.2.

/// Parameters as they came. One without a value counts as absent; one that comes twice is an error to whoever
/// reads it. Unknown ones are never looked at.
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

/// This parameter came more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeated(pub(crate) &'static str);

impl Params {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        let pairs = url::form_urlencoded::parse(encoded).into_owned();
        Self(pairs.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The members of a JSON object; `None` when it is none.
    pub(crate) fn parse_json(body: &[u8]) -> Option<Self> {
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).ok()?;
        let pairs = members.into_iter().map(|(name, value)| match value {
            serde_json::Value::String(text) => (name, text),
            other => (name, other.to_string()),
        });
        Some(Self(pairs.filter(|(_, value)| !value.is_empty()).collect()))
    }

    /// The one value of `name`.
    pub(crate) fn get(&self, name: &'static str) -> Result<Option<&str>, Repeated> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() { Err(Repeated(name)) } else { Ok(first) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_and_tells_absent_empty_and_repeated_apart() {
        let params = Params::parse(b"a=1+2%203&empty=&twice=x&twice=x");
        assert_eq!(params.get("a"), Ok(Some("1 2 3")));
        assert_eq!(params.get("empty"), Ok(None));
        assert_eq!(params.get("missing"), Ok(None));
        assert_eq!(params.get("twice"), Err(Repeated("twice")));
    }
}
