//! Findings and table, for people or as JSON.

use std::io::Write as _;

use serde_json::{Map, Value, json};
use url::Url;

use super::ask::Asked;
use super::features::{COLUMNS, Row, Verdict};
use super::finding::{Finding, Severity};

/// All that is shown.
pub(super) struct Shown<'a> {
    pub(super) url: &'a Url,
    pub(super) app: Option<&'a Asked>,
    pub(super) findings: &'a [Finding],
    pub(super) features: &'a [Row],
}

impl Shown<'_> {
    pub(super) fn print(&self, json: bool) -> std::io::Result<()> {
        let text = if json { self.json().to_string() } else { self.text() };
        writeln!(std::io::stdout(), "{text}")
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    fn json(&self) -> Value {
        let feature = |row: &Row| {
            let verdicts =
                COLUMNS.iter().zip(row.verdicts).map(|(column, verdict)| (column.key, json!(verdict)));
            let mut object = Map::from_iter([("feature".to_owned(), json!(row.feature))]);
            object.extend(verdicts.map(|(key, verdict)| (key.to_owned(), verdict)));
            Value::Object(object)
        };
        json!({
            "url": self.url.as_str(),
            "app_id": self.app.map(|app| &app.manifest.app_id),
            "ok": self.count(Severity::Error) == 0,
            "findings": self.findings,
            "features": self.features.iter().map(feature).collect::<Vec<_>>(),
        })
    }

    fn text(&self) -> String {
        let name = self.app.map(|app| app.manifest.app_id.as_str()).filter(|id| !id.is_empty());
        let mut lines = vec![match name {
            Some(name) => format!("{name}, at {}", self.url),
            None => self.url.to_string(),
        }];
        let mut findings: Vec<&Finding> = self.findings.iter().collect();
        findings.sort_by_key(|finding| finding.severity);
        for Finding { severity, at, what, mend } in findings {
            lines.push(format!("\n{}: {at}\n  {what}\n  → {mend}", severity.word()));
        }
        if !self.features.is_empty() {
            lines.push(format!("\nWhat will work where:\n{}", self.table()));
        }
        let several =
            |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let counts = [Severity::Error, Severity::Warning, Severity::Note]
            .map(|severity| several(self.count(severity), severity.word()));
        lines.push(format!("\n{}", counts.join(", ")));
        lines.join("\n")
    }

    /// One word a cell; what must be added to it stands below, each once.
    fn table(&self) -> String {
        let (rows, notes) = cells(self.features);
        let width =
            |place: usize| rows.iter().map(|row| row[place].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..=COLUMNS.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned()
        };
        let mut lines: Vec<String> = rows.iter().map(line).collect();
        lines.extend(notes.iter().enumerate().map(|(place, note)| format!("  [{}] {note}", place + 1)));
        lines.join("\n")
    }
}

/// The heads and the cells, and the notes that the cells number.
fn cells(features: &[Row]) -> (Vec<Vec<String>>, Vec<&'static str>) {
    let mut notes: Vec<&str> = Vec::new();
    let mut cell = |verdict: Verdict| match verdict.words() {
        (word, "") => word.to_owned(),
        (word, how) => {
            let place = notes.iter().position(|note| *note == how).unwrap_or_else(|| {
                notes.push(how);
                notes.len() - 1
            });
            format!("{word} [{}]", place + 1)
        }
    };
    let heads = ["feature"].into_iter().chain(COLUMNS.iter().map(|column| column.title)).map(str::to_owned);
    let mut rows = vec![heads.collect()];
    for row in features {
        let cells = row.verdicts.into_iter().map(&mut cell);
        rows.push(std::iter::once(row.feature.to_owned()).chain(cells).collect::<Vec<_>>());
    }
    (rows, notes)
}

/// The same as a table in Markdown, as the README has it.
#[cfg(test)]
pub(super) fn markdown(features: &[Row]) -> String {
    let (rows, notes) = cells(features);
    let line = |row: &Vec<String>| format!("| {} |\n", row.join(" | "));
    let mut text = line(&rows[0]) + &"|---".repeat(COLUMNS.len() + 1) + "|\n";
    text.extend(rows[1..].iter().map(line));
    text.push('\n');
    let notes = notes.iter().enumerate().map(|(place, note)| format!("[{}] {note}", place + 1));
    text + &notes.collect::<Vec<_>>().join("; ") + ".\n"
}
