//! A manifest beyond the rules of listing: what is read past, and what will not do what it says.

use tessera_types::{Manifest, Permission, location};
use url::Url;

use super::finding::Findings;
use super::mend;

/// Every member that means something; listing's own among them.
const MEMBERS: [&str; 25] = [
    "schemaversion",
    "app_id",
    "version",
    "homepage_url",
    "display_name",
    "description",
    "icon",
    "bindings",
    "on_install",
    "on_version_changed",
    "on_uninstall",
    "on_enable",
    "on_disable",
    "get_oauth2_connect_url",
    "on_oauth2_complete",
    "on_remote_webhook",
    "requested_permissions",
    "remote_webhook_auth_type",
    "requested_locations",
    "aws_lambda",
    "http",
    "open_faas",
    "plugin",
    // Of old manifests: known, and passed over.
    "app_type",
    "$schema",
];

const PERMISSIONS: [&str; 5] = [
    Permission::USER_JOINED_CHANNEL,
    Permission::ACT_AS_BOT,
    Permission::ACT_AS_USER,
    Permission::REMOTE_OAUTH2,
    Permission::REMOTE_WEBHOOKS,
];

/// Judges a manifest that was read from `url` as these bytes.
pub(super) fn judge(manifest: &Manifest, bytes: &[u8], url: &Url, findings: &mut Findings) {
    for fault in manifest.faults() {
        findings.error("manifest", mend::plain(&fault.text), mend::manifest(fault.rule));
    }
    strange_members(bytes, findings);
    for permission in &manifest.requested_permissions {
        if !PERMISSIONS.contains(&permission.as_str()) {
            let mend = format!("write one of {}", PERMISSIONS.join(", "));
            findings.warning("requested_permissions", format!("{permission:?} means nothing"), mend);
        }
    }
    let tops = [location::COMMAND, location::CHANNEL_HEADER, location::POST_MENU, location::IN_POST];
    for asked in &manifest.requested_locations {
        let below = |top: &&str| {
            asked.strip_prefix(*top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if !tops.iter().any(below) {
            let mend = format!("write one of {}, or a place below it", tops.join(", "));
            findings.warning("requested_locations", format!("{asked:?} is nowhere"), mend);
        }
    }
    match manifest.remote_webhook_auth_type.as_str() {
        "" | "secret" | "none" => {}
        other => {
            let what = format!("{other:?} is not implemented anywhere");
            findings.warning("remote_webhook_auth_type", what, "write secret or none");
        }
    }
    root_url(manifest, url, findings);
}

/// A member with a typing error says nothing, and nobody tells: it is read past.
fn strange_members(bytes: &[u8], findings: &mut Findings) {
    let Ok(members) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(bytes) else {
        return;
    };
    for name in members.keys() {
        if !MEMBERS.contains(&name.to_lowercase().as_str()) {
            let mend = "correct its name, or leave it out";
            findings.warning("manifest", format!("no member is called {name:?}: it is read past"), mend);
        }
    }
}

fn root_url(manifest: &Manifest, url: &Url, findings: &mut Findings) {
    let Some(root) = manifest.http.as_ref().and_then(|http| Url::parse(&http.root_url).ok()) else { return };
    if origin(&root) != origin(url) {
        let what = format!("calls go to {root}, which is not where the manifest was read from");
        findings.note("http.root_url", what, "nothing, if both are the same App");
    }
    if root.query().is_some() || root.fragment().is_some() {
        let what = "a query or fragment in root_url ends up before the path of each call";
        findings.error("http.root_url", what, "leave it out");
    }
    let local = root.host_str().map(loopback) == Some("localhost");
    if root.scheme() == "http" && !local {
        let what = "calls carry tokens, and would travel in clear";
        findings.warning("http.root_url", what, "use https, or have the host listed under egress.allow");
    }
}

fn origin(url: &Url) -> (Option<&str>, Option<u16>) {
    (url.host_str().map(loopback), url.port_or_known_default())
}

/// All names of this machine are one.
fn loopback(host: &str) -> &str {
    match host {
        "127.0.0.1" | "[::1]" => "localhost",
        other => other,
    }
}
