//! Serves hello-managed.
//!
//! | variable | else |
//! |---|---|
//! | `HELLO_MANAGED_LISTEN` | `127.0.0.1:4001`; with port 0 the system chooses one |
//! | `HELLO_MANAGED_ROOT_URL` | where it listens |
//! | `HELLO_MANAGED_CALENDARS_URL` | Google's list of calendars |

use std::error::Error;
use std::process::ExitCode;

use tokio::net::TcpListener;

const CALENDARS: &str = "https://www.googleapis.com/calendar/v3/users/me/calendarList";

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let var = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let listener = TcpListener::bind(var("HELLO_MANAGED_LISTEN", "127.0.0.1:4001")).await?;
    let here = format!("http://{}", listener.local_addr()?);
    let root_url = var("HELLO_MANAGED_ROOT_URL", &here);
    let calendars = var("HELLO_MANAGED_CALENDARS_URL", CALENDARS);
    let calendars = calendars.parse().map_err(|error| format!("HELLO_MANAGED_CALENDARS_URL: {error}"))?;
    tracing::info!(manifest = format!("{root_url}/manifest.json"), "hello-managed is ready");
    hello_managed::app(&root_url, calendars).serve(listener).await?;
    Ok(())
}
