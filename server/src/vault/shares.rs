//! Giving and taking back shares.

use crate::domain::{Action, Level, Operation, RefusalReason, ResourceId, Share, Target, User};
use crate::store::rows::{Ids, Kept};
use crate::vault::book::Deed;
use crate::vault::{Caller, Vault, VaultError, Wanted};

/// A share as its lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareView {
    /// The account's name; `None` is the whole resource.
    pub account: Option<String>,
    /// The user's login.
    pub user: String,
    /// What it allows.
    pub level: Level,
}

impl Vault {
    /// Shares a resource, or one account of it, with a user; a share that is there already gets
    /// the new level.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`] for whoever may not manage it,
    /// [`VaultError::NotFound`] when there is no such user.
    pub async fn share(
        &self,
        (resource, account): (&str, Option<&str>),
        login: &str,
        level: Level,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::Share)
            .on(resource, account.unwrap_or_default())
            .detail(format!("{level} to {login}"));
        self.primary_only(&deed, caller).await?;
        let target = self.target((resource, account), &deed, caller).await?;
        let user = self.grantee(login, &deed, caller).await?;
        self.allow(&deed, caller).await?;
        let done = self
            .commit_share(Share {
                target,
                user: user.id,
                level,
            })
            .await;
        self.settle(&deed, done, caller).await
    }

    /// Takes a share back.
    ///
    /// # Errors
    /// As for [`Self::share`]; [`VaultError::NotFound`] when there is no such share.
    pub async fn unshare(
        &self,
        (resource, account): (&str, Option<&str>),
        login: &str,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::Unshare)
            .on(resource, account.unwrap_or_default())
            .detail(login);
        self.primary_only(&deed, caller).await?;
        let target = self.target((resource, account), &deed, caller).await?;
        let user = self.grantee(login, &deed, caller).await?;
        let places = self.rows.places();
        let Some(kept) = self
            .rows
            .get::<Share>(places.share(target, user.id))
            .await?
        else {
            let answer = VaultError::NotFound("share");
            return Err(self
                .refuse(&deed, RefusalReason::NoSuchThing, answer, caller)
                .await);
        };
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.remove(&kept);
        changes.clear(places.share_by_user(user.id, target));
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }

    /// All shares of a resource and its accounts.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`] for whoever may not manage it.
    pub async fn shares(
        &self,
        resource: &str,
        caller: &Caller,
    ) -> Result<Vec<ShareView>, VaultError> {
        let deed = Deed::new(Operation::List).on(resource, "").detail("shares");
        let kept = self
            .find_resource(resource, Action::Manage, &deed, caller)
            .await?;
        self.allow(&deed, caller).await?;
        let mut views = Vec::new();
        for share in self
            .rows
            .all::<Share>(&self.rows.places().shares(kept.record.id))
            .await?
        {
            views.push(
                self.share_view(kept.record.id, &share.record, caller)
                    .await?,
            );
        }
        Ok(views)
    }

    pub(super) async fn target(
        &self,
        (resource, account): (&str, Option<&str>),
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Target, VaultError> {
        let Some(account) = account else {
            let kept = self
                .find_resource(resource, Action::Manage, deed, caller)
                .await?;
            return Ok(Target {
                resource: kept.record.id,
                account: None,
            });
        };
        let wanted = Wanted {
            resource,
            account,
            reason: "",
            ticket: "",
        };
        let found = self.find(&wanted, Action::Manage, deed, caller).await?;
        let account = Some(found.account.record.id);
        Ok(Target {
            resource: found.resource.record.id,
            account,
        })
    }

    pub(super) async fn grantee(
        &self,
        login: &str,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<User, VaultError> {
        match self.user_called(caller.org(), login).await? {
            Some(kept) => Ok(kept.record),
            None => {
                let answer = VaultError::NotFound("user");
                Err(self
                    .refuse(deed, RefusalReason::NoSuchThing, answer, caller)
                    .await)
            }
        }
    }

    async fn commit_share(&self, share: Share) -> Result<(), VaultError> {
        let places = self.rows.places();
        let key = places.share(share.target, share.user);
        let by_user = places.share_by_user(share.user, share.target);
        let kept: Option<Kept<Share>> = self.rows.get(key.clone()).await?;
        let mut changes = self.rows.changes();
        changes.set(key, kept.as_ref(), &share)?;
        if kept.is_none() {
            changes.add(by_user, &Ids(Vec::new()))?;
        }
        Ok(changes.commit().await?)
    }

    async fn share_view(
        &self,
        resource: ResourceId,
        share: &Share,
        caller: &Caller,
    ) -> Result<ShareView, VaultError> {
        let account = match share.target.account {
            None => None,
            Some(id) => {
                let key = self.rows.places().account(resource, id);
                let kept = self.rows.get::<crate::domain::Account>(key).await?;
                kept.map(|kept| kept.record.name.to_string())
            }
        };
        let user = self.login_of(caller.org(), share.user).await?;
        Ok(ShareView {
            account,
            user,
            level: share.level,
        })
    }
}
