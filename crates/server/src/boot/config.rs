//! Settings: `tessera.toml`, every key also as `TESSERA_SECTION__KEY`, secrets also as `*_file`.
//!
//! Unknown keys are fatal; a bad value is reported with the key's name and what to write (decisions.md section 6).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};
use url::Url;

use crate::audit;
use crate::calls::Profile;
use crate::connect::{Bind, OriginRule};

/// All settings.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub struct Config {
    /// Where and how the service listens.
    pub server: Server,
    /// The site that Apps belong to.
    pub site: Site,
    /// The Mattermost beside which the service stands.
    pub mattermost: Mattermost,
    /// Where data is kept.
    pub store: Store,
    /// The root key.
    pub vault: Vault,
    /// The audit log.
    pub audit: Audit,
    /// Compatibility with the original.
    pub compat: Compat,
    /// The browser flow.
    pub connect: Connect,
    /// Providers of managed connections.
    pub providers: Providers,
    /// Outgoing requests.
    pub egress: Egress,
    /// How much one user or App may do.
    pub limits: Limits,
    /// The log.
    pub log: Log,
    /// Traces.
    pub trace: Trace,
}

/// `[server]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Where the service listens: `ADDRESS:PORT`.
    pub listen: String,
    /// Where health and metrics listen, `ADDRESS:PORT`; empty for nowhere (in development they are on the main listener).
    pub health_listen: String,
    /// Whether `X-Request-ID` of who asks is taken over, where it is plain. Only for a service behind a proxy that
    /// sets it on every request; in development it is always taken.
    pub trust_request_id: bool,
}

impl Default for Server {
    fn default() -> Self {
        Self { listen: "127.0.0.1:8065".into(), health_listen: String::new(), trust_request_id: false }
    }
}

/// `[site]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Site {
    /// The address that people and Apps use, with its sub-path if it has one. Outside development it is `mattermost.url`
    /// unless it is set: to a host name of the service's own, where Mattermost's proxy cannot lead to it.
    pub url: String,
    /// The password of the seeded accounts of the standalone site (development only).
    pub password: String,
    /// Whether people of the standalone site see each other's e-mail addresses (administrators always do).
    pub show_email_address: bool,
}

impl Default for Site {
    fn default() -> Self {
        Self { url: String::new(), password: String::new(), show_email_address: true }
    }
}

/// `[mattermost]`: outside development.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub struct Mattermost {
    /// Where people's browsers find Mattermost: its `ServiceSettings.SiteURL`, for instance `https://chat.example.com`.
    pub url: String,
    /// Where the service finds it, if that is elsewhere, for instance `http://mattermost:8065`. Plain http is for a network
    /// that nobody else is in: tokens go over it.
    pub internal_url: String,
    /// The token of the account that the service has at Mattermost: a system administrator's personal access token. From
    /// the environment, never in a file that is shared.
    pub token: String,
    /// A file that holds `token`.
    pub token_file: String,
    /// Have Apps act for people by personal access tokens that the service makes in their names, without asking them. Such a token
    /// is the whole person, and lasts until its App is disabled. Leave it off unless Mattermost's own OAuth2 provider cannot be used.
    pub danger_admin_tokens: bool,
}

/// `[store]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// The folder of the embedded database; also of the root key and the audit log unless they are elsewhere.
    pub dir: String,
    /// `postgres://…`: use PostgreSQL instead of the embedded database. May hold a password: see `postgres_url_file`.
    pub postgres_url: String,
    /// A file that holds `postgres_url`.
    pub postgres_url_file: String,
    /// The most connections to PostgreSQL.
    pub max_connections: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            dir: "tessera-data".into(),
            postgres_url: String::new(),
            postgres_url_file: String::new(),
            max_connections: 16,
        }
    }
}

/// `[vault]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub struct Vault {
    /// The root key itself, `tessera-root-key-v1:…`: from the environment, never in a file that is shared.
    pub root_key: String,
    /// A file (mode 0600) that holds the root key. In development it is made on first start.
    pub root_key_file: String,
}

/// `[audit]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub struct Audit {
    /// The folder of the audit log; empty for the store's.
    pub dir: String,
    /// `soon` (within 100 ms) or `always` (before the act).
    pub sync: audit::Sync,
}

/// `[compat]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub struct Compat {
    /// `documented` (either token works on OAuth2 data) or `reference` (as the original's code: a bot's does not).
    pub profile: Profile,
}

/// `[connect]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Connect {
    /// Seconds that a flow may take: at most 900.
    pub state_life_seconds: u32,
    /// What to do when an App leads to an origin that was not seen before: `notice` lets people go there, audits it and
    /// shows it to administrators; `strict` refuses it.
    pub origins: OriginRule,
    /// Origins that count as known, for instance `https://accounts.google.com`.
    pub known_origins: Vec<String>,
    /// What a flow is bound to: the `browser` that began it, or the `user`, in whichever browser.
    pub bind: Bind,
}

