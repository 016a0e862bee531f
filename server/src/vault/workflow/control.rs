//! Switching access control on, looking at it, and switching it off.

use std::time::Duration;

use crate::domain::{
    AccessControl, AccountId, Action, ChangeAfter, Grantee, GroupId, Operation, RefusalReason,
    ResetTarget, ResourceId, SecretKind, Target, UserId,
};
use crate::store::rows::Kept;
use crate::vault::book::Deed;
use crate::vault::shares::KeptTarget;
use crate::vault::{Caller, GranteeName, ResourceRef, TargetRef, Vault, VaultError};

/// Access control as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccessControl {
    /// The logins of those who may approve; none, and no group, is whoever may manage it.
    pub approvers: Vec<String>,
    /// The names of groups of which everybody may approve.
    pub approver_groups: Vec<String>,
    /// How many must approve: 1 or 2; 0 is nobody, and it is requested and checked out all the same.
    pub approvals: u8,
    /// Whether one at a time may hold it.
    pub exclusive: bool,
    /// The longest that it may be held.
    pub longest: Duration,
    /// Whether a request must give a reason.
    pub reason: bool,
    /// Whether a request must give a ticket.
    pub ticket: bool,
    /// Whether, and where, the password changes when it has been checked in.
    pub change_after: Option<ChangeAfter>,
}

/// Access control as its lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessControlView {
    /// The account's name; `None` is the whole resource.
    pub account: Option<String>,
    /// The logins of those who are named as approvers.
    pub approvers: Vec<String>,
    /// The names of the groups of approvers.
    pub approver_groups: Vec<String>,
    /// What is switched on.
    pub control: AccessControl,
}

impl Vault {
    /// Switches access control on for a resource or one of its accounts, or changes it: at once,
    /// for requests under way, too. Whoever holds the password keeps it until its time is up.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`] for whoever may not manage it;
    /// [`VaultError::NotFound`] when an approver is nobody; [`VaultError::Invalid`].
    pub async fn set_access_control(
        &self,
        target: impl Into<TargetRef<'_>>,
        new: &NewAccessControl,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let target = target.into();
        let mut deed = Deed::new(Operation::AccessControl)
            .on_target(&target)
            .detail(words(new));
        self.primary_only(&deed, caller).await?;
        let target = self.kept_target(&target, &mut deed, caller).await?;
        let wrong = match check(new) {
            Ok(()) => self.unkept(new.change_after, &target).await?,
            Err(why) => Some(why),
        };
        if let Some(why) = wrong {
            let answer = VaultError::Invalid(why.to_owned());
            return Err(self
                .refuse(&deed, RefusalReason::Invalid, answer, caller)
                .await);
        }
        self.manages_what_is_stricter(target.target(), &deed, caller)
            .await?;
        let approvers = self.approvers_named(new, &deed, caller).await?;
        let approver_groups = self.groups_named(new, &deed, caller).await?;
        let control = AccessControl {
            org: caller.org(),
            target: target.target(),
            approvers,
            approver_groups,
            approvals: new.approvals,
            exclusive: new.exclusive,
            longest: new.longest,
            reason: new.reason,
            ticket: new.ticket,
            change_after: new.change_after,
        };
        if control.names_too_few() {
            let answer = VaultError::Invalid(TOO_FEW.to_owned());
            return Err(self
                .refuse(&deed, RefusalReason::Invalid, answer, caller)
                .await);
        }
        self.allow(&deed, caller).await?;
        let done = self.commit_control(&control, &target).await;
        self.settle(&deed, done, caller).await
    }

    /// What is set for an account stands before what is set for its resource: whoever manages the
    /// account alone does not take that away from it.
    pub(in crate::vault) async fn manages_what_is_stricter(
        &self,
        target: Target,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let whole = Target {
            account: None,
            ..target
        };
        let key = self.rows.places().access_control(whole);
        if target.account.is_none() || self.rows.get::<AccessControl>(key).await?.is_none() {
            return Ok(());
        }
        let mut deed = deed.clone();
        self.find_resource(
            ResourceRef::Id(target.resource),
            Action::Manage,
            &mut deed,
            caller,
        )
        .await
        .map(drop)
    }

    /// Switches access control off where it was switched on; an account's own leaves the
    /// resource's in force.
    ///
    /// # Errors
    /// As for [`Self::set_access_control`]; [`VaultError::NotFound`] when none is switched on.
    pub async fn remove_access_control(
        &self,
        target: impl Into<TargetRef<'_>>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let target = target.into();
        let mut deed = Deed::new(Operation::AccessControl)
            .on_target(&target)
            .detail("off");
        self.primary_only(&deed, caller).await?;
        let target = self.target(&target, &mut deed, caller).await?;
        let key = self.rows.places().access_control(target);
        let Some(kept) = self.rows.get::<AccessControl>(key).await? else {
            let answer = VaultError::NotFound("access control");
            return Err(self
                .refuse(&deed, RefusalReason::NoSuchThing, answer, caller)
                .await);
        };
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.remove(&kept);
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }

