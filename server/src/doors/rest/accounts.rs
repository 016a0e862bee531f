//! The accounts of a resource: listed, told in full, added, changed, removed, shared.

use crate::domain::{CustomField, ResourceId};
use crate::doors::rest::Rest;
use crate::doors::rest::dispatch::{Ask, Trouble};
use crate::doors::rest::envelope::{Detail, Done, Fields as Out};
use crate::doors::rest::input::Unfit;
use crate::doors::rest::resources::{DOMAIN, custom};
use crate::doors::rest::route::Place;
use crate::doors::rest::times::{exact, in_words};
use crate::vault::{
    AccountEdit, AccountFacts, AccountReport, AccountView, ResourceView, TargetRef,
};

impl Rest {
    pub(super) async fn accounts(&self, id: ResourceId, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let filter = self.filter(&ask.input.fields()?)?;
        let page = self.vault.account_page(id, &filter, ask.caller).await?;
        let (resource, policy) = self.vault.glimpse(id, ask.caller).await?;
        let mut list = Vec::new();
        for view in &page.items {
            let facts = self
                .vault
                .facts(&resource.resource, &view.account, ask.caller)
                .await?;
            list.push(line(view, &facts));
        }
        let details = head(&resource, &policy).with("ACCOUNT LIST", list);
        let done = Done::new("Resource details with account list fetched successfully");
        Ok(done.total(page.total as u64).with(details))
    }

    pub(super) async fn account(&self, place: Place, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let wanted = place.wanted("", "");
        let report = self.vault.report(&wanted, ask.caller).await?;
        Ok(Done::new("Account details fetched successfully").with(in_full(&report)))
    }

    pub(super) async fn add_accounts(
        &self,
        id: ResourceId,
        ask: &Ask<'_>,
    ) -> Result<Done, Trouble> {
        let accounts = ask.input.fields()?.records("ACCOUNTLIST")?;
        if accounts.is_empty() {
            return Err(Unfit("ACCOUNTLIST is missing".to_owned()).into());
        }
        // Each by itself, as in the original: one that is there already stops none of the others.
        let mut list: Vec<Detail> = Vec::with_capacity(accounts.len());
        let (mut added, mut first_failure) = (0, None);
        for account in &accounts {
            let name = account.text("ACCOUNTNAME")?.to_owned();
            let status = match self.add_account(id, account, ask.caller).await {
                Ok(()) => {
                    added += 1;
                    Out::new().with("STATUS", "Account added successfully")
                }
                Err(trouble) => {
                    let refusal = self.refused(trouble, ask);
                    let status = Out::new().with("STATUS", refusal.message.clone());
                    first_failure = first_failure.or(Some(refusal));
                    status
                }
            };
            list.push(Out::new().with(name, status).into());
        }
        match first_failure {
            Some(refusal) if added == 0 => Err(Trouble::Told(refusal)),
            _ => Ok(Done::new("Account(s) added successfully").with(list)),
        }
    }

    pub(super) async fn edit_account(&self, place: Place, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let fields = ask.input.fields()?;
        if fields.optional("OWNERNAME")?.is_some() {
            let words = "OWNERNAME: an account belongs to whoever owns its resource";
            return Err(Unfit(words.to_owned()).into());
        }
        let name = fields.optional("ACCOUNTNAME")?;
        let edit = AccountEdit {
            name: name.map(str::to_owned),
            notes: fields.given("NOTES")?,
            fields: custom(&fields, "ACCOUNTCUSTOMFIELD")?,
            policy: self
                .policy(&fields, "ACCOUNTPASSWORDPOLICY", ask.caller)
                .await?,
            ..AccountEdit::default()
        };
        let wanted = place.wanted("", "");
        let account = self
            .vault
            .edit_account(wanted.resource, wanted.account, &edit, ask.caller)
            .await?;
        let name = account.name;
        Ok(Done::new(format!("Account {name} modified successfully")))
    }

    pub(super) async fn delete_account(
        &self,
        place: Place,
        ask: &Ask<'_>,
    ) -> Result<Done, Trouble> {
        let wanted = place.wanted("", "");
        self.vault
            .remove_account(wanted.resource, wanted.account, ask.caller)
            .await?;
        Ok(Done::new("Account deleted successfully."))
    }

    pub(super) async fn share_account(&self, place: Place, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let wanted = place.wanted("", "");
        let target = TargetRef {
            resource: wanted.resource,
            account: Some(wanted.account),
        };
        self.share(target, ask).await?;
        Ok(Done::new("Account shared successfully"))
    }
}

