//! Giving and taking back shares.

use std::fmt;

use crate::domain::{
    Account, Action, Grantee, Group, Level, Operation, RefusalReason, Resource, Share, Target,
    User, UserId,
};
use crate::store::rows::{Changes, Ids, Kept};
use crate::vault::book::Deed;
use crate::vault::{Caller, ResourceRef, TargetRef, UserRef, Vault, VaultError, Wanted};

/// With whom something is to be shared, as a caller names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GranteeName<'a> {
    /// A user's login.
    User(&'a str),
    /// A user's id.
    UserId(UserId),
    /// A group's name.
    Group(&'a str),
}

impl From<UserId> for GranteeName<'_> {
    fn from(id: UserId) -> Self {
        Self::UserId(id)
    }
}

impl<'a, S: AsRef<str> + ?Sized> From<&'a S> for GranteeName<'a> {
    fn from(login: &'a S) -> Self {
        Self::User(login.as_ref())
    }
}

impl fmt::Display for GranteeName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(login) => f.write_str(login),
            Self::UserId(id) => f.write_str(&UserRef::Id(*id).words()),
            Self::Group(name) => write!(f, "group {name}"),
        }
    }
}

/// Somebody with whom something is shared, as it was read.
#[derive(Debug)]
pub(super) enum KeptGrantee {
    User(Kept<User>),
    Group(Kept<Group>),
}

impl KeptGrantee {
    pub(super) fn grantee(&self) -> Grantee {
        match self {
            Self::User(kept) => Grantee::User(kept.record.id),
            Self::Group(kept) => Grantee::Group(kept.record.id),
        }
    }

    /// What the audit trail says.
    fn told(&self) -> String {
        match self {
            Self::User(kept) => kept.record.login(),
            Self::Group(kept) => format!("group {}", kept.record.name),
        }
    }
}

/// What is shared or controlled, as it was read.
#[derive(Debug)]
pub(super) struct KeptTarget {
    resource: Kept<Resource>,
    account: Option<Kept<Account>>,
}

impl KeptTarget {
    pub(super) fn target(&self) -> Target {
        Target {
            resource: self.resource.record.id,
            account: self.account.as_ref().map(|kept| kept.record.id),
        }
    }

    /// The account, where it is about one.
    pub(super) fn account(&self) -> Option<&Account> {
        self.account.as_ref().map(|kept| &kept.record)
    }

    /// Only if it is still as it was read: what is removed at the same time leaves nothing behind.
    pub(super) fn is_there(&self, changes: &mut Changes<'_>) {
        changes.depend_on(&self.resource);
        if let Some(account) = &self.account {
            changes.depend_on(account);
        }
    }
}

/// A share as its lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareView {
    /// The account's name; `None` is the whole resource.
    pub account: Option<String>,
    /// With whom.
    pub with: SharedWith,
    /// What it allows.
    pub level: Level,
}

/// With whom something is shared, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SharedWith {
    /// A user's login.
    User(String),
    /// A group's name.
    Group(String),
}

impl Vault {
    /// Shares a resource, or one account of it, with a user or a group; a share that is there already gets
    /// the new level.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`] for whoever may not manage it,
    /// [`VaultError::NotFound`] when there is no such user or group.
    pub async fn share(
        &self,
        target: impl Into<TargetRef<'_>>,
        with: impl Into<GranteeName<'_>>,
        level: Level,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let (target, with) = (target.into(), with.into());
        let mut deed = Deed::new(Operation::Share)
            .on_target(&target)
            .detail(format!("{level} to {with}"));
        self.primary_only(&deed, caller).await?;
        let target = self.kept_target(&target, &mut deed, caller).await?;
        let kept = self.named_grantee(with, &deed, caller).await?;
        let deed = deed.detail(format!("{level} to {}", kept.told()));
        self.allow(&deed, caller).await?;
        let share = Share {
            target: target.target(),
            with: kept.grantee(),
            level,
        };
        let done = self.commit_share(share, &target, &kept).await;
        self.settle(&deed, done, caller).await
    }

    /// Takes a share back.
    ///
    /// # Errors
    /// As for [`Self::share`]; [`VaultError::NotFound`] when there is no such share.
    pub async fn unshare(
        &self,
        target: impl Into<TargetRef<'_>>,
        with: impl Into<GranteeName<'_>>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let (target, with) = (target.into(), with.into());
        let mut deed = Deed::new(Operation::Unshare)
            .on_target(&target)
            .detail(with.to_string());
        self.primary_only(&deed, caller).await?;
        let target = self.target(&target, &mut deed, caller).await?;
        let kept = self.named_grantee(with, &deed, caller).await?;
        let (with, deed) = (kept.grantee(), deed.detail(kept.told()));
        let places = self.rows.places();
        let Some(kept) = self.rows.get::<Share>(places.share(target, with)).await? else {
            let answer = VaultError::NotFound("share");
            return Err(self
                .refuse(&deed, RefusalReason::NoSuchThing, answer, caller)
                .await);
        };
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.remove(&kept);
        changes.clear(places.share_by(with, target));
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }

