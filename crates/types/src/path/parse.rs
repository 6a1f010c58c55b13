//! A URL taken apart and put together as Go's `net/url` does it (RFC 3986 section 3).

use std::fmt;

use super::escape::{Part, decode, encode_as_sent};
use super::quote;

/// A URL in parts.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    /// In lower case.
    pub(super) scheme: String,
    /// What comes after the scheme where that is no path: `mailto:ann@example.com`.
    opaque: String,
    /// Between `//` and the path, as it was sent; `None` where there is no `//`.
    authority: Option<String>,
    /// Decoded once.
    pub(super) path: Vec<u8>,
    /// The path as it was sent.
    sent_path: String,
    /// With the `?`.
    query: String,
    /// With the `#`.
    fragment: String,
}

/// Why a text is no URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed(String);

impl Malformed {
    /// The whole text.
    pub(super) fn parsing(&self, url: &str) -> String {
        format!("parse {}: {}", quote(url), self.0)
    }
}

impl Parts {
    /// Takes a URL apart. With `request`, it must be absolute, an absolute path or `*`, and `#` has no meaning.
    pub(super) fn parse(url: &str, request: bool) -> Result<Self, Malformed> {
        let malformed = |why: &str| Malformed(why.to_owned());
        let (rest, fragment) = match url.find('#') {
            Some(at) if !request => url.split_at(at),
            _ => (url, ""),
        };
        if rest.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err(malformed("net/url: invalid control character in URL"));
        }
        if rest.is_empty() && request {
            return Err(malformed("empty url"));
        }
        let (scheme, rest) = split_scheme(rest).map_err(malformed)?;
        let (rest, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        let mut parts = Self { scheme, query: query.to_owned(), ..Self::default() };
        let escaped = decode(fragment.as_bytes()).map_err(|why| Malformed(why.to_string()))?;
        parts.fragment = match fragment.strip_prefix('#') {
            Some(sent) if !sent.is_empty() => {
                format!("#{}", encode_as_sent(&escaped[1..], sent, Part::Fragment))
            }
            _ => String::new(),
        };
        if !rest.starts_with('/') {
            if !parts.scheme.is_empty() {
                parts.opaque = rest.to_owned();
                return Ok(parts);
            }
            if request && rest != "*" {
                return Err(malformed("invalid URI for request"));
            }
            if rest.split('/').next().is_some_and(|first| first.contains(':')) {
                return Err(malformed("first path segment in URL cannot contain colon"));
            }
        }
        let may_have_authority = !parts.scheme.is_empty() || (!request && !rest.starts_with("///"));
        let mut path = rest;
        if let Some(after) = rest.strip_prefix("//").filter(|_| may_have_authority) {
            let (authority, after) = after.split_at(after.find('/').unwrap_or(after.len()));
            check_authority(authority)?;
            parts.authority = Some(authority.to_owned());
            path = after;
        }
        parts.path = decode(path.as_bytes()).map_err(|why| Malformed(why.to_string()))?;
        parts.sent_path = path.to_owned();
        Ok(parts)
    }

    /// The host without its port.
    pub(super) fn host(&self) -> &str {
        let host = self.authority.as_deref().map(after_user).unwrap_or_default();
        host.rfind(':').filter(|_| !host.ends_with(']')).map_or(host, |colon| &host[..colon])
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scheme.is_empty() {
            write!(f, "{}:", self.scheme)?;
        }
        if !self.opaque.is_empty() {
            return write!(f, "{}{}{}", self.opaque, self.query, self.fragment);
        }
        if let Some(authority) = &self.authority {
            write!(f, "//{authority}")?;
        }
        let path = encode_as_sent(&self.path, &self.sent_path, Part::Path);
        let relative = self.scheme.is_empty() && self.authority.is_none();
        if relative && path.split('/').next().is_some_and(|first| first.contains(':')) {
            // Else it would read as a scheme.
            f.write_str("./")?;
        }
        if self.authority.is_some() && !path.is_empty() && !path.starts_with('/') {
            // Else it would read as more of the host.
            f.write_str("/")?;
        }
        write!(f, "{path}{}{}", self.query, self.fragment)
    }
}

/// The scheme in lower case, and what follows its colon.
fn split_scheme(url: &str) -> Result<(String, &str), &'static str> {
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    match url.bytes().position(|byte| !is_scheme(byte)) {
        Some(0) if url.starts_with(':') => Err("missing protocol scheme"),
        Some(end) if url[end..].starts_with(':') && url.as_bytes()[0].is_ascii_alphabetic() => {
            Ok((url[..end].to_ascii_lowercase(), &url[end + 1..]))
        }
        _ => Ok((String::new(), url)),
    }
}

fn after_user(authority: &str) -> &str {
    authority.rfind('@').map_or(authority, |at| &authority[at + 1..])
}

fn check_authority(authority: &str) -> Result<(), Malformed> {
    let host = after_user(authority);
    let user = authority.strip_suffix(host).unwrap_or_default();
    let in_user = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !user.bytes().all(in_user) {
        return Err(Malformed("net/url: invalid userinfo".to_owned()));
    }
    decode(user.as_bytes()).map_err(|why| Malformed(why.to_string()))?;
    let (name, port) = if host.starts_with('[') {
        let end = host.rfind(']').ok_or_else(|| Malformed("missing ']' in host".to_owned()))?;
        host.split_at(end + 1)
    } else {
        host.split_at(host.find(':').unwrap_or(host.len()))
    };
    if !port.strip_prefix(':').unwrap_or(port).bytes().all(|byte| byte.is_ascii_digit())
        || (!port.is_empty() && !port.starts_with(':'))
    {
        return Err(Malformed(format!("invalid port {} after host", quote(port))));
    }
    if let Some(at) = name.find('%') {
        // RFC 6874: only a zone has escapes, and no remote host has a zone.
        let escape: String = name[at..].chars().take(3).collect();
        return Err(Malformed(format!("invalid URL escape {}", quote(&escape))));
    }
    let in_name =
        |byte: u8| !byte.is_ascii() || byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]".contains(&byte);
    match name.chars().find(|character| !character.is_ascii() || !u8::try_from(*character).is_ok_and(in_name))
    {
        Some(bad) if bad.is_ascii() => {
            Err(Malformed(format!("invalid character {} in host name", quote(&bad.to_string()))))
        }
        _ => Ok(()),
    }
}
