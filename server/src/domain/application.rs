//! Applications: machine identities that act for a user, with some of the operations only.

use std::fmt;
use std::str::FromStr;

use crate::domain::{
    ApplicationId, ApplicationName, Fingerprint, FreeText, Host, Lock, OrgId, Timestamp, UserId,
};

/// A machine identity: proved by its certificates from its host, it may do what the user whose
/// rights it inherits may do, as far as its allowed operations go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its id.
    pub id: ApplicationId,
    /// The organisation that it and its user belong to.
    pub org: OrgId,
    /// Its name; unique in its organisation.
    pub name: ApplicationName,
    /// What its host runs.
    pub platform: Platform,
    /// From where it may come.
    pub host: Host,
    /// Whether it may come from anywhere all the same.
    pub anywhere: bool,
    /// What it may do at most.
    pub allowed: Allowed,
    /// The user for whom it acts.
    pub inherits: UserId,
    /// The certificates that prove it, each by itself; no other application has one of them.
    pub certificates: Vec<Fingerprint>,
    /// Whether it is kept out.
    pub lock: Lock,
    /// When it was made.
    pub created: Timestamp,
    /// What it is for.
    pub description: FreeText,
    /// Whether its user sees by its certificate alone what it may have, with the API keys.
    pub visible: bool,
    /// Whether it may also change what it may have by API key.
    pub bidirectional: bool,
    /// Who made it; `None` is the operator.
    pub author: Option<UserId>,
}

/// What an application's host runs: which scripts its toolkit has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Linux, or another Unix.
    Linux,
    /// Windows.
    Windows,
}

impl Platform {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linux => "Linux",
            Self::Windows => "Windows",
        }
    }
}

impl FromStr for Platform {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Linux, Self::Windows]
            .into_iter()
            .find(|platform| platform.as_str().eq_ignore_ascii_case(text))
            .ok_or(())
    }
}

/// One operation that an application may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permit {
    /// Retrieve passwords.
    Retrieve,
    /// Reset passwords, here or on the target.
    Reset,
    /// Create resources with their accounts.
    Create,
}

impl Permit {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Retrieve, Self::Reset, Self::Create];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retrieve => "retrieve",
            Self::Reset => "reset",
            Self::Create => "create",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Retrieve => 1,
            Self::Reset => 2,
            Self::Create => 4,
        }
    }
}

impl FromStr for Permit {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|permit| permit.as_str() == text)
            .ok_or(())
    }
}

/// The operations that an application is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Allowed(u8);

impl Allowed {
    /// These.
    #[must_use]
    pub fn of(permits: &[Permit]) -> Self {
        Self(permits.iter().fold(0, |bits, permit| bits | permit.bit()))
    }

    /// Whether this one is among them.
    #[must_use]
    pub fn has(self, permit: Permit) -> bool {
        self.0 & permit.bit() != 0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them.
    pub fn permits(self) -> impl Iterator<Item = Permit> {
        Permit::ALL
            .into_iter()
            .filter(move |permit| self.has(*permit))
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.permits().map(Permit::as_str).collect();
        f.write_str(&words.join(","))
    }
}
