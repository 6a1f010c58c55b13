//! `tessera check`: an App's manifest and bindings, judged by the code that listing and clients' bindings go through,
//! each fault with its remedy; and what of the App will work where.

mod ask;
mod expands;
mod features;
mod finding;
mod manifest;
pub(super) mod mend;
mod places;
mod shown;

use std::process::ExitCode;

use tessera_types::JwtSecret;
use url::Url;

use super::fetch;
use finding::Severity;
use shown::Shown;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Which App.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 no errors, 1 errors, 2 the command itself is wrong.")]
pub(super) struct CheckArgs {
    /// Where the App is, or its manifest: `http://localhost:4000`.
    #[arg(value_name = "URL", value_parser = fetch::manifest_address)]
    app: Url,
    /// A file with the App's JWT secret: an App that wants signed calls tells nobody else its bindings.
    #[arg(long = "jwt-secret-file", value_name = "FILE", value_parser = secret_in)]
    jwt_secret: Option<JwtSecret>,
}

fn secret_in(file: &str) -> Result<JwtSecret, String> {
    std::fs::read_to_string(file).map(|text| JwtSecret::new(text.trim())).map_err(|error| error.to_string())
}

/// Asks, judges, prints. Without errors the exit code is 0, with any it is 1.
pub(super) async fn run(args: CheckArgs, json: bool) -> Result<ExitCode, Failure> {
    let (app, findings) = Box::pin(ask::all(&args.app, args.jwt_secret)).await?;
    let wrong = findings.list.iter().any(|finding| finding.severity == Severity::Error);
    let features = app.as_ref().map(features::of).unwrap_or_default();
    Shown { url: &args.app, app: app.as_ref(), findings: &findings.list, features: &features }.print(json)?;
    Ok(if wrong { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