    /// What is switched on for a resource and its accounts; with an account, what is in force for
    /// it.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`] for whoever may not manage it.
    pub async fn access_controls(
        &self,
        target: impl Into<TargetRef<'_>>,
        caller: &Caller,
    ) -> Result<Vec<AccessControlView>, VaultError> {
        let target = target.into();
        let mut deed = Deed::new(Operation::List)
            .on_target(&target)
            .detail("access control");
        let target = self.target(&target, &mut deed, caller).await?;
        self.allow(&deed, caller).await?;
        let kept = match target.account {
            Some(account) => {
                let kept = self.control_of(target.resource, account).await?;
                kept.into_iter().collect()
            }
            None => {
                let prefix = self.rows.places().access_controls(target.resource);
                self.rows.all::<AccessControl>(&prefix).await?
            }
        };
        let mut views = Vec::new();
        for kept in kept {
            views.push(self.control_view(kept).await?);
        }
        Ok(views)
    }

    pub(super) async fn approvers_named(
        &self,
        new: &NewAccessControl,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Vec<UserId>, VaultError> {
        let mut approvers = Vec::new();
        for login in &new.approvers {
            let id = self.grantee(login.into(), deed, caller).await?.record.id;
            if !approvers.contains(&id) {
                approvers.push(id);
            }
        }
        Ok(approvers)
    }

    pub(super) async fn groups_named(
        &self,
        new: &NewAccessControl,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Vec<GroupId>, VaultError> {
        let mut groups = Vec::new();
        for name in &new.approver_groups {
            let with = self.named_grantee(GranteeName::Group(name), deed, caller);
            if let Grantee::Group(id) = with.await?.grantee()
                && !groups.contains(&id)
            {
                groups.push(id);
            }
        }
        Ok(groups)
    }

    async fn control_view(
        &self,
        kept: Kept<AccessControl>,
    ) -> Result<AccessControlView, VaultError> {
        let control = kept.record;
        let account = match control.target.account {
            None => None,
            Some(id) => self.account_name(control.target.resource, id).await?,
        };
        let mut approvers = Vec::new();
        for id in &control.approvers {
            approvers.push(self.login_of(control.org, *id).await?);
        }
        let mut approver_groups = Vec::new();
        for id in &control.approver_groups {
            approver_groups.push(self.group_name(control.org, *id).await?);
        }
        Ok(AccessControlView {
            account,
            approvers,
            approver_groups,
            control,
        })
    }

    pub(in crate::vault) async fn account_name(
        &self,
        resource: ResourceId,
        account: AccountId,
    ) -> Result<Option<String>, VaultError> {
        let key = self.rows.places().account(resource, account);
        let kept = self.rows.get::<crate::domain::Account>(key).await?;
        Ok(kept.map(|kept| kept.record.name.to_string()))
    }

    /// Why what is promised for after the check-in cannot be kept.
    pub(super) async fn unkept(
        &self,
        promise: Option<ChangeAfter>,
        target: &KeptTarget,
    ) -> Result<Option<&'static str>, VaultError> {
        let other = target.account().map(|account| account.kind);
        match promise {
            None => Ok(None),
            Some(_) if other.is_some_and(|kind| kind != SecretKind::Password) => Ok(Some(NO_OTHER)),
            Some(ChangeAfter::Local) => Ok(None),
            Some(ChangeAfter::Remote) => {
                let key = self.rows.places().reset_target(target.target().resource);
                let there = self.rows.get::<ResetTarget>(key).await?.is_some();
                Ok((!there).then_some(NO_WAY))
            }
        }
    }

    async fn commit_control(
        &self,
        control: &AccessControl,
        target: &KeptTarget,
    ) -> Result<(), VaultError> {
        let key = self.rows.places().access_control(control.target);
        let kept: Option<Kept<AccessControl>> = self.rows.get(key.clone()).await?;
        let mut changes = self.rows.changes();
        target.is_there(&mut changes);
        changes.set(key, kept.as_ref(), control)?;
        Ok(changes.commit().await?)
    }
}

pub(super) fn check(new: &NewAccessControl) -> Result<(), &'static str> {
    if new.approvals > 2 {
        return Err("nobody, one or two must approve");
    }
    let most = AccessControl::MOST_APPROVERS;
    if new.approvers.len() > most || new.approver_groups.len() > most {
        return Err("at most 20 approvers, and 20 groups of them, are named");
    }
    if new.longest < Duration::from_mins(1) || new.longest > AccessControl::LONGEST {
        return Err("a check-out may last from 1 minute to 30 days");
    }
    Ok(())
}

/// For the audit trail.
pub(super) fn words(new: &NewAccessControl) -> String {
    let groups = new.approver_groups.iter();
    let groups = groups.map(|group| format!("group {group}"));
    let named: Vec<_> = new.approvers.iter().cloned().chain(groups).collect();
    let approvers = match named.as_slice() {
        [] => "whoever manages it".to_owned(),
        named => named.join(", "),
    };
    let minutes = new.longest.as_secs() / 60;
    let mut text = format!(
        "{} of {approvers}; at most {minutes} minutes",
        new.approvals
    );
    for (is, word) in [
        (new.exclusive, "exclusive"),
        (new.reason, "reason"),
        (new.ticket, "ticket"),
    ] {
        if is {
            text.push_str("; ");
            text.push_str(word);
        }
    }
    if let Some(place) = new.change_after {
        text.push_str("; change after check-in: ");
        text.push_str(place.as_str());
    }
    text
}

pub(super) const TOO_FEW: &str = "where two must approve, two approvers must be named, or none";
const NO_WAY: &str = "a password cannot be changed on this resource, for no connector is set up \
                      for it: let it change locally after check-in";
const NO_OTHER: &str = "only a password changes after check-in: keys and files do not";
