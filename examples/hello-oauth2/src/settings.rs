//! Where the App lives and which provider it speaks to.

use std::net::SocketAddr;

use tessera_driver::JwtSecret;
use url::Url;

/// Everything the App is told from outside. The client id and secret are not here: an administrator
/// gives them with `/hello-oauth2 configure`, and the server keeps them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the server reaches the App.
    pub root_url: Url,
    /// Where the binary listens. With port 0 the system chooses one, and the root URL follows.
    pub listen: SocketAddr,
    /// Checks that calls come from the server; `None`: they are not signed.
    pub jwt_secret: Option<JwtSecret>,
    /// The OAuth2 provider and its calendar.
    pub provider: ProviderSettings,
}

/// An OAuth2 provider (RFC 6749) with a list of calendars behind it.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// As it is called in texts: `Google`.
    pub name: String,
    /// The authorization endpoint.
    pub authorize_url: Url,
    /// The token endpoint.
    pub token_url: Url,
    /// The issuer, as the provider writes it on the callback (RFC 9207). `None` for one that writes none; else a
    /// callback with another, or without, is not this provider's.
    pub issuer: Option<String>,
    /// The revocation endpoint (RFC 7009), which `disconnect` tells; `None` for a provider that has none.
    pub revoke_url: Option<Url>,
    /// What `send` reads with the user's token: JSON with `items`, each with a `summary`.
    pub calendar_url: Url,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Further parameters of the authorization request. Google gives a refresh token only with
    /// `access_type=offline` and, after the first time, `prompt=consent`.
    pub authorize_params: Vec<(String, String)>,
    /// How the App names itself at the token endpoint.
    pub client_auth: ClientAuth,
}

/// How the App names itself at the token endpoint (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// HTTP Basic, which every provider has to understand.
    Basic,
    /// `client_id` and `client_secret` in the form, for those that do not.
    Form,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct SettingsError {
    name: &'static str,
    problem: &'static str,
}

impl ProviderSettings {
    /// Google, with the endpoints and the three scopes of the documentation page.
    pub fn google() -> Self {
        let url = |text: &str| Url::parse(text);
        // Literals; the settings' test reads them.
        let (Ok(authorize_url), Ok(token_url), Ok(calendar_url)) =
            (url(GOOGLE_AUTHORIZE), url(GOOGLE_TOKEN), url(GOOGLE_CALENDAR))
        else {
            unreachable!("the endpoints above are URLs")
        };
        Self {
            name: "Google".into(),
            authorize_url,
            token_url,
            issuer: None,
            revoke_url: None,
            calendar_url,
            scopes: GOOGLE_SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
            authorize_params: vec![
                ("access_type".into(), "offline".into()),
                ("prompt".into(), "consent".into()),
            ],
            client_auth: ClientAuth::Basic,
        }
    }
}

const GOOGLE_AUTHORIZE: &str = "https://accounts.google.com/o/oauth2/auth";
const GOOGLE_TOKEN: &str = "https://oauth2.googleapis.com/token";
const GOOGLE_CALENDAR: &str = "https://www.googleapis.com/calendar/v3/users/me/calendarList";
const GOOGLE_SCOPES: [&str; 3] = [
    "https://www.googleapis.com/auth/calendar",
    "https://www.googleapis.com/auth/userinfo.profile",
    "https://www.googleapis.com/auth/userinfo.email",
];

impl Settings {
    /// Reads the settings with `var`, which in the binary is `std::env::var(name).ok()`.
    ///
    /// | variable | default |
    /// |---|---|
    /// | `HELLO_OAUTH2_LISTEN` | `127.0.0.1:4000` |
    /// | `HELLO_OAUTH2_ROOT_URL` | `http://` and the above |
    /// | `HELLO_OAUTH2_JWT_SECRET` | none: calls are not signed |
    /// | `HELLO_OAUTH2_PROVIDER` | `Google`; the name in texts |
    /// | `HELLO_OAUTH2_AUTHORIZE_URL` | Google's |
    /// | `HELLO_OAUTH2_TOKEN_URL` | Google's |
    /// | `HELLO_OAUTH2_ISSUER` | none: `iss` on the callback is not looked at |
    /// | `HELLO_OAUTH2_REVOKE_URL` | none: the provider is not told of a disconnect |
    /// | `HELLO_OAUTH2_CALENDAR_URL` | Google's |
    /// | `HELLO_OAUTH2_SCOPES` | the page's three; separated by spaces |
    /// | `HELLO_OAUTH2_AUTHORIZE_PARAMS` | `access_type=offline&prompt=consent` for Google, else none |
    /// | `HELLO_OAUTH2_CLIENT_AUTH` | `basic`, or `form` |
    ///
    /// # Errors
    ///
    /// Names the variable that cannot be used and what to write; never shows its value.
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let var = |name| var(name).filter(|value| !value.trim().is_empty());
        let url = |name, default: Option<&Url>| match (var(name), default) {
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => {
                Err(SettingsError { name, problem: "is needed with another provider than Google" })
            }
            (Some(text), _) => web_url(&text).map_err(|problem| SettingsError { name, problem }),
        };

