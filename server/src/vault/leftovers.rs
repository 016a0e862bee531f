//! What removed things leave behind: rows that nothing leads to any more, taken away bit by bit.
//!
//! The commit that removes a thing takes every right to it away and notes that its rows are to
//! follow, however many there are. They follow in batches that every engine takes, before whoever
//! asked for the removal is answered; where that is interrupted, whoever looks after the house goes
//! on with it. Ids are never given away again, and whatever would add a row depends on the thing:
//! none comes after.

use crate::domain::{
    Account, AccountId, ApplicationId, Grantee, OrgId, ResourceGroupId, ResourceId, Share, UserId,
};
use crate::store::rows::{BrokerRow, Changes, Ids, Kept, Record, RetrievableRow};
use crate::store::{Key, StoreError};
use crate::vault::users::{last_number, target_of};
use crate::vault::{Vault, VaultError};

/// Something that is removed, and whose rows are to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leftover {
    /// A resource with all that is on it.
    Resource(ResourceId),
    /// An account of a resource that stays.
    Account(ResourceId, AccountId),
    /// A user, a group or a group of resources of an organisation.
    Grantee(OrgId, Grantee),
    /// An application.
    Application(ApplicationId),
}

impl Leftover {
    /// As its note holds it.
    fn numbers(self) -> Ids {
        Ids(match self {
            Self::Resource(id) => vec![RESOURCE, id.0],
            Self::Account(resource, id) => vec![ACCOUNT, resource.0, id.0],
            Self::Grantee(org, with) => vec![GRANTEE, org.0, with.number()],
            Self::Application(id) => vec![APPLICATION, id.0],
        })
    }

    fn read(Ids(numbers): &Ids) -> Option<Self> {
        Some(match *numbers.as_slice() {
            [RESOURCE, id] => Self::Resource(ResourceId(id)),
            [ACCOUNT, resource, id] => Self::Account(ResourceId(resource), AccountId(id)),
            [GRANTEE, org, with] => Self::Grantee(OrgId(org), Grantee::of_number(with)),
            [APPLICATION, id] => Self::Application(ApplicationId(id)),
            _ => return None,
        })
    }

    fn place(self, vault: &Vault) -> Key {
        let place = |kind, id| vault.rows.places().leftover(kind, id);
        match self {
            Self::Resource(id) => place(RESOURCE, id.0),
            Self::Account(_, id) => place(ACCOUNT, id.0),
            Self::Grantee(_, with) => place(GRANTEE, with.number()),
            Self::Application(id) => place(APPLICATION, id.0),
        }
    }
}

/// A batch that is being filled.
struct Batch<'a> {
    changes: Changes<'a>,
    most: usize,
}

impl Batch<'_> {
    /// How many things with so many rows each still fit.
    fn room(&self, each: usize) -> usize {
        self.most.saturating_sub(self.changes.len()) / each
    }
}

impl Vault {
    /// Notes in the commit that removes something that its rows are to follow.
    pub(super) fn leave(
        &self,
        changes: &mut Changes<'_>,
        leftover: Leftover,
    ) -> Result<(), VaultError> {
        Ok(changes.add(leftover.place(self), &leftover.numbers())?)
    }

    /// Takes away what is left of something that is removed. What is not done now is done later.
    pub(super) async fn clear_away(&self, leftover: Leftover) {
        if let Err(error) = self.sweep(leftover).await {
            tracing::warn!(%error, "the rest of what was removed stays for now");
        }
    }

