//! `tessera audit verify`: the log's chain, and the rows of the store against what the log says of them (OS-40).
//!
//! Nothing is changed, and nothing is locked: it works on a copy, and beside a running server. The logs are read, then
//! the store, then what the logs gained meanwhile; rows of which they speak by then were changing and are not judged.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::config::{self, Config};
use super::{house, serve};
use crate::audit::{History, Judged, Log, Prints, RowPlace, Table, Told, Verdict};
use crate::store::{Reading, StoreConfig};
use crate::vault::RootKey;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What to look at.
#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    /// The data folder, or a copy of it: the log, the root key and the embedded database. [default: the one of the
    /// settings, or else tessera-dev-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The server's settings file: where its database, log and root key are. `TESSERA_SECTION__KEY` count, too.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The root key's file, unless it is `root.key` in the folder or the settings say otherwise.
    #[arg(long, value_name = "FILE")]
    root_key_file: Option<PathBuf>,
    /// A folder with the log of another node of the same PostgreSQL. May be given several times; without all of them
    /// rows that the others wrote look unknown.
    #[arg(long, value_name = "DIR")]
    log: Vec<PathBuf>,
}

/// How many rows are read at a time.
const PART: i64 = 1_000;

#[derive(Debug, Default, Serialize)]
struct Report {
    /// The same as the text that is printed without `--json`.
    message: String,
    whole: bool,
    entries: u64,
    /// Whether there was a store to compare with.
    compared: Option<Compared>,
    wrong: Vec<Remark>,
    notes: Vec<Remark>,
}

/// How many rows of the store were, or are in the log and were not found.
#[derive(Debug, Default, Serialize)]
struct Compared {
    connections: u64,
    credentials: u64,
    /// Written before the log noted versions: nothing can be said.
    unknown: u64,
    /// Changed while this looked.
    moving: u64,
}

#[derive(Debug, Serialize)]
struct Remark {
    #[serde(flatten)]
    place: RowPlace,
    what: String,
}

