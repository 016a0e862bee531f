//! What stands in the bodies of the admin API: one file per family, read and written by the server
//! and by the operator's commands alike. `docs/openapi/admin.json` says the same; a test compares.
//!
//! Times are RFC 3339 in UTC; ids are decimal strings; a member that is unknown is refused.

mod account;
mod application;
mod audit;
mod certificate;
mod group;
mod key;
mod material;
mod organisation;
mod page;
mod part;
mod policy;
mod problem;
mod registration;
mod reset;
mod resource;
mod resource_group;
mod second_factor;
mod secret;
mod session;
mod setting;
mod share;
mod ssh_key;
mod status;
mod token;
mod transfer;
mod user;
mod workflow;

pub use account::{Account, AccountEdit, NewAccount, PasswordChange};
pub use application::{Application, ApplicationEdit, ApplicationNow, NewApplication};
pub use audit::{AuditRecord, ResumeOrder, ResumedTrail, Verification, VerifyProgress};
pub use certificate::{
    BoundCertificate, ImportedCertificate, Issued, NewCertificate, NewIssue, TrustKind,
    TrustedCertificate, UserCertificate,
};
pub use group::{Group, GroupEdit, NewGroup};
pub use key::{BackupReport, Rotation};
pub use material::{Material, MaterialChange, Purpose};
pub use organisation::{NewOrganisation, Organisation};
pub use page::Page;
pub use part::Part;
pub use policy::{NewPolicy, Policy, PolicyEdit};
pub use problem::Problem;
pub use registration::{
    ApiKeyText, Broker, NewBroker, NewRegistration, NewRetrievable, Registration, RegistrationEdit,
    Retrievable,
};
pub use reset::{
    DueChange, HeldAccount, NewPasswordRotation, NewResetTarget, PasswordRotation, PendingReset,
    ResetOrder, ResetTarget, RunFailure, RunProgress, SettleOrder, SettledReset, TargetOrder,
    TargetTest,
};
pub use resource::{Created, Field, NewResource, Resource, ResourceEdit};
pub use resource_group::{GroupShare, GroupedResource, NewGroupShare, ResourceGroup};
pub use second_factor::{FactorCode, FactorDemand, FactorOffer, SecondFactor};
pub use secret::SecretText;
pub use session::{NewSession, Session, SignedIn};
pub use setting::{NewSetting, Setting};
pub use share::{NewShare, Share};
pub use ssh_key::{NewSshKeys, SshKey};
pub use status::{Certificate as ExpiringCertificate, DoorStatus, Status};
pub use token::{IssuedToken, NewToken, Token};
pub use transfer::{BadLine, ImportReport, TransferRow};
pub use user::{CreatedUser, NewPassword, NewUser, User};

pub use workflow::{AccessControl, AccessRequest, NewAccessControl, NewAccessRequest};

use serde::{Deserialize, Deserializer};

/// Reads a member that may be absent (nothing changes), null (it is cleared) or a value (it is set).
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
