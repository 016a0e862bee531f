//! Changing a password.

use zeroize::Zeroizing;

use crate::domain::{
    Account, AccountName, Action, Change, Custody, Operation, Password, PasswordPolicy,
    PolicyViolation, RefusalReason, SecretVersion, UserId,
};
use crate::store::StoreError;
use crate::store::rows::{Changes, Kept, SecretRow};
use crate::vault::book::Deed;
use crate::vault::find::Found;
use crate::vault::{Caller, Vault, VaultError, Wanted};

/// Where a password changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Here only.
    Local,
    /// On the target first, then here.
    Remote,
}

/// Which password an account is to have.
#[derive(Debug)]
pub enum NewPassword {
    /// One that the account's policy generates.
    Generate,
    /// This one.
    Given(Password),
}

impl NewPassword {
    /// Takes what came through a door; an empty text asks for a generated one.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] when it cannot be a password.
    pub fn parse(text: Zeroizing<String>) -> Result<Self, VaultError> {
        if text.is_empty() {
            return Ok(Self::Generate);
        }
        Password::parse(text)
            .map(Self::Given)
            .map_err(|e| VaultError::Invalid(e.to_string()))
    }
}

/// A password that has been chosen for an account.
pub(super) struct Chosen {
    pub(super) password: Password,
    pub(super) generated: bool,
}

impl Vault {
    /// Gives the account that is wanted another password; the answer is the generated one, where
    /// one was generated.
    ///
    /// # Errors
    /// As for [`Self::retrieve`], holding included: whoever may change it learns what it is;
    /// [`VaultError::Invalid`] where the account keeps no password;
    /// [`VaultError::Policy`] when the new password breaks a rule;
    /// [`VaultError::RemoteReset`] when the target has not changed, or it is not clear whether it
    /// has: then both passwords are kept until it is, and the stored one is the one in force.
    pub async fn change(
        &self,
        wanted: &Wanted<'_>,
        new: NewPassword,
        reach: Reach,
        caller: &Caller,
    ) -> Result<Option<Password>, VaultError> {
        let mut deed = Deed::new(Operation::Change)
            .on_wanted(wanted)
            .detail(match reach {
                Reach::Local => "local",
                Reach::Remote => "remote",
            });
        self.primary_only(&deed, caller).await?;
        let found = self.find(wanted, Action::Change, &mut deed, caller).await?;
        self.demand(found.demands(), wanted, &deed, caller).await?;
        let hold = self.hold(&found.spot(), &deed, caller).await?;
        self.keeps_password(&found.account.record, &deed, caller)
            .await?;
        if reach == Reach::Remote {
            let place = (&found.resource.record, found.account.record.id);
            return self.change_on_target(place, new, &deed, caller).await;
        }
        let policy = self
            .policy_of(&found.resource.record, Some(&found.account.record))
            .await?;
        let chosen = match self.choose(new, &policy, &found.account.record.name)? {
            Ok(chosen) => chosen,
            Err(violation) => return Err(self.breaks(&deed, violation, caller).await),
        };
        if self
            .reused(&chosen.password, &policy, &found.account.record)
            .await?
        {
            let violation = PolicyViolation::Reused(policy.no_reuse);
            return Err(self.breaks(&deed, violation, caller).await);
        }
        self.allow(&deed, caller).await?;
        let done = self
            .put_in_force(&found, &chosen, hold.as_ref(), caller)
            .await;
        self.settle(&deed, done, caller).await?;
        Ok(chosen.generated.then_some(chosen.password))
    }

    /// Refuses, and writes down, what a secondary does not do.
    pub(super) async fn primary_only(
        &self,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        match self.writable() {
            Ok(()) => Ok(()),
            Err(e) => Err(self.refuse(deed, RefusalReason::ReadOnly, e, caller).await),
        }
    }

    pub(super) async fn breaks(
        &self,
        deed: &Deed,
        violation: PolicyViolation,
        caller: &Caller,
    ) -> VaultError {
        let deed = deed.clone().detail(violation.to_string());
        self.refuse(&deed, RefusalReason::Policy, violation.into(), caller)
            .await
    }