/// What stands above the list of accounts.
fn head(view: &ResourceView, policy: &str) -> Out {
    let resource = &view.resource;
    let domain = resource.fields.iter();
    let domain = domain
        .filter(|field| field.label.as_str() == DOMAIN)
        .map(|field| field.value.as_str().to_owned())
        .next();
    let owner = view.owner.clone();
    let fields = Out::new()
        .with("RESOURCE ID", resource.id.0)
        .with("RESOURCE NAME", resource.name.to_string())
        .with(
            "RESOURCE DESCRIPTION",
            resource.description.as_str().to_owned(),
        )
        .with("RESOURCE TYPE", resource.kind.as_str().to_owned())
        .with("DNS NAME", resource.address.as_str().to_owned())
        .with("DEPARTMENT", resource.department.as_str().to_owned())
        .with("LOCATION", resource.location.as_str().to_owned())
        .with("RESOURCE URL", resource.url.as_str().to_owned())
        .with(
            "RESOURCE OWNER",
            owner.unwrap_or_else(|| NOT_THERE.to_owned()),
        )
        .with("DOMAIN NAME", domain.unwrap_or_default())
        .with("RESOURCE PASSWORD POLICY", policy.to_owned())
        .with("PASSWORD POLICY", policy.to_owned())
        .with("NOTES", resource.notes.as_str().to_owned())
        .with("ALLOWOPENURLINBROWSER", true)
        .with("NEWSSHTERMINAL", false)
        .with("IS_SSH_RESTRICTED", true)
        .with("ISRDPRESTRICTED", true)
        .with("IS_LOCAL_ACCOUNTS_AUTOLOGON_RESTRICTED", true);
    with_custom(fields, "COLUMN_CHAR", &resource.fields)
}

/// One account in the list.
fn line(view: &AccountView, facts: &AccountFacts) -> Detail {
    let account = &view.account;
    let fields = Out::new()
        .with("ACCOUNT ID", account.id.0)
        .with("ACCOUNT NAME", account.name.to_string())
        .with("PASSWDID", account.id.0)
        .with("PASSWORD STATUS", view.status.as_str())
        .with("ISFAVPASS", false)
        .with("ISREASONREQUIRED", facts.reason)
        .with("IS_TICKETID_REQD", facts.ticket)
        .with("IS_TICKETID_REQD_MANDATORY", facts.ticket)
        .with("IS_TICKETID_REQD_ACW", facts.controlled && facts.ticket)
        .with("AUTOLOGONLIST", Vec::new())
        .with("AUTOLOGONSTATUS", "Auto logon is not offered.")
        .with("ACCOUNT PASSWORD POLICY", facts.policy.clone())
        .with("ACCOUNT_DESCRIPTION", account.notes.as_str().to_owned())
        .with("ISREMOTEAPPONLY", false)
        .with(
            "PASSWORDREQUEST_REASON_MANDATORY",
            facts.controlled && facts.reason,
        )
        .with("IS_USER_WITH_COMMAND_CONTROL_ROLE", false)
        .with("IS_COMMAND_CONTROL_CONFIGURED", false);
    with_custom(fields, "COLUMN_CHAR", &account.fields).into()
}

/// One account by itself.
pub(super) fn in_full(report: &AccountReport) -> Out {
    let account = &report.view.account;
    let notes = account.notes.as_str().to_owned();
    let accessed = report.view.accessed;
    let (status, reason) = match &report.broken_rule {
        None => ("Compliant", "-".to_owned()),
        Some(rule) => ("Non-Compliant", rule.to_string()),
    };
    let fields = Out::new()
        .with(
            "DESCRIPTION",
            if notes.is_empty() {
                NOT_THERE.to_owned()
            } else {
                notes
            },
        )
        .with("PASSWDID", account.id.0)
        .with("ACCOUNT NAME", account.name.to_string())
        .with("LAST MODIFIED TIME", in_words(account.changed))
        .with("LAST MODIFIED TIMESTAMP", exact(account.changed))
        .with(
            "LAST ACCESSED TIME",
            accessed.map_or_else(not_there, in_words),
        )
        .with(
            "LAST ACCESSED TIMESTAMP",
            accessed.map_or_else(not_there, exact),
        )
        .with(
            "EXPIRY STATUS",
            if report.expired { "Expired" } else { "Valid" },
        )
        .with("COMPLIANT STATUS", status)
        .with("COMPLIANT REASON", reason)
        .with("PASSWORD STATUS", report.view.status.as_str())
        .with("PASSWORD POLICY", report.facts.policy.clone())
        .with(
            "PASSWORDREQUEST_REASON_MANDATORY",
            report.facts.controlled && report.facts.reason,
        );
    with_custom(fields, "COLUMN_CHAR", &account.fields)
}

/// The same with the custom fields, where there are any.
pub(super) fn with_custom(fields: Out, column: &'static str, custom: &[CustomField]) -> Out {
    if custom.is_empty() {
        return fields;
    }
    let list: Vec<Detail> = custom
        .iter()
        .enumerate()
        .map(|(at, field)| {
            Out::new()
                .with("CUSTOMFIELDVALUE", field.value.as_str().to_owned())
                .with("CUSTOMFIELDTYPE", "Character")
                .with("CUSTOMFIELDLABEL", field.label.as_str().to_owned())
                .with("CUSTOMFIELDCOLUMNNAME", format!("{column}{}", at + 1))
                .into()
        })
        .collect();
    fields.with("CUSTOM FIELD", list)
}

fn not_there() -> String {
    NOT_THERE.to_owned()
}

/// The original's word for nothing.
const NOT_THERE: &str = "N/A";
