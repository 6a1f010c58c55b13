//! Paths and URLs, cleaned as the wire cleans them (apps-framework.md sections 5.7, 7.1 and 11.5). All of it is
//! lexical: nothing is looked up.

mod escape;
mod parse;
mod quote;
mod url;

use std::fmt;

pub use url::{UrlError, call_url, http_url_problem, normalize_remote};

pub(crate) use quote::quote;
pub(crate) use url::call_target;

use parse::Parts;

/// Cleans a path lexically, as Go's `path.Clean` (section 5.7).
pub fn clean(path: &str) -> String {
    lossy(&clean_bytes(path.as_bytes()))
}

/// Cleans the name of a static asset or an icon (section 11.5): percent-decoded until nothing changes, then cleaned
/// lexically; what would leave the static folder is refused, `..` alone too (B-58). A query stays.
pub fn clean_static(name: &str) -> Result<String, PathError> {
    let mut parts = Parts::parse(name, false).map_err(|why| PathError::NoUrl(why.parsing(name)))?;
    if parts.path.is_empty() {
        return Err(PathError::Path("empty path".to_owned()));
    }
    let decoded = escape::decode_fully(&parts.path).map_err(|why| PathError::NoUrl(why.to_string()))?;
    let mut cleaned = clean_bytes(&decoded);
    if cleaned == b"." || cleaned == b".." || cleaned.starts_with(b"../") {
        return Err(PathError::Path(format!("bad path: {}", quote(&lossy(&decoded)))));
    }
    if parts.scheme.is_empty() && cleaned.starts_with(b"/") {
        cleaned.insert(0, b'.');
    }
    parts.path = cleaned;
    Ok(parts.to_string())
}

/// Why a name is no path below the static folder. The text is the wire's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathError {
    /// It is not even a URL. The wire's text has no kind.
    NoUrl(String),
    /// It is empty, or leads out of the folder. The wire's text ends in its kind: `…: invalid input`.
    Path(String),
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUrl(why) => f.write_str(why),
            Self::Path(why) => write!(f, "{why}: invalid input"),
        }
    }
}

impl std::error::Error for PathError {}

/// As [`clean`], for paths that need not be UTF-8 once they are decoded.
fn clean_bytes(path: &[u8]) -> Vec<u8> {
    let rooted = path.first() == Some(&b'/');
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => match parts.last() {
                Some(&last) if last != b".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(part),
            },
            part => parts.push(part),
        }
    }
    let mut cleaned = if rooted { vec![b'/'] } else { Vec::new() };
    cleaned.extend(parts.join(&b'/'));
    if cleaned.is_empty() { vec![b'.'] } else { cleaned }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_gos_path_clean() {
        let cases = [
            ("", "."),
            ("/", "/"),
            ("//", "/"),
            ("/a//b/", "/a/b"),
            ("/../x", "/x"),
            ("a/..", "."),
            ("../..", "../.."),
            ("/../a/../../b", "/b"),
            ("a/./b//c/", "a/b/c"),
            ("..", ".."),
            ("../a/..", ".."),
            ("./..", ".."),
            ("a/../..", ".."),
            ("/..", "/"),
            ("/a%2F..%2Fb", "/a%2F..%2Fb"),
            ("/é/./ü/", "/é/ü"),
        ];
        for (path, cleaned) in cases {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }

    #[test]
    fn a_name_that_is_no_text_once_decoded_is_written_as_it_was() {
        assert_eq!(clean_static("a/../%ff.png").as_deref(), Ok("%FF.png"));
        assert_eq!(
            clean_static("%ff/../../x").unwrap_err().to_string(),
            "bad path: \"\u{fffd}/../../x\": invalid input"
        );
    }
}
