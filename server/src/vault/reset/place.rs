//! To which addresses a connector may go: not to this machine, nor to what only machines near it
//! should see, unless the operator allows it.
//!
//! A name is looked up once; its addresses are checked, and the connector gets those very
//! addresses, so that a name that means something else a moment later changes nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::domain::{ConnectorKind, Host, ResetTarget};
use crate::vault::Vault;

impl Vault {
    /// The addresses of the target, checked; why it may not be gone to, in words.
    pub(super) async fn way_to(
        &self,
        target: &ResetTarget,
        allow: &[Host],
    ) -> Result<Vec<SocketAddr>, String> {
        let host = target.host.as_str();
        if target.connector.kind() == ConnectorKind::Command && host.is_empty() {
            return Ok(Vec::new());
        }
        let addresses = match host.parse::<IpAddr>() {
            Ok(address) => vec![address.to_canonical()],
            Err(_) => self
                .resolver
                .addresses(host)
                .await
                .map_err(|error| format!("{host}: {error}"))?,
        };
        for address in &addresses {
            if let Some(why) = forbidden(*address, allow) {
                return Err(format!(
                    "{address} is {why}: [reset] allow in claviger.toml does not list it"
                ));
            }
        }
        let socket = |address| SocketAddr::new(address, target.port);
        Ok(addresses.into_iter().map(socket).collect())
    }
}

/// What keeps a connector from an address that the operator has not allowed, whatever it leads to.
fn forbidden(address: IpAddr, allow: &[Host]) -> Option<&'static str> {
    let address = address.to_canonical();
    let mut meant = inner(address);
    meant.push(address);
    meant.into_iter().find_map(|meant| judged(meant, allow))
}

fn judged(address: IpAddr, allow: &[Host]) -> Option<&'static str> {
    let allowed = |host: &Host| host.contains(address) == Some(true);
    if allow.iter().any(allowed) {
        return None;
    }
    match address {
        _ if address.is_unspecified() || address.is_multicast() => Some("no machine's address"),
        IpAddr::V4(Ipv4Addr::BROADCAST) => Some("no machine's address"),
        _ if address.is_loopback() => Some("this machine"),
        _ if link_local(address) => Some("a link-local or metadata address"),
        _ if METADATA.contains(&address) => Some("a metadata address"),
        _ if is_own(address) => Some("this machine"),
        _ => None,
    }
}

fn link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// The IPv4 addresses that an IPv6 one may lead to: through a translator (RFC 6052, 2765), a relay
/// (RFC 3056, 4380) or a tunnel (RFC 5214).
fn inner(address: IpAddr) -> Vec<IpAddr> {
    let IpAddr::V6(long) = address else {
        return Vec::new();
    };
    let short = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match long.segments() {
        [0x64, 0xff9b, 1, ..] => local_use(long),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x2002, high, low, ..]
        | [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => vec![short(high, low)],
        // Of the client's, every bit stands inverted.
        [0x2001, 0, high, low, _, _, port, last] => vec![short(high, low), short(!port, !last)],
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => vec![short(high, low)],
        _ => Vec::new(),
    }
}

/// 64:ff9b:1::/48 is divided as each network likes (RFC 8215), and where the IPv4 address stands
/// depends on that: after 48, 56, 64 or 96 bits, around the eighth byte (RFC 6052, 2.2). What
/// begins with a zero is no place that anything stands at.
fn local_use(address: Ipv6Addr) -> Vec<IpAddr> {
    let [_, _, _, _, _, _, a, b, _, c, d, e, f, g, h, i] = address.octets();
    let readings = [[a, b, c, d], [b, c, d, e], [c, d, e, f], [f, g, h, i]];
    let mut addresses = readings.map(Ipv4Addr::from).to_vec();
    addresses.retain(|address| !matches!(address.octets(), [0, ..]));
    addresses.into_iter().map(IpAddr::V4).collect()
}

/// Nobody else's address can be bound to.
fn is_own(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

/// Where clouds tell machines their secrets, beside the link-local 169.254.169.254.
const METADATA: [IpAddr; 8] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn why(address: &str, allow: &[&str]) -> Option<&'static str> {
        let allow: Vec<_> = allow.iter().map(|it| Host::parse(it).unwrap()).collect();
        forbidden(address.parse().unwrap(), &allow)
    }

    #[test]
    fn loopback_link_local_and_metadata_are_refused_in_every_spelling() {
        for address in [
            "127.0.0.1",
            "127.8.9.10",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::127.0.0.1",
            "0.0.0.0",
            "::",
            "255.255.255.255",
            "224.0.0.1",
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "fe80::1",
            "100.100.100.200",
            "168.63.129.16",
            "::ffff:168.63.129.16",
            "2002:a83f:8110::1",
            "fd00:ec2::23",
            "fd00:ec2::254",
            "fd20:ce::254",
            // RFC 2765, 5214 and 4380: of 4380 the server, then the client, inverted.
            "::ffff:0:127.0.0.1",
            "2001:db8::5efe:169.254.169.254",
            "2001:db8::200:5efe:127.0.0.1",
            "2001:0:7f00:1::1",
            "2001:0:c000:201:0:0:5601:5601",
            "2001:0:c000:201:0:0:80ff:fffe",
            // RFC 8215, after 96, 48, 56 and 64 bits.
            "64:ff9b:1::127.0.0.1",
            "64:ff9b:1:2:3:4:169.254.169.254",
            "64:ff9b:1:a9fe:a9:fe00::",
            "64:ff9b:1:7f:0:1::",
            "64:ff9b:1:7:a9:fea9:fe00::",
        ] {
            assert!(why(address, &[]).is_some(), "{address}");
        }
        for address in [
            "192.0.2.1",
            "2001:db8::1",
            "::ffff:192.0.2.1",
            "64:ff9b::192.0.2.1",
            "64:ff9b:1::192.0.2.1",
            "2002:c000:201::1",
            "2001:0:c000:201:0:0:3fff:fdfe",
        ] {
            assert_eq!(why(address, &[]), None, "{address}");
        }
    }

    #[test]
    fn what_the_operator_allows_may_be_gone_to_and_nothing_beside_it() {
        assert_eq!(why("127.0.0.1", &["127.0.0.0/8"]), None);
        assert_eq!(why("::ffff:127.0.0.1", &["127.0.0.0/8"]), None);
        assert!(why("::1", &["127.0.0.0/8"]).is_some());
        assert!(why("169.254.169.254", &["127.0.0.0/8"]).is_some());
        assert_eq!(why("64:ff9b::7f00:1", &["127.0.0.0/8"]), None);
        assert!(why("64:ff9b::7f00:1", &["64:ff9b::/96"]).is_some());
    }
}
