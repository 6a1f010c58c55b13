//! Serves hello-oauth2. [`Settings::from_env`] says which variables it reads.

use std::error::Error;

use hello_oauth2::{Settings, app};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let settings = Settings::from_env(|name| std::env::var(name).ok())?;
    let listener = TcpListener::bind(settings.listen).await?;
    let manifest = format!("{}/manifest.json", settings.root_url.as_str().trim_end_matches('/'));
    tracing::info!(manifest, listen = %listener.local_addr()?, provider = settings.provider.name, "hello-oauth2 is ready");
    app(settings)?.serve(listener).await?;
    Ok(())
}
