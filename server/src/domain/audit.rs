//! What the audit trail says of one decision.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::domain::{AccountId, ResourceId, Timestamp};

/// Through which door a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    /// XML-RPC over mutual TLS.
    Xmlrpc,
    /// The REST API.
    Rest,
    /// The command line over SSH.
    Ssh,
    /// The A2A service over TLS.
    A2a,
    /// The native API on the Unix socket.
    Admin,
    /// The server itself: start, stop, clean-up.
    Server,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Coming in: shown when it failed, with the operation that followed, or for who signed in.
    Identify,
    /// Retrieve a password.
    Retrieve,
    /// Listen to changes of secrets.
    Listen,
    /// Change a password.
    Change,
    /// A step of changing a password on its target, or of finding out which one it has.
    Reset,
    /// Say how the passwords of a resource are changed on their target, or try it.
    ResetTarget,
    /// Let passwords change by themselves, or no longer.
    Rotation,
    /// Make a resource with an account.
    CreateResource,
    /// Change what is known of a resource.
    EditResource,
    /// Remove a resource with its accounts.
    RemoveResource,
    /// Add an account to a resource.
    CreateAccount,
    /// Change what is known of an account.
    EditAccount,
    /// Remove an account.
    RemoveAccount,
    /// Read the history of an account's password.
    History,
    /// List or look at resources, accounts or shares.
    List,
    /// Give or widen a share.
    Share,
    /// Take a share back.
    Unshare,
    /// Switch access control on, change it or switch it off.
    AccessControl,
    /// Request a password that is under access control.
    Request,
    /// Approve a request.
    Approve,
    /// Reject a request.
    Reject,
    /// Take a password that was approved.
    CheckOut,
    /// Give a password back, or take it back.
    CheckIn,
    /// A check-out's or a request's time is up.
    Expire,
    /// Make a user.
    CreateUser,
    /// Change a user: lock, unlock, certificates.
    EditUser,
    /// Remove a user.
    RemoveUser,
    /// Make, change or remove a group of users.
    Group,
    /// Make, change or remove a group of resources.
    ResourceGroup,
    /// Make, change or remove an application.
    Application,
    /// Offer, confirm or take away a person's second factor.
    SecondFactor,
    /// Issue a REST token.
    IssueToken,
    /// Take a REST token back.
    RevokeToken,
    /// Trust a certificate.
    Trust,
    /// Stop trusting a certificate.
    Distrust,
    /// Issue a client certificate from the built-in CA.
    IssueCertificate,
    /// Make or change a password policy.
    Policy,
    /// Change a setting.
    Setting,
    /// Make an organisation.
    Organisation,
    /// Import resources and accounts.
    Import,
    /// Export resources and accounts.
    Export,
    /// Read the audit trail.
    ReadAudit,
    /// Go on with the audit trail although records of it are lost.
    ResumeAudit,
    /// Rotate the data key.
    RotateKey,
    /// Make a backup.
    Backup,
    /// Put a backup back.
    Restore,
    /// The server started.
    Start,
    /// The server stopped.
    Stop,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was allowed, and is done unless a later record with the same request id says otherwise.
    Allowed,
    /// It was refused, and why.
    Refused(RefusalReason),
    /// It was allowed and then could not be done.
    Failed,
}

/// Why it was refused: told apart here, and nowhere that a caller can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalReason {
    /// No certificate, or none that proves a user.
    UnknownUser,
    /// The certificate is not trusted any more, or never was.
    Untrusted,
    /// The certificate or token is revoked, or the certificate's state cannot be told where it must be.
    Revoked,
    /// The user is locked or has expired.
    Locked,
    /// The token has run out.
    Expired,
    /// The password is another one.
    WrongPassword,
    /// The code of the second factor is none of now, or was used before.
    WrongCode,
    /// A code of the second factor is demanded.
    CodeMissing,
    /// A second factor is demanded, and the person has none.
    NotEnrolled,
    /// Too many attempts failed, with this name from this address or from it at all.
    TooManyFailures,
    /// Too many codes of this person's second factor were wrong.
    TooManyCodes,
    /// The user came from another host than its own.
    WrongHost,
    /// The user's host has no address.
    UnresolvableHost,
    /// No such resource.
    NoSuchResource,
    /// No such account.
    NoSuchAccount,
    /// No such user, policy, setting or certificate.
    NoSuchThing,
    /// It exists, and the caller has no share of it.
    NotShared,
    /// The caller's share or role does not reach so far.
    NotAllowed,
    /// A reason is demanded.
    ReasonMissing,
    /// A ticket is demanded.
    TicketMissing,
    /// Nobody decides about its own request.
    OwnRequest,
    /// There is no request or check-out that this could be done with.
    NotRequested,
    /// It was not approved, or not checked out.
    NotApproved,
    /// Somebody holds it.
    InUse,
    /// The password breaks its policy.
    Policy,
    /// It is there already.
    Exists,
    /// What was asked for makes no sense.
    Invalid,
    /// This server only answers retrievals.
    ReadOnly,
    /// The target machine refused, or there is no way to it.
    Target,
}

