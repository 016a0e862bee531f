//! From names to ids, and both in full at once.

use crate::domain::{AccountId, ResourceId};
use crate::doors::rest::Rest;
use crate::doors::rest::accounts::{in_full, with_custom};
use crate::doors::rest::dispatch::{Ask, Trouble};
use crate::doors::rest::envelope::{Done, Fields as Out};
use crate::doors::rest::route::Place;
use crate::vault::{AccountReport, Hurdle, VaultError, Wanted};

impl Rest {
    pub(super) async fn resource_named(&self, name: &str, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let id = self.vault.resource(name, ask.caller).await?.resource.id;
        // Both spellings are read by somebody.
        let ids = Out::new()
            .with("RESOURCEID", id.0)
            .with("RESOURCE ID", id.0);
        Ok(Done::new("Resource ID fetched successfully for the given resource name").with(ids))
    }

    pub(super) async fn ids_named(
        &self,
        resource: &str,
        account: &str,
        ask: &Ask<'_>,
    ) -> Result<Done, Trouble> {
        let ids = self.both(resource, account, ask).await?;
        let words = "Resource id and account id fetched successfully for the given resource name";
        Ok(Done::new(words).with(ids))
    }

    pub(super) async fn ids(&self, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let resource = ask.input.needed("RESOURCENAME")?;
        let account = ask.input.needed("ACCOUNTNAME")?;
        let ids = self.both(resource, account, ask).await?;
        Ok(Done::new(IDS).with(ids))
    }

    async fn both(&self, resource: &str, account: &str, ask: &Ask<'_>) -> Result<Out, Trouble> {
        let view = self.vault.account(resource, account, ask.caller).await?;
        let account = view.account;
        Ok(Out::new()
            .with("RESOURCEID", account.resource.0)
            .with("ACCOUNTID", account.id.0))
    }

    /// Both in full, each as a text of JSON, with the password or why it is not told.
    pub(super) async fn account_in_full(&self, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let place = Place {
            resource: Some(ResourceId(ask.input.id("RESOURCEID")?)),
            account: AccountId(ask.input.id("ACCOUNTID")?),
        };
        let fields = ask.input.fields()?;
        let (reason, ticket) = (fields.or_empty("REASON")?, fields.or_empty("TICKETID")?);
        let wanted = place.wanted(reason, ticket);
        let report = self.vault.report(&wanted, ask.caller).await?;
        let account = self.with_password(in_full(&report), &wanted, ask).await?;
        let details = Out::new()
            .with("ACCOUNTDETAILS", account.to_json())
            .with("RESOURCEDETAILS", resource(&report).to_json());
        Ok(Done::new("Resource and account details fetched successfully").with(details))
    }

    /// Who may see an account, and not learn its password now, is told why.
    async fn with_password(
        &self,
        account: Out,
        wanted: &Wanted<'_>,
        ask: &Ask<'_>,
    ) -> Result<Out, Trouble> {
        let why = match self.vault.retrieve(wanted, ask.caller).await {
            Ok(password) => return Ok(account.with("PASSWORD", &password)),
            Err(error) => error,
        };
        match why {
            VaultError::ReasonRequired
            | VaultError::TicketRequired
            | VaultError::NotAllowed
            | VaultError::Waiting(
                Hurdle::Request | Hurdle::Approval | Hurdle::CheckOut | Hurdle::Time,
            )
            | VaultError::InUse(_)
            | VaultError::Held => {
                let refusal = self.refused(why.into(), ask);
                Ok(account.with("PASSWORD_REASON", refusal.message))
            }
            VaultError::Unidentified(_)
            | VaultError::Refused
            | VaultError::OwnRequest
            | VaultError::Policy(_)
            | VaultError::Invalid(_)
            | VaultError::ResourceExists
            | VaultError::Exists(_)
            | VaultError::NotFound(_)
            | VaultError::Conflict
            | VaultError::ReadOnly
            | VaultError::RemoteReset(_)
            | VaultError::Unavailable(_) => Err(why.into()),
        }
    }
}

fn resource(report: &AccountReport) -> Out {
    let resource = &report.resource;
    let fields = Out::new()
        .with("RESOURCE ID", resource.id.0)
        .with("RESOURCE NAME", resource.name.to_string())
        .with("RESOURCE TYPE", resource.kind.as_str().to_owned())
        .with(
            "RESOURCE DESCRIPTION",
            resource.description.as_str().to_owned(),
        )
        .with("DNS NAME", resource.address.as_str().to_owned())
        .with("RESOURCE URL", resource.url.as_str().to_owned());
    with_custom(fields, "COLUMN_CHAR", &resource.fields)
}

const IDS: &str =
    "Resource ID and account ID fetched successfully for the given resource name and account name.";
