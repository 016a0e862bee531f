//! What an edit changes about a user; no look into the store.

use crate::domain::{CertBinding, Lock, RefusalReason, User, UserKind};
use crate::vault::second_factor::NO_PERSON as NO_FACTOR;
use crate::vault::{UserEdit, VaultError};

/// What changes about the user itself.
pub(super) fn apply(edit: &UserEdit, user: &mut User) -> Result<(), (RefusalReason, VaultError)> {
    match edit {
        UserEdit::Lock(lock) => user.lock = *lock,
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

fn unbind(
    user: &mut User,
    stays: impl Fn(&CertBinding) -> bool,
) -> Result<(), (RefusalReason, VaultError)> {
    let certificates = certificates_of(user)?;
    let before = certificates.len();
    certificates.retain(stays);
    if certificates.len() == before {
        let answer = VaultError::NotFound("certificate of this user");
        return Err((RefusalReason::NoSuchThing, answer));
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

/// The same, as the audit trail tells it.
pub(super) fn words(edit: &UserEdit) -> String {
    match edit {
        UserEdit::Lock(Lock::Locked) => "lock".to_owned(),
        UserEdit::Lock(Lock::Open) => "unlock".to_owned(),
        UserEdit::Bind(CertBinding::Exactly(print)) => format!("bind certificate {print}"),
        UserEdit::Bind(CertBinding::IssuedBy(print)) => format!("bind to certificates of {print}"),
        UserEdit::Bind(CertBinding::Thumbprint { thumbprint, .. }) => {
            format!("bind thumbprint {thumbprint}")
        }
        UserEdit::DemandFactor(true) => "second factor demanded".to_owned(),
        UserEdit::DemandFactor(false) => "second factor not demanded".to_owned(),
        UserEdit::Unbind(print) => format!("unbind certificate {print}"),
        UserEdit::UnbindThumbprint(print) => format!("unbind thumbprint {print}"),
    }
}
