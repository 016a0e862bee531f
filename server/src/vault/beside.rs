//! What stands beside an account: its SSH key, its API keys, each an account of its own.

use crate::domain::{AccountId, Action, ApiKey, Operation, SecretKind, beside};
use crate::store::rows::Ids;
use crate::vault::book::Deed;
use crate::vault::{AccountRef, Caller, KeyOf, Keyed, ResourceRef, Vault, VaultError, Wanted};

/// An account that keeps an API key of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyBeside {
    /// Which of its API keys it is, from 1.
    pub number: u8,
    /// The account that keeps it.
    pub account: AccountId,
    /// What is noted of it.
    pub notes: String,
}

impl Vault {
    /// The API keys that stand beside the account that a key is for. That they are there is no secret
    /// to whoever may have it, so nothing is written down: each is asked for by itself.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn api_keys_beside(&self, keyed: &Keyed) -> Result<Vec<ApiKeyBeside>, VaultError> {
        let KeyOf::Account { resource, name, .. } = &keyed.of else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for number in 1..=beside::MOST_API_KEYS {
            let Ok(called) = beside::api_key(name, number) else {
                break;
            };
            let place = ResourceRef::Id(*resource);
            let wanted = Wanted::of(place, AccountRef::Named(called.as_str()));
            let (_, kept) = self.meant(&wanted, keyed.caller.org()).await?;
            let kept = kept.map(|kept| kept.record);
            if let Some(account) = kept.filter(|account| account.kind == SecretKind::ApiKey) {
                found.push(ApiKeyBeside {
                    number,
                    account: account.id,
                    notes: account.notes.as_str().to_owned(),
                });
            }
        }
        Ok(found)
    }

    /// Whether somebody has this API key, for a door that turns strangers away unread.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn is_api_key(&self, key: &ApiKey) -> Result<bool, VaultError> {
        let key = self.rows.places().api_key(key);
        Ok(self.rows.get::<Ids>(key).await?.is_some())
    }

    /// Refuses, and writes down, that somebody asked for a kind of secret that the account does not
    /// keep.
    pub async fn lacks(&self, wanted: &Wanted<'_>, caller: &Caller) -> VaultError {
        let mut deed = Deed::new(Operation::Retrieve).on_wanted(wanted);
        match self.find(wanted, Action::Retrieve, &mut deed, caller).await {
            Ok(found) => {
                let kind = found.account.record.kind;
                self.keeps_other(kind, &deed, caller).await
            }
            Err(error) => error,
        }
    }
}
