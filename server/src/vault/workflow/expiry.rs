//! What ends by itself: check-outs and requests whose time is up, and those of users who are gone.
//!
//! Nothing depends on this being done in time: every look compares stored times with the clock.
//! It does what must be done once, such as the change of a password after its check-out.

use crate::domain::{
    Account, Custody, Door, Operation, Outcome, Request, Resource, State, User, UserId,
};
use crate::store::rows::Kept;
use crate::vault::book::Deed;
use crate::vault::{Origin, Vault, VaultError};

impl Vault {
    /// Ends the check-outs and requests whose time is up and those of users who are gone; says how
    /// many accounts that concerned.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn end_overdue(&self) -> Result<u64, VaultError> {
        if self.secondary {
            return Ok(0);
        }
        let prefix = self.rows.places().requests();
        let mut after = None;
        let mut ended = 0;
        loop {
            let page = self
                .rows
                .page::<Request>(&prefix, after.as_ref(), PAGE)
                .await?;
            for kept in &page {
                ended += u64::from(self.end_if_overdue(&kept.record).await?);
            }
            after = page.last().map(|kept| kept.key.clone());
            if page.len() < PAGE {
                return Ok(ended);
            }
        }
    }

    async fn end_if_overdue(&self, request: &Request) -> Result<bool, VaultError> {
        let user = self.rows.places().user(request.org, request.requester);
        let gone = self.rows.get::<User>(user).await?.is_none();
        if !gone && !request.state.at(self.clock.now()).has_ended() {
            return Ok(false);
        }
        let key = self
            .rows
            .places()
            .custody(request.resource, request.account);
        let Some(custody) = self.rows.get::<Custody>(key).await? else {
            return Ok(false);
        };
        let origin = Origin {
            door: Door::Server,
            peer: None,
            request: self.next_request(),
        };
        let gone: Vec<_> = gone.then_some(request.requester).into_iter().collect();
        self.expire(&custody, &gone, &origin).await?;
        Ok(true)
    }

    /// Ends what is overdue of one account, and what belongs to those who are `gone`. Whoever is
    /// quicker has done it: then nothing is left to do here.
    pub(super) async fn expire(
        &self,
        custody: &Kept<Custody>,
        gone: &[UserId],
        origin: &Origin,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let record = &custody.record;
        let now = self.clock.now();
        let prefix = places.requests_of(record.resource).number(record.account.0);
        let mut over = self.rows.all::<Request>(&prefix).await?;
        over.retain(|kept| {
            kept.record.state.at(now) == State::Expired || gone.contains(&kept.record.requester)
        });
        // A batch that every engine takes; the rest comes next.
        over.truncate(MOST);
        let resource = places.resource(record.org, record.resource);
        let account = places.account(record.resource, record.account);
        let resource = self.rows.get::<Resource>(resource).await?;
        let account = self.rows.get::<Account>(account).await?;
        let (Some(resource), Some(account)) = (resource, account) else {
            // Its removal takes these rows along.
            return Ok(());
        };
        let done = self
            .commit_expiry(custody, &over, (&resource.record, &account), origin)
            .await;
        match done {
            Err(VaultError::Conflict) => Ok(()),
            other => other,
        }
    }

    async fn commit_expiry(
        &self,
        custody: &Kept<Custody>,
        over: &[Kept<Request>],
        (resource, account): (&Resource, &Kept<Account>),
        origin: &Origin,
    ) -> Result<(), VaultError> {
        let mut changes = self.rows.changes();
        let mut left = custody.record.clone();
        let on = |operation| {
            Deed::new(operation).on(resource.name.as_str(), account.record.name.as_str())
        };
        for kept in over {
            let request = &kept.record;
            let login = self.login_of(request.org, request.requester).await?;
            let what = match request.state {
                State::CheckedOut { .. } => "check-out",
                _ => "request",
            };
            let deed = on(Operation::Expire).detail(format!("{what} of {login}"));
            self.note_by_server(&deed, origin).await?;
            left = left.without(request.requester);
            changes.remove(kept);
        }
        // Whoever's request is not here any more, or comes next, holds nothing either.
        let now = self.clock.now();
        left.holders.retain(|holder| now < holder.until);
        let held = !custody.record.holders.is_empty();
        let parting = match held {
            true => self.parting(resource, &account.record, &left).await?,
            false => None,
        };
        match &parting {
            None => changes.depend_on(account),
            Some(chosen) => {
                let deed = on(Operation::Change).detail("local, after check-in");
                self.note_by_server(&deed, origin).await?;
                self.add_version(&mut changes, account, chosen, None)?;
            }
        }
        if held {
            self.due_after(&mut changes, &account.record, &left).await?;
        }
        changes.replace(custody, &left.settled())?;
        Ok(changes.commit().await?)
    }

    async fn note_by_server(&self, deed: &Deed, origin: &Origin) -> Result<(), VaultError> {
        self.write(deed, Outcome::Allowed, ("server", ""), origin)
            .await
            .map(drop)
    }
}

const PAGE: usize = 256;
const MOST: usize = 100;
