//! Sessions that wait to be fetched: whoever signs in by OAuth is given a word first, and for that
//! word, once and soon, the token of its session.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::{ApiToken, Timestamp};
use crate::vault::caller::Who;
use crate::vault::{Outage, SignedIn, Vault, VaultError};

/// A word for a session that waits.
#[derive(Debug)]
pub struct Voucher {
    /// The word; the only time that it is seen.
    pub token: ApiToken,
    /// Until when it counts.
    pub until: Timestamp,
}

/// Which sessions wait, by the keyed hash of the word for each.
#[derive(Default)]
pub(super) struct Handovers(Mutex<HashMap<[u8; 32], Waiting>>);

struct Waiting {
    signed_in: SignedIn,
    until: Timestamp,
}

impl Waiting {
    fn who(&self) -> Who {
        self.signed_in.caller.identity.who
    }
}

impl Handovers {
    /// Adds one; of somebody for whom `each` wait already, the one that ends first makes room.
    fn add(
        &self,
        (tag, waiting): ([u8; 32], Waiting),
        (each, most): (usize, usize),
        now: Timestamp,
    ) -> Result<(), Outage> {
        let mut all = self.lock();
        all.retain(|_, other| now < other.until);
        let own = all.iter().filter(|(_, other)| other.who() == waiting.who());
        let own: Vec<_> = own.map(|(tag, other)| (other.until, *tag)).collect();
        if own.len() >= each {
            if let Some((_, oldest)) = own.iter().min() {
                all.remove(oldest);
            }
        } else if all.len() >= most {
            return Err(Outage::Part("too many are signing in"));
        }
        all.insert(tag, waiting);
        Ok(())
    }

    fn take(&self, tag: &[u8; 32], now: Timestamp) -> Option<SignedIn> {
        let found = self.lock().remove(tag);
        let found = found.filter(|waiting| now < waiting.until);
        found.map(|waiting| waiting.signed_in)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Handovers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handovers(..)")
    }
}

impl Vault {
    /// Lets a session wait for whoever says the word that is given back.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] when too many wait.
    pub fn set_aside(&self, signed_in: SignedIn) -> Result<Voucher, VaultError> {
        let token = self.draw_token()?;
        let tag = self.rows.keys().token_tag(&token);
        let now = self.clock.now();
        let until = signed_in.until.min(now.after(PATIENCE));
        let settings = self.settings.load();
        let room = (
            usize::from(settings.sessions_per_person),
            usize::from(settings.sessions),
        );
        let waiting = Waiting { signed_in, until };
        self.handovers.add((tag, waiting), room, now)?;
        Ok(Voucher { token, until })
    }

    /// The session that waits for this word, which means nothing from now on.
    #[must_use]
    pub fn fetch(&self, word: &ApiToken) -> Option<SignedIn> {
        let tag = self.rows.keys().token_tag(word);
        self.handovers.take(&tag, self.clock.now())
    }
}

/// A client fetches it in its next request.
const PATIENCE: Duration = Duration::from_secs(60);
