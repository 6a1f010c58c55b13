//! `tessera doctor`: what keeps the service from working beside its Mattermost, and what to do about it.

mod own;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::cli::Failure;
use super::serve::{self, Options};
use super::{config, ground, house};
use crate::egress::Egress;
use crate::platform::mattermost::{Callbacks, Finding, State};

/// How to find the settings.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// The settings file that the server is started with.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Change nothing at all: otherwise Mattermost is made to call the service once, by a slash command that is there for a
    /// moment.
    #[arg(long)]
    read_only: bool,
}

/// Looks, prints, and tells by the exit code whether anything is bad.
pub(super) async fn run(args: DoctorArgs, json: bool) -> Result<ExitCode, Failure> {
    let options = Options { config: args.config, ..Options::default() };
    let settings = serve::settings(&options)?;
    let site_url = config::site_url("site.url", &settings.site.url)?;
    let egress = Egress::new(house::rules(&settings)?)?;
    let callbacks = if args.read_only { Callbacks::Leave } else { Callbacks::Try };
    let mut findings = ground::look(&settings, &site_url, egress, callbacks).await?;
    findings.extend(own::look(&settings).await);
    let bad = findings.iter().filter(|finding| finding.state == State::Bad).count();
    let warnings = findings.iter().filter(|finding| finding.state == State::Warning).count();
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::json!({ "findings": findings, "bad": bad, "warnings": warnings }))?;
    } else {
        for finding in &findings {
            writeln!(out, "{}", shown(finding))?;
        }
        writeln!(out, "{} looked at, {warnings} to think about, {bad} to mend", findings.len())?;
    }
    Ok(ExitCode::from(u8::from(bad > 0)))
}

fn shown(finding: &Finding) -> String {
    let mark = match finding.state {
        State::Good => "good",
        State::Warning => "look",
        State::Bad => "BAD ",
    };
    let Finding { about, found, mend, .. } = finding;
    match mend.is_empty() {
        true => format!("{mark}  {about}: {found}"),
        false => format!("{mark}  {about}: {found}\n      {mend}"),
    }
}
