//! Access policies: the accounts that a group of users may request, and on what terms.

use crate::domain::{
    AccessControl, AccessPolicyId, AccountId, FreeText, GroupId, OrgId, PolicyName, ResourceId,
    SecretKind, Target, Timestamp,
};

/// What a group of users may request. It is a share with the group and access control on every
/// account; kept itself, so that it can be shown and taken back as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPolicy {
    /// Its id.
    pub id: AccessPolicyId,
    /// The organisation it belongs to.
    pub org: OrgId,
    /// Its name.
    pub name: PolicyName,
    /// What it is for.
    pub description: FreeText,
    /// Who may request.
    pub group: GroupId,
    /// Which secret of the accounts.
    pub kind: SecretKind,
    /// The accounts.
    pub items: Vec<PolicyItem>,
    /// The terms; its target is the first account.
    pub terms: AccessControl,
    /// When it was made.
    pub created: Timestamp,
}

/// An account that an access policy is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyItem {
    /// The resource.
    pub resource: ResourceId,
    /// The account.
    pub account: AccountId,
    /// Whether its share with the group is a policy's, and goes with the last one.
    pub shared: bool,
    /// Whether its access control is a policy's, and goes with the last one unless it was changed
    /// since.
    pub controlled: bool,
}

impl AccessPolicy {
    /// The most accounts of one policy.
    pub const MOST_ITEMS: usize = 50;

    /// What it says of an account.
    #[must_use]
    pub fn item(&self, account: AccountId) -> Option<&PolicyItem> {
        self.items.iter().find(|item| item.account == account)
    }

    /// The access control that it sets for one of its accounts.
    #[must_use]
    pub fn control(&self, target: Target) -> AccessControl {
        AccessControl {
            target,
            ..self.terms.clone()
        }
    }
}