    /// Goes on with what earlier removals left behind; says of how many things nothing is left.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn sweep_leftovers(&self) -> Result<u64, VaultError> {
        let mut swept = 0;
        if self.secondary {
            return Ok(swept);
        }
        let prefix = self.rows.places().leftovers();
        let mut after = None;
        loop {
            let page = self.rows.page::<Ids>(&prefix, after.as_ref(), AT_ONCE);
            let page = page.await?;
            let last = page.last().filter(|_| page.len() == AT_ONCE);
            after = last.map(|kept| kept.key.clone());
            for kept in &page {
                swept += u64::from(self.is_swept(&kept.record).await);
            }
            if after.is_none() {
                return Ok(swept);
            }
        }
    }

    /// Whether a thing's rows are gone now: one whose rows are not keeps no other's.
    async fn is_swept(&self, note: &Ids) -> bool {
        let Some(leftover) = Leftover::read(note) else {
            // A later version's: it knows what to do.
            tracing::warn!("the rows of something removed are of an unknown kind");
            return false;
        };
        let swept = self.sweep(leftover).await;
        swept
            .inspect_err(|error| tracing::warn!(%error, "the rest of what was removed stays"))
            .is_ok()
    }

    async fn sweep(&self, leftover: Leftover) -> Result<(), VaultError> {
        let mut lost = 0;
        loop {
            let mut batch = Batch {
                changes: self.rows.changes(),
                most: self.rows.store().most_steps().min(MOST),
            };
            match leftover {
                Leftover::Resource(id) => self.fill_of_resource(&mut batch, id).await?,
                Leftover::Account(resource, id) => {
                    self.fill_of_account(&mut batch, resource, id).await?;
                }
                Leftover::Grantee(org, with) => {
                    self.fill_of_grantee(&mut batch, org, with).await?;
                }
                Leftover::Application(id) => self.fill_of_application(&mut batch, id).await?,
            }
            let done = batch.changes.is_empty();
            if done {
                batch.changes.clear(leftover.place(self));
            }
            match batch.changes.commit().await {
                Ok(()) if done => return Ok(()),
                Ok(()) => {}
                // Somebody else touched one of them, or sweeps here, too: look again.
                Err(StoreError::Conflict) if lost < TRIES => lost += 1,
                Err(other) => return Err(other.into()),
            }
            tokio::task::yield_now().await;
        }
    }

    async fn fill_of_resource(
        &self,
        batch: &mut Batch<'_>,
        id: ResourceId,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        self.fill_of_accounts(batch, id).await?;
        self.fill_shares_of(batch, &places.shares(id)).await?;
        self.fill_retrievables(batch, &places.retrievables(id))
            .await?;
        for prefix in [
            places.access_controls(id),
            places.requests_of(id),
            places.custodies().number(id.0),
            places.reset_target(id),
            places.every_pending().number(id.0),
            places.rotations().number(id.0),
            places.every_due().number(id.0),
            places.every_tended().number(id.0),
        ] {
            self.fill_keys(batch, &prefix).await?;
        }
        Ok(())
    }

    async fn fill_of_accounts(
        &self,
        batch: &mut Batch<'_>,
        id: ResourceId,
    ) -> Result<(), VaultError> {
        let prefix = self.rows.places().accounts(id);
        for kept in self.page_up_to::<Account>(&prefix, batch.room(5)).await? {
            let rows = account_rows(&kept);
            // One always fits: no account has more rows than the smallest batch.
            if rows > batch.room(1) && !batch.changes.is_empty() {
                break;
            }
            self.remove_account_rows(&mut batch.changes, &kept);
        }
        Ok(())
    }

    async fn fill_of_account(
        &self,
        batch: &mut Batch<'_>,
        resource: ResourceId,
        id: AccountId,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let shares = places.shares(resource).number(id.0);
        self.fill_shares_of(batch, &shares).await?;
        let retrievables = places.retrievables(resource).number(id.0);
        self.fill_retrievables(batch, &retrievables).await?;
        for prefix in [
            places.access_controls(resource),
            places.requests_of(resource),
            places.custodies().number(resource.0),
            places.every_pending().number(resource.0),
            places.rotations().number(resource.0),
            places.every_due().number(resource.0),
            places.every_tended().number(resource.0),
        ] {
            self.fill_keys(batch, &prefix.number(id.0)).await?;
        }
        Ok(())
    }

    /// Shares as their resource has them, and as those have them with whom it was shared.
    async fn fill_shares_of(&self, batch: &mut Batch<'_>, prefix: &Key) -> Result<(), VaultError> {
        let room = batch.room(2);
        for kept in self.page_up_to::<Share>(prefix, room).await? {
            let Share { target, with, .. } = kept.record;
            batch
                .changes
                .clear(self.rows.places().share_by(with, target));
            batch.changes.clear(kept.key);
        }
        Ok(())
    }

    /// What applications may have by API keys, with the keys.
    async fn fill_retrievables(
        &self,
        batch: &mut Batch<'_>,
        prefix: &Key,
    ) -> Result<(), VaultError> {
        let room = batch.room(RETRIEVABLE_ROWS);
        for kept in self.page_up_to::<RetrievableRow>(prefix, room).await? {
            self.clear_retrievable(&mut batch.changes, &kept);
        }
        Ok(())
    }

    async fn fill_of_application(
        &self,
        batch: &mut Batch<'_>,
        id: ApplicationId,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        if let Some(kept) = self.rows.get::<BrokerRow>(places.broker(id)).await? {
            batch.changes.clear(places.api_key(&kept.record.key));
            batch.changes.clear(kept.key);
        }
        let theirs = places.retrievables_of(id);
        let room = batch.room(RETRIEVABLE_ROWS);
        for index in self.page_up_to::<Ids>(&theirs, room).await? {
            let account = AccountId(last_number(&index.key));
            let resource = ResourceId(index.record.0.first().copied().unwrap_or_default());
            let key = places.retrievable(resource, account, id);
            match self.rows.get::<RetrievableRow>(key).await? {
                Some(kept) => self.clear_retrievable(&mut batch.changes, &kept),
                None => batch.changes.clear(index.key),
            }
        }
        Ok(())
    }

    async fn fill_of_grantee(
        &self,
        batch: &mut Batch<'_>,
        org: OrgId,
        with: Grantee,
    ) -> Result<(), VaultError> {
        match with {
            Grantee::User(_) => self.fill_sets(batch, with).await?,
            Grantee::Group(group) => {
                let members = self.rows.places().members(group);
                let room = batch.room(2);
                for kept in self.page_up_to::<Ids>(&members, room).await? {
                    let user = UserId(last_number(&kept.key));
                    let theirs = self.rows.places().groups_of(org, user);
                    self.strike_from(&mut batch.changes, theirs, &[group.0])
                        .await?;
                    batch.changes.clear(kept.key);
                }
                self.fill_sets(batch, with).await?;
            }
            Grantee::ResourceGroup(group) => self.fill_holders(batch, group).await?,
        }
        let room = batch.room(2);
        let shares = self.rows.places().shares_by(with);
        for kept in self.page_up_to::<Ids>(&shares, room).await? {
            let target = target_of(&kept.key);
            batch.changes.clear(self.rows.places().share(target, with));
            batch.changes.clear(kept.key);
        }
        Ok(())
    }

    /// The groups of resources that were shared with somebody: no more than the setting's most.
    async fn fill_sets(&self, batch: &mut Batch<'_>, with: Grantee) -> Result<(), VaultError> {
        let theirs = self.sets_of(with).await?;
        if theirs.is_empty() || batch.room(1) <= theirs.len() && !batch.changes.is_empty() {
            return Ok(());
        }
        self.clear_sets(&mut batch.changes, with).await
    }

    async fn fill_holders(
        &self,
        batch: &mut Batch<'_>,
        group: ResourceGroupId,
    ) -> Result<(), VaultError> {
        let holders = self.rows.places().holders(group);
        let room = batch.room(2);
        for kept in self.page_up_to::<Ids>(&holders, room).await? {
            let with = Grantee::of_number(last_number(&kept.key));
            self.hold_set(&mut batch.changes, (group, None), with)
                .await?;
        }
        Ok(())
    }

    /// Rows that stand for themselves.
    async fn fill_keys(&self, batch: &mut Batch<'_>, prefix: &Key) -> Result<(), VaultError> {
        let room = batch.room(1).min(PAGE);
        if room == 0 {
            return Ok(());
        }
        for row in self.rows.store().scan(prefix, None, room).await? {
            batch.changes.clear(row.key);
        }
        Ok(())
    }

    async fn page_up_to<R: Record>(
        &self,
        prefix: &Key,
        room: usize,
    ) -> Result<Vec<Kept<R>>, VaultError> {
        match room.min(PAGE) {
            0 => Ok(Vec::new()),
            room => Ok(self.rows.page(prefix, None, room).await?),
        }
    }
}

/// How many rows an account is.
fn account_rows(kept: &Kept<Account>) -> usize {
    let versions = kept.record.secret.0.saturating_sub(kept.record.oldest.0);
    usize::try_from(versions)
        .unwrap_or(usize::MAX)
        .saturating_add(5)
}

const RESOURCE: u64 = 1;
const ACCOUNT: u64 = 2;
const GRANTEE: u64 = 3;
const APPLICATION: u64 = 4;
/// That an application may have an account, the same by the application, and its key.
const RETRIEVABLE_ROWS: usize = 3;
/// Rows of a batch, where the engine takes as many: others wait for it.
const MOST: usize = 256;
const PAGE: usize = 128;
/// Things whose rows are taken away one after the other.
const AT_ONCE: usize = 64;
const TRIES: usize = 64;
