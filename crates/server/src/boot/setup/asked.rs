//! What setting up must know: given, from the environment, or asked for at a terminal. A token is never an argument, which other users
//! of the machine see and the shell remembers.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use tessera_types::AccessToken;
use zeroize::Zeroizing;

use super::super::cli::Failure;
use crate::platform::mattermost::prepare::Plan;

/// Where an administrator's token may be, beside a file; the service's own setting, too.
pub(super) const TOKEN: &str = "TESSERA_MATTERMOST__TOKEN";

/// What people open.
pub(super) fn url(given: Option<&str>, known: Option<&str>) -> Result<String, Failure> {
    if let Some(url) = given.or(known) {
        return Ok(url.trim().trim_end_matches('/').to_owned());
    }
    if !std::io::stdin().is_terminal() {
        return Err("which Mattermost? Name its address with --url".into());
    }
    let line = line("Mattermost's address, as people open it: ")?;
    Ok(line.trim_end_matches('/').to_owned())
}

/// An administrator's token.
pub(super) fn token(file: Option<&Path>) -> Result<AccessToken, Failure> {
    let text = match file {
        Some(path) => {
            let text = std::fs::read_to_string(path).map(Zeroizing::new);
            text.map_err(|error| format!("{}: {error}", path.display()))?
        }
        None => match std::env::var(TOKEN).map(Zeroizing::new) {
            Ok(text) => text,
            Err(_) if std::io::stdin().is_terminal() => {
                let text =
                    rpassword::prompt_password("An administrator's token (not shown while you type): ");
                text.map(Zeroizing::new)?
            }
            Err(_) => {
                return Err(format!(
                    "an administrator's token is needed: name its file with --token-file, or set {TOKEN}"
                )
                .into());
            }
        },
    };
    match text.trim() {
        "" => Err("the administrator's token is empty".into()),
        token => Ok(AccessToken::new(token)),
    }
}

/// Whether it shall be done: without a terminal, only who says so beforehand is understood.
pub(super) fn agreed(yes: bool, plan: &Plan, intended: &[String], json: bool) -> Result<bool, Failure> {
    if yes || intended.is_empty() {
        return Ok(true);
    }
    if json || !std::io::stdin().is_terminal() {
        return Err("nothing is done without a word: say --yes, or look with --dry-run first".into());
    }
    let mut out = std::io::stderr();
    for one in intended {
        writeln!(out, "  {one}")?;
    }
    for one in &plan.by_hand {
        writeln!(out, "  left to you: {}: {}", one.about, one.how)?;
    }
    Ok(matches!(line("Go on? [y/N] ")?.to_lowercase().as_str(), "y" | "yes"))
}

fn line(question: &str) -> Result<String, Failure> {
    let mut out = std::io::stderr();
    write!(out, "{question}")?;
    out.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}
