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

/// What keeps a connector from an address that the operator has not allowed.
fn forbidden(address: IpAddr, allow: &[Host]) -> Option<&'static str> {
    let address = address.to_canonical();
    let inner = inner(address);
    let allowed = |host: &Host| host.contains(inner) == Some(true);
    if allow.iter().any(allowed) {
        return None;
    }
    match inner {
        _ if inner.is_unspecified() || inner.is_multicast() => Some("no machine's address"),
        IpAddr::V4(Ipv4Addr::BROADCAST) => Some("no machine's address"),
        _ if inner.is_loopback() => Some("this machine"),
        _ if link_local(inner) => Some("a link-local or metadata address"),
        _ if METADATA.contains(&inner) => Some("a metadata address"),
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

/// The IPv4 address that an IPv6 one leads to: through a translator (RFC 6052) or a relay (RFC
/// 3056).
fn inner(address: IpAddr) -> IpAddr {
    let IpAddr::V6(long) = address else {
        return address;
    };
    let short = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match long.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => short(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => short(high, low),
        _ => address,
    }
}

/// Nobody else's address can be bound to.
fn is_own(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

/// Where clouds tell machines their secrets, beside the link-local 169.254.169.254.
const METADATA: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
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
            "fd00:ec2::254",
        ] {
            assert!(why(address, &[]).is_some(), "{address}");
        }
        assert_eq!(why("192.0.2.1", &[]), None);
        assert_eq!(why("2001:db8::1", &[]), None);
    }

    #[test]
    fn what_the_operator_allows_may_be_gone_to_and_nothing_beside_it() {
        assert_eq!(why("127.0.0.1", &["127.0.0.0/8"]), None);
        assert_eq!(why("::ffff:127.0.0.1", &["127.0.0.0/8"]), None);
        assert!(why("::1", &["127.0.0.0/8"]).is_some());
        assert!(why("169.254.169.254", &["127.0.0.0/8"]).is_some());
    }
}