    /// All shares of a resource and its accounts.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`] for whoever may not manage it.
    pub async fn shares(
        &self,
        resource: impl Into<ResourceRef<'_>>,
        caller: &Caller,
    ) -> Result<Vec<ShareView>, VaultError> {
        let resource = resource.into();
        let mut deed = Deed::new(Operation::List)
            .on(&resource.words(), "")
            .detail("shares");
        let kept = self
            .find_resource(resource, Action::Manage, &mut deed, caller)
            .await?;
        self.allow(&deed, caller).await?;
        let mut views = Vec::new();
        for share in self
            .rows
            .all::<Share>(&self.rows.places().shares(kept.record.id))
            .await?
        {
            views.extend(self.share_view(&share.record, caller).await?);
        }
        Ok(views)
    }

    pub(super) async fn target(
        &self,
        target: &TargetRef<'_>,
        deed: &mut Deed,
        caller: &Caller,
    ) -> Result<Target, VaultError> {
        Ok(self.kept_target(target, deed, caller).await?.target())
    }

    pub(super) async fn kept_target(
        &self,
        target: &TargetRef<'_>,
        deed: &mut Deed,
        caller: &Caller,
    ) -> Result<KeptTarget, VaultError> {
        let Some(account) = target.account else {
            let resource = self
                .find_resource(target.resource, Action::Manage, deed, caller)
                .await?;
            return Ok(KeptTarget {
                resource,
                account: None,
            });
        };
        let wanted = Wanted::of(target.resource, account);
        let found = self.find(&wanted, Action::Manage, deed, caller).await?;
        Ok(KeptTarget {
            resource: found.resource,
            account: Some(found.account),
        })
    }

    /// The user that is meant, to be given something.
    pub(super) async fn grantee(
        &self,
        user: UserRef<'_>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<User>, VaultError> {
        match self.user_meant(caller.org(), user).await? {
            Some(kept) => Ok(kept),
            None => Err(self.nobody("user", deed, caller).await),
        }
    }

    pub(super) async fn named_grantee(
        &self,
        with: GranteeName<'_>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<KeptGrantee, VaultError> {
        let user = match with {
            GranteeName::User(login) => UserRef::Named(login),
            GranteeName::UserId(id) => UserRef::Id(id),
            GranteeName::Group(name) => return self.named_group(name, deed, caller).await,
        };
        let user = self.grantee(user, deed, caller).await?;
        Ok(KeptGrantee::User(user))
    }

    async fn named_group(
        &self,
        name: &str,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<KeptGrantee, VaultError> {
        match self.group_called(caller.org(), name).await? {
            Some(kept) => Ok(KeptGrantee::Group(kept)),
            None => Err(self.nobody("group", deed, caller).await),
        }
    }

    async fn nobody(&self, what: &'static str, deed: &Deed, caller: &Caller) -> VaultError {
        let answer = VaultError::NotFound(what);
        self.refuse(deed, RefusalReason::NoSuchThing, answer, caller)
            .await
    }

    async fn commit_share(
        &self,
        share: Share,
        target: &KeptTarget,
        with: &KeptGrantee,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let key = places.share(share.target, share.with);
        let by_grantee = places.share_by(share.with, share.target);
        let kept: Option<Kept<Share>> = self.rows.get(key.clone()).await?;
        let mut changes = self.rows.changes();
        target.is_there(&mut changes);
        // Whoever is removed at the same time leaves no share behind.
        match with {
            KeptGrantee::User(user) => changes.depend_on(user),
            KeptGrantee::Group(group) => changes.depend_on(group),
        }
        changes.set(key, kept.as_ref(), &share)?;
        if kept.is_none() {
            changes.add(by_grantee, &Ids(Vec::new()))?;
        }
        Ok(changes.commit().await?)
    }

    /// How lists show a share; nothing where it says that the resource is in a group.
    async fn share_view(
        &self,
        share: &Share,
        caller: &Caller,
    ) -> Result<Option<ShareView>, VaultError> {
        let account = match share.target.account {
            None => None,
            Some(id) => self.account_name(share.target.resource, id).await?,
        };
        let with = self.shared_with(caller.org(), share.with).await?;
        Ok(with.map(|with| ShareView {
            account,
            with,
            level: share.level,
        }))
    }
}
