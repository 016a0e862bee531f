//! Custody: who holds an account's password now. One record an account, so that whoever takes it
//! must have seen who held it.

use crate::domain::{AccountId, ChangeAfter, OrgId, ResourceId, Timestamp, UserId};

/// Who holds an account's password; there is none where nobody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custody {
    /// The organisation it belongs to.
    pub org: OrgId,
    /// The resource.
    pub resource: ResourceId,
    /// The account.
    pub account: AccountId,
    /// Who holds it; more than one where it is shared.
    pub holders: Vec<Holder>,
    /// What is promised for when the last of them has given it back.
    pub change_after: Option<ChangeAfter>,
}

/// Somebody who holds a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Who.
    pub user: UserId,
    /// Until when.
    pub until: Timestamp,
}

impl Custody {
    /// The most who hold one password at a time.
    pub const MOST_HOLDERS: usize = 1_000;

    /// Who else than `user` holds it at `now`.
    #[must_use]
    pub fn held_by_other(&self, user: UserId, now: Timestamp) -> Option<UserId> {
        let others = self.holders.iter().filter(|holder| holder.user != user);
        others
            .filter(|holder| now < holder.until)
            .map(|holder| holder.user)
            .next()
    }

    /// Those whose time is up at `now`.
    pub fn overdue(&self, now: Timestamp) -> impl Iterator<Item = UserId> {
        let over = self
            .holders
            .iter()
            .filter(move |holder| now >= holder.until);
        over.map(|holder| holder.user)
    }

    /// Whether anybody holds it.
    #[must_use]
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.holders.iter().any(|holder| now < holder.until)
    }

    /// The same, with nothing promised any more where nobody holds it.
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.change_after = self.change_after.filter(|_| !self.holders.is_empty());
        self
    }

    /// The same without `user`.
    #[must_use]
    pub fn without(&self, user: UserId) -> Self {
        let mut left = self.clone();
        left.holders.retain(|holder| holder.user != user);
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_s_time_is_up_holds_nothing() {
        let holder = |id, until| Holder {
            user: UserId(id),
            until: Timestamp(until),
        };
        let custody = Custody {
            org: OrgId::DEFAULT,
            resource: ResourceId(1),
            account: AccountId(1),
            holders: vec![holder(1, 10), holder(2, 20)],
            change_after: None,
        };
        let other = |user, now| custody.held_by_other(UserId(user), Timestamp(now));

        assert_eq!(other(3, 9), Some(UserId(1)));
        assert_eq!(other(3, 10), Some(UserId(2)));
        assert_eq!(other(2, 10), None);
        assert_eq!(other(3, 20), None);
        let overdue: Vec<_> = custody.overdue(Timestamp(10)).collect();
        assert_eq!(overdue, [UserId(1)]);
        assert_eq!(custody.without(UserId(1)).holders, [holder(2, 20)]);
    }
}
