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

/// Where: here, in the original, and beside a Mattermost of three versions: drawn by its clients, which a proxy leads to us, or
/// bridged to its slash commands and dialogs.
pub(super) const COLUMNS: [Column; 8] = [
    Column { key: "standalone", title: "here" },
    Column { key: "original", title: "original (to 11)" },
    Column { key: "mattermost_10_proxy", title: "10, proxy" },
    Column { key: "mattermost_11_proxy", title: "11, proxy" },
    Column { key: "mattermost_12_proxy", title: "12, proxy" },
    Column { key: "mattermost_10_bridge", title: "10, bridge" },
    Column { key: "mattermost_11_bridge", title: "11, bridge" },
    Column { key: "mattermost_12_bridge", title: "12, bridge" },
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

type Verdicts = [Verdict; COLUMNS.len()];

/// The same beside every Mattermost: nothing of it is drawn.
const fn served(standalone: Verdict, original: Verdict, beside: Verdict) -> Verdicts {
    [standalone, original, beside, beside, beside, beside, beside, beside]
}

/// What is drawn: by Mattermost's clients where native Apps are on, and bridged with these verdicts for 10, 11 and 12.
const fn drawn(standalone: Verdict, original: Verdict, bridge: [Verdict; 3]) -> Verdicts {
    let [ten, eleven, twelve] = bridge;
    [standalone, original, NATIVE, NATIVE, NO_NATIVE, ten, eleven, twelve]
}

/// The same in every version.
const fn bridged(verdict: Verdict) -> [Verdict; 3] {
    [verdict; 3]
}

const WORKS: Verdict = Works("");
const EVERYWHERE: Verdicts = [WORKS; COLUMNS.len()];
const NATIVE: Verdict = Works("where native Apps are switched on");
const NO_NATIVE: Verdict = Refused("Mattermost 12 draws no Apps: the bridge does");
const HTTP_ONLY: Verdict = Refused("this version calls HTTP Apps only");
const NO_WEBHOOKS: Verdict = Refused("this version receives no webhooks");
const ICON: Verdict = Works("with an icon");
const NOT_DRAWN: Verdict = Degrades("no client draws it");
const UNSIGNED: Verdict = Degrades("signed with an empty key: no secret can be given to this version");
const EITHER_TOKEN: Verdict = Works("with either token: the bot's reaches a record of its own");
const NO_NOTICE: Verdict = Degrades("it gates nothing, and this version notifies of nothing");
const ONE_BROWSER: Verdict = Works("in one browser: the one that began must end it");
const NEVER_CALLED: Verdict = Degrades("never called by this version");
const AS_TEXT: Verdict = Degrades("drawn as text");
const NO_FORM: Verdict = Refused("the form is not shown");

/// Every feature that is told of, in the order in which it is.
const ROWS: &[Row] = &[
    row("deploy type http", served(WORKS, Works("where HTTP Apps are allowed"), WORKS)),
    row(
        "deploy type aws_lambda",
        served(HTTP_ONLY, Works("where AWS credentials are configured"), HTTP_ONLY),
    ),
    row(
        "deploy type open_faas",
        served(HTTP_ONLY, Works("where a gateway is configured, on premises"), HTTP_ONLY),
    ),
    row("deploy type plugin", served(HTTP_ONLY, Works("where the plugin is installed"), HTTP_ONLY)),
    row(
        "signed calls (use_jwt)",
        served(UNSIGNED, Works("the secret is asked for at install, in the dialog"), UNSIGNED),
    ),
    row("icon", drawn(WORKS, WORKS, bridged(Degrades("not shown")))),
    row(
        "location /command",
        drawn(WORKS, WORKS, bridged(Works("as one slash command, named as the App's id"))),
    ),
    row(
        "location /channel_header",
        drawn(ICON, ICON, bridged(Degrades("as buttons below the App's command alone"))),
    ),
    row(
        "location /post_menu",
        drawn(WORKS, WORKS, bridged(Degrades("as buttons below the App's command, typed as a reply"))),
    ),
    row("location /in_post", IN_POST),
    row("another location", served(NOT_DRAWN, NOT_DRAWN, NOT_DRAWN)),
    row("permission act_as_bot", EVERYWHERE),
    row("permission act_as_user", served(WORKS, WORKS, Works("once each person agreed"))),
    row(
        "permission remote_oauth2",
        served(EITHER_TOKEN, Works("with the acting user's token only: the bot's is refused"), EITHER_TOKEN),
    ),
    row("permission remote_webhooks", served(NO_WEBHOOKS, WORKS, NO_WEBHOOKS)),
    row(
        "permission user_joined_channel_notification",
        served(NO_NOTICE, Degrades("it gates nothing: what one subscribes to decides"), NO_NOTICE),
    ),
    row("an unknown permission", [Degrades("it is granted, and means nothing"); COLUMNS.len()]),
    row(
        "OAuth2 connect and complete",
        served(ONE_BROWSER, Works("in any browser of the person"), ONE_BROWSER),
    ),
    row("on_install", EVERYWHERE),
    row(
        "on_version_changed",
        served(NEVER_CALLED, Degrades("called in the cloud only, at the server's start"), NEVER_CALLED),
    ),
    row("on_uninstall", EVERYWHERE),
    row("on_enable", EVERYWHERE),
    row("on_disable", EVERYWHERE),
    row("on_remote_webhook", served(NO_WEBHOOKS, WORKS, NO_WEBHOOKS)),
    row("field type text", drawn(WORKS, WORKS, bridged(WORKS))),
    row("field type static_select", drawn(WORKS, WORKS, bridged(WORKS))),
    row(
        "field type dynamic_select",
        drawn(WORKS, WORKS, [Degrades("typed, and not looked up"), WORKS, WORKS]),
    ),
    row("field type bool", drawn(WORKS, WORKS, bridged(WORKS))),
    row("field type user", drawn(Degrades("people of the channel only"), WORKS, bridged(WORKS))),
    row("field type channel", drawn(Degrades("channels of one's own only"), WORKS, bridged(WORKS))),
    row(
        "field type markdown",
        drawn(WORKS, WORKS, bridged(Degrades("above the fields, wherever it stands"))),
    ),
    row("an unknown field type", [AS_TEXT, NO_FORM, NO_FORM, NO_FORM, NO_NATIVE, AS_TEXT, AS_TEXT, AS_TEXT]),
    row(
        "field with multiselect",
        drawn(WORKS, WORKS, [Refused("Mattermost's dialogs have it from 11.0 on"), WORKS, WORKS]),
    ),
    row(
        "field with refresh",
        drawn(WORKS, WORKS, [Degrades("the form stays as it is"), Works("from 11.1 on"), WORKS]),
    ),
    row("form with a source", drawn(WORKS, WORKS, bridged(WORKS))),
];

/// The web client of 11.6 draws none of them, whoever serves it.
const IN_POST: Verdicts = {
    let none = Refused("bindings of posts are drawn by native clients alone");
    let eleven = Degrades("not drawn by the web client of 11.6");
    [Degrades("the console shows no bindings in posts"), WORKS, NATIVE, eleven, NO_NATIVE, none, none, none]
};

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

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::ROWS;

    const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    const BEGIN: &str = "<!-- what works where: written by a test of boot/check/features.rs -->\n";
    const END: &str = "<!-- end -->\n";

    /// The README has the same table; `TESSERA_UPDATE_GOLDEN=1` writes it anew.
    #[test]
    fn the_readme_says_what_works_where() {
        let readme = std::fs::read_to_string(README).unwrap();
        let (before, rest) = readme.split_once(BEGIN).unwrap();
        let (told, after) = rest.split_once(END).unwrap();
        let table = shown::markdown(ROWS);
        if std::env::var_os("TESSERA_UPDATE_GOLDEN").is_some() {
            return std::fs::write(README, [before, BEGIN, &table, END, after].concat()).unwrap();
        }
        assert_eq!(
            told, table,
            "write it anew: TESSERA_UPDATE_GOLDEN=1 cargo test -p tessera-server --lib readme"
        );
    }
}
