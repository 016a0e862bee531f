//! Sessions: that a person has signed in, for as long as the setting says.
//!
//! They are in memory only, under keyed hashes of their tokens: a restart ends them all. What a
//! session rests on is looked at again whenever anything about who may come in has changed.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::{ApiToken, Door, Operation, RefusalReason, Timestamp, User, UserId};
use crate::store::rows::{Changes, LoginRow};
use crate::vault::book::Deed;
use crate::vault::caller::{Entry, Identity, Who};
use crate::vault::{Caller, Credential, Origin, Outage, PasswordCredential, Vault, VaultError};

/// Somebody has signed in: the only time that the token is seen.
#[derive(Debug)]
pub struct SignedIn {
    /// What to show from now on.
    pub token: ApiToken,
    /// Who it is.
    pub caller: Caller,
    /// Until when.
    pub until: Timestamp,
}

/// Who is signed in.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<[u8; 32], Arc<Identity>>>);

impl Sessions {
    /// Adds one; of a person who has `per_person` already, the one that ends first makes room.
    fn open(
        &self,
        tag: [u8; 32],
        identity: Arc<Identity>,
        (per_person, most): (usize, usize),
        now: Timestamp,
    ) -> Result<(), Outage> {
        let mut open = self.lock();
        open.retain(|_, session| now < session.valid_until);
        let own = open.iter().filter(|(_, it)| it.who == identity.who);
        let own: Vec<_> = own.map(|(tag, it)| (it.valid_until, *tag)).collect();
        if own.len() >= per_person {
            if let Some((_, oldest)) = own.iter().min() {
                open.remove(oldest);
            }
        } else if open.len() >= most {
            return Err(Outage::Part("too many persons are signed in"));
        }
        open.insert(tag, identity);
        Ok(())
    }

    fn get(&self, tag: &[u8; 32], now: Timestamp) -> Option<Arc<Identity>> {
        let found = self.lock().get(tag).cloned();
        found.filter(|identity| now < identity.valid_until)
    }

    /// Another identity in its place, unless it has ended meanwhile.
    fn renew(&self, tag: &[u8; 32], identity: Arc<Identity>) {
        if let Some(session) = self.lock().get_mut(tag) {
            *session = identity;
        }
    }

    fn end(&self, tag: &[u8; 32]) -> bool {
        self.lock().remove(tag).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Arc<Identity>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions(..)")
    }
}

impl Vault {
    /// Signs a person in, whom its name, its password and, where one is demanded, a code prove.
    ///
    /// # Errors
    /// As for [`Self::identify`]; [`VaultError::Unavailable`] when too many are signed in.
    pub async fn sign_in(
        &self,
        shown: PasswordCredential,
        origin: &Origin,
    ) -> Result<SignedIn, VaultError> {
        let credential = Credential::Password(shown);
        let caller = self.identify(&credential, origin).await?;
        self.open_session(&caller, origin)
    }

    /// Gives somebody who has just been identified a session.
    pub(super) fn open_session(
        &self,
        caller: &Caller,
        origin: &Origin,
    ) -> Result<SignedIn, VaultError> {
        let token = self.draw_token()?;
        let tag = self.rows.keys().token_tag(&token);
        let identity = Identity {
            session: Some(tag),
            ..Identity::clone(&caller.identity)
        };
        let identity = Arc::new(identity);
        let settings = self.settings.load();
        let room = (
            usize::from(settings.sessions_per_person),
            usize::from(settings.sessions),
        );
        let now = self.clock.now();
        self.sessions.open(tag, identity.clone(), room, now)?;
        Ok(SignedIn {
            token,
            until: identity.valid_until,
            caller: Caller {
                identity,
                origin: *origin,
            },
        })
    }

