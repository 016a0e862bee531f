//! What is told of resources and accounts beside what they are: which policy is theirs, whether
//! the password keeps it, what is demanded for it.

use std::collections::HashMap;

use crate::domain::{
    Account, AccountName, Action, Operation, Password, PasswordPolicy, PolicyName, PolicyViolation,
    RefusalReason, Resource, ResourceId, SecretKind,
};
use crate::store::rows::SecretRow;
use crate::vault::book::Deed;
use crate::vault::{
    AccountView, Caller, NewPassword, ResourceRef, ResourceView, Vault, VaultError, Wanted,
};

/// What holds for an account because of its policy, its resource and access control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    /// The name of the policy in force.
    pub policy: String,
    /// Whether a retrieval must give a reason.
    pub reason: bool,
    /// Whether a retrieval must give a ticket.
    pub ticket: bool,
    /// Whether it is given out on request only.
    pub controlled: bool,
}

/// An account by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountReport {
    /// The resource that it is on.
    pub resource: Resource,
    /// The account.
    pub view: AccountView,
    /// What holds for it.
    pub facts: AccountFacts,
    /// Whether its password is in force for longer than its policy allows.
    pub expired: bool,
    /// The first rule of its policy that its password breaks.
    pub broken_rule: Option<PolicyViolation>,
}

impl Vault {
    /// An account with all that is told of it; never its password.
    ///
    /// # Errors
    /// [`VaultError::Refused`] when there is none that `caller` may see.
    pub async fn report(
        &self,
        wanted: &Wanted<'_>,
        caller: &Caller,
    ) -> Result<AccountReport, VaultError> {
        let mut deed = Deed::new(Operation::List).on_wanted(wanted);
        let found = self.find(wanted, Action::See, &mut deed, caller).await?;
        self.allow(&deed, caller).await?;
        let (resource, account) = (found.resource.record, found.account.record);
        let policy = self.policy_of(&resource, Some(&account)).await?;
        let end = policy.max_age.map(|age| account.changed.after(age));
        Ok(AccountReport {
            facts: self.facts_under(&policy, &resource, &account).await?,
            expired: end.is_some_and(|end| end <= self.clock.now()),
            broken_rule: self.broken_rule(&policy, &account).await?,
            view: self.account_view(account, caller).await?,
            resource,
        })
    }

    /// What holds for an account that `caller` was shown.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn facts(
        &self,
        resource: &Resource,
        account: &Account,
        caller: &Caller,
    ) -> Result<AccountFacts, VaultError> {
        debug_assert_eq!(resource.org, caller.org());
        let policy = self.policy_of(resource, Some(account)).await?;
        self.facts_under(&policy, resource, account).await
    }

    /// The resource whose accounts `caller` was shown, and the name of its policy.
    ///
    /// # Errors
    /// [`VaultError::Refused`] when it has gone meanwhile.
    pub async fn glimpse(
        &self,
        resource: ResourceId,
        caller: &Caller,
    ) -> Result<(ResourceView, String), VaultError> {
        let mut deed = Deed::new(Operation::List).on(&ResourceRef::Id(resource).words(), "");
        let kept = self
            .find_visible(resource.into(), &mut deed, caller)
            .await?;
        let policy = self.policy_of(&kept.record, None).await?;
        let view = self
            .listed_view(resource, &mut HashMap::new(), caller)
            .await?;
        Ok((view.ok_or(VaultError::Refused)?, policy.name.to_string()))
    }

    /// A password that keeps the policy of that name, or the default one; it is nobody's yet.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] when there is no such policy.
    pub async fn generate(
        &self,
        policy: Option<&str>,
        caller: &Caller,
    ) -> Result<Password, VaultError> {
        let named = policy.unwrap_or("default");
        let deed = Deed::new(Operation::Policy).detail(format!("generate by {named}"));
        let policy = match policy {
            None => Some(self.default_policy(caller.org()).await?),
            Some(name) => self.policy_for(name, caller).await?,
        };
        let Some(policy) = policy else {
            let (why, answer) = (RefusalReason::NoSuchThing, VaultError::NotFound("policy"));
            return Err(self.refuse(&deed, why, answer, caller).await);
        };
        // Only the rule about the account's name needs one, and nothing that is drawn holds this.
        let nobody = AccountName::parse("(nobody's account)")
            .map_err(|error| VaultError::Invalid(error.to_string()))?;
        self.allow(&deed, caller).await?;
        match self.choose(NewPassword::Generate, &policy, &nobody)? {
            Ok(chosen) => Ok(chosen.password),
            Err(violation) => Err(violation.into()),
        }
    }

    async fn policy_for(
        &self,
        name: &str,
        caller: &Caller,
    ) -> Result<Option<PasswordPolicy>, VaultError> {
        let Ok(name) = PolicyName::parse(name) else {
            return Ok(None);
        };
        let kept = self.policy_named(caller.org(), &name).await?;
        Ok(kept.map(|kept| kept.record))
    }

    async fn facts_under(
        &self,
        policy: &PasswordPolicy,
        resource: &Resource,
        account: &Account,
    ) -> Result<AccountFacts, VaultError> {
        let settings = self.settings.load_full();
        let control = self.control_of(resource.id, account.id).await?;
        let control = control.as_ref().map(|kept| &kept.record);
        let demanded =
            |own: Option<bool>, whole: Option<bool>, system| own.or(whole).unwrap_or(system);
        Ok(AccountFacts {
            policy: policy.name.to_string(),
            reason: control.is_some_and(|control| control.reason)
                || demanded(
                    account.reason_demanded,
                    resource.reason_demanded,
                    settings.reason_demanded,
                ),
            ticket: control.is_some_and(|control| control.ticket)
                || demanded(
                    account.ticket_demanded,
                    resource.ticket_demanded,
                    settings.ticket_demanded,
                ),
            controlled: control.is_some(),
        })
    }

    async fn broken_rule(
        &self,
        policy: &PasswordPolicy,
        account: &Account,
    ) -> Result<Option<PolicyViolation>, VaultError> {
        if account.kind != SecretKind::Password {
            return Ok(None);
        }
        let key = self.rows.places().secret(account.id, account.secret);
        let kept = self.rows.get::<SecretRow>(key).await?;
        let checked = kept.map(|kept| policy.check(&kept.record.password, &account.name));
        Ok(checked.and_then(Result::err))
    }
}
