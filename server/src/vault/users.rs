//! Users: API users, and what is done with users of both kinds. `persons.rs` has the others.

use crate::domain::{
    AccountId, Action, CertBinding, Decision, Fingerprint, FreeText, Grantee, Lock, NameError,
    Operation, OrgId, RefusalReason, Resource, ResourceId, Role, Scope, Target, Thumbprint,
    Timestamp, User, UserId, UserKind, decide, may_stand_in,
};
use crate::store::Key;
use crate::store::rows::{Changes, Ids, Kept, LoginRow};
use crate::vault::book::Deed;
use crate::vault::id_block::IdKind;
use crate::vault::keyed::thumbprints;
use crate::vault::leftovers::Leftover;
use crate::vault::user_edits::{UserNames, apply, made, note_thumbprint, words};
use crate::vault::{Caller, UserRef, Vault, VaultError};

/// An API user to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// `NAME@HOST`.
    pub login: String,
    /// What it may do; not [`Role::PasswordAuditor`].
    pub role: Role,
    /// How far that reaches.
    pub scope: Scope,
    /// The name for reports; `None` is `name@host - API User`.
    pub full_name: Option<String>,
    /// Whether it may come from anywhere.
    pub any_host: bool,
    /// The certificates that prove it.
    pub certificates: Vec<CertBinding>,
    /// Its department.
    pub department: String,
    /// Where it is.
    pub location: String,
    /// When it stops being able to come in.
    pub expires: Option<Timestamp>,
}

/// What changes about a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserEdit {
    /// Kept out, or let in again; at the very next request.
    Lock(Lock),
    /// One more certificate that proves it.
    Bind(CertBinding),
    /// One less.
    Unbind(Fingerprint),
    /// One less that only its thumbprint is known of.
    UnbindThumbprint(Thumbprint),
    /// What one of its certificates is called.
    Note(Fingerprint, Thumbprint),
    /// Whether a person comes in with a second factor only.
    DemandFactor(bool),
    /// What it is called.
    Names(UserNames),
}

impl Vault {
    /// Makes an API user.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::Invalid`], [`VaultError::Exists`].
    pub async fn add_user(&self, new: &NewUser, caller: &Caller) -> Result<User, VaultError> {
        self.add_user_with(new, (Lock::Open, &[]), caller).await
    }

    /// The same, kept out from the start if it is to be, with what its certificates are called.
    ///
    /// # Errors
    /// As for [`Self::add_user`].
    pub async fn add_user_with(
        &self,
        new: &NewUser,
        (lock, called): (Lock, &[(Fingerprint, Thumbprint)]),
        caller: &Caller,
    ) -> Result<User, VaultError> {
        let deed = made(&new.login, new.role, lock);
        self.primary_only(&deed, caller).await?;
        self.administer(&deed, caller).await?;
        let user = match self.draft_user(new, caller) {
            Ok(mut user) => {
                for one in called {
                    note_thumbprint(&mut user, *one);
                }
                User { lock, ..user }
            }
            Err(answer) => {
                return Err(self
                    .refuse(&deed, RefusalReason::Invalid, answer, caller)
                    .await);
            }
        };
        self.make_user(user, None, &deed, caller).await
    }

