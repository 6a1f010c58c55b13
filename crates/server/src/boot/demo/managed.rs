//! The walk with an App whose users' tokens the service keeps: it holds no OAuth2 library, and never sees a code.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;
use tessera_simulator::Running;
use url::Url;

use super::Error;
use super::api::Person;
use super::report::{Failure, Report};
use super::stage::{SCOPES, Stage};
use super::steps::{ADA, CLIENT_ID, CLIENT_SECRET, Ready, Step, expect};
use super::{walk as walking, wire};

/// How long tokens live until the walk has seen one end. The service gives none out that has less than half of it.
const SHORT: Duration = Duration::from_secs(6);
/// How long they live from then on: what is refused afterwards was revoked, and did not just end.
const LONG: Duration = Duration::from_secs(3600);
/// How often the provider is asked about a token.
const LOOK: Duration = Duration::from_millis(100);

/// The whole flow. Ends at the first step that does not go as it should.
pub(super) async fn walk(stage: &Stage, report: &Report) -> Result<(), Error> {
    let provider = &stage.simulator;
    provider.change_behaviour(|behaviour| behaviour.token_life = SHORT);
    let ready = walking::prepare(stage, report).await?;
    let people = walking::people(&ready, report, !stage.is_fresh()).await?;
    let [user_1, user_2] = &people;
    walking::connect(&ready, stage, report, "connect as user-1", user_1, ADA).await?;
    report.step("send as user-1", ready.send(user_1, ADA, provider)).await?;
    report.step("send as user-2", ready.send_in_vain(user_2, provider)).await?;

    report.step("wait until the token has ended", ended(provider)).await?;
    provider.change_behaviour(|behaviour| behaviour.token_life = LONG);
    report.step("send as user-1 after its end", ready.send_refreshed(user_1, provider)).await?;

    report.step("disconnect as user-1", ready.disconnect(user_1)).await?;
    report.step("ask the provider about the last token", ready.revoked(user_1, provider)).await?;
    report.step("send as user-1 again", ready.send_in_vain(user_1, provider)).await?;
    report.step("what the provider saw", counts(provider)).await?;
    report.all_well();
    Ok(())
}

impl Ready {
    /// What an administrator does in place of configuring the App: names the provider, and brings the client.
    pub(super) async fn provide(&self, provider: &Running) -> Step<()> {
        let redirect_uri = self.api.complete_url(&self.app);
        provider.add_client(CLIENT_ID, CLIENT_SECRET, [redirect_uri.as_str()]);
        let record = json!({
            "descriptor": descriptor(provider.url()), "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
        });
        let route = format!("/apps/{}/provider", self.app);
        let set = self.api.put_ours(&self.sysadmin, &route, &record).await?;
        expect(set["redirect_uri"] == redirect_uri, format!("the redirect URI {redirect_uri}"), || {
            set["redirect_uri"].to_string()
        })?;
        let said = set["probe"].as_str().unwrap_or_default().to_owned();
        expect(said.ends_with("accepts the client"), "the provider to accept the client", || said.clone())?;
        Ok(((), format!("{said}; redirect URI {redirect_uri}")))
    }

    /// `send`, for which the service had to get a new token.
    async fn send_refreshed(&self, who: &Person, provider: &Running) -> Step<()> {
        let before = provider.refreshes();
        let ((), sent) = self.send(who, ADA, provider).await?;
        let refreshed = provider.refreshes() > before;
        expect(refreshed, "the service to have refreshed the token", || "no refresh at the provider".into())?;
        Ok(((), format!("{sent}, with a token that the service got meanwhile")))
    }

    /// The provider's own word: what would live for an hour is refused.
    async fn revoked(&self, who: &Person, provider: &Running) -> Step<()> {
        let connections = self.api.get_ours(who, "/connections").await?;
        let none = connections.as_array().is_some_and(Vec::is_empty);
        expect(none, format!("no connection of {} left", who.username), || connections.to_string())?;
        let said = refusal(provider).await?;
        Ok(((), format!("it would live for an hour, and is refused: {said}")))
    }
}

async fn ended(provider: &Running) -> Step<()> {
    let said = refusal(provider).await?;
    Ok(((), format!("the provider takes none any more: {said}")))
}

/// Waits until the provider refuses the newest token; gives its words.
async fn refusal(provider: &Running) -> Result<String, Failure> {
    let url = format!("{}/userinfo", provider.url());
    let url = Url::parse(&url).map_err(|error| Failure::new("an address", format!("{url}: {error}")))?;
    loop {
        let issued = provider.issued_secrets();
        let newest = issued.iter().rfind(|secret| secret.starts_with("access-"));
        let newest = newest.ok_or_else(|| Failure::new("a token to have been given", "none"))?;
        let bearer = HeaderValue::try_from(format!("Bearer {newest}"));
        let bearer = bearer.map_err(|error| Failure::new("a token that fits into a header", error))?;
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]);
        let answer = wire::send("GET", &url, headers, String::new()).await;
        let answer = answer.map_err(|error| Failure::new("an answer from the provider", error))?;
        match answer.status {
            StatusCode::OK => tokio::time::sleep(LOOK).await,
            StatusCode::UNAUTHORIZED => {
                let why = answer.headers.get(header::WWW_AUTHENTICATE);
                let why = why.and_then(|why| why.to_str().ok()).unwrap_or_default();
                expect(why.contains("invalid_token"), "the provider not to know the token", || {
                    why.to_owned()
                })?;
                return Ok(format!("401 {why}"));
            }
            status => return Err(Failure::new("200 or 401 from the provider", status)),
        }
    }
}

/// What the provider saw of the walk, counted on its side.
async fn counts(provider: &Running) -> Step<()> {
    let (consents, refreshes) = (provider.authorizations(), provider.refreshes());
    let seen = format!("{consents} consent, {refreshes} refreshes");
    expect(consents == 1 && refreshes > 0, "one consent, and what follows by refreshes", || seen.clone())?;
    Ok(((), seen))
}

/// The simulator, as an administrator describes a provider that is not in the catalogue.
fn descriptor(url: &str) -> String {
    let scopes = SCOPES.map(|scope| format!("'{scope}'")).join(", ");
    format!(
        "name = 'simulator'\ndisplay_name = 'the simulator'\nissuer = '{url}'\n\
         authorize_url = '{url}/authorize'\ntoken_url = '{url}/token'\nuserinfo_url = '{url}/userinfo'\n\
         client_auth = 'basic'\nrevoke = {{ url = '{url}/revoke' }}\nscopes = {{ default = [{scopes}] }}\n\
         reply = {{ account_id = ['sub'], account_name = ['email', 'name'] }}\n"
    )
}
