//! Targets: the machines and programs on which passwords are changed, and how each is reached.

use std::fmt;
use std::str::FromStr;

use crate::domain::{AccountId, FreeText, OrgId, ResourceId};

/// How the passwords of a resource are changed where they open something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetTarget {
    /// The organisation it belongs to.
    pub org: OrgId,
    /// The resource.
    pub resource: ResourceId,
    /// What speaks to it.
    pub connector: Connector,
    /// Its DNS name or address; empty for an operator's command that needs none.
    pub host: FreeText,
    /// Its port; 0 where there is none.
    pub port: u16,
    /// How what is said to it is kept from others.
    pub wire: Wire,
    /// The account that changes the passwords of others; without one, each changes its own.
    pub admin: Option<HeldAccount>,
    /// The account that puts a password right that nobody can log in with any more; without one,
    /// the administrative account does.
    pub reconcile: Option<HeldAccount>,
    /// The host key or certificate that it must show.
    pub pin: Option<Pin>,
}

/// An account that is kept in the vault itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeldAccount {
    /// The resource it is on.
    pub resource: ResourceId,
    /// The account.
    pub account: AccountId,
}

/// What speaks to a target, and what only that must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connector {
    /// A machine with OpenSSH or the like: `passwd`, or `chpasswd` by the administrative account.
    Ssh,
    /// PostgreSQL: `ALTER ROLE`.
    Postgres {
        /// The database that is connected to.
        database: String,
    },
    /// MySQL or MariaDB: `ALTER USER`.
    Mysql {
        /// The host part of its accounts: `%`, `localhost`, …
        from: String,
    },
    /// A directory.
    Ldap {
        /// The DN of an account, with `{account}` where its name stands.
        dn: String,
        /// What kind of directory.
        directory: Directory,
    },
    /// The operator's own program.
    Command {
        /// The program and its arguments; there is no shell.
        argv: Vec<String>,
    },
}

/// What kind of connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectorKind {
    /// OpenSSH and the like.
    Ssh,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
    /// LDAP and Active Directory.
    Ldap,
    /// The operator's own program.
    Command,
}

/// What kind of directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Directory {
    /// OpenLDAP and what else knows the password modify operation (RFC 3062).
    Rfc3062,
    /// Active Directory: `unicodePwd`.
    Active,
}

/// How what is said to a target is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wire {
    /// By the protocol itself (SSH), or by TLS from the first byte or as the protocol begins it.
    Sealed,
    /// By TLS that begins in the middle of the protocol (LDAP's StartTLS).
    StartTls,
    /// Not at all: whoever listens learns passwords.
    DangerPlain,
}

/// The SHA-256 of a host key or certificate.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin(pub [u8; 32]);

impl Connector {
    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> ConnectorKind {
        match self {
            Self::Ssh => ConnectorKind::Ssh,
            Self::Postgres { .. } => ConnectorKind::Postgres,
            Self::Mysql { .. } => ConnectorKind::Mysql,
            Self::Ldap { .. } => ConnectorKind::Ldap,
            Self::Command { .. } => ConnectorKind::Command,
        }
    }
}

impl ConnectorKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Ssh,
        Self::Postgres,
        Self::Mysql,
        Self::Ldap,
        Self::Command,
    ];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Ldap => "ldap",
            Self::Command => "command",
        }
    }

    /// The port where such targets are found, where they have one.
    #[must_use]
    pub fn usual_port(self, wire: Wire) -> u16 {
        match self {
            Self::Ssh => 22,
            Self::Postgres => 5432,
            Self::Mysql => 3306,
            Self::Ldap if wire == Wire::Sealed => 636,
            Self::Ldap => 389,
            Self::Command => 0,
        }
    }
}

impl Directory {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rfc3062 => "openldap",
            Self::Active => "active-directory",
        }
    }
}

impl Wire {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::StartTls => "starttls",
            Self::DangerPlain => "plain",
        }
    }
}

/// As OpenSSH shows it: `SHA256:` and base64 without padding.
impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::MARK)?;
        let mut bits = self.0.chunks(3);
        bits.try_for_each(|three| {
            let number = three
                .iter()
                .fold(0u32, |sum, byte| (sum << 8) | u32::from(*byte));
            let number = number << (8 * (3 - three.len()));
            (0..=three.len()).try_for_each(|place| {
                let digit = (number >> (18 - 6 * place)) & 63;
                let digit = usize::try_from(digit).ok().and_then(|at| DIGITS.get(at));
                fmt::Write::write_char(f, char::from(digit.copied().unwrap_or(b'A')))
            })
        })
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

impl Pin {
    const MARK: &'static str = "SHA256:";
}

/// Reads what [`Pin`] displays.
impl FromStr for Pin {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.strip_prefix(Self::MARK).ok_or(())?;
        let mut bytes = Vec::with_capacity(33);
        let (mut number, mut bits) = (0u32, 0);
        for digit in digits.trim_end_matches('=').bytes() {
            let value = DIGITS.iter().position(|it| *it == digit).ok_or(())?;
            number = (number << 6) | u32::try_from(value).map_err(|_| ())?;
            bits += 6;
            if bits >= 8 {
                bits -= 8;
                bytes.push(u8::try_from((number >> bits) & 0xFF).map_err(|_| ())?);
            }
        }
        let spare = number & ((1 << bits) - 1);
        match bytes.try_into() {
            Ok(bytes) if spare == 0 => Ok(Self(bytes)),
            _ => Err(()),
        }
    }
}

macro_rules! reads {
    ($($type:ident: $($variant:ident),+;)*) => { $(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                [$(Self::$variant),+]
                    .into_iter()
                    .find(|it| it.as_str() == text)
                    .ok_or(())
            }
        }
    )* };
}

reads! {
    ConnectorKind: Ssh, Postgres, Mysql, Ldap, Command;
    Directory: Rfc3062, Active;
    Wire: Sealed, StartTls, DangerPlain;
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_written_as_openssh_writes_it_and_read_back() {
        // ssh-keygen -l shows the SHA-256 of nothing so.
        let empty = Pin([
            0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f,
            0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b,
            0x78, 0x52, 0xb8, 0x55,
        ]);

        let text = empty.to_string();

        assert_eq!(text, "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU");
        assert_eq!(text.parse(), Ok(empty));
        for wrong in ["", "SHA256:", "MD5:aa", "SHA256:47DEQ", "SHA256:4 DEQ"] {
            assert_eq!(wrong.parse::<Pin>(), Err(()), "{wrong}");
        }
        let long = format!("{text}A");
        assert_eq!(long.parse::<Pin>(), Err(()));
    }

    #[test]
    fn every_word_reads_back() {
        for kind in ConnectorKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        for wire in [Wire::Sealed, Wire::StartTls, Wire::DangerPlain] {
            assert_eq!(wire.as_str().parse(), Ok(wire));
        }
        assert_eq!("telnet".parse::<ConnectorKind>(), Err(()));
    }
}