    /// Makes a user of either kind: a person with what it signs in with.
    pub(super) async fn make_user(
        &self,
        mut user: User,
        login: Option<&LoginRow>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<User, VaultError> {
        self.not_above(&user, deed, caller).await?;
        self.no_application_has(&exact(&user), deed, caller).await?;
        self.thumbprints_are_free(&thumbprints(&user), deed, caller)
            .await?;
        let by_login = self.rows.places().user_by_login(user.org, &user.login());
        if self.rows.get::<Ids>(by_login).await?.is_some() {
            let answer = VaultError::Exists("a user with this name");
            return Err(self
                .refuse(deed, RefusalReason::Exists, answer, caller)
                .await);
        }
        user.id = UserId(self.next_id(IdKind::User).await?);
        self.allow(deed, caller).await?;
        let done = self.commit_user(&user, login).await;
        self.settle(deed, done, caller).await?;
        self.generation.grow();
        Ok(user)
    }

    /// At most `limit` users, after the one with the id `after`.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`].
    pub async fn users(
        &self,
        after: Option<UserId>,
        limit: usize,
        caller: &Caller,
    ) -> Result<Vec<User>, VaultError> {
        let deed = Deed::new(Operation::List).detail("users");
        self.administer(&deed, caller).await?;
        self.allow(&deed, caller).await?;
        let (places, org) = (self.rows.places(), caller.org());
        let after = after.map(|id| places.user(org, id));
        let page = self
            .rows
            .page::<User>(&places.users(org), after.as_ref(), limit)
            .await?;
        Ok(page.into_iter().map(|kept| kept.record).collect())
    }

    /// The user with a login.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn user(
        &self,
        user: impl Into<UserRef<'_>>,
        caller: &Caller,
    ) -> Result<User, VaultError> {
        let user = user.into();
        let told = |login: &str| Deed::new(Operation::List).detail(format!("user {login}"));
        let kept = self.known(user, &told(&user.words()), caller).await?;
        let deed = told(&kept.record.login());
        self.allow(&deed, caller).await?;
        Ok(kept.record)
    }