impl Default for Connect {
    fn default() -> Self {
        Self {
            state_life_seconds: 900,
            origins: OriginRule::Notice,
            known_origins: Vec::new(),
            bind: Bind::Browser,
        }
    }
}

/// `[providers]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub struct Providers {
    /// A folder with descriptors of further providers, one `.toml` file each; one that has the name of a provider that
    /// comes along takes its place. Empty for none.
    pub dir: String,
}

/// `[egress]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub struct Egress {
    /// Hosts and networks inside that Apps may run on, for instance `apps.internal` or `10.1.0.0/16`.
    pub allow: Vec<String>,
    /// Files with further certificate authorities (PEM).
    pub extra_ca: Vec<String>,
}

/// `[limits]`: how much one user or App may do, so that none is in the way of others. What is over is answered with
/// 429 and `Retry-After`, and takes nothing from anybody. 0 means no limit. Rates may be used up at once, and refill
/// evenly; each process counts its own, but for `pending_flows`, which all processes on one database count together.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Flows that one user may have open with one App: begun, and neither completed nor expired. Each is a cookie of
    /// about 80 bytes in the browser, and many proxies refuse more than 8 kB of them.
    pub pending_flows: u32,
    /// Flows that one user may begin within a minute, with whichever Apps.
    pub connects_per_minute: u32,
    /// Calls of Apps (commands, forms, bindings) that one user may make within a minute. An App that calls with a
    /// user's token has a count of its own.
    pub calls_per_minute: u32,
    /// Reads of OAuth2 records that one App may make within a second, over all its users.
    pub reads_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pending_flows: 64,
            connects_per_minute: 120,
            calls_per_minute: 6_000,
            reads_per_second: 200_000,
        }
    }
}

/// `[log]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or a filter such as `tessera_server=debug`.
    pub level: String,
    /// One JSON object a line instead of text.
    pub json: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), json: false }
    }
}

/// `[trace]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Trace {
    /// Where traces are sent by OTLP over HTTP, for instance `http://localhost:4318`; empty for nowhere. Needs a tessera
    /// that was built with the feature `otel`.
    pub endpoint: String,
    /// How many of the traces that begin here are marked as recorded, from 0 (none) to 1 (all). Apps are told, and
    /// many record what their caller does.
    pub ratio: f64,
}

impl Default for Trace {
    fn default() -> Self {
        Self { endpoint: String::new(), ratio: 1.0 }
    }
}

/// A setting that is wrong: which, and what to write.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {what}")]
pub struct Error {
    /// The key, as `section.key` or as the variable's name.
    pub key: String,
    /// What is wrong with it, and what would be right.
    pub what: String,
}

impl Error {
    pub(super) fn new(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self { key: key.into(), what: what.into() }
    }
}

const PREFIX: &str = "TESSERA_";

impl Config {
    /// Reads a file, if one is named, and lays the environment over it.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let mut table = Table::new();
        if let Some(path) = file {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| Error::new(&name, error.to_string()))?;
            // The parser's own words quote the line, which may hold a secret: only its place is told.
            table = text.parse().map_err(|error: toml::de::Error| {
                let before = error.span().map_or("", |span| &text[..span.start.min(text.len())]);
                let line = before.matches('\n').count() + 1;
                Error::new(&name, format!("line {line} is not TOML: {}", error.message()))
            })?;
        }
        let shape = Table::try_from(Self::default())
            .map_err(|error| Error::new("settings", format!("defaults do not encode: {error}")))?;
        for (name, value) in environment.filter(|(name, _)| name.starts_with(PREFIX) && name.contains("__")) {
            overlay(&mut table, &shape, &name, value)?;
        }
        let config: Self = serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
            let path = error.path().to_string();
            Error::new(path, error.into_inner().message().to_owned())
        })?;
        Ok(config)
    }

    /// Settings of a development server: loopback, the standalone site, data in `dir`.
    pub fn development(dir: &Path, listen: &str) -> Self {
        Self {
            server: Server { listen: listen.to_owned(), ..Server::default() },
            site: Site { password: "tessera-dev".into(), ..Site::default() },
            store: Store { dir: dir.display().to_string(), ..Store::default() },
            ..Self::default()
        }
    }
}

/// Puts one variable in its place, read as the type that its default has.
fn overlay(table: &mut Table, shape: &Table, name: &str, text: String) -> Result<(), Error> {
    let key = name[PREFIX.len()..].to_ascii_lowercase();
    let unknown = || Error::new(name, "no such setting: `tessera config` lists them all");
    let (section, key) = key.split_once("__").ok_or_else(unknown)?;
    let default = shape.get(section).and_then(|section| section.get(key)).ok_or_else(unknown)?;
    let value = match default {
        Value::Boolean(_) => {
            text.parse().map(Value::Boolean).map_err(|_| Error::new(name, "write true or false"))
        }
        Value::Integer(_) => {
            text.parse().map(Value::Integer).map_err(|_| Error::new(name, "write a whole number"))
        }
        Value::Float(_) => text.parse().map(Value::Float).map_err(|_| Error::new(name, "write a number")),
        Value::Array(_) => Ok(Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(|item| Value::String(item.to_owned()))
                .collect(),
        )),
        _ => Ok(Value::String(text)),
    }?;
    let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
    match section {
        Value::Table(section) => {
            section.insert(key.to_owned(), value);
            Ok(())
        }
        _ => Err(unknown()),
    }
}

