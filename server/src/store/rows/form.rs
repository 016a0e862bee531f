//! The forms that records have inside their seals: JSON with short names. A name that is not known
//! is passed over and a missing one has its default, so that versions can follow each other.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{
    Account, AccountName, CertBinding, CustomField, Fingerprint, FreeText, Grantee, Group,
    GroupName, Host, Level, Lock, OrgName, Organisation, PasswordPolicy, Person, PolicyId,
    PolicyName, Resource, ResourceGroup, ResourceName, Role, Scope, SecretKind, SecretVersion,
    Share, Target, Thumbprint, Timestamp, User, UserKind, UserName,
};
use crate::domain::{AccountId, GroupId, OrgId, ResourceGroupId, ResourceId, UserId};

/// A form of `T`; reading it back fails when the row was written by something else.
pub(super) trait Form<T>: Serialize + for<'de> Deserialize<'de> {
    fn of(record: &T) -> Self;
    fn read(self) -> Option<T>;
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn text(text: &str) -> Option<FreeText> {
    if text.is_empty() {
        return Some(FreeText::default());
    }
    FreeText::parse(text).ok()
}

#[derive(Serialize, Deserialize)]
pub(super) struct OrganisationForm {
    i: u64,
    n: String,
}

impl Form<Organisation> for OrganisationForm {
    fn of(record: &Organisation) -> Self {
        Self {
            i: record.id.0,
            n: record.name.to_string(),
        }
    }

