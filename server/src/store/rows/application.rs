//! The form of applications.

use serde::{Deserialize, Serialize};

use crate::domain::{
    Allowed, Application, ApplicationId, ApplicationName, Fingerprint, FreeText, Host, Lock, OrgId,
    Permit, Platform, Timestamp, UserId,
};
use crate::store::rows::form::{Form, is_default};

#[derive(Serialize, Deserialize)]
pub(super) struct ApplicationForm {
    i: u64,
    o: u64,
    n: String,
    k: String,
    h: String,
    /// The words of what it is allowed.
    a: Vec<String>,
    /// For which user it acts.
    u: u64,
    /// Fingerprints of certificates.
    #[serde(default, skip_serializing_if = "is_default")]
    c: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    locked: bool,
    t: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    any: bool,
    /// What it is for.
    #[serde(default, skip_serializing_if = "is_default")]
    d: String,
    #[serde(default, skip_serializing_if = "is_default")]
    visible: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    both: bool,
    /// Who made it.
    #[serde(default, skip_serializing_if = "is_default")]
    by: Option<u64>,
}

impl Form<Application> for ApplicationForm {
    fn of(application: &Application) -> Self {
        let permits = application.allowed.permits();
        Self {
            i: application.id.0,
            o: application.org.0,
            n: application.name.to_string(),
            k: application.platform.as_str().to_owned(),
            h: application.host.to_string(),
            a: permits.map(|permit| permit.as_str().to_owned()).collect(),
            u: application.inherits.0,
            c: application
                .certificates
                .iter()
                .map(ToString::to_string)
                .collect(),
            locked: application.lock == Lock::Locked,
            t: application.created.0,
            any: application.anywhere,
            d: application.description.as_str().to_owned(),
            visible: application.visible,
            both: application.bidirectional,
            by: application.author.map(|user| user.0),
        }
    }

    fn read(self) -> Option<Application> {
        // What a later version allows is not guessed at: it is not allowed here.
        let permits: Vec<Permit> = self.a.iter().filter_map(|word| word.parse().ok()).collect();
        let prints = self.c.iter().map(|print| print.parse::<Fingerprint>().ok());
        Some(Application {
            id: ApplicationId(self.i),
            org: OrgId(self.o),
            name: ApplicationName::parse(&self.n).ok()?,
            platform: self.k.parse::<Platform>().ok()?,
            host: Host::parse(&self.h).ok()?,
            allowed: Allowed::of(&permits),
            inherits: UserId(self.u),
            certificates: prints.collect::<Option<_>>()?,
            lock: if self.locked {
                Lock::Locked
            } else {
                Lock::Open
            },
            created: Timestamp(self.t),
            anywhere: self.any,
            description: FreeText::parse(&self.d).ok()?,
            visible: self.visible,
            bidirectional: self.both,
            author: self.by.map(UserId),
        })
    }
}
