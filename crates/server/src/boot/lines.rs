//! Who is connected, as the command prints it: a line for each, and one more for what the service knows of those that it
//! keeps itself.

use std::io::Write as _;

use crate::grants::{Connection, ManagedConnection, Standing};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Prints a list of connections, which comes as JSON.
pub(super) fn connections(bytes: &[u8], json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if json {
        out.write_all(bytes)?;
        return Ok(writeln!(out)?);
    }
    let found: Vec<Connection> = serde_json::from_slice(bytes)?;
    writeln!(out, "{:<24} {:<28} {:<20} {:<20} BY", "APP", "USER", "CONNECTED SINCE", "LAST USED")?;
    for connection in &found {
        let since = day(connection.connected_at);
        let used = connection.last_used_at.map_or_else(|| "never".to_owned(), day);
        let by = connection.last_used_by.as_deref().unwrap_or("-");
        writeln!(out, "{:<24} {:<28} {since:<20} {used:<20} {by}", connection.app, connection.user)?;
        if let Some(managed) = &connection.managed {
            writeln!(out, "  {}", printable(&told(managed)))?;
        }
    }
    Ok(())
}

/// The account, how it stands, and what comes next.
fn told(managed: &ManagedConnection) -> String {
    let mut line = format!("{}: {}", managed.account(), managed.status.word());
    if !managed.code.is_empty() {
        line += &format!(" ({})", managed.code);
    }
    if !managed.missing_scopes.is_empty() {
        line += &format!(", without {}", managed.missing_scopes.join(" "));
    }
    if !managed.client_refused.is_empty() {
        line += &format!(", client refused ({}): see the App's provider record", managed.client_refused);
    }
    let next = match (managed.status, managed.refreshable) {
        (Standing::NeedsReconnect, _) => ", until its user connects again".to_owned(),
        (_, true) => {
            managed.next_refresh_at.map(|at| format!(", next refresh {}", day(at))).unwrap_or_default()
        }
        (_, false) => managed.expires_at.map(|at| format!(", ends {}", day(at))).unwrap_or_default(),
    };
    line + &next
}

/// Names and codes are strangers' words: nothing in them moves a terminal's cursor.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

/// UTC, to the minute.
pub(super) fn day(unix_ms: i64) -> String {
    match time::OffsetDateTime::from_unix_timestamp(unix_ms / 1000) {
        Ok(at) => {
            format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
        }
        Err(_) => "?".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_name_moves_no_cursor() {
        assert_eq!(printable("ann\u{1b}[2J\r\n at X"), "ann\u{fffd}[2J\u{fffd}\u{fffd} at X");
    }
}
