//! The log's word on each row, and how a row of the store compares with it (OS-40).
//!
//! **What is found.** A change of a row is announced (`allowed`) before it happens and confirmed (`row_written`,
//! `row_removed`) after it did. The newest confirmed version must lie in the store, column for column: an older one
//! was put back, another one was altered, and one that is nowhere was removed past the server.
//!
//! **What is no finding.** Between announcement and confirmation the server may have ended, or the store may have
//! failed: an announced write may or may not have happened, and so may an announced removal. Whoever reads is told
//! (a note), and the row may be in either state. As every write is confirmed, that is so for the last act alone and
//! only when it was cut short: an old row put back after a write that was answered is always a finding.
//!
//! **What was found too late.** Once a row that was put back is written anew, it is the newest again. A version that
//! was written twice, or announced after a newer one was confirmed, still tells.
//!
//! **Order.** Generations of one row only grow, which orders the writes of several nodes whatever their clocks say.
//! A row that is made anew starts at the time, above every version of its process (`grants/versions.rs`). Where another
//! node's clock is behind it may start below the one removed: that it was announced after the removal tells the two apart.
//!
//! **Older logs.** Entries from before there were marks say nothing of versions. Rows of which nothing else is known
//! are counted and left out.

use std::collections::HashMap;

use serde::Deserialize;

use super::rows::{RowPlace, Table};

/// What an entry of the log says about rows.
#[derive(Deserialize)]
struct Line<'a> {
    at: i64,
    #[serde(borrow)]
    act: &'a str,
    outcome: &'a str,
    actor: &'a str,
    app: &'a str,
    #[serde(default)]
    detail: std::borrow::Cow<'a, str>,
    row: Option<Mark<'a>>,
}

#[derive(Deserialize)]
struct Mark<'a> {
    table: Table,
    user: &'a str,
    generation: i64,
    print: Option<&'a str>,
}

/// One thing that the log says about a row.
pub struct Told {
    /// Unix ms, by the clock of the node that wrote it.
    pub at: i64,
    place: RowPlace,
    what: What,
}

enum What {
    /// A version is about to be written.
    Writing(i64),
    /// It was written.
    Written(i64, String),
    /// A version is about to be removed.
    Removing,
    /// It was removed.
    Removed(i64),
    /// All rows of the App are about to be removed.
    RemovingAll,
    /// Written or removed, by a Tessera that did not say which version.
    Unmarked,
}

/// What is known of one row.
#[derive(Default)]
struct Known {
    /// The newest version written, its print, and when that was said.
    written: Option<(i64, String, u64)>,
    /// The newest version removed, and when that was said.
    removed: Option<(i64, u64)>,
    /// Writes that are announced and not confirmed, and when they were.
    writing: Vec<(i64, u64)>,
    /// When a removal was last announced.
    removing: u64,
    /// When something was last said without a version.
    unmarked: u64,
    /// When anything was last said.
    last: u64,
    /// A version that was written although there had been a newer one, or the same.
    went_back: Option<i64>,
}

/// How a row compares with the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// As the log has it.
    Fine,
    /// The log knows it from before versions were noted.
    Unknown,
    /// It was being changed while log and store were read.
    Moving,
    /// It differs as it may when an act was cut short.
    Note(String),
    /// It differs as it never may.
    Wrong(String),
}

/// The log's word on every row.
#[derive(Default)]
pub struct History {
    rows: HashMap<RowPlace, Known>,
    apps: HashMap<String, u64>,
    /// How many things were said.
    now: u64,
    /// Where the first reading ended.
    pause: Option<u64>,
    /// Whether several nodes are heard, whose clocks may differ.
    several: bool,
}

impl History {
    /// Nothing heard yet, from so many logs.
    pub fn of(logs: usize) -> Self {
        Self { several: logs > 1, ..Self::default() }
    }

    /// What a line of the log says about a row, if anything. `text` is the line without its hash.
    pub fn told(text: &str) -> Option<Told> {
        // Most lines are releases: they are passed by with one look.
        if !["\"row\":", "_stored\"", "_removed\""].iter().any(|word| text.contains(word)) {
            return None;
        }
        let whole = format!("{text}}}");
        let line: Line<'_> = serde_json::from_str(&whole).ok()?;
        let (table, marked) = match (&line.row, line.act) {
            (Some(mark), _) => (mark.table, true),
            (None, "connection_stored" | "connection_removed") => (Table::Connections, false),
            (None, "credentials_stored") => (Table::Credentials, false),
            _ => return None,
        };
        let user = match (&line.row, table) {
            (Some(mark), _) => mark.user,
            (None, Table::Connections) => line.actor,
            (None, Table::Credentials) => "",
        };
        let what = match (line.act, line.outcome, &line.row) {
            (_, "refused", _) => return None,
            ("row_written", _, Some(Mark { generation, print, .. })) => {
                What::Written(*generation, print.unwrap_or_default().to_owned())
            }
            ("row_removed", _, Some(mark)) => What::Removed(mark.generation),
            ("connection_removed", _, Some(_)) => What::Removing,
            ("connection_removed", _, None) if line.detail == EVERY_USERS => What::RemovingAll,
            (_, _, Some(mark)) => What::Writing(mark.generation),
            _ if !marked => What::Unmarked,
            _ => return None,
        };
        let place = RowPlace { table, app: line.app.to_owned(), user: user.to_owned() };
        Some(Told { at: line.at, place, what })
    }

