//! `tessera dev`: a development server that has one App, whatever becomes of it.
//!
//! The App is an author's: it is not there yet, it breaks, it is started again every minute. So its manifest is asked
//! for again and again, each change of its state is told once, and what was listed last stays until there is something
//! better.

mod changes;
mod follow;
#[cfg(feature = "demo")]
mod provider;
#[cfg(not(feature = "demo"))]
#[path = "provider_absent.rs"]
mod provider;
mod report;

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use super::{fetch, serve};
use follow::Follower;
use provider::Provider;
use report::Report;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Which App, and where the server is.
#[derive(Debug, clap::Args)]
pub(super) struct DevArgs {
    /// Where the App is, or its manifest: `http://localhost:4000`.
    #[arg(value_name = "URL", value_parser = fetch::manifest_address)]
    app: Url,
    /// Where the site listens; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The data folder. [default: tessera-dev-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Without the local OAuth2 provider.
    #[arg(long)]
    no_provider: bool,
}

/// Serves, and follows the App, until it is asked to stop.
pub(super) async fn run(args: DevArgs, json: bool) -> Result<(), Failure> {
    let DevArgs { app, listen, data, no_provider } = args;
    let egress = fetch::egress_for(&app)?;
    let options = serve::Options { dev: true, listen, data, ..serve::Options::default() };
    let (listening, traces) = serve::ready(&options).await?;
    let report = Report::new(json);
    let provider = match no_provider {
        true => None,
        false => Provider::start(listening.port()?).await?,
    };
    let (site_url, data) = (listening.site_url().clone(), listening.dir().to_owned());
    report.ready(&site_url, &data);
    let lifecycle = Arc::clone(&listening.house.lifecycle);
    let stop = serve::signals();
    let mut serving = tokio::spawn(listening.serve(stop.clone()));
    let mut follower = Follower::new(app, egress, lifecycle, provider, report);
    let mut stopped = stop;
    let served = tokio::select! {
        // Until it is asked to stop: then what is under way ends first.
        () = follower.follow(&mut stopped) => serving.await,
        // By itself only when it cannot go on.
        served = &mut serving => served,
    };
    served??;
    follower.stop().await;
    traces.close().await;
    Ok(())
}