/// A listening address.
pub fn listen_address(key: &str, text: &str) -> Result<SocketAddr, Error> {
    text.parse().map_err(|_| {
        Error::new(key, format!("{text:?} is no address: write ADDRESS:PORT, for instance 127.0.0.1:8065"))
    })
}

/// The site URL: https, or plain http on loopback; without query, fragment and user-info.
pub fn site_url(key: &str, text: &str) -> Result<Url, Error> {
    let example = "write an address such as https://mattermost.example.com";
    if text.is_empty() {
        return Err(Error::new(key, format!("is not set: {example}")));
    }
    let url = Url::parse(text).map_err(|error| Error::new(key, format!("{error}: {example}")))?;
    let loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => return Err(Error::new(key, format!("has no host: {example}"))),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => {
            return Err(Error::new(
                key,
                "is plain http to another machine: tokens would travel in clear; use https",
            ));
        }
        _ => return Err(Error::new(key, format!("is neither http nor https: {example}"))),
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(Error::new(key, format!("has more than scheme, host, port and path: {example}")));
    }
    Ok(url)
}

/// A secret given inline or in a file, and not in both.
pub fn secret(key: &str, inline: &str, file: &str) -> Result<Option<zeroize::Zeroizing<String>>, Error> {
    match (inline.is_empty(), file.is_empty()) {
        (true, true) => Ok(None),
        (false, true) => Ok(Some(zeroize::Zeroizing::new(inline.to_owned()))),
        (false, false) => Err(Error::new(key, format!("is set twice: keep either {key} or {key}_file"))),
        (true, false) => {
            let path = PathBuf::from(file);
            let text = std::fs::read_to_string(&path)
                .map_err(|error| Error::new(format!("{key}_file"), format!("{}: {error}", path.display())))?;
            Ok(Some(zeroize::Zeroizing::new(text.trim().to_owned())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tessera.toml");
        std::fs::write(&path, file).unwrap();
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::load(Some(&path), environment)
    }

    #[test]
    fn the_environment_lies_over_the_file() {
        let config = load(
            "[server]\nlisten = \"127.0.0.1:1\"\n[connect]\nstate_life_seconds = 60\n",
            &[
                ("TESSERA_SERVER__LISTEN", "127.0.0.1:2"),
                ("TESSERA_CONNECT__KNOWN_ORIGINS", "https://a.example, https://b.example"),
                ("TESSERA_LOG__JSON", "true"),
                ("TESSERA_COMPAT__PROFILE", "reference"),
                ("PATH", "ignored"),
            ],
        )
        .unwrap();
        assert_eq!(config.server.listen, "127.0.0.1:2");
        assert_eq!(config.connect.state_life_seconds, 60);
        assert_eq!(config.connect.known_origins, ["https://a.example", "https://b.example"]);
        assert!(config.log.json);
        assert_eq!(config.compat.profile, Profile::Reference);
    }

    #[test]
    fn a_bad_setting_names_its_key() {
        for (file, environment, key) in [
            ("[server]\nlistne = \"x\"", vec![], "listne"),
            ("[servers]\n", vec![], "servers"),
            ("[log]\njson = 3", vec![], "log.json"),
            ("[compat]\nprofile = \"strict\"", vec![], "compat.profile"),
            ("", vec![("TESSERA_SERVER__LISTNE", "x")], "TESSERA_SERVER__LISTNE"),
            ("", vec![("TESSERA_LOG__JSON", "maybe")], "TESSERA_LOG__JSON"),
            ("", vec![("TESSERA_STORE__MAX_CONNECTIONS", "many")], "TESSERA_STORE__MAX_CONNECTIONS"),
        ] {
            let error = load(file, &environment).unwrap_err().to_string();
            assert!(error.contains(key), "{key}: {error}");
        }
    }

    #[test]
    fn a_broken_file_is_reported_without_quoting_it() {
        let error = load("[vault]\nroot_key = \"tessera-root-key-v1:SECRET\n", &[]).unwrap_err().to_string();
        assert!(error.contains("line 2") && !error.contains("SECRET"), "{error}");
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        assert!(site_url("site.url", "http://localhost:8065").is_ok());
        assert!(site_url("site.url", "https://mm.example.com/sub").is_ok());
        for bad in ["", "http://mm.example.com", "mm.example.com", "ftp://x", "https://a@b", "https://a/?q"] {
            assert!(site_url("site.url", bad).unwrap_err().to_string().starts_with("site.url: "), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_given_once() {
        assert!(secret("vault.root_key", "", "").unwrap().is_none());
        assert!(secret("vault.root_key", "a", "b").unwrap_err().to_string().contains("vault.root_key_file"));
        assert!(secret("vault.root_key", "", "/nowhere/at/all").is_err());
    }
}
