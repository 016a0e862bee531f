//! The requests that wait for an approver.

use std::fmt;
use std::str::FromStr;

use crate::domain::{
    Account, AccountId, Operation, RefusalReason, Request, Resource, ResourceId, SecretKind,
    Status, UserId,
};
use crate::vault::book::Deed;
use crate::vault::workflow::rights::{Thing, approver};
use crate::vault::{Caller, Vault, VaultError};

/// Where a request is in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestPlace(pub ResourceId, pub AccountId, pub UserId);

impl fmt::Display for RequestPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.0, self.1, self.2)
    }
}

impl FromStr for RequestPlace {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut numbers = text.splitn(3, '-').map(|part| part.parse::<u64>());
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(resource)), Some(Ok(account)), Some(Ok(user))) => {
                Ok(Self(ResourceId(resource), AccountId(account), UserId(user)))
            }
            _ => Err(()),
        }
    }
}

/// Whether a list shows what whoever asks has requested itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Own {
    Shown,
    Left,
}

/// A request as its list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestView {
    /// The resource's name.
    pub resource: String,
    /// The resource's DNS name or address.
    pub address: String,
    /// The account's name.
    pub account: String,
    /// What the account keeps.
    pub kind: SecretKind,
    /// The requester's login.
    pub requester: String,
    /// The requester's name for reports; its login where it is gone.
    pub full_name: String,
    /// The request.
    pub request: Request,
    /// What the requester sees of the account.
    pub status: Status,
}

impl RequestView {
    /// Where it is in the list.
    #[must_use]
    pub fn place(&self) -> RequestPlace {
        let request = &self.request;
        RequestPlace(request.resource, request.account, request.requester)
    }
}

impl Vault {
    /// At most `limit` requests and check-outs of others about which `caller` may decide, after
    /// the one at `after`.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn requests(
        &self,
        after: Option<RequestPlace>,
        limit: usize,
        caller: &Caller,
    ) -> Result<Vec<RequestView>, VaultError> {
        self.requests_with(Own::Left, after, limit, caller).await
    }

    /// The same with `caller`'s own.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn requests_seen(
        &self,
        after: Option<RequestPlace>,
        limit: usize,
        caller: &Caller,
    ) -> Result<Vec<RequestView>, VaultError> {
        self.requests_with(Own::Shown, after, limit, caller).await
    }

    /// The request at a place: `caller`'s own, or one about which it may decide.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] for any other, and for one that is over.
    pub async fn request_at(
        &self,
        place: RequestPlace,
        caller: &Caller,
    ) -> Result<RequestView, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("request {place}"));
        let RequestPlace(resource, account, user) = place;
        let key = self.rows.places().request(resource, account, user);
        let view = match self.rows.get::<Request>(key).await? {
            Some(kept) => self.shown_to(kept.record, Own::Shown, caller).await?,
            None => None,
        };
        let Some(view) = view else {
            let (why, answer) = (RefusalReason::NoSuchThing, VaultError::NotFound("request"));
            return Err(self.refuse(&deed, why, answer, caller).await);
        };
        self.allow(&deed, caller).await?;
        Ok(view)
    }

    async fn requests_with(
        &self,
        own: Own,
        after: Option<RequestPlace>,
        limit: usize,
        caller: &Caller,
    ) -> Result<Vec<RequestView>, VaultError> {
        let deed = Deed::new(Operation::List).detail("requests");
        self.allow(&deed, caller).await?;
        let places = self.rows.places();
        let prefix = places.requests();
        let mut after = after
            .map(|RequestPlace(resource, account, user)| places.request(resource, account, user));
        let mut views = Vec::new();
        loop {
            let page = self
                .rows
                .page::<Request>(&prefix, after.as_ref(), PAGE)
                .await?;
            let last = page.len() < PAGE;
            after = page.last().map(|kept| kept.key.clone());
            for kept in page {
                if views.len() >= limit {
                    return Ok(views);
                }
                views.extend(self.shown_to(kept.record, own, caller).await?);
            }
            if last {
                return Ok(views);
            }
            // However many belong to others, everybody else goes on.
            tokio::task::yield_now().await;
        }
    }

    /// The request as `caller` may see it; `None` when it is not its business, or over.
    async fn shown_to(
        &self,
        mut request: Request,
        shown: Own,
        caller: &Caller,
    ) -> Result<Option<RequestView>, VaultError> {
        request.state = request.state.at(self.clock.now());
        let own = caller.user() == Some(request.requester);
        let left = own && shown == Own::Left;
        if left || request.org != caller.org() || request.state.has_ended() {
            return Ok(None);
        }
        let key = self.rows.places().resource(request.org, request.resource);
        let Some(resource) = self.rows.get::<Resource>(key).await? else {
            return Ok(None);
        };
        let resource = resource.record;
        let control = self.control_of(resource.id, request.account).await?;
        let control = control.map(|kept| kept.record);
        let by = approver(caller);
        let thing = Thing::of(&resource, request.account);
        if !own && !self.may_approve(control.as_ref(), by, thing).await? {
            return Ok(None);
        }
        let key = self.rows.places().account(resource.id, request.account);
        let account = self.rows.get::<Account>(key).await?;
        let account = account.map(|kept| (kept.record.name.to_string(), kept.record.kind));
        let (account, kind) = account.unwrap_or_default();
        let (login, full_name) = self.names_of(request.org, request.requester).await?;
        Ok(Some(RequestView {
            resource: resource.name.to_string(),
            address: resource.address.as_str().to_owned(),
            account,
            kind,
            requester: login,
            full_name,
            status: Status::of(Some(request.state), false, self.clock.now()),
            request,
        }))
    }
}

const PAGE: usize = 256;