    /// Whether there is a user with a login: for administrators; nobody else learns who there is.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn has_user(&self, login: &str, caller: &Caller) -> Result<bool, VaultError> {
        if decide(Action::Administer, caller.standing(None, None)) != Decision::Allowed {
            return Ok(false);
        }
        Ok(self.user_called(caller.org(), login).await?.is_some())
    }

    /// Changes a user; in force on its very next request.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`] when there is no such user or, to
    /// unbind, no such certificate of it; [`VaultError::Exists`] when a certificate is bound
    /// already; [`VaultError::Invalid`].
    pub async fn edit_user(
        &self,
        user: impl Into<UserRef<'_>>,
        edit: &UserEdit,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let edits = std::slice::from_ref(edit);
        self.edit_user_with(user, edits, caller).await.map(drop)
    }

    /// The same with several changes at once, all or none; gives the user back as it is then.
    ///
    /// # Errors
    /// As for [`Self::edit_user`].
    pub async fn edit_user_with(
        &self,
        user: impl Into<UserRef<'_>>,
        edits: &[UserEdit],
        caller: &Caller,
    ) -> Result<User, VaultError> {
        let user = user.into();
        let all: Vec<_> = edits.iter().map(words).collect();
        let all = all.join("; ");
        let told = |login: &str| Deed::new(Operation::EditUser).detail(format!("{login}: {all}"));
        let deed = told(&user.words());
        self.primary_only(&deed, caller).await?;
        let kept = self.administered(user, &deed, caller).await?;
        let deed = told(&kept.record.login());
        let mut user = kept.record.clone();
        for edit in edits {
            if let Err((why, answer)) = apply(edit, &mut user) {
                return Err(self.refuse(&deed, why, answer, caller).await);
            }
            self.takes_nothing(edit, &kept.record, &deed, caller)
                .await?;
        }
        self.allow(&deed, caller).await?;
        let done = self.commit_user_edit(&kept, &user).await;
        self.settle(&deed, done, caller).await?;
        self.generation.grow();
        Ok(user)
    }

    /// That what an edit binds is nobody's yet, and that nobody comes to applications by it who may
    /// not.
    async fn takes_nothing(
        &self,
        edit: &UserEdit,
        user: &User,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        if let UserEdit::Bind(CertBinding::Exactly(print)) = edit {
            self.no_application_has(&[*print], deed, caller).await?;
        }
        if let UserEdit::Bind(CertBinding::Thumbprint { thumbprint, .. }) = edit {
            self.thumbprints_are_free(&[*thumbprint], deed, caller)
                .await?;
        }
        if matches!(edit, UserEdit::Bind(_) | UserEdit::Lock(Lock::Open)) {
            self.opens_no_application(user, deed, caller).await?;
        }
        Ok(())
    }

    /// Removes a user with its shares, tokens, SSH keys and memberships; not one that still owns resources.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`]; [`VaultError::Invalid`] when it owns
    /// resources.
    pub async fn remove_user(
        &self,
        user: impl Into<UserRef<'_>>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let user = user.into();
        let deed = Deed::new(Operation::RemoveUser).detail(user.words());
        self.primary_only(&deed, caller).await?;
        let kept = self.administered(user, &deed, caller).await?;
        let deed = deed.detail(kept.record.login());
        let owned = self.rows.places().resources_by_owner(kept.record.id);
        if !self.rows.page::<Ids>(&owned, None, 1).await?.is_empty() {
            let answer = VaultError::Invalid(STILL_OWNS.to_owned());
            return Err(self
                .refuse(&deed, RefusalReason::Invalid, answer, caller)
                .await);
        }
        self.allow(&deed, caller).await?;
        let leftover = Leftover::Grantee(kept.record.org, Grantee::User(kept.record.id));
        let done = self.commit_user_removal(&kept, leftover).await;
        self.settle(&deed, done, caller).await?;
        self.generation.grow();
        self.clear_away(leftover).await;
        Ok(())
    }

    /// The resources that a user owns, at most `limit` of them.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn owned_by(
        &self,
        login: &str,
        limit: usize,
        caller: &Caller,
    ) -> Result<Vec<Resource>, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("resources of {login}"));
        let user = self.administered(login.into(), &deed, caller).await?.record;
        self.allow(&deed, caller).await?;
        let places = self.rows.places();
        let prefix = places.resources_by_owner(user.id);
        let mut owned = Vec::new();
        for kept in self.rows.page::<Ids>(&prefix, None, limit).await? {
            let id = last_number(&kept.key);
            let key = places.resource(user.org, ResourceId(id));
            owned.extend(
                self.rows
                    .get::<Resource>(key)
                    .await?
                    .map(|kept| kept.record),
            );
        }
        Ok(owned)
    }

    pub(super) async fn user_called(
        &self,
        org: OrgId,
        login: &str,
    ) -> Result<Option<Kept<User>>, VaultError> {
        let places = self.rows.places();
        let Some(index) = self
            .rows
            .get::<Ids>(places.user_by_login(org, login))
            .await?
        else {
            return Ok(None);
        };
        let id = UserId(index.record.0.first().copied().unwrap_or_default());
        Ok(self.rows.get::<User>(places.user(org, id)).await?)
    }

    /// The user that is meant.
    pub(super) async fn user_meant(
        &self,
        org: OrgId,
        user: UserRef<'_>,
    ) -> Result<Option<Kept<User>>, VaultError> {
        match user {
            UserRef::Named(login) => self.user_called(org, login).await,
            UserRef::Id(id) => Ok(self
                .rows
                .get::<User>(self.rows.places().user(org, id))
                .await?),
        }
    }

    /// The users whom this very certificate may be.
    pub(super) async fn users_bound_to(
        &self,
        fingerprint: Fingerprint,
    ) -> Result<Vec<(OrgId, UserId)>, VaultError> {
        let key = self.rows.places().users_by_certificate(fingerprint);
        let ids = self
            .rows
            .get::<Ids>(key)
            .await?
            .map_or(Vec::new(), |kept| kept.record.0);
        let (pairs, _) = ids.as_chunks::<2>();
        Ok(pairs
            .iter()
            .map(|[org, id]| (OrgId(*org), UserId(*id)))
            .collect())
    }

    /// The user with a login, for an administrator.
    pub(super) async fn administered(
        &self,
        user: UserRef<'_>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<User>, VaultError> {
        let kept = self.known(user, deed, caller).await?;
        self.not_above(&kept.record, deed, caller).await?;
        Ok(kept)
    }

    /// Refuses, and writes down, what would give somebody the way in of a user who reaches more:
    /// whoever could make a super administrator, or set its password, would be one.
    pub(super) async fn not_above(
        &self,
        user: &User,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        if may_stand_in(caller.standing(None, None), user) {
            return Ok(());
        }
        let why = RefusalReason::NotAllowed;
        Err(self.refuse(deed, why, VaultError::NotAllowed, caller).await)
    }

    /// The user that is meant, for an administrator to look at.
    async fn known(
        &self,
        user: UserRef<'_>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<User>, VaultError> {
        self.administer(deed, caller).await?;
        match self.user_meant(caller.org(), user).await? {
            Some(kept) => Ok(kept),
            None => {
                let answer = VaultError::NotFound("user");
                Err(self
                    .refuse(deed, RefusalReason::NoSuchThing, answer, caller)
                    .await)
            }
        }
    }

    fn draft_user(&self, new: &NewUser, caller: &Caller) -> Result<User, VaultError> {
        let invalid = |error: NameError| VaultError::Invalid(error.to_string());
        let (name, host) = User::parse_login(&new.login)
            .map_err(|error| VaultError::Invalid(error.to_string()))?;
        if new.role == Role::PasswordAuditor {
            return Err(VaultError::Invalid(
                "an API user cannot be a password-auditor".to_owned(),
            ));
        }
        let full_name = match &new.full_name {
            Some(given) => given.clone(),
            None => format!("{name}@{host} - API User"),
        };
        Ok(User {
            id: UserId(0),
            org: caller.org(),
            name,
            kind: UserKind::Api {
                host,
                any_host: new.any_host,
                certificates: new.certificates.clone(),
                thumbprints: Vec::new(),
            },
            full_name: FreeText::parse(&full_name).map_err(invalid)?,
            role: new.role,
            scope: new.scope,
            department: FreeText::parse(&new.department).map_err(invalid)?,
            location: FreeText::parse(&new.location).map_err(invalid)?,
            lock: Lock::Open,
            expires: new.expires,
            created: self.clock.now(),
        })
    }

    async fn commit_user(&self, user: &User, login: Option<&LoginRow>) -> Result<(), VaultError> {
        let places = self.rows.places();
        let mut changes = self.rows.changes();
        changes.add(places.user(user.org, user.id), user)?;
        if let Some(login) = login {
            changes.add(places.login(user.org, user.id), login)?;
        }
        changes.add(
            places.user_by_login(user.org, &user.login()),
            &Ids(vec![user.id.0]),
        )?;
        let by_name = places.users_by_name(user.org, &user.name);
        self.list_in(&mut changes, by_name, &[user.id.0]).await?;
        for print in exact(user) {
            let key = places.users_by_certificate(print);
            self.list_in(&mut changes, key, &[user.org.0, user.id.0])
                .await?;
        }
        for print in thumbprints(user) {
            let key = places.users_by_thumbprint(print);
            self.list_in(&mut changes, key, &[user.org.0, user.id.0])
                .await?;
        }
        Ok(changes.commit().await?)
    }

    async fn commit_user_edit(&self, kept: &Kept<User>, user: &User) -> Result<(), VaultError> {
        let places = self.rows.places();
        let mut changes = self.rows.changes();
        let (old, new) = (exact(&kept.record), exact(user));
        let entry = [user.org.0, user.id.0];
        for print in old.iter().filter(|print| !new.contains(print)) {
            self.strike_from(&mut changes, places.users_by_certificate(*print), &entry)
                .await?;
        }
        for print in new.iter().filter(|print| !old.contains(print)) {
            self.list_in(&mut changes, places.users_by_certificate(*print), &entry)
                .await?;
        }
        let (old, new) = (thumbprints(&kept.record), thumbprints(user));
        for print in old.iter().filter(|print| !new.contains(print)) {
            self.strike_from(&mut changes, places.users_by_thumbprint(*print), &entry)
                .await?;
        }
        for print in new.iter().filter(|print| !old.contains(print)) {
            self.list_in(&mut changes, places.users_by_thumbprint(*print), &entry)
                .await?;
        }
        changes.replace(kept, user)?;
        if user.lock == Lock::Locked {
            self.end_sessions_of(&mut changes, user).await?;
        }
        Ok(changes.commit().await?)
    }

    async fn commit_user_removal(
        &self,
        kept: &Kept<User>,
        leftover: Leftover,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let user = &kept.record;
        let mut changes = self.rows.changes();
        changes.remove(kept);
        changes.clear(places.user_by_login(user.org, &user.login()));
        let by_name = places.users_by_name(user.org, &user.name);
        self.strike_from(&mut changes, by_name, &[user.id.0])
            .await?;
        for print in exact(user) {
            let key = places.users_by_certificate(print);
            self.strike_from(&mut changes, key, &[user.org.0, user.id.0])
                .await?;
        }
        for print in thumbprints(user) {
            let key = places.users_by_thumbprint(print);
            self.strike_from(&mut changes, key, &[user.org.0, user.id.0])
                .await?;
        }
        changes.clear(places.login(user.org, user.id));
        changes.clear(places.second_factor(user.org, user.id));
        self.clear_tokens(&mut changes, user).await?;
        self.clear_ssh_keys(&mut changes, user).await?;
        self.clear_memberships(&mut changes, user).await?;
        self.leave(&mut changes, leftover)?;
        Ok(changes.commit().await?)
    }

    /// Adds `entry` to the index row at `key`.
    pub(super) async fn list_in(
        &self,
        changes: &mut Changes<'_>,
        key: Key,
        entry: &[u64],
    ) -> Result<(), VaultError> {
        let kept = self.rows.get::<Ids>(key.clone()).await?;
        let mut ids = kept
            .as_ref()
            .map_or(Vec::new(), |kept| kept.record.0.clone());
        ids.extend_from_slice(entry);
        Ok(changes.set(key, kept.as_ref(), &Ids(ids))?)
    }

    /// Takes `entry` out of the index row at `key`.
    pub(super) async fn strike_from(
        &self,
        changes: &mut Changes<'_>,
        key: Key,
        entry: &[u64],
    ) -> Result<(), VaultError> {
        let Some(kept) = self.rows.get::<Ids>(key).await? else {
            return Ok(());
        };
        let others = kept
            .record
            .0
            .chunks(entry.len())
            .filter(|have| *have != entry);
        let left: Vec<u64> = others.flatten().copied().collect();
        if left.is_empty() {
            changes.remove(&kept);
            return Ok(());
        }
        Ok(changes.replace(&kept, &Ids(left))?)
    }
}

/// The certificates that a user is bound to by themselves.
fn exact(user: &User) -> Vec<Fingerprint> {
    let UserKind::Api { certificates, .. } = &user.kind else {
        return Vec::new();
    };
    let print = |binding: &CertBinding| match binding {
        CertBinding::Exactly(print) => Some(*print),
        CertBinding::IssuedBy(_) | CertBinding::Thumbprint { .. } => None,
    };
    certificates.iter().filter_map(print).collect()
}

/// The number that a key ends with.
pub(super) fn last_number(key: &Key) -> u64 {
    key.as_bytes()
        .last_chunk::<8>()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// What a key of the table of shares by user or group speaks of.
pub(super) fn target_of(key: &Key) -> Target {
    let account = last_number(key);
    let rest = key.as_bytes().len().saturating_sub(8);
    let resource = last_number(&Key::from_bytes(
        key.as_bytes().get(..rest).unwrap_or_default(),
    ));
    Target {
        resource: ResourceId(resource),
        account: (account != 0).then_some(AccountId(account)),
    }
}

/// Named in the text, since whoever removes a user wants to know what to do first.
const STILL_OWNS: &str = "this user still owns resources: give them another owner first, with \
                          `claviger resource edit NAME --owner USER`";