/// The id of one request: in the answer's header, the log and the audit trail.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({self})")
    }
}

/// One decision: never a secret, token, key or raw body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When it was decided.
    pub at: Timestamp,
    /// Which request it belongs to.
    pub request: RequestId,
    /// The caller's login, or what a stranger called itself.
    pub caller: String,
    /// The caller's organisation; empty for the operator and for strangers.
    pub org: String,
    /// Through which door.
    pub door: Door,
    /// From which address; `None` on this machine's own socket.
    pub peer: Option<IpAddr>,
    /// What was asked for.
    pub operation: Operation,
    /// The resource, as it was named by the caller.
    pub resource: String,
    /// The account, as it was named by the caller.
    pub account: String,
    /// The resource's id, where there was one.
    pub resource_id: Option<ResourceId>,
    /// The account's id, where there was one.
    pub account_id: Option<AccountId>,
    /// The reason that was given.
    pub reason: String,
    /// The ticket that was given.
    pub ticket: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What else a judge should know: the setting's old and new value, the certificate's name.
    pub detail: String,
}

macro_rules! words {
    ($type:ident { $($variant:ident => $word:literal,)* }) => {
        impl $type {
            /// The word for it in the audit trail.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl FromStr for $type {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                match text { $($word => Ok(Self::$variant),)* _ => Err(()) }
            }
        }
    };
}

words! { Door { Xmlrpc => "xmlrpc", Rest => "rest", Ssh => "ssh", A2a => "a2a", Admin => "admin", Server => "server", } }

words! { Operation {
    Identify => "identify", Retrieve => "retrieve", Listen => "listen", Change => "change",
    Reset => "reset", ResetTarget => "reset-target", Rotation => "rotation",
    CreateResource => "create-resource", EditResource => "edit-resource",
    RemoveResource => "remove-resource", CreateAccount => "create-account",
    EditAccount => "edit-account", RemoveAccount => "remove-account", History => "history",
    List => "list", Share => "share", Unshare => "unshare",
    AccessControl => "access-control", Request => "request", Approve => "approve",
    Reject => "reject", CheckOut => "check-out", CheckIn => "check-in", Expire => "expire",
    CreateUser => "create-user", EditUser => "edit-user", RemoveUser => "remove-user",
    Group => "group", ResourceGroup => "resource-group", Application => "application",
    SecondFactor => "second-factor", IssueToken => "issue-token", RevokeToken => "revoke-token", Trust => "trust",
    Distrust => "distrust", IssueCertificate => "issue-certificate", Policy => "policy",
    Setting => "setting", Organisation => "organisation", Import => "import",
    Export => "export", ReadAudit => "read-audit",
    ResumeAudit => "resume-audit", RotateKey => "rotate-key",
    Backup => "backup", Restore => "restore", Start => "start", Stop => "stop",
} }

words! { RefusalReason {
    UnknownUser => "unknown-user", Untrusted => "untrusted", Revoked => "revoked",
    Locked => "locked", Expired => "expired",
    WrongPassword => "wrong-password", WrongCode => "wrong-code",
    CodeMissing => "code-missing", NotEnrolled => "not-enrolled", TooManyFailures => "too-many-failures",
    TooManyCodes => "too-many-codes",
    WrongHost => "wrong-host", UnresolvableHost => "unresolvable-host",
    NoSuchResource => "no-such-resource", NoSuchAccount => "no-such-account",
    NoSuchThing => "no-such-thing", NotShared => "not-shared", NotAllowed => "not-allowed",
    ReasonMissing => "reason-missing", TicketMissing => "ticket-missing",
    OwnRequest => "own-request", NotRequested => "not-requested", NotApproved => "not-approved",
    InUse => "in-use", Policy => "policy",
    Exists => "exists", Invalid => "invalid", ReadOnly => "read-only", Target => "target",
} }