    /// The given password, if it keeps the rules that need no history; or a generated one.
    pub(super) fn choose(
        &self,
        new: NewPassword,
        policy: &PasswordPolicy,
        account: &AccountName,
    ) -> Result<Result<Chosen, PolicyViolation>, VaultError> {
        match new {
            NewPassword::Given(password) => {
                let kept = policy.check(&password, account);
                Ok(kept.map(|()| Chosen {
                    password,
                    generated: false,
                }))
            }
            NewPassword::Generate => {
                let mut failure = None;
                let mut random = |limit| {
                    self.chance.below(limit).unwrap_or_else(|error| {
                        failure = Some(error);
                        0
                    })
                };
                let password = policy.generate(account, &mut random);
                match failure {
                    Some(error) => Err(error.into()),
                    None => Ok(Ok(Chosen {
                        password,
                        generated: true,
                    })),
                }
            }
        }
    }

    /// Whether the policy forbids `password` because it was in force not long ago.
    pub(super) async fn reused(
        &self,
        password: &Password,
        policy: &PasswordPolicy,
        account: &Account,
    ) -> Result<bool, VaultError> {
        if policy.no_reuse == 0 {
            return Ok(false);
        }
        let first = account
            .secret
            .0
            .saturating_sub(u64::from(policy.no_reuse) - 1);
        for version in first.max(account.oldest.0)..=account.secret.0 {
            let key = self
                .rows
                .places()
                .secret(account.id, SecretVersion(version));
            let kept = self.rows.get::<SecretRow>(key).await?;
            if kept.is_some_and(|kept| kept.record.password.same_as(password)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes the next version of the account's password; tried again when somebody else changed
    /// the account meanwhile, so that two changes are two versions.
    async fn put_in_force(
        &self,
        found: &Found,
        chosen: &Chosen,
        hold: Option<&Kept<Custody>>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let mut account = found.account.clone();
        for _ in 0..TRIES {
            match self.commit_version(&account, chosen, hold, caller).await {
                Err(VaultError::Conflict) => {
                    // Whoever has given it back, or was sent away, changes nothing any more.
                    if let Some(hold) = hold {
                        self.still_so(hold).await?;
                    }
                    let again = self.rows.get::<Account>(account.key.clone()).await?;
                    account = again.ok_or(VaultError::Refused)?;
                }
                other => return other,
            }
        }
        Err(VaultError::Conflict)
    }

    async fn commit_version(
        &self,
        kept: &Kept<Account>,
        chosen: &Chosen,
        hold: Option<&Kept<Custody>>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let mut changes = self.rows.changes();
        if let Some(hold) = hold {
            changes.depend_on(hold);
        }
        self.add_version(&mut changes, kept, chosen, caller.user())?;
        Ok(changes.commit().await?)
    }

    /// Adds the next version of the account's password to `changes`, and the account that says so.
    pub(super) fn add_version(
        &self,
        changes: &mut Changes<'_>,
        kept: &Kept<Account>,
        chosen: &Chosen,
        by: Option<UserId>,
    ) -> Result<(), VaultError> {
        let account = self.next_version(changes, &kept.record);
        self.add_secret(changes, &account, chosen, by)?;
        Ok(changes.replace(kept, &account)?)
    }

    /// Adds the password of the version of `account` that is in force.
    pub(super) fn add_secret(
        &self,
        changes: &mut Changes<'_>,
        account: &Account,
        chosen: &Chosen,
        by: Option<UserId>,
    ) -> Result<(), VaultError> {
        let change = Change {
            version: account.secret,
            at: account.changed,
            by,
            generated: chosen.generated,
        };
        let text = Zeroizing::new(chosen.password.expose().to_owned());
        let password = Password::parse(text).map_err(|_| StoreError::Form)?;
        let key = self.rows.places().secret(account.id, account.secret);
        Ok(changes.add(key, &SecretRow { change, password })?)
    }

    /// The account with its next version in force, from now on; forgets the oldest ones.
    pub(super) fn next_version(&self, changes: &mut Changes<'_>, before: &Account) -> Account {
        self.version_after(changes, before, self.kept_versions())
    }

    /// How many versions of an account are kept, that in force among them.
    pub(super) fn kept_versions(&self) -> u64 {
        u64::from(self.settings.load().history).max(1)
    }

    /// As [`Self::next_version`], where `keep` versions are kept.
    pub(super) fn version_after(
        &self,
        changes: &mut Changes<'_>,
        before: &Account,
        keep: u64,
    ) -> Account {
        let mut account = before.clone();
        let version = SecretVersion(account.secret.0 + 1);
        // Two at most, so that a smaller history comes about step by step.
        for _ in 0..2 {
            if version.0 - account.oldest.0 >= keep {
                changes.clear(self.rows.places().secret(account.id, account.oldest));
                account.oldest = SecretVersion(account.oldest.0 + 1);
            }
        }
        account.secret = version;
        account.changed = self.clock.now();
        account
    }
}

const TRIES: usize = 64;