pub(super) async fn run(args: VerifyArgs, json: bool) -> Result<ExitCode, Failure> {
    use std::io::Write as _;
    let report = verify(args).await?;
    let mut out = std::io::stdout().lock();
    match json {
        true => writeln!(out, "{}", serde_json::to_string(&report)?)?,
        false => writeln!(out, "{}", report.message)?,
    }
    let fine = report.whole && report.wrong.is_empty();
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

async fn verify(args: VerifyArgs) -> Result<Report, Failure> {
    let config = Config::load(args.config.as_deref(), std::env::vars())?;
    let data = args.data.unwrap_or_else(|| match config.store.dir == config::Store::default().dir {
        true => PathBuf::from(serve::DEV_DATA),
        false => PathBuf::from(&config.store.dir),
    });
    let key = house::existing_root_key(&config, &data, args.root_key_file.as_deref())?;
    let mut folders = vec![match config.audit.dir.as_str() {
        "" => data.clone(),
        dir => PathBuf::from(dir),
    }];
    folders.extend(args.log);
    let mut logs = Logs::open(&folders, &key)?;
    let mut report = Report::default();
    let mut history = History::of(folders.len());
    logs.read(&mut history)?;
    let store = house::store_config(&config, &data)?;
    if logs.verdict(&mut report) && is_there(&store) {
        history.pause();
        let prints = Prints::new(&key.audit_key());
        let found = Rows::read(&Reading::open(&store).await?, &prints).await?;
        logs.read(&mut history)?;
        if logs.verdict(&mut report) {
            compare(&history, &found, &mut report);
        }
    }
    report.message = report.text(&data);
    Ok(report)
}

fn is_there(store: &StoreConfig) -> bool {
    match store {
        StoreConfig::Memory => false,
        StoreConfig::Sqlite { dir } => dir.join("tessera.db").exists(),
        StoreConfig::Postgres { .. } => true,
    }
}

/// The logs of all nodes, heard in the order of their times.
struct Logs(Vec<(PathBuf, Log, Option<Told>)>);

impl Logs {
    fn open(folders: &[PathBuf], key: &RootKey) -> Result<Self, Failure> {
        let mut seen = HashSet::new();
        let mut logs = Vec::new();
        for folder in folders.iter().filter(|folder| seen.insert((*folder).clone())) {
            let path = folder.join("audit.log");
            let log = Log::open(&path, &key.audit_key())?;
            logs.push((path, log, None));
        }
        Ok(Self(logs))
    }

    /// Reads all that there is to read by now.
    fn read(&mut self, history: &mut History) -> Result<(), Failure> {
        loop {
            for (_, log, head) in self.0.iter_mut().filter(|(.., head)| head.is_none()) {
                while head.is_none()
                    && let Some(text) = log.line()?
                {
                    *head = History::told(text);
                }
            }
            let first = self.0.iter_mut().filter(|(.., head)| head.is_some());
            let first = first.min_by_key(|(.., head)| head.as_ref().map_or(i64::MAX, |told| told.at));
            match first.and_then(|(.., head)| head.take()) {
                Some(told) => history.hear(told),
                None => return Ok(()),
            }
        }
    }

    /// Whether all are whole; said in the report.
    fn verdict(&self, report: &mut Report) -> bool {
        (report.whole, report.entries) = (true, 0);
        for (path, log, _) in &self.0 {
            match log.verdict() {
                Verdict::Whole { entries } => report.entries += entries,
                Verdict::BrokenAt { line } => {
                    report.whole = false;
                    let place =
                        if self.0.len() > 1 { format!(" ({})", path.display()) } else { String::new() };
                    report.message = format!(
                        "The audit log is broken: line {line} does not follow from the one before it{place}"
                    );
                }
            }
        }
        report.whole
    }
}

/// The rows of the store, each with its generation and print.
struct Rows(Vec<(RowPlace, i64, String)>);

impl Rows {
    async fn read(store: &Reading, prints: &Prints) -> Result<Self, Failure> {
        let mut rows = Vec::new();
        let mut after = (String::new(), String::new());
        loop {
            let part = store.connections((&after.0, &after.1), PART).await?;
            let Some(last) = part.last() else { break };
            after = (last.app.clone(), last.user.clone());
            rows.extend(part.into_iter().map(|row| {
                let print = prints.connection(&row);
                (RowPlace { table: Table::Connections, app: row.app, user: row.user }, row.generation, print)
            }));
        }
        let mut after = String::new();
        loop {
            let part = store.credentials(&after, PART).await?;
            let Some(last) = part.last() else { break };
            after.clone_from(&last.app);
            rows.extend(part.into_iter().map(|row| {
                let print = prints.credential(&row);
                let place = RowPlace { table: Table::Credentials, app: row.app, user: String::new() };
                (place, row.generation, print)
            }));
        }
        Ok(Self(rows))
    }
}

fn compare(history: &History, found: &Rows, report: &mut Report) {
    let mut compared = Compared::default();
    let mut judge = |place: &RowPlace, row: Option<(i64, &str)>| {
        let remark = |what: String| Remark { place: place.clone(), what };
        match history.judge(place, row) {
            Judged::Unknown => compared.unknown += 1,
            Judged::Moving => compared.moving += 1,
            judged => {
                match place.table {
                    Table::Connections => compared.connections += 1,
                    Table::Credentials => compared.credentials += 1,
                }
                match judged {
                    Judged::Note(what) => report.notes.push(remark(what)),
                    Judged::Wrong(what) => report.wrong.push(remark(what)),
                    _ => {}
                }
            }
        }
    };
    for (place, generation, print) in &found.0 {
        judge(place, Some((*generation, print)));
    }
    let there: HashSet<&RowPlace> = found.0.iter().map(|(place, ..)| place).collect();
    for place in history.places() {
        if !there.contains(place) {
            judge(place, None);
        }
    }
    report.compared = Some(compared);
}

impl Report {
    fn text(&self, data: &Path) -> String {
        if !self.whole {
            return format!("{}\nNo row of the store was compared with a broken log", self.message);
        }
        let mut lines = vec![format!("The audit log is whole: {} entries", self.entries)];
        match &self.compared {
            None => lines.push(format!("No database lies in {}: no row was compared", data.display())),
            Some(Compared { connections, credentials, unknown, moving }) => {
                lines.push(format!(
                    "Compared with the log: {connections} connections and {credentials} clients of Apps, removed \
                     ones included"
                ));
                if *unknown > 0 {
                    lines.push(format!(
                        "Not compared, as the log did not note versions when they were written: {unknown}"
                    ));
                }
                if *moving > 0 {
                    lines.push(format!("Not compared, as they were being changed: {moving}. Run this again"));
                }
            }
        }
        for (word, remarks) in [("Note", &self.notes), ("WRONG", &self.wrong)] {
            lines.extend(remarks.iter().map(|remark| format!("{word}: {} {}", remark.place, remark.what)));
        }
        if self.compared.is_some() && self.wrong.is_empty() {
            lines.push("The store is as the log says".into());
        }
        lines.join("\n")
    }
}
