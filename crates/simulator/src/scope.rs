//! Scopes: a set of names, and what the names open.

/// Scope names in the order asked for, each once (RFC 6749 §3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope(Vec<String>);

/// What a known scope name opens, and how the consent page says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opens {
    Calendar,
    Profile,
    Email,
}

/// The plain name of each, then Google's.
const KNOWN: [(&str, &str, Opens); 3] = [
    ("calendar", "https://www.googleapis.com/auth/calendar", Opens::Calendar),
    ("profile", "https://www.googleapis.com/auth/userinfo.profile", Opens::Profile),
    ("email", "https://www.googleapis.com/auth/userinfo.email", Opens::Email),
];

impl Scope {
    /// No name at all: what a client gets for itself that asks for nothing.
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// Reads a space-separated list. `None` when it is empty or holds a character that RFC 6749 §3.3 forbids.
    /// Names that the simulator does not know are kept: they are granted like any other and open nothing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut names: Vec<String> = Vec::new();
        for name in text.split(' ').filter(|name| !name.is_empty()) {
            if !name.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)) {
                return None;
            }
            if !names.iter().any(|seen| seen == name) {
                names.push(name.to_owned());
            }
        }
        (!names.is_empty()).then_some(Self(names))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names().any(|one| one == name)
    }

    pub(crate) fn opens(&self, what: Opens) -> bool {
        self.names().any(|name| opened_by(name) == Some(what))
    }

    /// Whether every name of `self` is also in `wider`.
    pub(crate) fn within(&self, wider: &Self) -> bool {
        self.0.iter().all(|name| wider.0.contains(name))
    }

    /// Without `dropped`: `last` for the last name, or names parted by commas.
    pub(crate) fn without(mut self, dropped: &str) -> Self {
        if dropped == "last" {
            self.0.pop();
        } else {
            self.0.retain(|name| !dropped.split(',').any(|dropped| dropped.trim() == name));
        }
        self
    }

    /// The list as it goes over the wire.
    pub(crate) fn to_text(&self) -> String {
        self.0.join(" ")
    }

    /// Every name the simulator knows, for its metadata.
    pub(crate) fn known() -> impl Iterator<Item = &'static str> {
        let known = KNOWN.iter().flat_map(|(plain, google, _)| [*plain, *google]);
        std::iter::once("openid").chain(known)
    }
}

/// What `name` opens, if it is one we know.
pub(crate) fn opened_by(name: &str) -> Option<Opens> {
    KNOWN.iter().find(|(plain, google, _)| name == *plain || name == *google).map(|(_, _, opens)| *opens)
}

impl Opens {
    /// What a person is told on the consent page.
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::Calendar => "See and change your calendars",
            Self::Profile => "See your name",
            Self::Email => "See your e-mail address",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_plain_names_and_googles_and_keeps_strangers() {
        let scope = Scope::parse(" https://www.googleapis.com/auth/calendar  email odd<>&' email ").unwrap();
        assert_eq!(scope.to_text(), "https://www.googleapis.com/auth/calendar email odd<>&'");
        assert!(scope.opens(Opens::Calendar) && scope.opens(Opens::Email) && !scope.opens(Opens::Profile));
        assert!(Scope::parse("email").unwrap().within(&scope));
        assert!(!Scope::parse("email profile").unwrap().within(&scope));
    }

    #[test]
    fn refuses_nothing_at_all_and_forbidden_characters() {
        for bad in ["", "   ", "a\"b", "a\\b", "a\tb", "é"] {
            assert_eq!(Scope::parse(bad), None, "{bad:?}");
        }
    }
}
