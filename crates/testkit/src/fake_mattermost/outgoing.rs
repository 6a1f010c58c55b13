//! What Mattermost sends to integrations: by whom, and to which addresses it dares (C.5, C.6).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use url::Url;

use super::sessions::Session;
use super::state::State;
use crate::wire::{self, Answer, Ask};

/// What it calls itself.
const AGENT: &str = "Mattermost-Bot/1.1";
/// What it writes to its log where it does not dare.
const FORBIDDEN: &str = "address forbidden, you may need to set AllowedUntrustedInternalConnections to allow an integration \
                         access to your internal network";

/// A request that is ready to be sent, without a look at the state any more.
pub(super) struct Outgoing {
    url: String,
    ask: Ask,
    /// Addresses on the inside that anybody may name.
    allowed: Vec<String>,
    /// Whether it goes wherever it is sent.
    trusts: bool,
    timeout: Duration,
}

impl State {
    fn outgoing(&self, url: &str, ask: Ask, trusts: bool) -> Outgoing {
        let allowed = self.settings.text("ServiceSettings.AllowedUntrustedInternalConnections");
        let separators = |symbol: char| symbol.is_whitespace() || symbol == ',';
        let allowed = allowed.split(separators).filter(|one| !one.is_empty()).map(str::to_owned).collect();
        let seconds = self.settings.number("ServiceSettings.OutgoingIntegrationRequestsTimeout");
        let timeout = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        let ask = ask.with("User-Agent", AGENT).with("Accept", "application/json");
        Outgoing { url: url.to_owned(), ask, allowed, trusts, timeout }
    }

    /// A command, to whom it was registered.
    pub(super) fn command_request(&self, url: &str, token: &str, form: String) -> Outgoing {
        let ask = Ask::post("", form)
            .with("Content-Type", "application/x-www-form-urlencoded")
            .with("Authorization", format!("Token {token}"));
        self.outgoing(url, ask, false)
    }

    /// An action or a dialog's answer. To an address of the site's own below `/plugins` it brings along the session of
    /// whoever clicked, and the rule for addresses on the inside is not asked.
    pub(super) fn action_request(&self, url: &str, body: String, session: &Session) -> Outgoing {
        let mut ask = Ask::post("", body).with("Content-Type", "application/json");
        let own = self.is_own(url);
        if own {
            ask = ask.bearer(&session.token);
        }
        self.outgoing(url, ask, own)
    }

    fn is_own(&self, url: &str) -> bool {
        let (Ok(url), Ok(site)) = (Url::parse(url), Url::parse(&self.site_url())) else { return false };
        url.host_str() == site.host_str() && url.path().starts_with(&format!("{}/plugins", self.subpath()))
    }
}

impl Outgoing {
    /// Sends it; in words, what went wrong.
    pub(super) async fn send(mut self) -> Result<Answer, String> {
        let url = Url::parse(&self.url).map_err(|error| error.to_string())?;
        if url.scheme() != "http" {
            return Err(format!("{} is not spoken here", url.scheme()));
        }
        let host = url.host_str().ok_or("no host")?.to_owned();
        let port = url.port_or_known_default().ok_or("no port")?;
        let addresses = self.addresses(&host, port).await?;
        self.ask.target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let authority = url.port().map_or(host.clone(), |port| format!("{host}:{port}"));
        let ask = self.ask.with("Host", authority);
        let mut failed = String::from("no address");
        for address in addresses {
            match tokio::time::timeout(self.timeout, wire::exchange(address, &ask)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => failed = error.to_string(),
                Err(_) => return Err("context deadline exceeded".to_owned()),
            }
        }
        Err(failed)
    }

    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
        let found = tokio::net::lookup_host((host, port)).await.map_err(|error| error.to_string())?;
        let anywhere = self.trusts || self.allowed.iter().any(|one| one == host);
        let dares = |address: &SocketAddr| {
            anywhere || !is_inside(address.ip()) || self.allowed.iter().any(|one| covers(one, address.ip()))
        };
        let found: Vec<SocketAddr> = found.filter(dares).collect();
        if found.is_empty() { Err(FORBIDDEN.to_owned()) } else { Ok(found) }
    }
}

/// Whether an address is of an inside network, or of this very machine.
fn is_inside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.octets()[0] == 0
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
        }
    }
}

/// Whether an entry of the list, an address or a network, covers an address.
fn covers(entry: &str, address: IpAddr) -> bool {
    let Some((network, bits)) = entry.split_once('/') else {
        return entry.parse::<IpAddr>().is_ok_and(|entry| entry == address);
    };
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(0);
            u32::from(network) & mask == u32::from(address) & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits)).unwrap_or(0);
            u128::from(network) & mask == u128::from(address) & mask
        }
        _ => false,
    }
}
