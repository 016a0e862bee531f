//! Persons: people who sign in with a name and a password.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::domain::{
    Folded, FreeText, Lock, NameError, Operation, OrgId, Outcome, Password, Person, RefusalReason,
    Role, Scope, Timestamp, User, UserId, UserKind, UserName,
};
use crate::store::rows::{Kept, LoginCost, LoginRow};
use crate::vault::away::{Stranger, TurnedAway};
use crate::vault::book::Deed;
use crate::vault::caller::Entry;
use crate::vault::patience::{Attempt, Limits};
use crate::vault::user_edits::made;
use crate::vault::{
    Caller, Origin, Outage, PasswordCredential, Settings, UserRef, Vault, VaultError,
};

/// A person to be made.
#[derive(Debug)]
pub struct NewPerson {
    /// The name to sign in with.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// How far that reaches.
    pub scope: Scope,
    /// The first name.
    pub first: String,
    /// The last name.
    pub last: String,
    /// The e-mail address.
    pub email: String,
    /// The name for reports; `None` is first and last name, or the name to sign in with.
    pub full_name: Option<String>,
    /// The department.
    pub department: String,
    /// Where it is.
    pub location: String,
    /// When it stops being able to come in.
    pub expires: Option<Timestamp>,
    /// Whether it comes in with a second factor only.
    pub second_factor: bool,
    /// The password to sign in with.
    pub password: Arc<Password>,
}

/// At most so many passwords are compared at once, each in its own memory.
#[derive(Debug)]
pub(super) struct Turnstile(Arc<Semaphore>);

impl Default for Turnstile {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PLACES as usize)))
    }
}

impl Vault {
    /// Makes a person.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::Invalid`], [`VaultError::Exists`];
    /// [`VaultError::Unavailable`] when too many passwords are being compared.
    pub async fn add_person(&self, new: &NewPerson, caller: &Caller) -> Result<User, VaultError> {
        self.add_person_with(new, Lock::Open, caller).await
    }

    /// The same, kept out from the start if it is to be.
    ///
    /// # Errors
    /// As for [`Self::add_person`].
    pub async fn add_person_with(
        &self,
        new: &NewPerson,
        lock: Lock,
        caller: &Caller,
    ) -> Result<User, VaultError> {
        let deed = made(&new.name, new.role, lock);
        self.primary_only(&deed, caller).await?;
        self.administer(&deed, caller).await?;
        let draft = self
            .draft_person(new, caller)
            .and_then(|user| self.check_password(&new.password).map(|()| user));
        let user = match draft {
            Ok(user) => User { lock, ..user },
            Err(answer) => {
                return Err(self
                    .refuse(&deed, RefusalReason::Invalid, answer, caller)
                    .await);
            }
        };
        let login = self.hashed(&new.password).await?;
        self.make_user(user, Some(&login), &deed, caller).await
    }

    /// Gives a person another password; whoever came in by the old one is out.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`]; [`VaultError::Invalid`] when it is
    /// too short, or the user is no person.
    pub async fn set_password(
        &self,
        user: impl Into<UserRef<'_>>,
        password: &Arc<Password>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let user = user.into();
        let told = |login: &str| {
            Deed::new(Operation::EditUser).detail(format!("{login}: another password"))
        };
        let deed = told(&user.words());
        self.primary_only(&deed, caller).await?;
        let user = self.administered(user, &deed, caller).await?;
        let deed = told(&user.record.login());
        let fit = match user.record.kind {
            UserKind::Person(_) => self.check_password(password),
            UserKind::Api { .. } => Err(VaultError::Invalid(NO_PERSON.to_owned())),
        };
        if let Err(answer) = fit {
            return Err(self
                .refuse(&deed, RefusalReason::Invalid, answer, caller)
                .await);
        }
        let new = self.hashed(password).await?;
        self.allow(&deed, caller).await?;
        let done = self.commit_login(&user, &new).await;
        self.settle(&deed, done, caller).await?;
        self.generation.grow();
        Ok(())
    }

