//! What is said while an App is followed: text for people, or one JSON object a line.

use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use tessera_types::Manifest;
use url::Url;

use crate::boot::probe::Typed;

/// How an App came to be installed.
pub(super) enum Arrival {
    /// For the first time.
    New,
    /// By an earlier run, and nothing is different.
    AsBefore,
    /// With these differences.
    Changed(Vec<String>),
    /// Under another id than a moment ago.
    Renamed { before: String },
}

/// What the App is at the local provider, and who can sign in there. None of it is worth anything elsewhere.
pub(super) struct Client {
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) provider_url: String,
    pub(super) accounts: [&'static str; 2],
    pub(super) password: &'static str,
}

/// How an App was made a client of the local provider.
#[cfg_attr(not(feature = "demo"), expect(dead_code, reason = "without a provider there is nothing to offer"))]
pub(super) enum Offer {
    /// By filling its OAuth2 record.
    Stored(Client),
    /// The record is the author's own: only told.
    Printed { configured: String, client: Client },
}

/// Prints as it goes.
pub(super) struct Report {
    json: bool,
    /// What was said of the bindings last, so that it is said once.
    bindings: Vec<String>,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self { json, bindings: Vec::new() }
    }

    pub(super) fn ready(&self, site: &Url, data: &Path) {
        let site = site.as_str().trim_end_matches('/');
        let text = format!("tessera ready on {site}");
        self.say(&text, json!({ "event": "ready", "site_url": site, "data": data }));
    }

    /// Nobody answers.
    pub(super) fn waiting(&self, place: &Url, why: &str, listed: Option<&Manifest>) {
        let text = match listed {
            None => format!("waiting for {place} … ({why})"),
            Some(app) => format!("{} is gone; waiting for {place} …", app.app_id),
        };
        let event = if listed.is_some() { "gone" } else { "waiting" };
        self.say(&text, json!({ "event": event, "manifest_url": place.as_str(), "why": why }));
    }

    pub(super) fn broken(&self, place: &Url, problems: &[String], listed: Option<&Manifest>) {
        let lines: String = problems.iter().map(|problem| format!("\n  - {problem}")).collect();
        let kept = match listed {
            Some(_) => "\n  What was installed before stays until this is mended.",
            None => "",
        };
        let text = format!("{place} cannot be installed:{lines}{kept}");
        self.say(&text, json!({ "event": "broken", "manifest_url": place.as_str(), "problems": problems }));
    }

    pub(super) fn back(&self, app: &Manifest) {
        let id = &app.app_id;
        let text = format!("{id} is back, as it was; clients ask for its bindings anew");
        self.say(&text, json!({ "event": "back", "app_id": id }));
    }

    pub(super) fn arrived(&self, app: &Manifest, arrival: &Arrival) {
        let id = &app.app_id;
        let list = |list: &[String]| if list.is_empty() { "nothing".into() } else { list.join(", ") };
        let asks = format!(
            "permissions: {}; locations: {}",
            list(&app.requested_permissions),
            list(&app.requested_locations)
        );
        let (text, changes) = match arrival {
            Arrival::New => (format!("{id} is listed and installed ({asks})"), vec![]),
            Arrival::AsBefore => (format!("{id} is installed, as before ({asks})"), vec![]),
            Arrival::Changed(changes) => {
                let lines: String = changes.iter().map(|line| format!("\n  - {line}")).collect();
                (format!("{id} changed, and is listed and installed anew:{lines}"), changes.clone())
            }
            Arrival::Renamed { before } => {
                let note = format!("{before} stays installed: `tessera apps uninstall {before}` removes it");
                (format!("{id} is listed and installed ({asks})\n  {note}"), vec![note])
            }
        };
        let how = match arrival {
            Arrival::New | Arrival::Renamed { .. } => "new",
            Arrival::AsBefore => "as before",
            Arrival::Changed(_) => "changed",
        };
        self.say(&text, json!({ "event": "installed", "app_id": id, "how": how, "changes": changes }));
    }

    pub(super) fn asks_for_no_oauth2(&self) {
        let text = "the App asks for no OAuth2. To connect accounts, its manifest needs \"requested_permissions\": \
                    [\"act_as_user\", \"remote_oauth2\"]";
        self.say(text, json!({ "event": "no_oauth2", "text": text }));
    }

    pub(super) fn not_offered(&self, why: &str) {
        let text = format!("the App could not be made a client of the local provider: {why}");
        self.say(&text, json!({ "event": "provider_failed", "why": why }));
    }

    pub(super) fn offered(&self, offer: &Offer, app: &Manifest) {
        let id = &app.app_id;
        let (client, stored) = match offer {
            Offer::Stored(client) => (client, true),
            Offer::Printed { client, .. } => (client, false),
        };
        let Client { client_id, client_secret, provider_url, accounts, password } = client;
        let people = format!("accounts {}; password {password}", accounts.join(", "));
        let text = match offer {
            Offer::Stored(_) => format!(
                "{provider_url} is an OAuth2 provider on this machine, for trying ({people}).\n  {id} is its client \
                 already: nothing is to be configured. Whoever configures {id} for a real provider replaces that."
            ),
            Offer::Printed { configured, .. } => format!(
                "{provider_url} is an OAuth2 provider on this machine, for trying ({people}).\n  {id} keeps the client \
                 that it was configured with ({configured:?}). To try it with the local provider, configure it with\n    \
                 client id      {client_id}\n    client secret  {client_secret}\n    provider URL   {provider_url}"
            ),
        };
        let mut said = json!({
            "event": "provider", "provider_url": provider_url, "stored": stored, "client_id": client_id,
            "accounts": accounts, "password": password,
        });
        if !stored {
            said["client_secret"] = client_secret.as_str().into();
        }
        self.say(&text, said);
    }

    /// What is wrong with the bindings, and if `guide` what to do next.
    pub(super) fn bindings(&mut self, site: &str, wrong: &[String], commands: &[Typed], guide: bool) {
        if self.bindings != wrong {
            let lines: String = wrong.iter().map(|problem| format!("\n  - {problem}")).collect();
            let text = match wrong.is_empty() {
                true => "its bindings are well again".to_owned(),
                false => format!("its bindings have problems:{lines}"),
            };
            self.say(&text, json!({ "event": "bindings", "problems": wrong }));
            self.bindings = wrong.to_vec();
        }
        if !guide {
            return;
        }
        let width = commands.iter().map(|one| one.command.chars().count()).max().unwrap_or_default();
        let lines: String = commands
            .iter()
            .map(|one| format!("\n    {:width$}   {}", one.command, one.description).trim_end().to_owned())
            .collect();
        let then = if lines.is_empty() { String::new() } else { format!(", and type:\n{lines}") };
        let text = format!(
            "\n  Open {site}, sign in as user-1 (or user-2, or sysadmin; password tessera-dev){then}\n\n  Ctrl-C ends \
             it; data is kept.\n"
        );
        self.say(&text, json!({ "event": "next", "site_url": site, "commands": commands }));
    }

    pub(super) fn stopped(&self) {
        self.say("stopped; the data folder is kept", json!({ "event": "stopped" }));
    }

    fn say(&self, text: &str, json: Value) {
        let line = if self.json { json.to_string() } else { text.to_owned() };
        let mut out = std::io::stdout();
        // Whoever does not want to read on may stop: the server goes on.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}
