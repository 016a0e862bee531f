//! GROUND: the nouns and the pure rules.
//!
//! Nothing of ours is used here, and neither tokio, serde nor a clock: what these files say can be
//! read, and tested, without anything running.

mod access_control;
mod access_policy;
mod account;
mod api_key;
mod application;
mod audit;
pub mod beside;
mod custody;
mod decide;
mod group;
mod id;
mod material;
mod name;
mod organisation;
mod pace;
mod password;
mod policy;
mod registration;
mod request;
mod resource;
mod resource_group;
mod rotation;
mod second_factor;
mod share;
mod ssh_key;
mod target;
mod thumbprint;
mod time;
mod token;
mod user;

pub use access_control::{AccessControl, Approver, ApproverStanding, ChangeAfter};
pub use access_policy::{AccessPolicy, PolicyItem};
pub use account::{Account, Change, SecretVersion};
pub use api_key::{ApiKey, ApiKeyError};
pub use application::{Allowed, Application, Permit, Platform};
pub use audit::{Door, Operation, Outcome, Record, RefusalReason, RequestId};
pub use custody::{Custody, Holder};
pub use decide::{Action, Decision, Standing, decide, governs, may_stand_in};
pub use group::Group;
pub use id::{
    AccessPolicyId, AccountId, ApplicationId, GroupId, OrgId, PolicyId, ResourceGroupId,
    ResourceId, TokenId, UserId,
};
pub use material::{Material, MaterialError, SecretBytes, SecretKind};
pub use name::{
    AccountName, ApplicationName, FileName, Folded, FreeText, GroupName, KeyName, NameError,
    OrgName, PolicyName, ResourceName, UserName,
};
pub use organisation::Organisation;
pub use pace::Pace;
pub use password::{Password, PasswordError};
pub use policy::{PasswordPolicy, PolicyError, PolicyViolation};
pub use registration::{Broker, Retrievable};
pub use request::{Request, Sight, Slip, State, Status, Step, Window, step};
pub use resource::{CustomField, Resource};
pub use resource_group::ResourceGroup;
pub use rotation::{DayWindow, Due, Rotation};
pub use second_factor::{CodeError, FactorState, OneTimeCode};
pub use share::{Grantee, Level, Share, Target};
pub use ssh_key::{RegisteredSshKey, SshFingerprint, SshKey, SshKeyError};
pub use target::{Connector, ConnectorKind, Directory, HeldAccount, Pin, ResetTarget, Wire};
pub use thumbprint::Thumbprint;
pub use time::Timestamp;
pub use token::{ApiToken, Expiry, ExpiryError, Token, TokenError, TokenState};
pub use user::{
    CertBinding, Fingerprint, Host, HostError, Lock, Person, Role, Scope, User, UserKind,
    UserPatternError,
};
