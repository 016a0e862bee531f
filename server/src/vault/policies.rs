//! Password policies.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::{
    Account, Operation, OrgId, PasswordPolicy, PolicyId, PolicyName, RefusalReason, Resource,
};
use crate::store::rows::Kept;
use crate::store::{Stamp, Stamps, StoreError};
use crate::vault::book::Deed;
use crate::vault::id_block::IdKind;
use crate::vault::{Caller, Vault, VaultError};

/// The default policy of each organisation as it was found last: to find it, all policies are read.
#[derive(Debug, Default)]
pub(super) struct DefaultPolicies(Mutex<HashMap<OrgId, Found>>);

#[derive(Debug)]
struct Found {
    generation: u64,
    rests_on: Stamp<1>,
    policy: PasswordPolicy,
}

impl DefaultPolicies {
    fn get(&self, org: OrgId, generation: u64, stamps: &Stamps) -> Option<PasswordPolicy> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(&org)?;
        let stands = found.generation == generation && stamps.holds(&found.rests_on);
        stands.then(|| found.policy.clone())
    }

    fn note(&self, org: OrgId, generation: u64, rests_on: Stamp<1>, policy: &PasswordPolicy) {
        let found = Found {
            generation,
            rests_on,
            policy: policy.clone(),
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(org, found);
    }
}

