//! Turning somebody away: the audit trail says why, the words for the caller hardly anything.

use crate::domain::{Folded, Operation, Outcome, RefusalReason, User, UserKind};
use crate::vault::book::Deed;
use crate::vault::{Caller, Origin, Vault, VaultError};

/// What somebody has shown, which decides the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Certificate,
    Token,
    Password,
    SshKey,
}

/// Somebody who may not come in, as the audit trail tells it.
#[derive(Clone, Debug)]
pub(super) struct Stranger {
    name: String,
    detail: String,
    host: String,
}

/// Somebody who may not come in, and why.
#[derive(Clone, Debug)]
pub(super) struct TurnedAway {
    who: Stranger,
    why: RefusalReason,
}

impl Stranger {
    /// Nobody who is known.
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            detail: String::new(),
            host: String::new(),
        }
    }

    /// A user who may not come in.
    pub(super) fn of(user: &User) -> Self {
        let host = match &user.kind {
            UserKind::Api { host, .. } => host.to_string(),
            UserKind::Person(_) => String::new(),
        };
        Self {
            name: user.login(),
            detail: String::new(),
            host,
        }
    }

    pub(super) fn detail(mut self, detail: String) -> Self {
        self.detail = detail;
        self
    }

    pub(super) fn away(self, why: RefusalReason) -> TurnedAway {
        TurnedAway { who: self, why }
    }
}

impl Vault {
    /// Writes down that a certificate was turned away before anybody could be found by it, and
    /// gives the words for the caller.
    pub async fn turn_away_untrusted(
        &self,
        subject: &str,
        why: RefusalReason,
        origin: &Origin,
    ) -> VaultError {
        let away = Stranger::new(subject).away(why);
        self.turn_away(Proof::Certificate, &away, origin).await
    }

    /// Writes down that somebody without a token that could be looked up was turned away, and gives
    /// the words for the caller.
    pub async fn turn_away_untold(&self, stranger: &str, origin: &Origin) -> VaultError {
        let away = Stranger::new(stranger).away(RefusalReason::UnknownUser);
        self.turn_away(Proof::Token, &away, origin).await
    }

    /// Writes down that somebody has proved nothing over SSH who called itself by so many `names`,
    /// `login` last, and gives the words for the caller.
    pub async fn turn_away_unproved(&self, login: &str, names: u32, origin: &Origin) -> VaultError {
        let detail = match names {
            0 | 1 => "no key was proved".to_owned(),
            many => format!("no key was proved, and {many} names were tried"),
        };
        let away = Stranger::new(login).detail(detail);
        let away = away.away(RefusalReason::UnknownUser);
        self.turn_away(Proof::SshKey, &away, origin).await
    }

    /// Writes down that `many` were turned away over SSH and not written down one by one, `login`
    /// the last of them, and gives the words for the caller.
    pub async fn turn_away_many(&self, login: &str, many: u64, origin: &Origin) -> VaultError {
        let detail = format!("the last of {many} refused log-ins not written down one by one");
        let away = Stranger::new(login).detail(detail);
        let away = away.away(RefusalReason::TooManyFailures);
        self.turn_away(Proof::SshKey, &away, origin).await
    }

    /// Refuses, and writes down, a request for another organisation than the caller's own. Whether
    /// there is one of that name is not told.
    ///
    /// # Errors
    /// [`VaultError::Unidentified`], with words for the caller.
    pub async fn confine(&self, caller: &Caller, organisation: &str) -> Result<(), VaultError> {
        if Folded::new(organisation.trim()) == Folded::new(caller.organisation()) {
            return Ok(());
        }
        let deed = Deed::new(Operation::Identify).detail(format!("organisation {organisation}"));
        let answer = VaultError::Unidentified(ELSEWHERE.to_owned());
        Err(self
            .refuse(&deed, RefusalReason::NotAllowed, answer, caller)
            .await)
    }

    /// Writes down that somebody was turned away, and gives the words for the caller.
    pub(super) async fn turn_away(
        &self,
        proof: Proof,
        away: &TurnedAway,
        origin: &Origin,
    ) -> VaultError {
        let TurnedAway { who, why } = away;
        let deed = Deed::new(Operation::Identify).detail(&who.detail);
        let named = (who.name.as_str(), "");
        match self
            .write(&deed, Outcome::Refused(*why), named, origin)
            .await
        {
            Ok(_) => VaultError::Unidentified(words(proof, *why, &who.host)),
            Err(unwritten) => unwritten,
        }
    }
}

fn words(proof: Proof, why: RefusalReason, host: &str) -> String {
    match proof {
        Proof::Certificate => certificate_words(why).to_owned(),
        Proof::Token => token_words(why, host),
        Proof::Password => password_words(why).to_owned(),
        Proof::SshKey => ssh_words(why, host),
    }
}

/// What whoever shows a certificate is told. A host problem is named, since users of the original
/// searched for it for days; whether a name exists is not.
fn certificate_words(why: RefusalReason) -> &'static str {
    match why {
        RefusalReason::WrongHost => {
            "this certificate's user may not come from this address: check the host of the API user \
             or application"
        }
        RefusalReason::UnresolvableHost => {
            "the host name of this certificate's user has no address: check the host of the API \
             user and the server's name resolution"
        }
        RefusalReason::Revoked => "this certificate is revoked, or its revocation cannot be told",
        RefusalReason::Untrusted => "this certificate is not trusted any more",
        _ => "this certificate belongs to no API user that may come in",
    }
}

/// Unknown names, wrong passwords, wrong or missing codes and users who may not come in are one answer. That an address
/// has failed too often is told, for that counts for every name, known or not.
fn password_words(why: RefusalReason) -> &'static str {
    match why {
        RefusalReason::TooManyFailures => {
            "too many attempts to sign in have failed from this address: try again later"
        }
        _ => "the name, the password or the code is wrong, or this user may not come in",
    }
}

/// What whoever shows an SSH key is told where there is a way to tell it: on a session that is open
/// already. A log-in that is refused has no words.
fn ssh_words(why: RefusalReason, host: &str) -> String {
    match why {
        RefusalReason::WrongHost => "this user may not come from this address".to_owned(),
        RefusalReason::UnresolvableHost => format!("{host}, the host of this user, has no address"),
        _ => "this user may not come in with this key any more".to_owned(),
    }
}

/// The original's own words, which clients compare. Unknown, revoked and expired tokens, and
/// those of users who may not come in, are one answer.
fn token_words(why: RefusalReason, host: &str) -> String {
    match why {
        RefusalReason::WrongHost => "User is not allowed to access from this host".to_owned(),
        RefusalReason::UnresolvableHost => format!(
            "User is not allowed to access from this host: {host}, the host of this API user, has \
             no address"
        ),
        _ => "API key received is not associated to any user. Authentication failed.".to_owned(),
    }
}

const ELSEWHERE: &str = "User does not belong to the organization that orgName names.";
