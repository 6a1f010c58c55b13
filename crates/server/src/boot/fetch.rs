//! Reading a manifest from an address that somebody named on the command line, and so vouches for.

use std::fmt;
use std::time::Duration;

use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use url::Url;

use crate::egress::{self, Allowed, Audience, BuildError, Egress, Rules};

/// The most that a manifest may weigh (apps-framework.md section 8.1).
const MANIFEST_CAP: usize = 1 << 20;
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// An outgoing client that reaches this host, wherever it is, this machine, and else only what is public.
pub(super) fn egress_for(url: &Url) -> Result<Egress, BuildError> {
    let host: Option<Allowed> = url.host_str().and_then(|host| host.parse().ok());
    Egress::new(Rules { allow_loopback: true, allow_private: host.into_iter().collect(), ..Rules::default() })
}

/// The address of an App's manifest, from that or from the App's root.
pub(super) fn manifest_address(text: &str) -> Result<Url, String> {
    let example = "write an address such as http://localhost:4000";
    let mut url = Url::parse(text).map_err(|error| format!("{error}: {example}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(format!("it is neither http nor https: {example}"));
    }
    if !url.path().ends_with(".json") {
        let path = format!("{}/manifest.json", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    Ok(url)
}

/// Why there is no manifest.
#[derive(Debug)]
pub(super) enum Unread {
    /// Nobody answers.
    NoAnswer(egress::Error),
    /// Somebody answers, but not with a manifest.
    NoManifest(String),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer(error) => error.fmt(f),
            Self::NoManifest(why) => why.fmt(f),
        }
    }
}

/// What is at the address of a manifest, whatever it says.
pub(super) async fn manifest(egress: &Egress, url: &Url) -> Result<Bytes, Unread> {
    reply(egress, url).await.map(|reply| reply.body)
}

/// The same, with what else the reply tells.
pub(super) async fn reply(egress: &Egress, url: &Url) -> Result<egress::Reply, Unread> {
    let request = egress::Request {
        method: Method::GET,
        url: url.clone(),
        headers: HeaderMap::new(),
        body: None,
        total: PATIENCE,
        cap_bytes: MANIFEST_CAP,
        audience: Audience::App,
    };
    match egress.send(request).await {
        Ok(reply) if reply.status.is_success() => Ok(reply),
        Ok(reply) => Err(Unread::NoManifest(format!("received status {}", reply.status))),
        Err(error @ egress::Error { reason: egress::Reason::TooLarge { .. }, .. }) => {
            Err(Unread::NoManifest(error.to_string()))
        }
        Err(error) => Err(Unread::NoAnswer(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_named_by_its_root_or_by_its_manifest() {
        for (text, address) in [
            ("http://localhost:4000", "http://localhost:4000/manifest.json"),
            ("http://localhost:4000/", "http://localhost:4000/manifest.json"),
            ("https://a.example/sub/", "https://a.example/sub/manifest.json"),
            ("https://a.example/app.json?v=1", "https://a.example/app.json?v=1"),
        ] {
            assert_eq!(manifest_address(text).unwrap().as_str(), address);
        }
        for bad in ["", "localhost:4000", "ftp://a.example", "manifest.json", "http://"] {
            assert!(manifest_address(bad).unwrap_err().contains("http://localhost:4000"), "{bad}");
        }
    }
}
