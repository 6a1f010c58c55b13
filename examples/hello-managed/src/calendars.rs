//! The remote service that the App is about.

use std::time::Duration;

use tessera_driver::AccessToken;
use url::Url;

/// How long the remote service may take.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(serde::Deserialize)]
struct Calendars {
    items: Vec<Calendar>,
}

#[derive(serde::Deserialize)]
struct Calendar {
    summary: String,
}

/// The names of a person's calendars, as Markdown; or what to tell the person.
pub(crate) async fn list(url: Url, token: &AccessToken) -> Result<String, String> {
    let calendars =
        read(url, token).await.map_err(|error| format!("The calendars could not be read: {error}"))?;
    Ok(calendars.items.iter().fold("Hello! Your calendars:".to_owned(), |list, calendar| {
        list + "\n* " + &plain(&calendar.summary)
    }))
}

async fn read(url: Url, token: &AccessToken) -> Result<Calendars, Box<dyn std::error::Error + Send + Sync>> {
    let http = tessera_driver::http_client_builder()?.no_proxy().timeout(PATIENCE).build()?;
    let answer = http.get(url).bearer_auth(token.expose()).send().await?;
    match answer.status() {
        reqwest::StatusCode::OK => Ok(serde_json::from_slice(&answer.bytes().await?)?),
        status => Err(format!("the remote service answered {status}").into()),
    }
}

/// A calendar's name is somebody else's text: it stays one line and makes no Markdown.
fn plain(text: &str) -> String {
    let text = text.chars().filter(|c| !c.is_control()).take(100);
    text.flat_map(|c| "\\`*_[]<>|~".contains(c).then_some('\\').into_iter().chain([c])).collect()
}
