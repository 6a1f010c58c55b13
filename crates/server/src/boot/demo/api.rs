//! The site's REST interface as a person's chat client uses it: sign in, have Apps called, administer them.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use tessera_types::{AppId, routes};
use url::Url;

use super::report::Failure;
use super::wire::{self, Answer};

/// The password of every account of a development server.
pub(super) const PASSWORD: &str = "tessera-dev";
/// Where a session begins, as on any Mattermost site.
pub(super) const LOGIN: &str = "/api/v4/users/login";

/// The site.
#[derive(Debug, Clone)]
pub(super) struct Api {
    site: String,
}

/// Somebody signed in. Holds a session's token, so it is not for printing.
pub(super) struct Person {
    pub(super) username: &'static str,
    token: String,
    /// The roles of the account, as the site said.
    pub(super) roles: String,
}

/// What came back from a call (apps-framework.md section 5.3).
#[derive(Debug)]
pub(super) struct Reply {
    /// `ok`, `error`, …; empty means `ok`.
    pub(super) kind: String,
    pub(super) text: String,
    /// The id of the App's bot.
    pub(super) bot: String,
}

impl Reply {
    /// For those who expected another.
    pub(super) fn seen(&self) -> String {
        format!("a reply of type {:?} with the text {:?}", self.kind, self.text)
    }

    pub(super) fn is_ok(&self) -> bool {
        matches!(self.kind.as_str(), "" | "ok")
    }
}

impl Api {
    pub(super) fn new(site: &Url) -> Self {
        Self { site: site.as_str().trim_end_matches('/').to_owned() }
    }

    /// An address below the site URL.
    pub(super) fn url(&self, path: &str) -> String {
        routes::below_site(&self.site, path)
    }

    /// The route of the Apps framework's own interface, as `routes` names it.
    pub(super) fn framework(&self, route: &str) -> String {
        self.url(&format!("{}{route}", routes::API_V1))
    }

    /// Where a browser begins to connect an account with the App.
    pub(super) fn connect_url(&self, app: &AppId) -> String {
        routes::connect_url(&self.site, app)
    }

    /// The redirect URI of the App.
    pub(super) fn complete_url(&self, app: &AppId) -> String {
        routes::complete_url(&self.site, app)
    }

    /// Signs somebody in.
    pub(super) async fn sign_in(&self, username: &'static str) -> Result<Person, Failure> {
        let expected = format!("200 with a token for {username} from POST {LOGIN}");
        let body = json!({ "login_id": username, "password": PASSWORD });
        let answer = post(&self.url(LOGIN), None, &body).await?;
        let token = answer.headers.get("token").and_then(|token| token.to_str().ok()).unwrap_or_default();
        let user: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let (text, is_theirs) = (|name: &str| text(&user, name), user["username"] == username);
        if answer.status != StatusCode::OK || token.is_empty() || !is_theirs || text("id").is_empty() {
            return Err(Failure::new(expected, seen(&answer)));
        }
        Ok(Person { username, token: token.to_owned(), roles: text("roles") })
    }

    /// Sends JSON to a route of the framework in somebody's name; the answer must be JSON with status 200.
    pub(super) async fn post(&self, who: &Person, route: &str, body: &Value) -> Result<Value, Failure> {
        let answer = post(&self.framework(route), Some(who), body).await?;
        read(&answer, &format!("200 and JSON from POST {route} as {}", who.username))
    }

    /// Puts JSON where Tessera's own routes have it, in somebody's name; the answer must be JSON with status 200.
    pub(super) async fn put_ours(&self, who: &Person, route: &str, body: &Value) -> Result<Value, Failure> {
        let answer = send("PUT", &self.ours(route), Some(who), body.to_string()).await?;
        read(&answer, &format!("200 and JSON from PUT {route} as {}", who.username))
    }

    /// Reads JSON from one of Tessera's own routes in somebody's name.
    pub(super) async fn get_ours(&self, who: &Person, route: &str) -> Result<Value, Failure> {
        get(&self.ours(route), Some(who)).await
    }

    fn ours(&self, route: &str) -> String {
        self.url(&format!("{}{route}", routes::TESSERA_V1))
    }

    /// Reads JSON from a route of the framework in somebody's name.
    pub(super) async fn get(&self, who: &Person, route: &str) -> Result<Value, Failure> {
        get(&self.framework(route), Some(who)).await
    }

    /// Has the App called: what a chat client sends when somebody typed a command.
    pub(super) async fn call(&self, who: &Person, call: &Value) -> Result<Reply, Failure> {
        let reply = self.post(who, routes::CALL, call).await?;
        let bot = text(&reply["app_metadata"], "bot_user_id");
        Ok(Reply { kind: text(&reply, "type"), text: text(&reply, "text"), bot })
    }
}

/// Sends JSON without anybody's name, for instance to the App itself.
pub(super) async fn ask(url: &str, body: &Value) -> Result<Value, Failure> {
    read(&post(url, None, body).await?, &format!("200 and JSON from POST {url}"))
}

/// The manifest that the App at `app_url` gives out.
pub(super) async fn manifest(app_url: &str) -> Result<Value, Failure> {
    get(&format!("{app_url}/manifest.json"), None).await
}

async fn get(url: &str, who: Option<&Person>) -> Result<Value, Failure> {
    let answer = send("GET", url, who, String::new()).await?;
    read(&answer, &format!("200 and JSON from GET {url}"))
}

fn text(object: &Value, name: &str) -> String {
    object[name].as_str().unwrap_or_default().to_owned()
}

async fn post(url: &str, who: Option<&Person>, body: &Value) -> Result<Answer, Failure> {
    send("POST", url, who, body.to_string()).await
}

async fn send(method: &str, url: &str, who: Option<&Person>, body: String) -> Result<Answer, Failure> {
    let answer = wire::send(method, &address(url)?, headers(who)?, body).await;
    answer.map_err(|error| Failure::new(format!("an answer from {url}"), error))
}

fn address(url: &str) -> Result<Url, Failure> {
    Url::parse(url).map_err(|error| Failure::new("an address", format!("{url:?}: {error}")))
}

fn headers(who: Option<&Person>) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    if let Some(who) = who {
        let bearer = HeaderValue::try_from(format!("Bearer {}", who.token));
        let bearer = bearer.map_err(|error| Failure::new("a token that fits into a header", error))?;
        headers.insert(header::AUTHORIZATION, bearer);
    }
    Ok(headers)
}

fn read(answer: &Answer, expected: &str) -> Result<Value, Failure> {
    let value = serde_json::from_str(&answer.body).ok().filter(|_| answer.status == StatusCode::OK);
    value.ok_or_else(|| Failure::new(expected, seen(answer)))
}

fn seen(answer: &Answer) -> String {
    let body: String = answer.body.trim().chars().take(300).collect();
    format!("status {}: {body}", answer.status.as_u16())
}
