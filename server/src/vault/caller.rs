//! Who calls: made by `identify` alone.

use std::net::IpAddr;
use std::sync::Arc;

use crate::domain::{
    Account, AccountId, AccountName, Allowed, ApiToken, Door, Fingerprint, Level, OneTimeCode,
    OrgId, Password, RequestId, ResourceId, Role, Scope, Standing, Thumbprint, Timestamp, UserId,
    beside,
};

/// From where a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Through which door.
    pub door: Door,
    /// From which address; `None` on this machine's own socket.
    pub peer: Option<IpAddr>,
    /// Which request.
    pub request: RequestId,
}

/// What somebody shows at a door.
#[derive(Debug)]
pub enum Credential {
    /// A client certificate, trusted and not revoked, whose key the peer has proved to hold.
    Certificate(CertificateCredential),
    /// A REST token.
    Token(ApiToken),
    /// A login name and an SSH key, whose private half the peer has proved to hold.
    SshKey(SshCredential),
    /// A person's name and password.
    Password(PasswordCredential),
    /// The peer of a Unix socket: root, or whom the server runs as.
    LocalOperator {
        /// Its user id on this machine.
        uid: u32,
    },
}

/// What an SSH client has proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshCredential {
    /// The login name: `NAME`, or `ORGANISATION/NAME`.
    pub login: String,
    /// The public key in the form of RFC 4253 §6.6.
    pub blob: Vec<u8>,
}

/// What a person signs in with.
#[derive(Clone, Debug)]
pub struct PasswordCredential {
    /// The organisation; `None` is the default one.
    pub organisation: Option<String>,
    /// The name, in whatever case.
    pub name: String,
    /// The password.
    pub password: Arc<Password>,
    /// A code of the second factor, where the person gave one.
    pub code: Option<Arc<OneTimeCode>>,
}

/// What a trusted certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateCredential {
    /// The SHA-256 of the whole certificate.
    pub fingerprint: Fingerprint,
    /// The SHA-1 of the whole certificate.
    pub thumbprint: Thumbprint,
    /// Its one CN, or why it has none that can be a name.
    pub common_name: Result<String, String>,
    /// Its O, if it has one.
    pub organisation: Option<String>,
    /// Why it is trusted.
    pub trust: CertificateTrust,
    /// Until when that holds: its expiry, or when its revocation must be asked for again.
    pub valid_until: Timestamp,
}

/// Why a certificate is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateTrust {
    /// It is pinned itself.
    Pinned,
    /// This root issued it, or whoever issued it.
    IssuedBy(Fingerprint),
}

/// Somebody who may come in, and one request of theirs.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(super) identity: Arc<Identity>,
    pub(super) origin: Origin,
}

#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) who: Who,
    pub(super) org: OrgId,
    pub(super) org_name: Arc<str>,
    pub(super) login: String,
    pub(super) role: Role,
    pub(super) scope: Scope,
    /// The operations to which an application is narrowed that acts for the user.
    pub(super) within: Option<Allowed>,
    /// The vault's generation when this was found out.
    pub(super) generation: u64,
    pub(super) valid_until: Timestamp,
    /// Until when what it showed counts; that its host is to be looked up again comes before.
    pub(super) proved_until: Timestamp,
    /// By what a person came in.
    pub(super) entry: Option<Entry>,
    /// The session that it comes in by, as its token's keyed hash.
    pub(super) session: Option<[u8; 32]>,
    /// The token of a user's that it comes in by, as its keyed hash.
    pub(super) token: Option<[u8; 32]>,
    /// The certificate that it signed in with.
    pub(super) certificate: Option<Arc<Certified>>,
    /// The one account that it reaches, and nothing else that its user may have.
    pub(super) grant: Option<Arc<Grant>>,
}

/// What somebody has signed in with.
#[derive(Debug)]
pub(super) struct Certified {
    pub(super) shown: CertificateCredential,
    /// The state of trust when it counted: whoever signed in is not there to show it again.
    pub(super) trust: u64,
}

/// An account that an application has by an API key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Grant {
    pub(super) resource: ResourceId,
    pub(super) account: AccountId,
    pub(super) name: AccountName,
    pub(super) level: Level,
}

impl Grant {
    /// Whether it reaches `account`: the one that is meant, or what stands beside it.
    fn reaches(&self, account: &Account) -> bool {
        let beside = || beside::base(&account.name) == Some(self.name.as_str());
        account.resource == self.resource && (account.id == self.account || beside())
    }
}

/// What a person has proved itself by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The version of its password's row.
    pub(super) login: u64,
    /// Whether it showed a code, too.
    pub(super) with_code: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Operator,
    User(UserId),
}

impl Caller {
    /// The same caller with the next request on its connection.
    #[must_use]
    pub fn again(&self, request: RequestId) -> Self {
        Self {
            identity: self.identity.clone(),
            origin: Origin {
                request,
                ..self.origin
            },
        }
    }

    /// The name by which the audit trail knows it.
    #[must_use]
    pub fn login(&self) -> &str {
        &self.identity.login
    }

    /// From where this request came.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The organisation it acts in.
    #[must_use]
    pub fn org(&self) -> OrgId {
        self.identity.org
    }

    /// Until when it counts, if nothing changes.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.identity.valid_until
    }

    /// What it may do.
    #[must_use]
    pub fn role(&self) -> Role {
        self.identity.role
    }

    /// How far that reaches.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.identity.scope
    }

    /// Whether it is the operator on this machine.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.user().is_none()
    }

    /// That organisation's name; empty for the operator.
    #[must_use]
    pub fn organisation(&self) -> &str {
        &self.identity.org_name
    }

    /// Which user it is, or acts for; nobody where it is the operator.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self.identity.who {
            Who::Operator => None,
            Who::User(id) => Some(id),
        }
    }

    /// The one account that it reaches, where it is narrowed to one.
    pub(super) fn grant(&self) -> Option<&Grant> {
        self.identity.grant.as_deref()
    }

    /// As which account it may have `account`: what stands beside one that it has is had with it.
    pub(super) fn reached_as(&self, account: &Account) -> AccountId {
        match self.grant() {
            Some(grant) if grant.reaches(account) => grant.account,
            _ => account.id,
        }
    }

    /// Whether it is an application, which decides about nobody's requests.
    pub(super) fn is_narrowed(&self) -> bool {
        self.identity.within.is_some()
    }

    /// Whether its role reaches everything in its organisation.
    #[must_use]
    pub fn reaches_all(&self) -> bool {
        self.identity.scope == Scope::All
            && matches!(
                self.identity.role,
                Role::Administrator | Role::PasswordAdministrator
            )
    }

    pub(super) fn standing(&self, owner: Option<UserId>, share: Option<Level>) -> Standing {
        let owns = self.user().is_some_and(|user| owner == Some(user)) && self.grant().is_none();
        Standing {
            role: self.identity.role,
            scope: self.identity.scope,
            owner: owns,
            share,
            within: self.identity.within,
        }
    }
}
