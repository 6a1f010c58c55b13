//! `tessera demo`: a development server, the hello-oauth2 App (with `--managed`, hello-managed) and a local OAuth2
//! provider in one process tree.
//!
//! The server is a child process, so that the walk can kill it as a power cut would; App and provider run in this
//! process. By itself the demo gets everything ready for a person and waits; with `--headless` it plays the people
//! too, over HTTP as their browsers would (`walk`, `managed`), and ends with what came of it.

mod api;
mod browser;
mod child;
mod commands;
mod connect;
mod form;
mod guide;
mod html;
mod jar;
mod managed;
mod page;
mod report;
mod stage;
mod steps;
mod walk;
mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use child::Log;
use report::Report;
use stage::{Stage, Way};
use tokio::signal::unix::{SignalKind, signal};

/// Where people find the site unless they say otherwise: the port that a Mattermost has.
const PORT: u16 = 8065;

/// What `tessera demo` is asked for.
#[derive(Debug, Clone, Default)]
pub struct DemoOptions {
    /// Walk the whole flow and end, instead of waiting for a person.
    pub headless: bool,
    /// The App whose users' tokens the service keeps, in place of the one that keeps them itself.
    pub managed: bool,
    /// Where data is kept and stays; a temporary folder when absent.
    pub data: Option<PathBuf>,
    /// Where the server listens; port 8065 of this machine when absent, any free port when headless.
    pub listen: Option<SocketAddr>,
    /// One JSON object per step (or, without `headless`, one in all) instead of text.
    pub json: bool,
}

/// Why the demo could not go on.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
    #[error("{0}")]
    Server(String),
    #[error("interrupted")]
    Interrupted,
    #[error("a step failed")]
    Step,
}

/// Runs the demo: status 0 when it did what it was asked for, 1 when not. What happened was printed by then.
pub async fn run(options: DemoOptions) -> ExitCode {
    let report = Report::new(options.json);
    let ended = match options.headless {
        true => Box::pin(walk_it(&options, &report)).await,
        false => Box::pin(wait_for_people(&options, &report)).await,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        // The step that failed is printed already.
        Err(Error::Step) => ExitCode::FAILURE,
        Err(error) => {
            report.stopped(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn walk_it(options: &DemoOptions, report: &Report) -> Result<(), Error> {
    let listen = options.listen.unwrap_or((Ipv4Addr::LOCALHOST, 0).into());
    let mut stage = unless_interrupted(Stage::start(options, listen, Log::Kept)).await?;
    let walked = match stage.way {
        Way::AppManaged => unless_interrupted(Box::pin(walk::walk(&mut stage, report))).await,
        Way::Managed => unless_interrupted(Box::pin(managed::walk(&stage, report))).await,
    };
    if matches!(walked, Err(Error::Step)) {
        report.server_log(&stage.server.last_words());
    }
    stage.stop().await;
    walked
}

async fn wait_for_people(options: &DemoOptions, report: &Report) -> Result<(), Error> {
    let listen = options.listen.unwrap_or((Ipv4Addr::LOCALHOST, PORT).into());
    let mut stage = unless_interrupted(Stage::start(options, listen, Log::Shown)).await?;
    let waited = async {
        let ready = unless_interrupted(Box::pin(walk::prepare(&stage, report))).await?;
        guide::print(&stage, &ready, report).map_err(|error| Error::Server(error.seen))?;
        tokio::select! {
            () = interrupted() => Ok(()),
            how = stage.server.ended() => Err(Error::Server(format!("the server ended by itself: {how}"))),
        }
    };
    let waited = waited.await;
    stage.stop().await;
    waited
}

async fn unless_interrupted<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::select! {
        done = work => done,
        () = interrupted() => Err(Error::Interrupted),
    }
}

/// Waits for Ctrl-C, or for being asked to end.
async fn interrupted() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut asked) => asked.recv().await,
            // Then Ctrl-C alone has to do.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}
