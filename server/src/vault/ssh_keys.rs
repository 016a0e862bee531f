//! SSH keys of API users: registered, listed, taken back, and what they prove.

use std::collections::HashSet;

use crate::domain::{
    Operation, OrgId, RefusalReason, RegisteredSshKey, SshFingerprint, SshKey, User, UserId,
    UserKind, UserName,
};
use crate::store::rows::{Changes, Ids, Kept};
use crate::vault::away::{Stranger, TurnedAway};
use crate::vault::book::Deed;
use crate::vault::settings::number;
use crate::vault::{Caller, Origin, SettingView, Settings, SshCredential, Vault, VaultError};

impl Vault {
    /// Registers keys with an API user, all of them or none: whoever holds the private half of one
    /// comes in with the user's name, from the user's host. The same key may be registered with
    /// others, too.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`]; [`VaultError::Invalid`] for a person,
    /// for no key at all, and where they are more than a request or the user may have;
    /// [`VaultError::Exists`] when the user has one of them, or one is there twice.
    pub async fn add_ssh_keys(
        &self,
        login: &str,
        keys: Vec<SshKey>,
        caller: &Caller,
    ) -> Result<Vec<RegisteredSshKey>, VaultError> {
        let deed = edit(login, &added_in_words(&keys));
        self.primary_only(&deed, caller).await?;
        let user = self.administered(login.into(), &deed, caller).await?;
        if let Err(answer) = self.may_have(&user.record, &keys).await? {
            let why = match answer {
                VaultError::Exists(_) => RefusalReason::Exists,
                _ => RefusalReason::Invalid,
            };
            return Err(self.refuse(&deed, why, answer, caller).await);
        }
        self.allow(&deed, caller).await?;
        let added = self.clock.now();
        let registered = |key| RegisteredSshKey { key, added };
        let registered: Vec<_> = keys.into_iter().map(registered).collect();
        let done = self.commit_ssh_keys(&user, &registered).await;
        self.settle(&deed, done, caller).await?;
        self.generation.grow();
        Ok(registered)
    }

    /// Whether a user may have these keys, too.
    async fn may_have(
        &self,
        user: &User,
        keys: &[SshKey],
    ) -> Result<Result<(), VaultError>, VaultError> {
        let have = self.ssh_keys_of(user).await?;
        let most = usize::from(self.settings.load().ssh_keys_per_user);
        let mut blobs: HashSet<_> = have.iter().map(|kept| kept.record.key.blob()).collect();
        let answer = if let UserKind::Person(_) = user.kind {
            VaultError::Invalid(NO_PERSON.to_owned())
        } else if keys.is_empty() || keys.len() > AT_ONCE {
            VaultError::Invalid(format!("1 to {AT_ONCE} SSH keys are registered at once"))
        } else if !keys.iter().all(|key| blobs.insert(key.blob())) {
            VaultError::Exists("the same SSH key of this user")
        } else if blobs.len() > most {
            VaultError::Invalid(format!(
                "this user has {} SSH keys already and may have {most}: remove one, or raise the \
                 setting ssh-keys-per-user",
                have.len()
            ))
        } else {
            return Ok(Ok(()));
        };
        Ok(Err(answer))
    }

