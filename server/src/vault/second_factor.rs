//! Second factors of persons: shown once, confirmed by a code, demanded at every sign-in.

use std::fmt;

use zeroize::Zeroizing;

use crate::domain::{FactorState, OneTimeCode, Operation, RefusalReason, User, UserKind};
use crate::store::rows::{FactorRow, Kept};
use crate::vault::book::Deed;
use crate::vault::patience::Attempt;
use crate::vault::{Caller, Vault, VaultError};

/// A secret for an authenticator: the only time that it is seen.
#[derive(Debug)]
pub struct FactorOffer {
    /// The URI that authenticators read from a picture.
    pub uri: FactorText,
    /// The secret in base32, for typing.
    pub secret: FactorText,
}

/// A secret in the clear: wiped on drop, never printed.
pub struct FactorText(Zeroizing<String>);

impl FactorText {
    /// The text, for whoever is shown it once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for FactorText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FactorText(..)")
    }
}

/// How a person stands to its second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactorView {
    /// Whether it must have one to come in.
    pub demanded: bool,
    /// Whether it has.
    pub state: FactorState,
}

impl Vault {
    /// Draws a secret for a person's authenticator, in place of one that nobody confirmed. It
    /// counts once [`Self::confirm_factor`] has seen a code of it.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] for anybody but an administrator and the person itself;
    /// [`VaultError::NotFound`]; [`VaultError::Invalid`] for a program; [`VaultError::Exists`]
    /// when there is one already.
    pub async fn enrol_factor(
        &self,
        login: &str,
        caller: &Caller,
    ) -> Result<FactorOffer, VaultError> {
        let deed = Deed::new(Operation::SecondFactor).detail(format!("{login}: offer"));
        let (user, before) = self.person_with_factor(login, &deed, caller).await?;
        if before.as_ref().is_some_and(|kept| counts(&kept.record)) {
            let answer = VaultError::Exists("a second factor of a person");
            let why = RefusalReason::Exists;
            return Err(self.refuse(&deed, why, answer, caller).await);
        }
        let row = FactorRow::draw()?;
        self.allow(&deed, caller).await?;
        let done = self.commit_factor(&user, before.as_ref(), &row).await;
        self.settle(&deed, done, caller).await?;
        Ok(FactorOffer {
            uri: FactorText(row.uri(&user.record.name)),
            secret: FactorText(row.secret()),
        })
    }

