//! Names to addresses, through the rules: only addresses that passed are ever connected to, so a name that
//! changes its mind between check and use gains nothing (OS-22).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::rules::{Lane, Rules, Sort};

/// How names become addresses.
#[async_trait]
pub trait Lookup: Send + Sync + 'static {
    /// Every address of a host name.
    async fn lookup(&self, host: &str) -> std::io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// None of a name's addresses may be reached.
#[derive(Debug, thiserror::Error)]
#[error("no address that may be reached")]
pub(super) struct Refused {
    /// One of them could be reached over https.
    pub(super) over_https: bool,
}

/// The name could not be resolved.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct LookupFailed(pub(super) String);

pub(super) struct Guarded {
    pub(super) lane: Lane,
    pub(super) rules: Arc<Rules>,
    pub(super) lookup: Arc<dyn Lookup>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (lane, rules, lookup) = (self.lane, Arc::clone(&self.rules), Arc::clone(&self.lookup));
        Box::pin(async move {
            let host = name.as_str();
            let found = lookup.lookup(host).await.map_err(|error| LookupFailed(error.to_string()))?;
            if found.is_empty() {
                return Err(LookupFailed("no such host".to_owned()).into());
            }
            let mut permitted = Vec::with_capacity(found.len());
            let mut over_https = false;
            for ip in found {
                let own = is_own(ip).await;
                if rules.permits(lane, host, ip, own) {
                    permitted.push(SocketAddr::new(ip, 0));
                }
                over_https |= rules.permits(Lane::Tls, host, ip, own);
            }
            if permitted.is_empty() {
                return Err(Refused { over_https }.into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

/// Whether a public address is one of this machine's: a packet to it would leave from the address itself.
/// Connecting a datagram socket only asks the routing table; nothing is sent.
pub(super) async fn is_own(ip: IpAddr) -> bool {
    if Sort::of(ip) != Sort::Public {
        return false;
    }
    let from: IpAddr = match ip {
        IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let Ok(socket) = tokio::net::UdpSocket::bind((from, 0)).await else { return false };
    socket.connect((ip, 9)).await.is_ok() && socket.local_addr().is_ok_and(|address| address.ip() == ip)
}
