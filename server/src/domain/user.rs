//! Users: persons and API users.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use thiserror::Error;

use crate::domain::{FreeText, NameError, OrgId, Thumbprint, Timestamp, UserId, UserName};

/// What a user may do at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything, users, trust and settings included.
    Administrator,
    /// Makes resources and manages their passwords.
    PasswordAdministrator,
    /// Reads the audit trail. No API user has this role.
    PasswordAuditor,
    /// Uses what is shared with it.
    PasswordUser,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Administrator,
        Self::PasswordAdministrator,
        Self::PasswordAuditor,
        Self::PasswordUser,
    ];

    /// The word for it on the command line and in the admin API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::PasswordAdministrator => "password-administrator",
            Self::PasswordAuditor => "password-auditor",
            Self::PasswordUser => "password-user",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(())
    }
}

/// How far an administrator's role reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// What it owns and what is shared with it.
    Owned,
    /// All passwords of its organisation: a super administrator.
    All,
}

impl Scope {
    /// The word for it on the command line and in the admin API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owned => "owned",
            Self::All => "all",
        }
    }
}

impl FromStr for Scope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Owned, Self::All]
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or(())
    }
}

/// From where an API user may come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A DNS name: its addresses, looked up forward, are the ones allowed.
    Name(String),
    /// Addresses that share their first `prefix` bits with `network`; a single address has all.
    Network {
        /// The first address.
        network: IpAddr,
        /// How many bits count.
        prefix: u8,
    },
}

/// Why a text is no host.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HostError {
    /// It is neither a DNS name, an address nor a network.
    #[error("`{0}` is neither a DNS name, an IP address nor a network like 10.0.0.0/8")]
    Malformed(String),
    /// The network's address has bits set behind its prefix.
    #[error("`{0}` has bits set behind its prefix: write the network's first address")]
    HostBits(String),
}

impl Host {
    /// Reads a DNS name, an address, or a network in CIDR notation.
    ///
    /// # Errors
    /// [`HostError`] when it is none of them, or the network's address has bits behind its prefix.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let malformed = || HostError::Malformed(text.escape_default().to_string());
        if let Ok(address) = text.parse::<IpAddr>() {
            let network = canonical(address);
            return Ok(Self::Network {
                network,
                prefix: width(network),
            });
        }
        if let Some((address, prefix)) = text.split_once('/') {
            let network: IpAddr = address.parse().map_err(|_| malformed())?;
            let digits = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
            let prefix: u8 = prefix.parse().map_err(|_| malformed())?;
            if !digits || prefix > width(network) {
                return Err(malformed());
            }
            if network != masked(network, prefix) {
                return Err(HostError::HostBits(text.to_owned()));
            }
            return Ok(Self::Network { network, prefix });
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let label = |l: &str| {
            !l.is_empty()
                && l.len() <= 63
                && l.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !l.starts_with('-')
                && !l.ends_with('-')
        };
        // A name of digits and dots only would be an address to some resolvers (inet_aton).
        let numeric = name
            .split('.')
            .next_back()
            .is_some_and(|l| l.bytes().all(|b| b.is_ascii_digit()) || l.starts_with("0x"));
        if name.len() > 253 || numeric || !name.split('.').all(label) {
            return Err(malformed());
        }
        Ok(Self::Name(name))
    }

    /// Whether `peer` is in this network; `None` for a name, which must be looked up first.
    #[must_use]
    pub fn contains(&self, peer: IpAddr) -> Option<bool> {
        match self {
            Self::Name(_) => None,
            Self::Network { network, prefix } => {
                let peer = canonical(peer);
                Some(
                    peer.is_ipv4() == network.is_ipv4()
                        && masked(peer, *prefix) == masked(*network, *prefix),
                )
            }
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Network { network, prefix } if *prefix == width(*network) => network.fmt(f),
            Self::Network { network, prefix } => write!(f, "{network}/{prefix}"),
        }
    }
}

/// An IPv4 address that came as `::ffff:a.b.c.d` is that IPv4 address.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX
                .checked_shl(32 - u32::from(prefix.min(32)))
                .unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX
                .checked_shl(128 - u32::from(prefix.min(128)))
                .unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

/// The SHA-256 of a certificate's DER: what a certificate is told apart by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = ();

    /// Sixty-four hexadecimal digits; colons between bytes are allowed.
    fn from_str(text: &str) -> Result<Self, ()> {
        let digits: Vec<u8> = text.bytes().filter(|&b| b != b':').collect();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| ())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| ())?;
        }
        Ok(Self(bytes))
    }
}

/// Which certificates prove that a caller is this user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertBinding {
    /// This very certificate.
    Exactly(Fingerprint),
    /// Any certificate with this user's name as CN that chains to this CA root.
    IssuedBy(Fingerprint),
    /// The certificate with this thumbprint, at the A2A door alone. SHA-1 has collisions: the
    /// first one that came with it, trusted, is the only one from then on.
    Thumbprint {
        /// The thumbprint.
        thumbprint: Thumbprint,
        /// The certificate that came with it.
        seen: Option<Fingerprint>,
    },
}

/// What kind of user, and what only that kind has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserKind {
    /// A program on one host.
    Api {
        /// From where it may come.
        host: Host,
        /// Whether it may come from anywhere all the same.
        any_host: bool,
        /// The certificates that prove it.
        certificates: Vec<CertBinding>,
        /// What those of them that were seen are called where certificates go by their SHA-1. This
        /// proves nothing.
        thumbprints: Vec<(Fingerprint, Thumbprint)>,
    },
    /// Somebody who signs in.
    Person(Person),
}