    /// The keys of a user, the oldest first.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn ssh_keys(
        &self,
        login: &str,
        caller: &Caller,
    ) -> Result<Vec<RegisteredSshKey>, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("SSH keys of {login}"));
        let user = self.administered(login.into(), &deed, caller).await?;
        self.allow(&deed, caller).await?;
        let kept = self.ssh_keys_of(&user.record).await?;
        let mut keys: Vec<_> = kept.into_iter().map(|kept| kept.record).collect();
        keys.sort_by_key(|one| (one.added, one.key.fingerprint()));
        Ok(keys)
    }

    /// Takes a key from a user: it opens nothing any more, on open sessions neither.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::NotFound`] when there is no such user, or none of
    /// its keys is this one.
    pub async fn remove_ssh_key(
        &self,
        login: &str,
        fingerprint: SshFingerprint,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let deed = edit(login, &format!("remove SSH key {fingerprint}"));
        self.primary_only(&deed, caller).await?;
        let user = self.administered(login.into(), &deed, caller).await?;
        let keys = self.ssh_keys_of(&user.record).await?;
        let found = keys
            .iter()
            .find(|kept| kept.record.key.fingerprint() == fingerprint);
        let Some(found) = found else {
            let answer = VaultError::NotFound("SSH key of this user");
            return Err(self
                .refuse(&deed, RefusalReason::NoSuchThing, answer, caller)
                .await);
        };
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.remove(found);
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await?;
        self.generation.grow();
        Ok(())
    }

    /// Whether whoever shows this key comes in. Nothing is written down.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn admits_ssh_key(
        &self,
        shown: &SshCredential,
        origin: &Origin,
    ) -> Result<bool, VaultError> {
        Ok(self.by_ssh_key(shown, origin).await?.is_ok())
    }

    /// The one user whom a login name, a key and an address prove, or why there is none. Whose the
    /// key is besides does not matter: the name says who is meant.
    pub(super) async fn by_ssh_key(
        &self,
        shown: &SshCredential,
        origin: &Origin,
    ) -> Result<Result<User, TurnedAway>, VaultError> {
        let print = SshFingerprint::of(&shown.blob);
        let mut stranger = Stranger::new(&shown.login);
        let mut refusal = RefusalReason::UnknownUser;
        for user in self.holders_of(shown).await? {
            match self.may_enter(&user, origin).await {
                Ok(()) => return Ok(Ok(user)),
                Err(why) => (stranger, refusal) = (Stranger::of(&user), why),
            }
        }
        let stranger = stranger.detail(format!("SSH key {print}"));
        Ok(Err(stranger.away(refusal)))
    }

    /// Takes every SSH key of a user away with it.
    pub(super) async fn clear_ssh_keys(
        &self,
        changes: &mut Changes<'_>,
        user: &User,
    ) -> Result<(), VaultError> {
        for kept in self.ssh_keys_of(user).await? {
            changes.clear(kept.key);
        }
        Ok(())
    }

    /// The users of this name who have this key.
    async fn holders_of(&self, shown: &SshCredential) -> Result<Vec<User>, VaultError> {
        let Some((org, name)) = self.meant_by_login(&shown.login).await? else {
            return Ok(Vec::new());
        };
        let places = self.rows.places();
        let by_name = places.users_by_name(org, &name);
        let ids = self.rows.get::<Ids>(by_name).await?;
        let mut holders = Vec::new();
        for id in ids.map_or(Vec::new(), |kept| kept.record.0) {
            let id = UserId(id);
            let key = places.ssh_key(org, id, &shown.blob);
            let kept = self.rows.get::<RegisteredSshKey>(key).await?;
            if kept.is_none_or(|kept| kept.record.key.blob() != shown.blob) {
                continue;
            }
            let user = self.rows.get::<User>(places.user(org, id)).await?;
            holders.extend(user.map(|kept| kept.record));
        }
        Ok(holders)
    }

    /// `ORGANISATION/NAME` where there is an organisation of that name, and otherwise a name in the
    /// default one.
    async fn meant_by_login(&self, login: &str) -> Result<Option<(OrgId, UserName)>, VaultError> {
        if let Some((org, name)) = login.split_once('/')
            && let Some(org) = self.organisation_named(org).await?
        {
            return Ok(UserName::parse(name).ok().map(|name| (org.id, name)));
        }
        let name = UserName::parse(login).ok();
        Ok(name.map(|name| (OrgId::DEFAULT, name)))
    }

    async fn ssh_keys_of(&self, user: &User) -> Result<Vec<Kept<RegisteredSshKey>>, VaultError> {
        let prefix = self.rows.places().ssh_keys(user.org, user.id);
        Ok(self.rows.all(&prefix).await?)
    }

    async fn commit_ssh_keys(
        &self,
        user: &Kept<User>,
        registered: &[RegisteredSshKey],
    ) -> Result<(), VaultError> {
        let (org, id) = (user.record.org, user.record.id);
        let mut changes = self.rows.changes();
        // A user that is removed at the same time leaves no key behind; and of two who register
        // keys at the same time one has to count again: each changes this row.
        changes.replace(user, &user.record)?;
        for one in registered {
            let key = self.rows.places().ssh_key(org, id, one.key.blob());
            changes.add(key, one)?;
        }
        Ok(changes.commit().await?)
    }
}

impl Settings {
    pub(super) fn ssh_key_view(&self) -> SettingView {
        SettingView {
            name: PER_USER,
            value: self.ssh_keys_per_user.to_string(),
            about: "how many SSH keys a user may have (1 to 100)",
        }
    }

    /// Whether `name` is this setting, which is then changed.
    pub(super) fn set_ssh_keys(&mut self, name: &str, value: &str) -> Result<bool, String> {
        if name == PER_USER {
            self.ssh_keys_per_user = number(name, value, 1..=100)?;
        }
        Ok(name == PER_USER)
    }
}

fn edit(login: &str, what: &str) -> Deed {
    Deed::new(Operation::EditUser).detail(format!("{login}: {what}"))
}

/// What the audit trail tells of keys that are registered.
fn added_in_words(keys: &[SshKey]) -> String {
    let prints = keys.iter().map(|key| key.fingerprint().to_string());
    let prints: Vec<_> = prints.take(AT_ONCE).collect();
    match keys.len() {
        1 => format!("add SSH key {}", prints.concat()),
        many => format!("add {many} SSH keys: {}", prints.join(", ")),
    }
}

/// How many are registered by one request: the audit trail names each.
const AT_ONCE: usize = 64;
const PER_USER: &str = "ssh-keys-per-user";
const NO_PERSON: &str = "a person has no SSH key: give a program a user of its own";
