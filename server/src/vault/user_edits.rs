//! What an edit changes about a user; no look into the store.

use crate::domain::{
    CertBinding, Fingerprint, FreeText, Lock, NameError, Operation, RefusalReason, Role,
    Thumbprint, User, UserKind,
};
use crate::vault::book::Deed;
use crate::vault::second_factor::NO_PERSON as NO_FACTOR;
use crate::vault::{UserEdit, VaultError};

/// What a user is called, and where a person is written to; what is not said stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserNames {
    /// The name for reports.
    pub full_name: Option<String>,
    /// A person's first name.
    pub first: Option<String>,
    /// A person's last name.
    pub last: Option<String>,
    /// A person's e-mail address.
    pub email: Option<String>,
}

/// What changes about the user itself.
pub(super) fn apply(edit: &UserEdit, user: &mut User) -> Result<(), (RefusalReason, VaultError)> {
    match edit {
        UserEdit::Lock(lock) => user.lock = *lock,
        UserEdit::Names(names) => {
            rename(names, user).map_err(|answer| (RefusalReason::Invalid, answer))?;
        }
        UserEdit::DemandFactor(demanded) => match &mut user.kind {
            UserKind::Person(person) => person.second_factor = *demanded,
            UserKind::Api { .. } => {
                let answer = VaultError::Invalid(NO_FACTOR.to_owned());
                return Err((RefusalReason::Invalid, answer));
            }
        },
        UserEdit::Bind(binding) => {
            let certificates = certificates_of(user)?;
            if certificates.contains(binding) {
                let answer = VaultError::Exists("a binding of this user");
                return Err((RefusalReason::Exists, answer));
            }
            certificates.push(binding.clone());
        }
        UserEdit::Note(print, thumbprint) => {
            note_thumbprint(user, (*print, *thumbprint));
        }
        UserEdit::Unbind(print) => unbind(user, |binding| match binding {
            CertBinding::Exactly(other) | CertBinding::IssuedBy(other) => other != print,
            CertBinding::Thumbprint { seen, .. } => *seen != Some(*print),
        })?,
        UserEdit::UnbindThumbprint(print) => unbind(user, |binding| match binding {
            CertBinding::Thumbprint { thumbprint, .. } => thumbprint != print,
            CertBinding::Exactly(_) | CertBinding::IssuedBy(_) => true,
        })?,
    }
    Ok(())
}

fn rename(names: &UserNames, user: &mut User) -> Result<(), VaultError> {
    let unfit = |error: NameError| VaultError::Invalid(error.to_string());
    let text = |text: &String| FreeText::parse(text).map_err(unfit);
    if let Some(name) = &names.full_name {
        user.full_name = text(name)?;
    }
    let own = [&names.first, &names.last, &names.email];
    match &mut user.kind {
        UserKind::Person(person) => {
            let places = [&mut person.first, &mut person.last, &mut person.email];
            for (place, said) in places.into_iter().zip(own) {
                if let Some(said) = said {
                    *place = text(said)?;
                }
            }
            Ok(())
        }
        UserKind::Api { .. } if own.into_iter().flatten().all(String::is_empty) => Ok(()),
        UserKind::Api { .. } => Err(VaultError::Invalid(NO_NAMES.to_owned())),
    }
}

/// Notes what a certificate that proves a user is called; says whether that is news.
pub(super) fn note_thumbprint(user: &mut User, called: (Fingerprint, Thumbprint)) -> bool {
    let UserKind::Api {
        certificates,
        thumbprints,
        ..
    } = &mut user.kind
    else {
        return false;
    };
    let exactly = CertBinding::Exactly(called.0);
    let news = certificates.contains(&exactly) && !thumbprints.contains(&called);
    if news {
        thumbprints.push(called);
    }
    news
}

fn unbind(
    user: &mut User,
    stays: impl Fn(&CertBinding) -> bool,
) -> Result<(), (RefusalReason, VaultError)> {
    let certificates = certificates_of(user)?;
    let before = certificates.len();
    certificates.retain(&stays);
    if certificates.len() == before {
        let answer = VaultError::NotFound("certificate of this user");
        return Err((RefusalReason::NoSuchThing, answer));
    }
    if let UserKind::Api { thumbprints, .. } = &mut user.kind {
        thumbprints.retain(|(print, _)| stays(&CertBinding::Exactly(*print)));
    }
    Ok(())
}

fn certificates_of(user: &mut User) -> Result<&mut Vec<CertBinding>, (RefusalReason, VaultError)> {
    match &mut user.kind {
        UserKind::Api { certificates, .. } => Ok(certificates),
        UserKind::Person(_) => {
            let answer = VaultError::Invalid("a person has no client certificate".to_owned());
            Err((RefusalReason::Invalid, answer))
        }
    }
}

/// That a user is made, as the audit trail tells it.
pub(super) fn made(login: &str, role: Role, lock: Lock) -> Deed {
    let locked = match lock {
        Lock::Locked => ", locked",
        Lock::Open => "",
    };
    Deed::new(Operation::CreateUser).detail(format!("{login} {role}{locked}"))
}

/// An edit, as the audit trail tells it.
pub(super) fn words(edit: &UserEdit) -> String {
    match edit {
        UserEdit::Lock(Lock::Locked) => "lock".to_owned(),
        UserEdit::Lock(Lock::Open) => "unlock".to_owned(),
        UserEdit::Names(_) => "names and e-mail address".to_owned(),
        UserEdit::Bind(CertBinding::Exactly(print)) => format!("bind certificate {print}"),
        UserEdit::Bind(CertBinding::IssuedBy(print)) => format!("bind to certificates of {print}"),
        UserEdit::Bind(CertBinding::Thumbprint { thumbprint, .. }) => {
            format!("bind thumbprint {thumbprint}")
        }
        UserEdit::DemandFactor(true) => "second factor demanded".to_owned(),
        UserEdit::DemandFactor(false) => "second factor not demanded".to_owned(),
        UserEdit::Unbind(print) => format!("unbind certificate {print}"),
        UserEdit::Note(print, thumbprint) => format!("{print} is called {thumbprint}"),
        UserEdit::UnbindThumbprint(print) => format!("unbind thumbprint {print}"),
    }
}

const NO_NAMES: &str = "only a person has a first name, a last name and an e-mail address";
