//! Who is at the other end of a connection.

use std::net::{IpAddr, SocketAddr};

use rustls::pki_types::CertificateDer;

/// The other end of a connection, as TCP and TLS know it: never as a header says.
#[derive(Clone, Debug)]
pub struct Peer {
    address: IpAddr,
    chain: Vec<CertificateDer<'static>>,
}

impl Peer {
    /// The peer at `socket` that showed `chain`, its own certificate first.
    ///
    /// An IPv4 address that came in over an IPv6 socket is an IPv4 address.
    #[must_use]
    pub fn new(socket: SocketAddr, chain: Vec<CertificateDer<'static>>) -> Self {
        Self {
            address: socket.ip().to_canonical(),
            chain,
        }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The certificates it showed, its own first; none on a door that asks for none.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_address_is_the_ipv4_address_it_maps() {
        let peer = |text: &str| {
            Peer::new(text.parse().unwrap(), Vec::new())
                .address()
                .to_string()
        };

        assert_eq!(peer("[::ffff:192.0.2.7]:9"), "192.0.2.7");
        assert_eq!(peer("[2001:db8::7]:9"), "2001:db8::7");
        assert_eq!(peer("192.0.2.7:9"), "192.0.2.7");
    }
}
