//! Which addresses may be reached (OS-21, OS-22; apps-framework.md section 7.3).
//!
//! The rules look at addresses, never at names alone: a name is checked by what it resolves to, at the moment of
//! connecting, and a literal in any spelling is an address by the time the URL parser is done with it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

/// What the outgoing client may do. The default reaches public addresses over https and nothing else.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Development: this machine's loopback may be reached, also over plain http.
    pub allow_loopback: bool,
    /// Hosts and networks that the operator vouches for: private addresses there may be reached, and Apps there
    /// may speak plain http.
    pub allow_private: Vec<Allowed>,
    /// Where the operator's own Mattermost is: it may be reached there, over plain http too, by us and by what speaks to
    /// it as to a provider; Apps may not.
    pub platform: Vec<Allowed>,
    /// Files of PEM certificates that are trusted beside the public authorities.
    pub extra_ca: Vec<PathBuf>,
    /// Most requests under way to one host at a time; 0 means [`Rules::PER_HOST`].
    pub per_host: usize,
}

impl Rules {
    /// How many requests may be under way to one host unless configured otherwise.
    pub const PER_HOST: usize = 64;
}

/// A host name, an address or a network in the operator's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// A host name, in lower case: what it resolves to may be private, never link-local or multicast.
    Host(String),
    /// A network, or a single address as the narrowest one: everything in it may be reached.
    Network {
        /// The network's address.
        address: IpAddr,
        /// How many leading bits count.
        bits: u8,
    },
}

/// An entry of the operator's list that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is neither a host name, an address nor a network: write hello.internal, 10.1.2.3 or 10.0.0.0/8"
)]
pub struct NotAllowed(String);

impl FromStr for Allowed {
    type Err = NotAllowed;

    fn from_str(text: &str) -> Result<Self, NotAllowed> {
        let wrong = || NotAllowed(text.to_owned());
        if let Some((address, bits)) = text.split_once('/') {
            let address: IpAddr = address.parse().map_err(|_| wrong())?;
            let bits: u8 = bits.parse().map_err(|_| wrong())?;
            return (bits <= width(address)).then_some(Self::Network { address, bits }).ok_or_else(wrong);
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Network { address, bits: width(address) });
        }
        match url::Host::parse(text) {
            Ok(url::Host::Domain(name)) => Ok(Self::Host(bare(&name).to_owned())),
            _ => Err(wrong()),
        }
    }
}

/// Whether an address is this machine's, of a private network, or one that leads to nobody in public.
pub fn is_inside(ip: IpAddr) -> bool {
    Sort::of(canonical(ip)) != Sort::Public
}

impl Allowed {
    /// Whether it names this host, or holds this address of it.
    pub fn covers(&self, host: &str, ip: IpAddr) -> bool {
        self.holds(canonical(ip)) || lists_host(std::slice::from_ref(self), host)
    }

    fn holds(&self, ip: IpAddr) -> bool {
        let Self::Network { address, bits } = self else { return false };
        match (*address, ip) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => same_prefix_v4(net, ip, *bits),
            (IpAddr::V6(net), IpAddr::V6(ip)) => same_prefix_v6(net, ip, *bits),
            _ => false,
        }
    }
}

/// Who is spoken to: the two have different rules about plain http (OS-21).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// An App.
    App,
    /// An OAuth2 provider.
    Provider,
    /// The operator's own Mattermost.
    Platform,
}

/// What kind of connection a client makes. Each has a client, hence connections, of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// https, to whomever.
    Tls,
    /// The operator's own Mattermost, plain or not: the operator wrote down where it is.
    Platform,
    /// Plain http.
    Plain(Audience),
}

impl Rules {
    /// Whether `ip`, reached under the name `host`, may be connected to. `own` says whether the address is one
    /// of this machine's.
    pub(super) fn permits(&self, lane: Lane, host: &str, ip: IpAddr, own: bool) -> bool {
        let ip = canonical(ip);
        let sort = Sort::of(ip);
        let in_development = self.allow_loopback && sort == Sort::Loopback;
        let listed = |list: &[Allowed]| {
            list.iter().any(|entry| entry.holds(ip)) || (sort != Sort::Never && lists_host(list, host))
        };
        let (vouched, of_platform) = (listed(&self.allow_private), listed(&self.platform));
        match lane {
            Lane::Tls => in_development || vouched || of_platform || (sort == Sort::Public && !own),
            Lane::Plain(Audience::App) => in_development || vouched,
            Lane::Plain(Audience::Provider) => in_development || of_platform,
            Lane::Platform | Lane::Plain(Audience::Platform) => in_development || of_platform,
        }
    }
}

fn lists_host(list: &[Allowed], host: &str) -> bool {
    let host = bare(host);
    list.iter().any(|entry| matches!(entry, Allowed::Host(name) if name.eq_ignore_ascii_case(host)))
}

/// Addresses sorted by how dangerous they are to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Anybody's.
    Public,
    /// This machine.
    Loopback,
    /// A private network, a carrier's, or a benchmark's.
    Inside,
    /// Link-local (with the clouds' metadata services), multicast, unspecified, reserved.
    Never,
}

impl Sort {
    pub(super) fn of(ip: IpAddr) -> Self {
        match canonical(ip) {
            IpAddr::V4(ip) => Self::of_v4(ip),
            IpAddr::V6(ip) => Self::of_v6(ip),
        }
    }

    fn of_v4(ip: Ipv4Addr) -> Self {
        match ip.octets() {
            [127, ..] => Self::Loopback,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [198, 18..=19, ..] => {
                Self::Inside
            }
            [0, ..]
            | [169, 254, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [224..=255, ..] => Self::Never,
            _ => Self::Public,
        }
    }

    fn of_v6(ip: Ipv6Addr) -> Self {
        match ip.segments() {
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            [0xfc00..=0xfdff, ..] => Self::Inside,
            // Protocol assignments (Teredo among them), documentation, and 6to4, which hides an IPv4 address.
            [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => {
                Self::Never
            }
            [0x2000..=0x3fff, ..] => Self::Public,
            _ => Self::Never,
        }
    }
}

/// The IPv4 address inside a mapped, compatible or translated IPv6 address; else the address itself.
fn canonical(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => ip,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => ip,
    }
}

/// A host name without the dot of the root, which changes nothing but the spelling.
fn bare(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn same_prefix_v4(net: Ipv4Addr, ip: Ipv4Addr, bits: u8) -> bool {
    let differing = net.to_bits() ^ ip.to_bits();
    differing.checked_shr(32 - u32::from(bits)).unwrap_or(0) == 0
}

fn same_prefix_v6(net: Ipv6Addr, ip: Ipv6Addr, bits: u8) -> bool {
    let differing = net.to_bits() ^ ip.to_bits();
    differing.checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
}