    /// Takes in the next thing said.
    pub fn hear(&mut self, told: Told) {
        self.now += 1;
        let (now, Told { place, what, .. }) = (self.now, told);
        if matches!(what, What::RemovingAll) {
            self.apps.insert(place.app, now);
            return;
        }
        let known = self.rows.entry(place).or_default();
        known.last = now;
        match what {
            What::Writing(generation) => known.writing.push((generation, now)),
            What::Written(generation, print) => known.written(generation, print, now, self.several),
            What::Removing => known.removing = now,
            What::Removed(generation) => {
                if known.removed.is_none_or(|(before, _)| generation >= before) {
                    known.removed = Some((generation, now));
                }
            }
            What::Unmarked => known.unmarked = now,
            What::RemovingAll => {}
        }
    }

    /// The store is read from here on: rows of which more is heard later are changing meanwhile.
    pub fn pause(&mut self) {
        self.pause = Some(self.now);
    }

    /// Every row that the log knows, in order.
    pub fn places(&self) -> Vec<&RowPlace> {
        let mut places: Vec<_> = self.rows.keys().collect();
        places.sort();
        places
    }

    /// Compares a row with the log: its generation and print, or that it is not there.
    pub fn judge(&self, place: &RowPlace, found: Option<(i64, &str)>) -> Judged {
        let all = self.apps.get(&place.app).copied().unwrap_or(0);
        let known = self.rows.get(place);
        let last = known.map_or(0, |known| known.last).max(all);
        if self.pause.is_some_and(|pause| last > pause) {
            return Judged::Moving;
        }
        match (known, found) {
            (None, None) => Judged::Fine,
            (None, Some(_)) => {
                Judged::Wrong("is in the store, and the log knows of no write of it".to_owned())
            }
            (Some(known), Some((generation, print))) => known.judge(generation, print),
            (Some(known), None) => known.judge_absent(all),
        }
    }
}

/// The detail of the entry that announces the end of all connections of an App.
pub(crate) const EVERY_USERS: &str = "every user's";

impl Known {
    fn written(&mut self, generation: i64, print: String, now: u64, several: bool) {
        let announced = self.writing.iter().rev().find(|(other, _)| *other == generation).map(|(_, at)| *at);
        self.writing.retain(|(other, _)| *other > generation);
        if let Some((removed, at)) = self.removed
            && generation <= removed
        {
            if announced.is_none_or(|announced| announced < at) {
                // Said late: what it says was written is removed already.
                return;
            }
            self.removed = None;
            self.written = None;
        }
        if let Some((newest, before, at)) = &self.written {
            let twice = generation == *newest && print != *before;
            // Of two nodes, one may only be heard late.
            let late = several || announced.is_none_or(|announced| announced < *at);
            if twice || (generation < *newest && !late) {
                self.went_back = Some(generation);
            }
        }
        if self.written.as_ref().is_none_or(|(before, ..)| generation >= *before) {
            self.written = Some((generation, print, now));
        }
    }

    /// The version that must be there; the one that must not; neither.
    fn newest(&self) -> (Option<&(i64, String, u64)>, Option<i64>) {
        match (&self.written, self.removed) {
            (Some(written), Some((removed, _))) if removed >= written.0 => (None, Some(removed)),
            (Some(written), _) => (Some(written), None),
            (None, removed) => (None, removed.map(|(generation, _)| generation)),
        }
    }

    /// Whether the last that was said has no version.
    fn is_unmarked(&self) -> bool {
        let marked =
            self.written.as_ref().map_or(0, |(.., at)| *at).max(self.removed.map_or(0, |(_, at)| at));
        self.unmarked > marked
    }

    fn judge(&self, generation: i64, print: &str) -> Judged {
        let wrong = |what: String| Judged::Wrong(what);
        let is_announced = self.writing.iter().any(|(writing, _)| *writing == generation);
        match self.newest() {
            (Some((newest, expected, at)), _)
                if generation == *newest && expected != print && self.removing > *at =>
            {
                Judged::Note(format!("is there still: its removal began and was not completed (version {generation})"))
            }
            (Some((newest, expected, _)), _) if generation == *newest => match expected == print {
                true => self.went_back.map_or(Judged::Fine, |version| {
                    wrong(format!(
                        "had been put back to an older version when version {version} was written, for that one \
                         was written before"
                    ))
                }),
                false => wrong(format!("is not what was written: version {generation} was altered")),
            },
            _ if is_announced => Judged::Note(format!(
                "has version {generation}, whose write was announced and never confirmed: it was the last act \
                 before the server ended"
            )),
            _ if self.is_unmarked() => Judged::Unknown,
            (Some((newest, ..)), _) if generation < *newest => wrong(format!(
                "is older than the log says: version {generation} lies in the store, and {newest} was written"
            )),
            (None, Some(removed)) if generation <= removed => {
                wrong(format!("was removed as the log says, and is back (version {generation})"))
            }
            _ => wrong(format!("has version {generation}, of which the log knows no write")),
        }
    }

    fn judge_absent(&self, all: u64) -> Judged {
        match self.newest() {
            (Some((generation, _, at)), _) => {
                if self.removing.max(all) > *at {
                    let text = format!(
                        "is gone: its removal was announced and never confirmed (version {generation})"
                    );
                    return Judged::Note(text);
                }
                match self.is_unmarked() {
                    true => Judged::Unknown,
                    false => Judged::Wrong(format!(
                        "is missing: version {generation} was written, and the log knows of no removal"
                    )),
                }
            }
            (None, Some(_)) => Judged::Fine,
            (None, None) if !self.writing.is_empty() => Judged::Note(
                "is not there: its first write was announced and never confirmed, and may not have happened"
                    .to_owned(),
            ),
            (None, None) => Judged::Unknown,
        }
    }
}