    /// The person whom a name, a password and, where one is demanded, a code prove, or why there is
    /// none. A name that nobody has costs what a wrong password costs: it is compared with a decoy.
    /// Whoever is locked out is turned away before anything is compared.
    pub(super) async fn by_password(
        &self,
        shown: &PasswordCredential,
        origin: &Origin,
    ) -> Result<Result<(User, Entry), TurnedAway>, VaultError> {
        let limits = self.settings.load().limits();
        let stranger = Stranger::new(shown.name.trim());
        let (org, attempt) = self.attempt(shown, origin).await?;
        let Ok(held_back) = self.patience.begin(attempt, &limits, self.clock.now()) else {
            return Ok(Err(stranger.away(RefusalReason::TooManyFailures)));
        };
        if held_back > Duration::ZERO {
            sleep(held_back).await;
        }
        let compared = self.compared(org, shown).await;
        let (user, fits, login) = compared.inspect_err(|_| {
            self.patience.not_compared(attempt, &limits);
        })?;
        let Some(user) = user else {
            return Ok(Err(stranger.away(RefusalReason::UnknownUser)));
        };
        let stranger = Stranger::of(&user);
        if !fits {
            return Ok(Err(stranger.away(RefusalReason::WrongPassword)));
        }
        if let Err(why) = self.may_enter(&user, origin).await {
            return Ok(Err(stranger.away(why)));
        }
        let passed = self
            .passes_factor(&user, shown.code.as_deref(), attempt)
            .await?;
        let with_code = match passed {
            Ok(with_code) => with_code,
            Err(why) => return Ok(Err(stranger.away(why))),
        };
        let shown_by = match with_code {
            true => "password and code",
            false => "password",
        };
        let deed = Deed::new(Operation::Identify).detail(shown_by);
        self.write(&deed, Outcome::Allowed, (&user.login(), ""), origin)
            .await?;
        self.patience.succeeded(attempt, &limits);
        Ok(Ok((user, Entry { login, with_code })))
    }

    /// Names count in whatever case and with blanks around them, known or not; the default
    /// organisation counts as one, named or not.
    async fn attempt(
        &self,
        shown: &PasswordCredential,
        origin: &Origin,
    ) -> Result<(Option<OrgId>, Attempt), VaultError> {
        let folded = |text: &str| Folded::new(text.trim()).as_str().as_bytes().to_vec();
        let org = match &shown.organisation {
            None => Some(OrgId::DEFAULT),
            Some(name) => self.organisation_named(name).await?.map(|org| org.id),
        };
        let (label, within) = match (org, &shown.organisation) {
            (Some(org), _) => ("sign-in", org.0.to_be_bytes().to_vec()),
            (None, named) => (
                "sign-in nowhere",
                folded(named.as_deref().unwrap_or_default()),
            ),
        };
        let name = folded(&shown.name);
        let hidden = self.rows.keys().hide(label, &[&within, &name]);
        Ok((org, Attempt::new(hidden, origin.peer)))
    }

    /// Who has the name, whether the password is theirs, and the version of what it was compared
    /// with.
    async fn compared(
        &self,
        org: Option<OrgId>,
        shown: &PasswordCredential,
    ) -> Result<(Option<User>, bool, u64), VaultError> {
        let (user, row, version) = match self.person_shown(org, shown).await? {
            Some((user, kept)) => (Some(user), kept.record, kept.version),
            None => {
                let decoy = LoginRow::decoy(self.settings.load().login_cost());
                (None, decoy, 0)
            }
        };
        let fits = self.fits(row, &shown.password).await?;
        Ok((user, fits, version))
    }

    async fn person_shown(
        &self,
        org: Option<OrgId>,
        shown: &PasswordCredential,
    ) -> Result<Option<(User, Kept<LoginRow>)>, VaultError> {
        let Some(org) = org else { return Ok(None) };
        let Some(user) = self.user_called(org, shown.name.trim()).await? else {
            return Ok(None);
        };
        let user = user.record;
        let key = self.rows.places().login(user.org, user.id);
        let row = self.rows.get::<LoginRow>(key).await?;
        Ok(row.map(|row| (user, row)))
    }

