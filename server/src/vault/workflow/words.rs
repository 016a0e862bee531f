//! How much a request may say: its reason and its ticket are kept with it, as they were given.

use crate::vault::settings::number;
use crate::vault::{SettingView, Settings, VaultError, Wanted};

/// That a request says no more than is kept of it.
///
/// # Errors
/// [`VaultError::Invalid`] with what is too long.
pub(super) fn fits(wanted: &Wanted<'_>, settings: &Settings) -> Result<(), VaultError> {
    for (what, text, most) in [
        ("reason", wanted.reason, settings.reason_characters),
        ("ticket", wanted.ticket, settings.ticket_characters),
    ] {
        // Whoever sends megabytes is not counted to the end.
        if text.chars().nth(usize::from(most)).is_some() {
            return Err(VaultError::Invalid(format!(
                "the {what} of a request has {most} characters at most"
            )));
        }
    }
    Ok(())
}

impl Settings {
    pub(in crate::vault) fn word_views(&self) -> [SettingView; 2] {
        [
            SettingView {
                name: REASON,
                value: self.reason_characters.to_string(),
                about: "how many characters the reason of a request may have (1 to 4000)",
            },
            SettingView {
                name: TICKET,
                value: self.ticket_characters.to_string(),
                about: "how many characters the ticket of a request may have (1 to 300)",
            },
        ]
    }

    /// Sets one of them; `false` when `name` is another.
    pub(in crate::vault) fn set_word(&mut self, name: &str, value: &str) -> Result<bool, String> {
        match name {
            REASON => self.reason_characters = number(name, value, 1..=4000)?,
            TICKET => self.ticket_characters = number(name, value, 1..=300)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

// The trail keeps no more of either.
const REASON: &str = "reason-characters";
const TICKET: &str = "ticket-characters";
