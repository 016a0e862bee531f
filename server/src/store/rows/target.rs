//! The forms of targets and rotations.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{
    AccountId, Connector, ConnectorKind, DayWindow, Due, FreeText, HeldAccount, OrgId, Pin,
    ResetTarget, ResourceId, Rotation, Target, Timestamp,
};
use crate::store::rows::form::{Form, is_default};

#[derive(Serialize, Deserialize)]
pub(super) struct ResetTargetForm {
    o: u64,
    r: u64,
    k: String,
    /// The connector's own words: a database, a host part, a DN and a directory, an argument list.
    #[serde(default, skip_serializing_if = "is_default")]
    x: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    h: String,
    #[serde(default, skip_serializing_if = "is_default")]
    p: u16,
    w: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<(u64, u64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<(u64, u64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<String>,
}

impl Form<ResetTarget> for ResetTargetForm {
    fn of(target: &ResetTarget) -> Self {
        let pair = |held: HeldAccount| (held.resource.0, held.account.0);
        Self {
            o: target.org.0,
            r: target.resource.0,
            k: target.connector.kind().as_str().to_owned(),
            x: words(&target.connector),
            h: target.host.as_str().to_owned(),
            p: target.port,
            w: target.wire.as_str().to_owned(),
            a: target.admin.map(pair),
            c: target.reconcile.map(pair),
            pin: target.pin.map(|pin| pin.to_string()),
        }
    }

    fn read(self) -> Option<ResetTarget> {
        let held = |(resource, account)| HeldAccount {
            resource: ResourceId(resource),
            account: AccountId(account),
        };
        let host = match self.h.as_str() {
            "" => FreeText::default(),
            host => FreeText::parse(host).ok()?,
        };
        let pin = match self.pin {
            // A pin that does not read must not become no pin.
            Some(pin) => Some(pin.parse::<Pin>().ok()?),
            None => None,
        };
        Some(ResetTarget {
            org: OrgId(self.o),
            resource: ResourceId(self.r),
            connector: connector(self.k.parse().ok()?, self.x)?,
            host,
            port: self.p,
            wire: self.w.parse().ok()?,
            admin: self.a.map(held),
            reconcile: self.c.map(held),
            pin,
        })
    }
}

/// A connector's own words.
pub(super) fn words(connector: &Connector) -> Vec<String> {
    match connector {
        Connector::Ssh => Vec::new(),
        Connector::Postgres { database } => vec![database.clone()],
        Connector::Mysql { from } => vec![from.clone()],
        Connector::Ldap { dn, directory } => vec![dn.clone(), directory.to_string()],
        Connector::Command { argv } => argv.clone(),
    }
}

fn connector(kind: ConnectorKind, words: Vec<String>) -> Option<Connector> {
    let mut words = words.into_iter();
    Some(match kind {
        ConnectorKind::Ssh => Connector::Ssh,
        ConnectorKind::Postgres => Connector::Postgres {
            database: words.next()?,
        },
        ConnectorKind::Mysql => Connector::Mysql {
            from: words.next()?,
        },
        ConnectorKind::Ldap => Connector::Ldap {
            dn: words.next()?,
            directory: words.next()?.parse().ok()?,
        },
        ConnectorKind::Command => Connector::Command {
            argv: words.collect(),
        },
    })
}

#[derive(Serialize, Deserialize)]
pub(super) struct RotationForm {
    o: u64,
    r: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<u64>,
    e: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    w: Option<(u16, u16)>,
}

impl Form<Rotation> for RotationForm {
    fn of(rotation: &Rotation) -> Self {
        Self {
            o: rotation.org.0,
            r: rotation.target.resource.0,
            a: rotation.target.account.map(|account| account.0),
            e: rotation.every.as_secs(),
            w: rotation.window.map(|window| (window.from, window.to)),
        }
    }

    fn read(self) -> Option<Rotation> {
        Some(Rotation {
            org: OrgId(self.o),
            target: Target {
                resource: ResourceId(self.r),
                account: self.a.map(AccountId),
            },
            every: Duration::from_secs(self.e),
            window: self.w.map(|(from, to)| DayWindow { from, to }),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct DueForm {
    o: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    #[serde(default, skip_serializing_if = "is_default")]
    p: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    n: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<i64>,
    #[serde(default, skip_serializing_if = "is_default")]
    y: String,
}

impl Form<Due> for DueForm {
    fn of(due: &Due) -> Self {
        Self {
            o: due.org.0,
            at: due.at.map(|at| at.0),
            p: due.promised,
            n: due.failures,
            t: due.tried.map(|at| at.0),
            y: due.why.clone(),
        }
    }

    fn read(self) -> Option<Due> {
        Some(Due {
            org: OrgId(self.o),
            at: self.at.map(Timestamp),
            promised: self.p,
            failures: self.n,
            tried: self.t.map(Timestamp),
            why: self.y,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Directory, Wire};
    use crate::store::rows::Record;

    #[test]
    fn every_target_comes_back() {
        let text = ToOwned::to_owned;
        let connectors = [
            Connector::Ssh,
            Connector::Postgres {
                database: text("postgres"),
            },
            Connector::Mysql { from: text("%") },
            Connector::Ldap {
                dn: text("uid={account},dc=example"),
                directory: Directory::Active,
            },
            Connector::Command {
                argv: vec![text("/bin/true"), text("a b")],
            },
        ];

        for connector in connectors {
            let target = ResetTarget {
                org: OrgId(1),
                resource: ResourceId(2),
                connector,
                host: FreeText::parse("db1.example").unwrap(),
                port: 22,
                wire: Wire::StartTls,
                admin: Some(HeldAccount {
                    resource: ResourceId(3),
                    account: AccountId(4),
                }),
                reconcile: None,
                pin: Some(Pin([7; 32])),
            };
            assert_eq!(ResetTarget::decode(&target.encode()), Some(target));
        }
    }

    #[test]
    fn a_pin_that_does_not_read_is_not_no_pin() {
        let row = br#"{"o":1,"r":2,"k":"ssh","w":"sealed","pin":"SHA256:x"}"#;
        assert_eq!(ResetTarget::decode(row), None);
    }

    #[test]
    fn rotations_and_what_is_due_come_back() {
        let rotation = Rotation {
            org: OrgId(1),
            target: Target {
                resource: ResourceId(2),
                account: Some(AccountId(3)),
            },
            every: Duration::from_hours(48),
            window: "02:00-04:00".parse().ok(),
        };
        let due = Due {
            org: OrgId(1),
            at: Some(Timestamp(4)),
            promised: true,
            failures: 5,
            tried: Some(Timestamp(6)),
            why: "no".to_owned(),
        };

        assert_eq!(Rotation::decode(&rotation.encode()), Some(rotation));
        assert_eq!(Due::decode(&due.encode()), Some(due));
    }
}