    fn read(self) -> Option<Organisation> {
        Some(Organisation {
            id: OrgId(self.i),
            name: OrgName::parse(&self.n).ok()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct UserForm {
    i: u64,
    o: u64,
    n: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api: Option<ApiForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<PersonForm>,
    f: String,
    r: String,
    s: String,
    #[serde(default, skip_serializing_if = "is_default")]
    d: String,
    #[serde(default, skip_serializing_if = "is_default")]
    l: String,
    #[serde(default, skip_serializing_if = "is_default")]
    locked: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<i64>,
    c: i64,
}

#[derive(Default, Serialize, Deserialize)]
struct PersonForm {
    #[serde(default, skip_serializing_if = "is_default")]
    f: String,
    #[serde(default, skip_serializing_if = "is_default")]
    l: String,
    #[serde(default, skip_serializing_if = "is_default")]
    e: String,
    #[serde(default, skip_serializing_if = "is_default")]
    two: bool,
}

impl PersonForm {
    fn of(person: &Person) -> Self {
        Self {
            f: person.first.as_str().to_owned(),
            l: person.last.as_str().to_owned(),
            e: person.email.as_str().to_owned(),
            two: person.second_factor,
        }
    }

    fn read(&self) -> Option<UserKind> {
        Some(UserKind::Person(Person {
            first: text(&self.f)?,
            last: text(&self.l)?,
            email: text(&self.e)?,
            second_factor: self.two,
        }))
    }
}

#[derive(Serialize, Deserialize)]
struct ApiForm {
    h: String,
    #[serde(default, skip_serializing_if = "is_default")]
    any: bool,
    /// Fingerprints of this very certificate.
    #[serde(default, skip_serializing_if = "is_default")]
    c: Vec<String>,
    /// Fingerprints of CA roots.
    #[serde(default, skip_serializing_if = "is_default")]
    by: Vec<String>,
    /// Thumbprints, each with the fingerprint that came with it.
    #[serde(default, skip_serializing_if = "is_default")]
    t: Vec<(String, Option<String>)>,
    /// Fingerprints, each with the thumbprint of the same certificate.
    #[serde(default, skip_serializing_if = "is_default")]
    k: Vec<(String, String)>,
}

impl ApiForm {
    fn of(host: &Host, any_host: bool, certificates: &[CertBinding]) -> Self {
        let mut form = Self {
            h: host.to_string(),
            any: any_host,
            c: Vec::new(),
            by: Vec::new(),
            t: Vec::new(),
            k: Vec::new(),
        };
        for binding in certificates {
            match binding {
                CertBinding::Exactly(print) => form.c.push(print.to_string()),
                CertBinding::IssuedBy(print) => form.by.push(print.to_string()),
                CertBinding::Thumbprint { thumbprint, seen } => {
                    let seen = seen.map(|print| print.to_string());
                    form.t.push((thumbprint.to_string(), seen));
                }
            }
        }
        form
    }

    fn called(self, thumbprints: &[(Fingerprint, Thumbprint)]) -> Self {
        let words = |(print, thumbprint): &(Fingerprint, Thumbprint)| {
            (print.to_string(), thumbprint.to_string())
        };
        Self {
            k: thumbprints.iter().map(words).collect(),
            ..self
        }
    }

    fn read(&self) -> Option<UserKind> {
        let print = |text: &String| text.parse::<Fingerprint>().ok();
        let called = self
            .k
            .iter()
            .map(|(of, thumbprint)| Some((print(of)?, thumbprint.parse().ok()?)));
        let exact = self.c.iter().map(|c| print(c).map(CertBinding::Exactly));
        let issued = self.by.iter().map(|c| print(c).map(CertBinding::IssuedBy));
        let known = self.t.iter().map(|(thumbprint, seen)| {
            Some(CertBinding::Thumbprint {
                thumbprint: thumbprint.parse().ok()?,
                seen: match seen {
                    Some(seen) => Some(print(seen)?),
                    None => None,
                },
            })
        });
        Some(UserKind::Api {
            host: Host::parse(&self.h).ok()?,
            any_host: self.any,
            certificates: exact.chain(issued).chain(known).collect::<Option<_>>()?,
            thumbprints: called.collect::<Option<_>>()?,
        })
    }
}

impl Form<User> for UserForm {
    fn of(user: &User) -> Self {
        Self {
            i: user.id.0,
            o: user.org.0,
            n: user.name.to_string(),
            api: match &user.kind {
                UserKind::Api {
                    host,
                    any_host,
                    certificates,
                    thumbprints,
                } => Some(ApiForm::of(host, *any_host, certificates).called(thumbprints)),
                UserKind::Person(_) => None,
            },
            p: match &user.kind {
                UserKind::Api { .. } => None,
                UserKind::Person(person) => Some(PersonForm::of(person)),
            },
            f: user.full_name.as_str().to_owned(),
            r: user.role.as_str().to_owned(),
            s: user.scope.as_str().to_owned(),
            d: user.department.as_str().to_owned(),
            l: user.location.as_str().to_owned(),
            locked: user.lock == Lock::Locked,
            x: user.expires.map(|at| at.0),
            c: user.created.0,
        }
    }

    fn read(self) -> Option<User> {
        Some(User {
            id: UserId(self.i),
            org: OrgId(self.o),
            name: UserName::parse(&self.n).ok()?,
            kind: match &self.api {
                Some(api) => api.read()?,
                None => self.p.unwrap_or_default().read()?,
            },
            full_name: text(&self.f)?,
            role: self.r.parse::<Role>().ok()?,
            scope: self.s.parse::<Scope>().ok()?,
            department: text(&self.d)?,
            location: text(&self.l)?,
            lock: if self.locked {
                Lock::Locked
            } else {
                Lock::Open
            },
            expires: self.x.map(Timestamp),
            created: Timestamp(self.c),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct GroupForm {
    i: u64,
    o: u64,
    n: String,
    #[serde(default, skip_serializing_if = "is_default")]
    d: String,
    c: i64,
}

impl Form<Group> for GroupForm {
    fn of(group: &Group) -> Self {
        Self {
            i: group.id.0,
            o: group.org.0,
            n: group.name.to_string(),
            d: group.description.as_str().to_owned(),
            c: group.created.0,
        }
    }

    fn read(self) -> Option<Group> {
        Some(Group {
            id: GroupId(self.i),
            org: OrgId(self.o),
            name: GroupName::parse(&self.n).ok()?,
            description: text(&self.d)?,
            created: Timestamp(self.c),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct ResourceGroupForm {
    i: u64,
    o: u64,
    n: String,
    #[serde(default, skip_serializing_if = "is_default")]
    d: String,
    c: i64,
}

impl Form<ResourceGroup> for ResourceGroupForm {
    fn of(group: &ResourceGroup) -> Self {
        Self {
            i: group.id.0,
            o: group.org.0,
            n: group.name.to_string(),
            d: group.description.as_str().to_owned(),
            c: group.created.0,
        }
    }

    fn read(self) -> Option<ResourceGroup> {
        Some(ResourceGroup {
            id: ResourceGroupId(self.i),
            org: OrgId(self.o),
            name: GroupName::parse(&self.n).ok()?,
            description: text(&self.d)?,
            created: Timestamp(self.c),
        })
    }
}

fn fields_of(fields: &[CustomField]) -> Vec<(String, String)> {
    let pair = |f: &CustomField| (f.label.as_str().to_owned(), f.value.as_str().to_owned());
    fields.iter().map(pair).collect()
}

fn fields_read(fields: &[(String, String)]) -> Option<Vec<CustomField>> {
    let field = |(l, v): &(String, String)| {
        Some(CustomField {
            label: text(l)?,
            value: text(v)?,
        })
    };
    fields.iter().map(field).collect()
}

#[derive(Serialize, Deserialize)]
pub(super) struct ResourceForm {
    i: u64,
    o: u64,
    n: String,
    #[serde(default, skip_serializing_if = "is_default")]
    k: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    w: Option<u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    a: String,
    #[serde(default, skip_serializing_if = "is_default")]
    u: String,
    #[serde(default, skip_serializing_if = "is_default")]
    e: String,
    #[serde(default, skip_serializing_if = "is_default")]
    t: String,
    #[serde(default, skip_serializing_if = "is_default")]
    d: String,
    #[serde(default, skip_serializing_if = "is_default")]
    l: String,
    #[serde(default, skip_serializing_if = "is_default")]
    f: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rd: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    td: Option<bool>,
    c: i64,
}

impl Form<Resource> for ResourceForm {
    fn of(resource: &Resource) -> Self {
        Self {
            i: resource.id.0,
            o: resource.org.0,
            n: resource.name.to_string(),
            k: resource.kind.as_str().to_owned(),
            w: resource.owner.map(|owner| owner.0),
            a: resource.address.as_str().to_owned(),
            u: resource.url.as_str().to_owned(),
            e: resource.description.as_str().to_owned(),
            t: resource.notes.as_str().to_owned(),
            d: resource.department.as_str().to_owned(),
            l: resource.location.as_str().to_owned(),
            f: fields_of(&resource.fields),
            p: resource.policy.map(|policy| policy.0),
            rd: resource.reason_demanded,
            td: resource.ticket_demanded,
            c: resource.created.0,
        }
    }

    fn read(self) -> Option<Resource> {
        Some(Resource {
            id: ResourceId(self.i),
            org: OrgId(self.o),
            name: ResourceName::parse(&self.n).ok()?,
            kind: text(&self.k)?,
            owner: self.w.map(UserId),
            address: text(&self.a)?,
            url: text(&self.u)?,
            description: text(&self.e)?,
            notes: text(&self.t)?,
            department: text(&self.d)?,
            location: text(&self.l)?,
            fields: fields_read(&self.f)?,
            policy: self.p.map(PolicyId),
            reason_demanded: self.rd,
            ticket_demanded: self.td,
            created: Timestamp(self.c),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct AccountForm {
    i: u64,
    r: u64,
    n: String,
    /// What it keeps, where it is no password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    k: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    t: String,
    #[serde(default, skip_serializing_if = "is_default")]
    f: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rd: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    td: Option<bool>,
    s: u64,
    o: u64,
    c: i64,
    g: i64,
}

impl Form<Account> for AccountForm {
    fn of(account: &Account) -> Self {
        Self {
            i: account.id.0,
            r: account.resource.0,
            n: account.name.to_string(),
            k: match account.kind {
                SecretKind::Password => None,
                other => Some(other.as_str().to_owned()),
            },
            t: account.notes.as_str().to_owned(),
            f: fields_of(&account.fields),
            p: account.policy.map(|policy| policy.0),
            rd: account.reason_demanded,
            td: account.ticket_demanded,
            s: account.secret.0,
            o: account.oldest.0,
            c: account.created.0,
            g: account.changed.0,
        }
    }

    fn read(self) -> Option<Account> {
        Some(Account {
            id: AccountId(self.i),
            resource: ResourceId(self.r),
            name: AccountName::parse(&self.n).ok()?,
            kind: match &self.k {
                None => SecretKind::Password,
                Some(word) => word.parse().ok()?,
            },
            notes: text(&self.t)?,
            fields: fields_read(&self.f)?,
            policy: self.p.map(PolicyId),
            reason_demanded: self.rd,
            ticket_demanded: self.td,
            secret: SecretVersion(self.s),
            oldest: SecretVersion(self.o),
            created: Timestamp(self.c),
            changed: Timestamp(self.g),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct ShareForm {
    r: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    g: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    s: Option<u64>,
    l: String,
}

impl Form<Share> for ShareForm {
    fn of(share: &Share) -> Self {
        Self {
            r: share.target.resource.0,
            a: share.target.account.map(|account| account.0),
            u: match share.with {
                Grantee::User(user) => Some(user.0),
                Grantee::Group(_) | Grantee::ResourceGroup(_) => None,
            },
            g: match share.with {
                Grantee::Group(group) => Some(group.0),
                Grantee::User(_) | Grantee::ResourceGroup(_) => None,
            },
            s: match share.with {
                Grantee::ResourceGroup(group) => Some(group.0),
                Grantee::User(_) | Grantee::Group(_) => None,
            },
            l: share.level.as_str().to_owned(),
        }
    }

    fn read(self) -> Option<Share> {
        Some(Share {
            target: Target {
                resource: ResourceId(self.r),
                account: self.a.map(AccountId),
            },
            with: match (self.u, self.g, self.s) {
                (Some(user), None, None) => Grantee::User(UserId(user)),
                (None, Some(group), None) => Grantee::Group(GroupId(group)),
                (None, None, Some(group)) => Grantee::ResourceGroup(ResourceGroupId(group)),
                _ => return None,
            },
            level: self.l.parse::<Level>().ok()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct PolicyForm {
    i: u64,
    n: String,
    min: u16,
    max: u16,
    #[serde(default)]
    up: bool,
    #[serde(default)]
    lo: bool,
    #[serde(default)]
    di: bool,
    #[serde(default)]
    sp: u16,
    #[serde(default)]
    sl: bool,
    #[serde(default)]
    an: bool,
    #[serde(default)]
    re: u16,
    #[serde(default)]
    age: Option<u64>,
}

impl Form<PasswordPolicy> for PolicyForm {
    fn of(policy: &PasswordPolicy) -> Self {
        Self {
            i: policy.id.0,
            n: policy.name.to_string(),
            min: policy.min_length,
            max: policy.max_length,
            up: policy.upper,
            lo: policy.lower,
            di: policy.digit,
            sp: policy.special,
            sl: policy.starts_with_letter,
            an: policy.may_hold_account_name,
            re: policy.no_reuse,
            age: policy.max_age.map(|age| age.as_secs()),
        }
    }

    fn read(self) -> Option<PasswordPolicy> {
        Some(PasswordPolicy {
            id: PolicyId(self.i),
            name: PolicyName::parse(&self.n).ok()?,
            min_length: self.min,
            max_length: self.max,
            upper: self.up,
            lower: self.lo,
            digit: self.di,
            special: self.sp,
            starts_with_letter: self.sl,
            may_hold_account_name: self.an,
            no_reuse: self.re,
            max_age: self.age.map(Duration::from_secs),
        })
    }
}