        let google = ProviderSettings::google();
        // Half of Google and half of another provider would send one's codes to the other.
        let own = ["HELLO_OAUTH2_AUTHORIZE_URL", "HELLO_OAUTH2_TOKEN_URL", "HELLO_OAUTH2_CALENDAR_URL"]
            .iter()
            .any(|name| var(name).is_some());
        let default = |url| (!own).then_some(url);
        let authorize_params = match var("HELLO_OAUTH2_AUTHORIZE_PARAMS") {
            Some(pairs) => url::form_urlencoded::parse(pairs.as_bytes()).into_owned().collect(),
            None if own => Vec::new(),
            None => google.authorize_params,
        };
        let client_auth = match var("HELLO_OAUTH2_CLIENT_AUTH").as_deref() {
            None | Some("basic") => ClientAuth::Basic,
            Some("form") => ClientAuth::Form,
            Some(_) => {
                return Err(SettingsError {
                    name: "HELLO_OAUTH2_CLIENT_AUTH",
                    problem: "write basic or form",
                });
            }
        };
        let revoke_url = match var("HELLO_OAUTH2_REVOKE_URL") {
            None => None,
            Some(text) => {
                let url = web_url(&text);
                Some(url.map_err(|problem| SettingsError { name: "HELLO_OAUTH2_REVOKE_URL", problem })?)
            }
        };
        let provider = ProviderSettings {
            name: var("HELLO_OAUTH2_PROVIDER")
                .unwrap_or_else(|| if own { "the provider".into() } else { google.name }),
            authorize_url: url("HELLO_OAUTH2_AUTHORIZE_URL", default(&google.authorize_url))?,
            token_url: url("HELLO_OAUTH2_TOKEN_URL", default(&google.token_url))?,
            issuer: var("HELLO_OAUTH2_ISSUER"),
            revoke_url,
            calendar_url: url("HELLO_OAUTH2_CALENDAR_URL", default(&google.calendar_url))?,
            scopes: match var("HELLO_OAUTH2_SCOPES") {
                Some(scopes) => scopes.split_whitespace().map(str::to_owned).collect(),
                None => google.scopes,
            },
            authorize_params,
            client_auth,
        };

        let listen = match var("HELLO_OAUTH2_LISTEN") {
            None => SocketAddr::from(([127, 0, 0, 1], 4000)),
            Some(text) => text.trim().parse().map_err(|_| SettingsError {
                name: "HELLO_OAUTH2_LISTEN",
                problem: "write an address and a port, such as 127.0.0.1:4000",
            })?,
        };
        let root_url = match var("HELLO_OAUTH2_ROOT_URL") {
            Some(text) => web_url(&text),
            None => web_url(&format!("http://{listen}")),
        }
        .map_err(|problem| SettingsError { name: "HELLO_OAUTH2_ROOT_URL", problem })?;
        let jwt_secret = var("HELLO_OAUTH2_JWT_SECRET").map(JwtSecret::new);
        Ok(Self { root_url, listen, jwt_secret, provider })
    }

    /// The same once it is known where the binary listens: a port that the system chose becomes the root URL's.
    pub fn listening_on(mut self, address: SocketAddr) -> Self {
        if self.root_url.port() == Some(0) {
            // Fails for URLs without a host only, which `from_env` lets nobody write.
            let _ = self.root_url.set_port(Some(address.port()));
        }
        Self { listen: address, ..self }
    }
}

fn web_url(text: &str) -> Result<Url, &'static str> {
    match Url::parse(text.trim()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        _ => Err("write an absolute http or https URL"),
    }
}
