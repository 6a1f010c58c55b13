//! Serves hello-oauth2. [`Settings::from_env`] says which variables it reads.

use std::error::Error;
use std::process::ExitCode;

use hello_oauth2::{Settings, app};
use tokio::net::TcpListener;

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
    let settings = Settings::from_env(|name| std::env::var(name).ok())?;
    let listener = TcpListener::bind(settings.listen).await?;
    let settings = settings.listening_on(listener.local_addr()?);
    let manifest = format!("{}/manifest.json", settings.root_url.as_str().trim_end_matches('/'));
    let provider = &settings.provider.name;
    tracing::info!(manifest, listen = %settings.listen, provider, "hello-oauth2 is ready");
    app(settings)?.serve(listener).await?;
    Ok(())
}
