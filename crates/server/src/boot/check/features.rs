//! What of an App will work where. The places are columns of a table: another place is one more column, and the compiler
//! asks for its word in every row.

use std::collections::BTreeSet;

use serde::Serialize;
use tessera_types::{Manifest, Permission, location};

use super::ask::Asked;
use super::places;

/// A place where an App may run: its name in JSON, and the one that people read.
pub(super) struct Column {
    pub(super) key: &'static str,
    pub(super) title: &'static str,
}

/// Where.
pub(super) const COLUMNS: [Column; 2] = [
    Column { key: "standalone", title: "here (standalone)" },
    Column { key: "original", title: "original framework (Mattermost up to 11)" },
];

/// What becomes of a feature in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "how", rename_all = "lowercase")]
pub(super) enum Verdict {
    /// It works; with a condition, if there is one.
    Works(&'static str),
    /// It is there, but less of it.
    Degrades(&'static str),
    /// It is not there.
    Refused(&'static str),
}

use Verdict::{Degrades, Refused, Works};

impl Verdict {
    /// The word for it, and what must be added.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Works(how) => ("works", how),
            Degrades(how) => ("degrades", how),
            Refused(how) => ("refused", how),
        }
    }
}

/// A feature: its name, and a verdict for each column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) feature: &'static str,
    pub(super) verdicts: [Verdict; COLUMNS.len()],
}

const fn row(feature: &'static str, verdicts: [Verdict; COLUMNS.len()]) -> Row {
    Row { feature, verdicts }
}

const EVERYWHERE: [Verdict; COLUMNS.len()] = [Works(""), Works("")];
const HTTP_ONLY: &str = "this version calls HTTP Apps only";
const ICON: &str = "with an icon";
const NOT_DRAWN: &str = "no client draws it";

/// Every feature that is told of, in the order in which it is.
const ROWS: &[Row] = &[
    row("deploy type http", [Works(""), Works("where HTTP Apps are allowed")]),
    row("deploy type aws_lambda", [Refused(HTTP_ONLY), Works("where AWS credentials are configured")]),
    row("deploy type open_faas", [Refused(HTTP_ONLY), Works("where a gateway is configured, on premises")]),
    row("deploy type plugin", [Refused(HTTP_ONLY), Works("where the plugin is installed")]),
    row(
        "signed calls (use_jwt)",
        [
            Degrades("signed with an empty key: no secret can be given to this version"),
            Works("the secret is asked for at install, in the dialog"),
        ],
    ),
    row("icon", EVERYWHERE),
    row("location /command", EVERYWHERE),
    row("location /channel_header", [Works(ICON), Works(ICON)]),
    row("location /post_menu", EVERYWHERE),
    row("location /in_post", [Degrades("the console shows no bindings in posts"), Works("")]),
    row("another location", [Degrades(NOT_DRAWN), Degrades(NOT_DRAWN)]),
    row("permission act_as_bot", EVERYWHERE),
    row("permission act_as_user", EVERYWHERE),
    row(
        "permission remote_oauth2",
        [
            Works("with either token: the bot's reaches a record of its own"),
            Works("with the acting user's token only: the bot's is refused"),
        ],
    ),
    row("permission remote_webhooks", [Refused("this version receives no webhooks"), Works("")]),
    row(
        "permission user_joined_channel_notification",
        [
            Degrades("it gates nothing, and this version notifies of nothing"),
            Degrades("it gates nothing: what one subscribes to decides"),
        ],
    ),
    row("an unknown permission", [Degrades("it is granted, and means nothing"); COLUMNS.len()]),
    row(
        "OAuth2 connect and complete",
        [Works("in one browser: the one that began must end it"), Works("in any browser of the person")],
    ),
    row("on_install", EVERYWHERE),
    row(
        "on_version_changed",
        [
            Degrades("never called by this version"),
            Degrades("called in the cloud only, at the server's start"),
        ],
    ),
    row("on_uninstall", EVERYWHERE),
    row("on_enable", EVERYWHERE),
    row("on_disable", EVERYWHERE),
    row("on_remote_webhook", [Refused("this version receives no webhooks"), Works("")]),
    row("field type text", EVERYWHERE),
    row("field type static_select", EVERYWHERE),
    row("field type dynamic_select", EVERYWHERE),
    row("field type bool", EVERYWHERE),
    row("field type user", [Degrades("people of the channel only"), Works("")]),
    row("field type channel", [Degrades("channels of one's own only"), Works("")]),
    row("field type markdown", EVERYWHERE),
    row("an unknown field type", [Degrades("drawn as text"), Refused("the form is not shown")]),
    row("field with multiselect", EVERYWHERE),
    row("field with refresh", EVERYWHERE),
    row("form with a source", EVERYWHERE),
];

/// The rows of what this App uses.
pub(super) fn of(app: &Asked) -> Vec<Row> {
    let used = used(app);
    ROWS.iter().filter(|row| used.contains(row.feature)).copied().collect()
}

fn used(app: &Asked) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    by_manifest(&app.manifest, &mut used);
    let mut say = |feature: &str| {
        used.insert(feature.to_owned());
    };
    for top in app.outcome.iter().flat_map(|outcome| &outcome.bindings) {
        places::forms("", top, &mut |_, form| {
            if form.source.is_some() {
                say("form with a source");
            }
            for field in &form.fields {
                match places::FIELDS.contains(&field.kind.as_str()) {
                    true => say(&format!("field type {}", field.kind)),
                    false => say("an unknown field type"),
                }
                if field.multiselect {
                    say("field with multiselect");
                }
                if field.refresh {
                    say("field with refresh");
                }
            }
        });
    }
    used
}

fn by_manifest(manifest: &Manifest, used: &mut BTreeSet<String>) {
    let http = manifest.http.as_ref();
    for (feature, is_used) in [
        ("deploy type http", http.is_some()),
        ("deploy type aws_lambda", manifest.aws_lambda.is_some()),
        ("deploy type open_faas", manifest.open_faas.is_some()),
        ("deploy type plugin", manifest.plugin.is_some()),
        ("signed calls (use_jwt)", http.is_some_and(|http| http.use_jwt)),
        ("icon", !manifest.icon.is_empty()),
        ("on_install", manifest.on_install.is_some()),
        ("on_version_changed", manifest.on_version_changed.is_some()),
        ("on_uninstall", manifest.on_uninstall.is_some()),
        ("on_enable", manifest.on_enable.is_some()),
        ("on_disable", manifest.on_disable.is_some()),
        ("on_remote_webhook", manifest.on_remote_webhook.is_some()),
    ] {
        if is_used {
            used.insert(feature.to_owned());
        }
    }
    for permission in &manifest.requested_permissions {
        let feature = format!("permission {permission}");
        let known = ROWS.iter().any(|row| row.feature == feature);
        used.insert(if known { feature } else { "an unknown permission".into() });
        if permission == Permission::REMOTE_OAUTH2 {
            used.insert("OAuth2 connect and complete".into());
        }
    }
    let tops = [location::COMMAND, location::CHANNEL_HEADER, location::POST_MENU, location::IN_POST];
    for asked in &manifest.requested_locations {
        let top = tops.iter().find(|top| location::is_in(asked, top));
        used.insert(top.map_or("another location".into(), |top| format!("location {top}")));
    }
}