/// What is known of somebody who signs in; the password is kept elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The first name.
    pub first: FreeText,
    /// The last name.
    pub last: FreeText,
    /// The e-mail address, as it was given: nothing is sent to it.
    pub email: FreeText,
    /// Whether it comes in with a second factor only.
    pub second_factor: bool,
}

/// Whether a user is kept out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// It may come in.
    Open,
    /// An administrator has locked it.
    Locked,
}

/// A person or an API user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The organisation it belongs to.
    pub org: OrgId,
    /// Its name; a certificate's CN.
    pub name: UserName,
    /// Person or API user.
    pub kind: UserKind,
    /// The name for reports; `name@host - API User` unless one was given.
    pub full_name: FreeText,
    /// What it may do.
    pub role: Role,
    /// How far that reaches.
    pub scope: Scope,
    /// The department it belongs to.
    pub department: FreeText,
    /// Where it is.
    pub location: FreeText,
    /// Whether it is locked.
    pub lock: Lock,
    /// When it stops being able to come in.
    pub expires: Option<Timestamp>,
    /// When it was made.
    pub created: Timestamp,
}

/// Why a text is no `NAME@HOST`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UserPatternError {
    /// There is no `@` in it.
    #[error("an API user is written NAME@HOST")]
    NoHost,
    /// The part before the last `@` is no user name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The part behind the last `@` is no host.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl User {
    /// The name that tells it from all others in its organisation: `name@host`, or a person's name.
    #[must_use]
    pub fn login(&self) -> String {
        match &self.kind {
            UserKind::Api { host, .. } => format!("{}@{host}", self.name),
            UserKind::Person(_) => self.name.to_string(),
        }
    }

    /// Splits `NAME@HOST` at its last `@`.
    ///
    /// # Errors
    /// [`UserPatternError`] when there is no `@`, or a part is not what it should be.
    pub fn parse_login(text: &str) -> Result<(UserName, Host), UserPatternError> {
        let (name, host) = text.rsplit_once('@').ok_or(UserPatternError::NoHost)?;
        Ok((UserName::parse(name)?, Host::parse(host)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(host: &str, peer: &str) -> Option<bool> {
        Host::parse(host).unwrap().contains(peer.parse().unwrap())
    }

    #[test]
    fn the_edges_of_a_network_are_inside_and_their_neighbours_are_not() {
        assert_eq!(contains("10.1.0.0/16", "10.1.0.0"), Some(true));
        assert_eq!(contains("10.1.0.0/16", "10.1.255.255"), Some(true));
        assert_eq!(contains("10.1.0.0/16", "10.2.0.0"), Some(false));
        assert_eq!(contains("10.1.0.0/16", "10.0.255.255"), Some(false));
        assert_eq!(contains("0.0.0.0/0", "255.255.255.255"), Some(true));
        assert_eq!(contains("0.0.0.0/0", "::1"), Some(false));
        assert_eq!(contains("2001:db8::/33", "2001:db8:7fff::1"), Some(true));
        assert_eq!(contains("2001:db8::/33", "2001:db8:8000::1"), Some(false));
        assert_eq!(contains("192.0.2.1", "192.0.2.1"), Some(true));
        assert_eq!(contains("192.0.2.1", "192.0.2.2"), Some(false));
    }

    #[test]
    fn an_ipv4_address_is_the_same_when_it_comes_mapped_into_ipv6() {
        assert_eq!(contains("127.0.0.1", "::ffff:127.0.0.1"), Some(true));
        assert_eq!(contains("::ffff:127.0.0.1", "127.0.0.1"), Some(true));
        assert_eq!(contains("127.0.0.0/8", "::ffff:127.9.9.9"), Some(true));
        assert_eq!(contains("127.0.0.1", "::1"), Some(false));
    }

    #[test]
    fn what_is_neither_name_address_nor_network_is_refused() {
        let malformed = [
            "",
            ".",
            "a..b",
            "-a",
            "a-",
            "a b",
            "10.0.0",
            "1",
            "0x7f.1",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "::1%lo",
            "a/8",
            "*.example",
            "a\0b",
            "é",
        ];
        for text in malformed {
            assert!(
                matches!(Host::parse(text), Err(HostError::Malformed(_))),
                "{text:?}"
            );
        }
        assert_eq!(
            Host::parse("10.0.0.1/8"),
            Err(HostError::HostBits("10.0.0.1/8".to_owned()))
        );
        assert_eq!(
            Host::parse("App-1.Example."),
            Ok(Host::Name("app-1.example".to_owned()))
        );
    }

    #[test]
    fn a_login_is_split_at_its_last_at_sign() {
        let (name, host) = User::parse_login("a@b@host").unwrap();

        assert_eq!((name.as_str(), host.to_string().as_str()), ("a@b", "host"));
        assert_eq!(User::parse_login("alone"), Err(UserPatternError::NoHost));
    }

    #[test]
    fn a_fingerprint_reads_back_with_and_without_colons() {
        let print = Fingerprint([0xab; 32]);

        assert_eq!(print.to_string().parse(), Ok(print));
        assert_eq!(["AB"; 32].join(":").parse(), Ok(print));
        assert_eq!("ab".parse::<Fingerprint>(), Err(()));
    }
}
