//! Writing down what was decided: before anything leaves, and before anything changes.

use crate::domain::{
    Account, AccountId, Operation, Outcome, Record, RefusalReason, Resource, ResourceId, Timestamp,
};
use crate::store::rows::Kept;
use crate::vault::{AccountRef, Caller, Origin, TargetRef, Vault, VaultError, Wanted};

/// What somebody wants done, as the audit trail will tell it.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    operation: Operation,
    resource: String,
    account: String,
    ids: (Option<ResourceId>, Option<AccountId>),
    reason: String,
    ticket: String,
    detail: String,
}

impl Deed {
    pub(super) fn new(operation: Operation) -> Self {
        let empty = String::new;
        Self {
            operation,
            resource: empty(),
            account: empty(),
            ids: (None, None),
            reason: empty(),
            ticket: empty(),
            detail: empty(),
        }
    }

    pub(super) fn is(&self, operation: Operation) -> bool {
        self.operation == operation
    }

    pub(super) fn on(mut self, resource: &str, account: &str) -> Self {
        self.resource = clipped(resource, NAME);
        self.account = clipped(account, NAME);
        self
    }

    /// On what `wanted` means, for the reason it gives.
    pub(super) fn on_wanted(self, wanted: &Wanted<'_>) -> Self {
        self.on(&wanted.resource.words(), &wanted.account.words())
            .because(wanted.reason, wanted.ticket)
    }

    /// On what `target` means.
    pub(super) fn on_target(self, target: &TargetRef<'_>) -> Self {
        let account = target.account.map(AccountRef::words);
        self.on(&target.resource.words(), &account.unwrap_or_default())
    }

    /// What was asked for by its id has a name, too, where it was found.
    pub(super) fn found(
        &mut self,
        resource: Option<&Kept<Resource>>,
        account: Option<&Kept<Account>>,
    ) {
        self.ids = (
            resource.map(|kept| kept.record.id),
            account.map(|kept| kept.record.id),
        );
        if let Some(kept) = resource {
            clip_into(&mut self.resource, kept.record.name.as_str());
        }
        if let Some(kept) = account {
            clip_into(&mut self.account, kept.record.name.as_str());
        }
    }

    /// It is known how what was asked for by its id is called.
    pub(super) fn called(&mut self, resource: &str, account: &str) {
        clip_into(&mut self.resource, resource);
        clip_into(&mut self.account, account);
    }

    /// It is known which these are.
    pub(super) fn at(&mut self, resource: ResourceId, account: AccountId) {
        self.ids = (Some(resource), Some(account));
    }

    /// It is known which resource this is.
    pub(super) fn at_resource(&mut self, resource: ResourceId) {
        self.ids = (Some(resource), None);
    }

    /// Another deed on the same thing.
    pub(super) fn beside(&self, operation: Operation) -> Self {
        Self {
            ids: self.ids,
            ..Self::new(operation).on(&self.resource, &self.account)
        }
    }

    pub(super) fn because(mut self, reason: &str, ticket: &str) -> Self {
        self.reason = clipped(reason, TEXT);
        self.ticket = clipped(ticket, NAME);
        self
    }

    pub(super) fn detail(mut self, detail: impl AsRef<str>) -> Self {
        self.detail = clipped(detail.as_ref(), TEXT);
        self
    }
}

impl Vault {
    /// Writes down that `deed` is allowed; what cannot be written down does not happen.
    pub(super) async fn allow(&self, deed: &Deed, caller: &Caller) -> Result<(), VaultError> {
        self.allow_at(deed, caller).await.map(drop)
    }

    /// As [`Vault::allow`], and says which moment the record tells.
    pub(super) async fn allow_at(
        &self,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Timestamp, VaultError> {
        self.record(deed, Outcome::Allowed, caller).await
    }

    /// Writes down that `deed` is refused, and gives `answer` back for the caller.
    pub(super) async fn refuse(
        &self,
        deed: &Deed,
        why: RefusalReason,
        answer: VaultError,
        caller: &Caller,
    ) -> VaultError {
        match self.record(deed, Outcome::Refused(why), caller).await {
            Ok(_) => answer,
            Err(unwritten) => unwritten,
        }
    }

    /// Settles an allowed deed: `done` as it is, a failure written down beside the permission.
    pub(super) async fn settle<T>(
        &self,
        deed: &Deed,
        done: Result<T, VaultError>,
        caller: &Caller,
    ) -> Result<T, VaultError> {
        let error = match done {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if let VaultError::Unavailable(_) = error {
            // Where the disk took too long to say so, it may have been done all the same.
            self.generation.grow();
        }
        self.record(deed, Outcome::Failed, caller).await?;
        Err(error)
    }

    async fn record(
        &self,
        deed: &Deed,
        outcome: Outcome,
        caller: &Caller,
    ) -> Result<Timestamp, VaultError> {
        let identity = &caller.identity;
        self.write(
            deed,
            outcome,
            (&identity.login, &identity.org_name),
            &caller.origin,
        )
        .await
    }

    /// Writes a record for somebody who is called `name`, of the organisation `org`; says which
    /// moment it tells.
    pub(super) async fn write(
        &self,
        deed: &Deed,
        outcome: Outcome,
        (name, org): (&str, &str),
        origin: &Origin,
    ) -> Result<Timestamp, VaultError> {
        let record = Record {
            at: self.clock.now(),
            request: origin.request,
            caller: clipped(name, NAME),
            org: org.to_owned(),
            door: origin.door,
            peer: origin.peer,
            operation: deed.operation,
            resource: deed.resource.clone(),
            account: deed.account.clone(),
            resource_id: deed.ids.0,
            account_id: deed.ids.1,
            reason: deed.reason.clone(),
            ticket: deed.ticket.clone(),
            outcome,
            detail: deed.detail.clone(),
        };
        self.ledger.append(&record).await?;
        Ok(record.at)
    }
}

/// What a caller sent may be as long as its request was allowed to be: the book keeps the
/// beginning.
fn clipped(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Names as they were asked for stand there already, mostly.
fn clip_into(place: &mut String, name: &str) {
    if place != name {
        *place = clipped(name, NAME);
    }
}

const NAME: usize = 300;
const TEXT: usize = 4000;
