//! What an administrator reads at the terminal of a provider.

use std::fmt::Write as _;

use super::super::lines::{day, printable};
use crate::grants::{Blank, Preset, ProviderSet};

/// How a descriptor that nobody here tried is marked wherever it is shown.
const COMMUNITY: &str = "community, unverified";

/// The providers that there are.
pub(super) fn catalogue(presets: &[Preset]) -> String {
    let mut text = format!("{:<16} {:<20} {:<22} TO FILL IN\n", "PRESET", "PROVIDER", "STANDING");
    for preset in presets {
        let standing = if preset.verified { "verified" } else { COMMUNITY };
        let blanks = preset.values.iter().map(blank).collect::<Vec<_>>().join("; ");
        let line = format!("{:<16} {:<20} {standing:<22} {blanks}", preset.name, preset.display_name);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn blank(blank: &Blank) -> String {
    let Blank { name, about, default, choices } = blank;
    let one_of = if choices.is_empty() { String::new() } else { format!(", one of {}", choices.join(", ")) };
    match default {
        Some(default) => format!("{name} ({about}{one_of}; else {default})"),
        None => format!("{name} ({about}{one_of})"),
    }
}

/// An App's provider.
pub(super) fn of(set: &ProviderSet) -> String {
    let ProviderSet { app_id, display_name, redirect_uri, client_id, .. } = set;
    let mut text = format!("{app_id} connects people's accounts at {display_name}\n");
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<13} {}", printable(value));
    };
    line("redirect URI", redirect_uri);
    let values: Vec<_> = set.record.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if !values.is_empty() {
        line("filled in", &values.join(" "));
    }
    line(
        "asks for",
        &if set.asks_for.is_empty() { "nothing by name".to_owned() } else { set.asks_for.join(" ") },
    );
    let own: Vec<_> =
        set.record.bot_scopes.iter().filter(|scope| !scope.is_empty()).map(String::as_str).collect();
    match (set.record.bot_scopes.is_empty(), own.is_empty()) {
        (true, _) => {}
        (false, true) => line("for its bot", "what a client gets without asking"),
        (false, false) => line("for its bot", &own.join(" ")),
    }
    match (client_id.as_str(), set.has_client_secret) {
        ("", _) => line("client", "none yet"),
        (id, true) => line("client", &format!("{id}, with a secret")),
        (id, false) => line("client", &format!("{id}, without a secret")),
    }
    if set.updated_at > 0 {
        let by = if set.updated_by.is_empty() { "the command line" } else { &set.updated_by };
        line("set", &format!("{} by {by}", day(set.updated_at)));
    }
    if let Some(probe) = &set.probe {
        line("asked now", probe);
    } else if !set.fault.is_empty() {
        line("fault", &format!("{display_name} refused the client the last time ({})", set.fault));
    }
    for change in &set.changed {
        line("changed", change);
    }
    for note in &set.notes {
        line("note", note);
    }
    for left in left_to_do(set) {
        let _ = writeln!(text, "\n{}", printable(&left));
    }
    text
}

/// What is still to be done.
fn left_to_do(set: &ProviderSet) -> Vec<String> {
    let (name, redirect_uri) = (&set.display_name, &set.redirect_uri);
    let mut all = Vec::new();
    if set.client_id.is_empty() {
        all.push(format!(
            "Nobody can connect yet: register the redirect URI {redirect_uri} at {name}, and set the client that it gives \
             you, with --client-id and its secret."
        ));
    }
    if !set.fault.is_empty() {
        all.push(format!(
            "Nobody can connect, and no token is refreshed, until {name} accepts the client: set its id and secret again."
        ));
    }
    if !set.changed.is_empty() {
        all.push(format!(
            "Nothing of that is used by itself. If {name} announced it, set the provider again to take it over."
        ));
    }
    all
}
