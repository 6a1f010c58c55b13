//! What is different in a manifest, in a few words each.

use tessera_types::{Call, Manifest};

/// One line for each difference.
pub(super) fn changes(before: &Manifest, now: &Manifest) -> Vec<String> {
    let mut lines = Vec::new();
    lists(&mut lines, "permission", &before.requested_permissions, &now.requested_permissions);
    lists(&mut lines, "location", &before.requested_locations, &now.requested_locations);
    for (what, before, now) in [
        ("version", &before.version, &now.version),
        ("display_name", &before.display_name, &now.display_name),
        ("description", &before.description, &now.description),
        ("homepage_url", &before.homepage_url, &now.homepage_url),
        ("icon", &before.icon, &now.icon),
        ("remote_webhook_auth_type", &before.remote_webhook_auth_type, &now.remote_webhook_auth_type),
    ] {
        texts(&mut lines, what, before, now);
    }
    let http = |manifest: &Manifest| manifest.http.clone().unwrap_or_default();
    texts(&mut lines, "root_url", &http(before).root_url, &http(now).root_url);
    match (http(before).use_jwt, http(now).use_jwt) {
        (false, true) => lines.push("calls are signed now".into()),
        (true, false) => lines.push("calls are not signed any more".into()),
        _ => {}
    }
    for (what, call) in CALLS {
        if call(before) != call(now) {
            lines.push(format!("the call {what} changed"));
        }
    }
    let others = |manifest: &Manifest| {
        (manifest.aws_lambda.clone(), manifest.open_faas.clone(), manifest.plugin.clone())
    };
    if others(before) != others(now) {
        lines.push("the other ways to run changed".into());
    }
    lines
}

type Of = fn(&Manifest) -> &Option<Call>;

const CALLS: [(&str, Of); 9] = [
    ("bindings", |manifest| &manifest.bindings),
    ("on_install", |manifest| &manifest.on_install),
    ("on_version_changed", |manifest| &manifest.on_version_changed),
    ("on_uninstall", |manifest| &manifest.on_uninstall),
    ("on_enable", |manifest| &manifest.on_enable),
    ("on_disable", |manifest| &manifest.on_disable),
    ("get_oauth2_connect_url", |manifest| &manifest.get_oauth2_connect_url),
    ("on_oauth2_complete", |manifest| &manifest.on_oauth2_complete),
    ("on_remote_webhook", |manifest| &manifest.on_remote_webhook),
];

fn lists(lines: &mut Vec<String>, what: &str, before: &[String], now: &[String]) {
    let only = |here: &[String], there: &[String]| -> Vec<String> {
        here.iter().filter(|one| !there.contains(one)).cloned().collect()
    };
    lines.extend(only(now, before).iter().map(|one| format!("{what} added: {one}")));
    lines.extend(only(before, now).iter().map(|one| format!("{what} removed: {one}")));
}

fn texts(lines: &mut Vec<String>, what: &str, before: &str, now: &str) {
    if before != now {
        lines.push(format!("{what}: {before:?} became {now:?}"));
    }
}