    /// Sees a first code of the secret that was shown: from now on every sign-in demands one, and
    /// whoever signed in without one is out.
    ///
    /// # Errors
    /// As for [`Self::enrol_factor`]; [`VaultError::NotFound`] when none was shown;
    /// [`VaultError::Invalid`] for a code that is none of now.
    pub async fn confirm_factor(
        &self,
        login: &str,
        code: &OneTimeCode,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::SecondFactor).detail(format!("{login}: confirm"));
        let (user, before) = self.person_with_factor(login, &deed, caller).await?;
        let Some(before) = before.filter(|kept| !counts(&kept.record)) else {
            let answer = VaultError::NotFound("second factor to confirm");
            let why = RefusalReason::NoSuchThing;
            return Err(self.refuse(&deed, why, answer, caller).await);
        };
        let Some(row) = before.record.using(code, self.clock.now()) else {
            let answer = VaultError::Invalid(NOT_NOW.to_owned());
            let why = RefusalReason::WrongCode;
            return Err(self.refuse(&deed, why, answer, caller).await);
        };
        self.allow(&deed, caller).await?;
        let done = self.commit_factor(&user, Some(&before), &row).await;
        self.settle(&deed, done, caller).await?;
        self.generation.grow();
        Ok(())
    }

    /// Takes a person's second factor away, confirmed or not: for whoever has lost it. Whoever signed
    /// in is out: a code of the old authenticator is none of the next one.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] for anybody but an administrator, the person itself included;
    /// [`VaultError::NotFound`] when there is none.
    pub async fn remove_factor(&self, login: &str, caller: &Caller) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::SecondFactor).detail(format!("{login}: off"));
        self.primary_only(&deed, caller).await?;
        let user = self.administered(login.into(), &deed, caller).await?.record;
        let Some(kept) = self.factor_of(&user).await? else {
            let answer = VaultError::NotFound("second factor of this user");
            let why = RefusalReason::NoSuchThing;
            return Err(self.refuse(&deed, why, answer, caller).await);
        };
        self.allow(&deed, caller).await?;
        let done = self.commit_factor_removal(&user, &kept).await;
        self.settle(&deed, done, caller).await?;
        self.generation.grow();
        Ok(())
    }

    /// How a person stands to its second factor.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] for anybody but an administrator and the person itself;
    /// [`VaultError::NotFound`]; [`VaultError::Invalid`] for a program.
    pub async fn factor(&self, login: &str, caller: &Caller) -> Result<FactorView, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("second factor of {login}"));
        let user = self.person_for(login, &deed, caller).await?.record;
        self.allow(&deed, caller).await?;
        let kept = self.factor_of(&user).await?;
        Ok(FactorView {
            demanded: demanded(&user),
            state: kept.map_or(FactorState::Off, |kept| kept.record.state()),
        })
    }

    /// Whether the second factor lets somebody in whose password is right, and what was shown, for
    /// the audit trail. Uses the code up, durably: it counts once, whatever crashes.
    pub(super) async fn passes_factor(
        &self,
        user: &User,
        code: Option<&OneTimeCode>,
        attempt: Attempt,
    ) -> Result<Result<bool, RefusalReason>, VaultError> {
        let kept = self.factor_of(user).await?;
        let Some(kept) = kept.filter(|kept| counts(&kept.record)) else {
            let missing = demanded(user);
            return Ok(if missing {
                Err(RefusalReason::NotEnrolled)
            } else {
                Ok(false)
            });
        };
        let Some(code) = code else {
            return Ok(Err(RefusalReason::CodeMissing));
        };
        let limits = self.settings.load().limits();
        let now = self.clock.now();
        // Counted before it is compared, and by the name alone: only whoever knows the password
        // comes so far, so that this keeps out nobody but them, from wherever they try.
        if self.patience.begin_code(attempt, &limits, now).is_err() {
            return Ok(Err(RefusalReason::TooManyCodes));
        }
        let Some(used) = kept.record.using(code, self.clock.now()) else {
            return Ok(Err(RefusalReason::WrongCode));
        };
        if self.secondary {
            // What cannot be used up could be used twice.
            return Ok(Err(RefusalReason::ReadOnly));
        }
        let mut changes = self.rows.changes();
        changes.replace(&kept, &used)?;
        match changes.commit().await.map_err(VaultError::from) {
            Ok(()) => {
                self.patience.code_fits(attempt);
                Ok(Ok(true))
            }
            // Somebody else has used a code meanwhile: this one, as likely as not.
            Err(VaultError::Conflict) => Ok(Err(RefusalReason::WrongCode)),
            Err(other) => Err(other),
        }
    }

    /// Why a token alone does not let this user in: a second factor is on, or demanded. A program
    /// has none, and costs no look.
    pub(super) async fn factor_against_token(
        &self,
        user: &User,
    ) -> Result<Option<RefusalReason>, VaultError> {
        if matches!(user.kind, UserKind::Api { .. }) {
            return Ok(None);
        }
        let kept = self.factor_of(user).await?;
        Ok(match kept.is_some_and(|kept| counts(&kept.record)) {
            true => Some(RefusalReason::CodeMissing),
            false => demanded(user).then_some(RefusalReason::NotEnrolled),
        })
    }

    async fn factor_of(&self, user: &User) -> Result<Option<Kept<FactorRow>>, VaultError> {
        let key = self.rows.places().second_factor(user.org, user.id);
        Ok(self.rows.get::<FactorRow>(key).await?)
    }

    async fn person_with_factor(
        &self,
        login: &str,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(Kept<User>, Option<Kept<FactorRow>>), VaultError> {
        self.primary_only(deed, caller).await?;
        let user = self.person_for(login, deed, caller).await?;
        let factor = self.factor_of(&user.record).await?;
        Ok((user, factor))
    }

    /// The person called `login`, for an administrator or itself.
    async fn person_for(
        &self,
        login: &str,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<User>, VaultError> {
        let own = self.user_called(caller.org(), login).await?;
        let own = own.filter(|kept| caller.user() == Some(kept.record.id));
        let kept = match own {
            Some(kept) => kept,
            None => self.administered(login.into(), deed, caller).await?,
        };
        match kept.record.kind {
            UserKind::Person(_) => Ok(kept),
            UserKind::Api { .. } => {
                let answer = VaultError::Invalid(NO_PERSON.to_owned());
                let why = RefusalReason::Invalid;
                Err(self.refuse(deed, why, answer, caller).await)
            }
        }
    }

    async fn commit_factor_removal(
        &self,
        user: &User,
        kept: &Kept<FactorRow>,
    ) -> Result<(), VaultError> {
        let mut changes = self.rows.changes();
        changes.remove(kept);
        self.end_sessions_of(&mut changes, user).await?;
        Ok(changes.commit().await?)
    }

    async fn commit_factor(
        &self,
        user: &Kept<User>,
        before: Option<&Kept<FactorRow>>,
        row: &FactorRow,
    ) -> Result<(), VaultError> {
        let key = self
            .rows
            .places()
            .second_factor(user.record.org, user.record.id);
        let mut changes = self.rows.changes();
        // A person that is removed at the same time leaves no secret behind.
        changes.depend_on(user);
        changes.set(key, before, row)?;
        Ok(changes.commit().await?)
    }
}

fn counts(row: &FactorRow) -> bool {
    matches!(row.state(), FactorState::On(_))
}

fn demanded(user: &User) -> bool {
    match &user.kind {
        UserKind::Person(person) => person.second_factor,
        UserKind::Api { .. } => false,
    }
}

pub(super) const NO_PERSON: &str = "this user is a program: second factors are for persons";
const NOT_NOW: &str = "this is no code of now: wait for the next one, and look at the clock of the \
                       authenticator and of this machine";
