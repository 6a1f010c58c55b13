//! URLs of Apps and remote services.

use std::fmt;

use super::parse::Parts;
use super::{clean_bytes, escape, lossy, quote};

/// Why a text makes no URL, in the wire's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlError(String);

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UrlError {}

/// Where a call of `call_path` goes, for an App at `root_url` (section 7.1): joined, percent-decoded until nothing
/// changes, cleaned, encoded again. Query and fragment stay. Whatever the path, scheme and host are the root's.
///
/// # Errors
/// A path that still has a percent sign once it is decoded cannot be called: `invalid URL escape "%…"`. One that leaves
/// the root's path is refused, as there a stranger may serve, and a call carries the App's tokens: `bad path: "…"`
/// (OS-48; the original calls it).
pub fn call_url(root_url: &str, call_path: &str) -> Result<String, UrlError> {
    target(root_url, call_path).map(|parts| parts.to_string())
}

/// The path that a call really comes in at: of [`call_url`], decoded and without query. A path that cannot be called
/// stands for itself.
pub(crate) fn call_target(root_url: &str, call_path: &str) -> Vec<u8> {
    target(root_url, call_path).map_or_else(|_| call_path.as_bytes().to_vec(), |parts| parts.path)
}

fn target(root_url: &str, call_path: &str) -> Result<Parts, UrlError> {
    let joined = format!("{root_url}/{call_path}");
    let mut parts = Parts::parse(&joined, false).map_err(|why| UrlError(why.parsing(&joined)))?;
    let decoded = escape::decode_fully(&parts.path).map_err(|why| UrlError(why.to_string()))?;
    parts.path = clean_bytes(&decoded);
    if !is_below(root_url, &parts.path) {
        return Err(UrlError(format!("bad path: {}", quote(&lossy(&decoded)))));
    }
    Ok(parts)
}

/// Whether a cleaned path is the root's or below it.
fn is_below(root_url: &str, path: &[u8]) -> bool {
    let root = Parts::parse(root_url, false).ok().and_then(|root| escape::decode_fully(&root.path).ok());
    let Some(root) = root else { return false };
    let root = clean_bytes(&root);
    match root.as_slice() {
        b"." | b"/" => true,
        root => path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/")),
    }
}

/// Why a text is no absolute `http` or `https` URL with a host, or nothing if it is one (section 8.2).
pub fn http_url_problem(url: &str) -> Option<String> {
    let parts = match Parts::parse(url, true) {
        Ok(parts) => parts,
        Err(why) => return Some(why.parsing(url)),
    };
    if parts.scheme != "http" && parts.scheme != "https" {
        return Some("URL schema must either be \"http\" or \"https\"".to_owned());
    }
    parts.host().is_empty().then(|| "URL must contain a host".to_owned())
}

/// The base URL of a remote service as an administrator may type it: `https` where no scheme is named, no slash at
/// the end, and not this site itself.
///
/// # Errors
/// No host, another scheme, no URL at all, or the site's own URL.
pub fn normalize_remote(base: &str, site_url: &str) -> Result<String, UrlError> {
    let base = base.trim();
    let absolute = match base.contains("://") {
        true => base.to_owned(),
        false => format!("https://{}", base.trim_start_matches('/')),
    };
    let parts = Parts::parse(&absolute, false).map_err(|why| UrlError(why.parsing(base)))?;
    if parts.host().is_empty() {
        return Err(UrlError(format!("invalid URL, no hostname: {}", quote(base))));
    }
    if let Some(problem) = http_url_problem(&absolute) {
        return Err(UrlError(problem));
    }
    let normal = parts.to_string().trim_end_matches('/').to_owned();
    if normal == site_url.trim_end_matches('/') {
        return Err(UrlError(format!(
            "{normal} is the Mattermost site URL. Please use the remote application's URL"
        )));
    }
    Ok(normal)
}