    /// Whoever signed in and was given this token, if that still counts: neither password nor second
    /// factor has changed since, and the person was never locked. Nothing is written down where it does not.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn by_session(
        &self,
        token: &ApiToken,
        origin: &Origin,
    ) -> Result<Option<Caller>, VaultError> {
        let tag = self.rows.keys().token_tag(token);
        self.by_session_tag(tag, origin).await
    }

    async fn by_session_tag(
        &self,
        tag: [u8; 32],
        origin: &Origin,
    ) -> Result<Option<Caller>, VaultError> {
        let Some(identity) = self.sessions.get(&tag, self.clock.now()) else {
            return Ok(None);
        };
        // A thumbprint proves nothing at the other doors: neither does a session that rests on it.
        if identity.certificate.is_some() && origin.door != Door::A2a {
            return Ok(None);
        }
        // Who is not asked again by anything but its token is asked from where it comes.
        let known = identity.generation == self.generation() && identity.certificate.is_none();
        let identity = match known {
            true => identity,
            false => match self.proved_again(&identity, origin).await? {
                Some(identity) => {
                    let identity = Arc::new(identity);
                    self.sessions.renew(&tag, identity.clone());
                    identity
                }
                None => {
                    self.sessions.end(&tag);
                    return Ok(None);
                }
            },
        };
        Ok(Some(Caller {
            identity,
            origin: *origin,
        }))
    }

    /// The same caller as it is now, if what it came in by still counts. Nothing is written down.
    pub(super) async fn as_now(&self, caller: &Caller) -> Result<Option<Caller>, VaultError> {
        if let Some(tag) = caller.identity.session {
            return self.by_session_tag(tag, &caller.origin).await;
        }
        if caller.is_operator() || self.holds(caller) {
            return Ok(Some(caller.clone()));
        }
        let Some(tag) = caller.identity.token else {
            return Ok(None);
        };
        let generation = self.generation();
        let Some((user, until)) = self.by_token_again(&tag, &caller.origin).await? else {
            return Ok(None);
        };
        let identity = Identity {
            token: Some(tag),
            ..self.identity_of(user, until, generation).await?
        };
        Ok(Some(Caller {
            identity: Arc::new(identity),
            origin: caller.origin,
        }))
    }

    /// Ends every session of a person with the commit that is being made, those that are being
    /// opened with what was shown before it, too: they rest on the version of its password's row.
    pub(super) async fn end_sessions_of(
        &self,
        changes: &mut Changes<'_>,
        user: &User,
    ) -> Result<(), VaultError> {
        let key = self.rows.places().login(user.org, user.id);
        if let Some(kept) = self.rows.get::<LoginRow>(key).await? {
            changes.replace(&kept, &kept.record)?;
        }
        Ok(())
    }

    /// Ends the session that `caller` came in by.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] for whoever came in otherwise.
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::Identify).detail("signed out");
        let Some(tag) = &caller.identity.session else {
            let answer = VaultError::NotFound("session");
            let why = RefusalReason::NoSuchThing;
            return Err(self.refuse(&deed, why, answer, caller).await);
        };
        self.allow(&deed, caller).await?;
        self.sessions.end(tag);
        Ok(())
    }

    /// The same person as it is now, if what proved it then still would.
    async fn proved_again(
        &self,
        identity: &Identity,
        origin: &Origin,
    ) -> Result<Option<Identity>, VaultError> {
        if let Some(certified) = &identity.certificate {
            return self.certified_again((identity, certified), origin).await;
        }
        let generation = self.generation();
        let (Who::User(id), Some(entry)) = (identity.who, identity.entry) else {
            return Ok(None);
        };
        let Some(user) = self.still_proved((identity, id), entry).await? else {
            return Ok(None);
        };
        if self.may_enter(&user, origin).await.is_err() {
            return Ok(None);
        }
        let until = identity.valid_until;
        let again = self.identity_of(user, until, generation).await?;
        Ok(Some(Identity {
            session: identity.session,
            entry: identity.entry,
            ..again
        }))
    }

    async fn still_proved(
        &self,
        (identity, id): (&Identity, UserId),
        entry: Entry,
    ) -> Result<Option<User>, VaultError> {
        let places = self.rows.places();
        let Some(user) = self.rows.get::<User>(places.user(identity.org, id)).await? else {
            return Ok(None);
        };
        let login = places.login(identity.org, id);
        let login = self.rows.get::<LoginRow>(login).await?;
        if login.map(|kept| kept.version) != Some(entry.login) {
            return Ok(None);
        }
        let lacks_code = self.factor_against_token(&user.record).await?.is_some();
        Ok((entry.with_code || !lacks_code).then_some(user.record))
    }
}
