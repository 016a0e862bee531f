//! The form of access policies.

use serde::{Deserialize, Serialize};

use crate::domain::{
    AccessPolicy, AccessPolicyId, AccountId, FreeText, GroupId, OrgId, PolicyItem, PolicyName,
    ResourceId, SecretKind, Timestamp,
};
use crate::store::rows::custody::AccessControlForm;
use crate::store::rows::form::{Form, is_default};

#[derive(Serialize, Deserialize)]
pub(super) struct AccessPolicyForm {
    i: u64,
    o: u64,
    n: String,
    #[serde(default, skip_serializing_if = "is_default")]
    d: String,
    g: u64,
    /// The word of a kind of secret.
    k: String,
    /// Resource, account, whether shared, whether controlled by it.
    a: Vec<(u64, u64, bool, bool)>,
    c: AccessControlForm,
    t: i64,
}

impl Form<AccessPolicy> for AccessPolicyForm {
    fn of(policy: &AccessPolicy) -> Self {
        let items = policy.items.iter();
        Self {
            i: policy.id.0,
            o: policy.org.0,
            n: policy.name.to_string(),
            d: policy.description.as_str().to_owned(),
            g: policy.group.0,
            k: policy.kind.as_str().to_owned(),
            a: items
                .map(|it| (it.resource.0, it.account.0, it.shared, it.controlled))
                .collect(),
            c: AccessControlForm::of(&policy.terms),
            t: policy.created.0,
        }
    }

    fn read(self) -> Option<AccessPolicy> {
        let items = self.a.into_iter();
        Some(AccessPolicy {
            id: AccessPolicyId(self.i),
            org: OrgId(self.o),
            name: PolicyName::parse(&self.n).ok()?,
            description: FreeText::parse(&self.d).ok()?,
            group: GroupId(self.g),
            kind: self.k.parse::<SecretKind>().ok()?,
            items: items
                .map(|(resource, account, shared, controlled)| PolicyItem {
                    resource: ResourceId(resource),
                    account: AccountId(account),
                    shared,
                    controlled,
                })
                .collect(),
            terms: self.c.read()?,
            created: Timestamp(self.t),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{AccessControl, Target};
    use crate::store::rows::Record;

    #[test]
    fn a_policy_reads_back_as_it_was_written() {
        let (resource, account) = (ResourceId(7), AccountId(9));
        let policy = AccessPolicy {
            id: AccessPolicyId(1),
            org: OrgId(2),
            name: PolicyName::parse("Nightly").unwrap(),
            description: FreeText::default(),
            group: GroupId(3),
            kind: SecretKind::SshKey,
            items: vec![PolicyItem {
                resource,
                account,
                shared: true,
                controlled: false,
            }],
            terms: AccessControl {
                org: OrgId(2),
                target: Target {
                    resource,
                    account: Some(account),
                },
                approvers: Vec::new(),
                approver_groups: vec![GroupId(4)],
                approvals: 0,
                exclusive: true,
                longest: Duration::from_hours(2),
                reason: true,
                ticket: false,
                change_after: None,
            },
            created: Timestamp(5),
        };

        assert_eq!(AccessPolicy::decode(&policy.encode()), Some(policy));
    }
}