    async fn commit_login(&self, user: &Kept<User>, new: &LoginRow) -> Result<(), VaultError> {
        let key = self.rows.places().login(user.record.org, user.record.id);
        let kept = self.rows.get::<LoginRow>(key.clone()).await?;
        let mut changes = self.rows.changes();
        // A user that is removed at the same time leaves no password behind.
        changes.depend_on(user);
        changes.set(key, kept.as_ref(), new)?;
        Ok(changes.commit().await?)
    }

    fn check_password(&self, password: &Password) -> Result<(), VaultError> {
        let least = usize::from(self.settings.load().person_password);
        if password.expose().chars().count() < least {
            return Err(VaultError::Invalid(format!(
                "a person's password has {least} characters at least"
            )));
        }
        Ok(())
    }

    async fn hashed(&self, password: &Arc<Password>) -> Result<LoginRow, VaultError> {
        let (password, cost) = (password.clone(), self.settings.load().login_cost());
        let row = self.in_turn(move || LoginRow::of(&password, cost)).await?;
        Ok(row?)
    }

    async fn fits(&self, row: LoginRow, password: &Arc<Password>) -> Result<bool, VaultError> {
        let password = password.clone();
        let fits = self.in_turn(move || row.fits(&password)).await?;
        Ok(fits?)
    }

    /// Does something that takes much memory, when it is its turn.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, VaultError> {
        let settings = self.settings.load_full();
        let share = PLACES.div_ceil(u32::from(settings.logins_at_once.max(1)));
        let queue = self.turnstile.0.clone().acquire_many_owned(share);
        let crowded = VaultError::Unavailable(Outage::Part("too many sign-ins at once"));
        let Ok(Ok(place)) = timeout(settings.login_wait, queue).await else {
            return Err(crowded);
        };
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // Whoever gave up waiting leaves the work running: its memory counts until it is done.
            drop(place);
            done
        });
        done.await
            .map_err(|_| VaultError::Unavailable(Outage::Part("a sign-in broke off")))
    }

    fn draft_person(&self, new: &NewPerson, caller: &Caller) -> Result<User, VaultError> {
        let invalid = |error: NameError| VaultError::Invalid(error.to_string());
        let text = |text: &str| FreeText::parse(text).map_err(invalid);
        let name = UserName::parse(&new.name).map_err(invalid)?;
        let both = format!("{} {}", new.first, new.last);
        let full_name = match (&new.full_name, both.trim()) {
            (Some(given), _) => given.clone(),
            (None, "") => name.to_string(),
            (None, both) => both.to_owned(),
        };
        Ok(User {
            id: UserId(0),
            org: caller.org(),
            name,
            kind: UserKind::Person(Person {
                first: text(&new.first)?,
                last: text(&new.last)?,
                email: text(&new.email)?,
                second_factor: new.second_factor,
            }),
            full_name: text(&full_name)?,
            role: new.role,
            scope: new.scope,
            department: text(&new.department)?,
            location: text(&new.location)?,
            lock: Lock::Open,
            expires: new.expires,
            created: self.clock.now(),
        })
    }
}

impl Settings {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            by_name: u32::from(self.login_failures),
            by_address: u32::from(self.login_address_failures),
            lock: self.login_lock,
            longest: self.login_longest_lock,
            slowest: self.login_slowest,
        }
    }

    fn login_cost(&self) -> LoginCost {
        LoginCost {
            memory_mib: self.login_memory,
            passes: self.login_passes,
            lanes: self.login_lanes,
        }
    }
}

/// Divisible by every number of sign-ins that may be set.
const PLACES: u32 = 720_720;

const NO_PERSON: &str = "this user is a program: it shows a certificate or a token";
