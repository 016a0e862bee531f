//! `/v1/policies`.

use std::collections::HashMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::admin::Desk;
use crate::admin::asked::{Asked, Named, Plain, Sent};
use crate::admin::problem::Refusal;
use crate::admin::wire::{self, Page, PolicyEdit};
use crate::domain::{PasswordPolicy, PolicyId, PolicyName};
use crate::vault::{Caller, VaultError};

/// The names of policies.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<PolicyId, String>);

impl Names {
    /// Looks them up, if any is wanted.
    ///
    /// # Errors
    /// What the vault says.
    pub(crate) async fn load_if(
        wanted: bool,
        desk: &Desk,
        caller: &Caller,
    ) -> Result<Self, VaultError> {
        if !wanted {
            return Ok(Self::default());
        }
        let policies = desk.vault.policies(caller).await?;
        Ok(Self(
            policies
                .into_iter()
                .map(|policy| (policy.id, policy.name.to_string()))
                .collect(),
        ))
    }

    /// The name of one; none for a policy that is gone, which falls back to the default.
    pub(crate) fn of(&self, id: Option<PolicyId>) -> Option<String> {
        id.and_then(|id| self.0.get(&id).cloned())
    }
}

pub(crate) async fn list(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
) -> Result<Json<Page<wire::Policy>>, Refusal> {
    let policies = desk.vault.policies(&asked.caller).await?;
    Ok(Json(Page::whole(policies.iter().map(in_words).collect())))
}

pub(crate) async fn show(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<Json<wire::Policy>, Refusal> {
    Ok(Json(in_words(&named(&name, &desk, &asked.caller).await?)))
}

pub(crate) async fn add(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::NewPolicy>,
) -> Result<StatusCode, Refusal> {
    let name = PolicyName::parse(&new.name).map_err(|error| Refusal::invalid(error.to_string()))?;
    let [_low, _medium, strong] = PasswordPolicy::shipped();
    let policy = edited(PasswordPolicy { name, ..strong }, &new.rules);
    desk.vault.set_policy(&policy, true, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn edit(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
    Sent(edit): Sent<PolicyEdit>,
) -> Result<StatusCode, Refusal> {
    let policy = edited(named(&name, &desk, &asked.caller).await?, &edit);
    desk.vault.set_policy(&policy, false, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn remove(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    desk.vault.remove_policy(&name, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn named(name: &str, desk: &Desk, caller: &Caller) -> Result<PasswordPolicy, Refusal> {
    let policies = desk.vault.policies(caller).await?;
    let found = policies
        .into_iter()
        .find(|policy| policy.name.as_str() == name);
    found.ok_or_else(|| Refusal::not_found("there is no such policy"))
}

fn edited(policy: PasswordPolicy, edit: &PolicyEdit) -> PasswordPolicy {
    let days = |days: u32| Duration::from_secs(u64::from(days) * 86_400);
    PasswordPolicy {
        min_length: edit.min_length.unwrap_or(policy.min_length),
        max_length: edit.max_length.unwrap_or(policy.max_length),
        upper: edit.upper.unwrap_or(policy.upper),
        lower: edit.lower.unwrap_or(policy.lower),
        digit: edit.digit.unwrap_or(policy.digit),
        special: edit.special.unwrap_or(policy.special),
        starts_with_letter: edit.starts_with_letter.unwrap_or(policy.starts_with_letter),
        may_hold_account_name: edit
            .may_hold_account_name
            .unwrap_or(policy.may_hold_account_name),
        no_reuse: edit.no_reuse.unwrap_or(policy.no_reuse),
        max_age: edit
            .max_age_days
            .map_or(policy.max_age, |age| age.map(days)),
        ..policy
    }
}

fn in_words(policy: &PasswordPolicy) -> wire::Policy {
    let days = |age: Duration| u32::try_from(age.as_secs() / 86_400).unwrap_or(u32::MAX);
    wire::Policy {
        id: policy.id.to_string(),
        name: policy.name.to_string(),
        min_length: policy.min_length,
        max_length: policy.max_length,
        upper: policy.upper,
        lower: policy.lower,
        digit: policy.digit,
        special: policy.special,
        starts_with_letter: policy.starts_with_letter,
        may_hold_account_name: policy.may_hold_account_name,
        no_reuse: policy.no_reuse,
        max_age_days: policy.max_age.map(days),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_stays_and_null_clears() {
        let [_, _, strong] = PasswordPolicy::shipped();
        let aged = edited(
            strong.clone(),
            &serde_json::from_str(r#"{"max_age_days":30}"#).unwrap(),
        );
        let kept = edited(
            aged.clone(),
            &serde_json::from_str(r#"{"special":2}"#).unwrap(),
        );
        let cleared = edited(
            aged,
            &serde_json::from_str(r#"{"max_age_days":null}"#).unwrap(),
        );

        assert_eq!((kept.special, in_words(&kept).max_age_days), (2, Some(30)));
        assert_eq!(cleared, strong);
    }
}
