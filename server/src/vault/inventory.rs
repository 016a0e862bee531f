//! Accounts with the resources they are on, over all resources: one record, however many there are.

use zeroize::Zeroizing;

use crate::domain::{
    Account, AccountId, AccountName, Action, Decision, Operation, Resource, ResourceId, decide,
};
use crate::vault::book::Deed;
use crate::vault::{AccountRef, Caller, ResourceRef, Vault, VaultError, Wanted};

/// An account, and the resource that it is on.
pub type Located = (Resource, Account);

impl Vault {
    /// Shows `take` the accounts that `caller` may see, of all resources, by the resources' ids, one
    /// by one until it says `false`: how many there are is no matter of memory.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn inventory(
        &self,
        mut take: impl FnMut(&Located) -> bool + Send,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::List).detail("accounts of all resources");
        self.allow(&deed, caller).await?;
        let mut after = None;
        loop {
            let ids = self.ids_seen(after, PAGE, caller).await?;
            for id in &ids {
                if !self.take_stock(*id, &mut take, caller).await? {
                    return Ok(());
                }
            }
            after = ids.last().copied();
            if ids.len() < PAGE {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    }

    /// One account, by its id alone.
    ///
    /// # Errors
    /// [`VaultError::Refused`] when there is none that `caller` may see.
    pub async fn located(&self, id: AccountId, caller: &Caller) -> Result<Located, VaultError> {
        let wanted = Wanted::of(ResourceRef::OfAccount, AccountRef::Id(id));
        let mut deed = Deed::new(Operation::List).on_wanted(&wanted);
        let found = self.find(&wanted, Action::See, &mut deed, caller).await?;
        self.allow(&deed, caller).await?;
        Ok((found.resource.record, found.account.record))
    }

    /// Those of the accounts with these names that are there and that `caller` may see, in the order
    /// of the names: looked up, however many accounts the resource has.
    ///
    /// # Errors
    /// [`VaultError::Refused`] for a resource that is not there or not shared.
    pub async fn accounts_called(
        &self,
        resource: impl Into<ResourceRef<'_>>,
        names: &[AccountName],
        caller: &Caller,
    ) -> Result<Vec<Account>, VaultError> {
        let resource = resource.into();
        let mut deed = Deed::new(Operation::List)
            .on(&resource.words(), "")
            .detail("accounts by their names");
        let resource = self.find_visible(resource, &mut deed, caller).await?.record;
        self.allow(&deed, caller).await?;
        let mut found = Vec::new();
        for name in names {
            let kept = self.account_called(resource.id, name.as_str()).await?;
            let Some(account) = kept.map(|kept| kept.record) else {
                continue;
            };
            let reached = Some(caller.reached_as(&account));
            let share = self.share_of(caller, resource.id, reached).await?;
            let standing = caller.standing(resource.owner, share);
            if decide(Action::See, standing) == Decision::Allowed {
                found.push(account);
            }
        }
        Ok(found)
    }

    /// A seed for a key that somebody asked for.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub fn draw_seed(&self) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        let mut seed = Zeroizing::new([0; 32]);
        for byte in seed.iter_mut() {
            *byte = u8::try_from(self.chance.below(256)?).unwrap_or(u8::MAX);
        }
        Ok(seed)
    }

    /// Shows `take` the accounts of a resource. `false` when no more are wanted.
    async fn take_stock(
        &self,
        id: ResourceId,
        take: &mut (impl FnMut(&Located) -> bool + Send),
        caller: &Caller,
    ) -> Result<bool, VaultError> {
        let key = self.rows.places().resource(caller.org(), id);
        let Some(kept) = self.rows.get::<Resource>(key).await? else {
            return Ok(true);
        };
        let resource = kept.record;
        if !self.may_see(resource.owner, id, caller).await? {
            return Ok(true);
        }
        for (place, account) in (1..).zip(self.visible_accounts(&resource, caller).await?) {
            let key = self.rows.places().account(id, account);
            let Some(kept) = self.rows.get::<Account>(key).await? else {
                continue;
            };
            if !take(&(resource.clone(), kept.record)) {
                return Ok(false);
            }
            if place % PAGE == 0 {
                tokio::task::yield_now().await;
            }
        }
        Ok(true)
    }
}

const PAGE: usize = 256;