impl Vault {
    /// All policies of the caller's organisation.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn policies(&self, caller: &Caller) -> Result<Vec<PasswordPolicy>, VaultError> {
        self.allow(&Deed::new(Operation::List).detail("policies"), caller)
            .await?;
        Ok(self
            .kept_policies(caller.org())
            .await?
            .into_iter()
            .map(|kept| kept.record)
            .collect())
    }

    /// Makes a policy, or gives the one with this name new rules; its id is chosen here.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::Invalid`] when nothing could keep it;
    /// [`VaultError::Exists`] when it is to be new and is not; [`VaultError::NotFound`] when it is
    /// to be there and is not.
    pub async fn set_policy(
        &self,
        policy: &PasswordPolicy,
        new: bool,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let verb = if new { "add" } else { "edit" };
        let deed = Deed::new(Operation::Policy).detail(format!("{verb} {}", rules(policy)));
        self.primary_only(&deed, caller).await?;
        self.administer(&deed, caller).await?;
        if let Err(error) = policy.validate() {
            let answer = VaultError::Invalid(error.to_string());
            return Err(self
                .refuse(&deed, RefusalReason::Invalid, answer, caller)
                .await);
        }
        let kept = self.policy_named(caller.org(), &policy.name).await?;
        if new && kept.is_some() {
            let answer = VaultError::Exists("a policy with this name");
            return Err(self
                .refuse(&deed, RefusalReason::Exists, answer, caller)
                .await);
        }
        let id = match &kept {
            Some(kept) => kept.record.id,
            None if new => PolicyId(self.next_id(IdKind::Policy).await?),
            None => return Err(self.no_policy(&deed, caller).await),
        };
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        let policy = PasswordPolicy {
            id,
            ..policy.clone()
        };
        changes.set(
            self.rows.places().policy(caller.org(), id),
            kept.as_ref(),
            &policy,
        )?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }

    /// Removes a policy; what used it falls back to the default.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`]; [`VaultError::Invalid`] for the
    /// default policy.
    pub async fn remove_policy(&self, name: &str, caller: &Caller) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::Policy).detail(format!("remove {name}"));
        self.primary_only(&deed, caller).await?;
        self.administer(&deed, caller).await?;
        let named = match PolicyName::parse(name) {
            Ok(name) => self.policy_named(caller.org(), &name).await?,
            Err(_) => None,
        };
        let Some(kept) = named else {
            return Err(self.no_policy(&deed, caller).await);
        };
        if kept.record.name.as_str() == self.settings.load().default_policy {
            let answer = VaultError::Invalid("the default policy cannot be removed".to_owned());
            return Err(self
                .refuse(&deed, RefusalReason::Invalid, answer, caller)
                .await);
        }
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.remove(&kept);
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }

    /// The id of the policy called `name`, for whoever edits a resource or account.
    ///
    /// # Errors
    /// [`VaultError::NotFound`].
    pub async fn policy_id(&self, name: &str, caller: &Caller) -> Result<PolicyId, VaultError> {
        let name = PolicyName::parse(name).map_err(|_| VaultError::NotFound("policy"))?;
        let kept = self.policy_named(caller.org(), &name).await?;
        Ok(kept.ok_or(VaultError::NotFound("policy"))?.record.id)
    }

    /// The policy in force for an account, or for a resource's new accounts.
    pub(super) async fn policy_of(
        &self,
        resource: &Resource,
        account: Option<&Account>,
    ) -> Result<PasswordPolicy, VaultError> {
        let chosen = account
            .and_then(|account| account.policy)
            .or(resource.policy);
        if let Some(id) = chosen {
            let key = self.rows.places().policy(resource.org, id);
            if let Some(kept) = self.rows.get::<PasswordPolicy>(key).await? {
                return Ok(kept.record);
            }
        }
        self.default_policy(resource.org).await
    }

    /// The policy of resources that name none.
    pub(super) async fn default_policy(&self, org: OrgId) -> Result<PasswordPolicy, VaultError> {
        // Whoever changes settings lets the generation grow.
        let generation = self.generation.now();
        let stamps = self.rows.store().stamps();
        if let Some(policy) = self.defaults.get(org, generation, stamps) {
            return Ok(policy);
        }
        let commits = stamps.commits();
        let default = PolicyName::parse(&self.settings.load().default_policy);
        let default = default.map_err(|_| StoreError::Form)?;
        match self.policy_named(org, &default).await? {
            Some(kept) => {
                let rests_on = stamps.of([&kept.key]);
                if stamps.commits() == commits {
                    self.defaults.note(org, generation, rests_on, &kept.record);
                }
                Ok(kept.record)
            }
            // An organisation without the default's name has at least the shipped ones.
            None => {
                let strong = self.rows.places().policy(org, PolicyId(3));
                let kept = self.rows.get::<PasswordPolicy>(strong).await?;
                Ok(kept.ok_or(StoreError::Form)?.record)
            }
        }
    }

    /// Refuses, and writes down, a policy id that nothing has.
    pub(super) async fn policy_exists(
        &self,
        id: Option<PolicyId>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let Some(id) = id else { return Ok(()) };
        let key = self.rows.places().policy(caller.org(), id);
        match self.rows.get::<PasswordPolicy>(key).await? {
            Some(_) => Ok(()),
            None => Err(self.no_policy(deed, caller).await),
        }
    }

    pub(super) async fn policy_named(
        &self,
        org: OrgId,
        name: &PolicyName,
    ) -> Result<Option<Kept<PasswordPolicy>>, VaultError> {
        let folded = name.folded();
        let mut kept = self.kept_policies(org).await?.into_iter();
        Ok(kept.find(|kept| kept.record.name.folded() == folded))
    }

    async fn kept_policies(&self, org: OrgId) -> Result<Vec<Kept<PasswordPolicy>>, VaultError> {
        Ok(self
            .rows
            .all::<PasswordPolicy>(&self.rows.places().policies(org))
            .await?)
    }

    async fn no_policy(&self, deed: &Deed, caller: &Caller) -> VaultError {
        let answer = VaultError::NotFound("policy");
        self.refuse(deed, RefusalReason::NoSuchThing, answer, caller)
            .await
    }
}

/// A policy's rules in a line, for the audit trail.
fn rules(policy: &PasswordPolicy) -> String {
    let mut words = vec![format!(
        "{}: {}-{}",
        policy.name, policy.min_length, policy.max_length
    )];
    let flags = [
        (policy.upper, "upper"),
        (policy.lower, "lower"),
        (policy.digit, "digit"),
        (policy.starts_with_letter, "starts-with-letter"),
        (policy.may_hold_account_name, "may-hold-account-name"),
    ];
    words.extend(
        flags
            .iter()
            .filter(|(on, _)| *on)
            .map(|(_, word)| (*word).to_owned()),
    );
    words.push(format!(
        "special {}, no-reuse {}",
        policy.special, policy.no_reuse
    ));
    if let Some(age) = policy.max_age {
        words.push(format!("max-age {} days", age.as_secs() / 86_400));
    }
    words.join(" ")
}
