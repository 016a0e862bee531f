//! The settings of signing in: each a limit, with a default.

use std::time::Duration;

use crate::vault::settings::number;
use crate::vault::{SettingView, Settings};

impl Settings {
    pub(super) fn sign_in_views(&self) -> Vec<SettingView> {
        let view = |name, value: String, about| SettingView { name, value, about };
        let seconds = |span: Duration| span.as_secs().to_string();
        vec![
            view(
                "person-password-length",
                self.person_password.to_string(),
                "how many characters a person's password has at least (8 to 128)",
            ),
            view(
                "sign-in-minutes",
                (self.sign_in.as_secs() / 60).to_string(),
                "how long a person who signed in stays so (1 to 1440)",
            ),
            view(
                "sessions-per-person",
                self.sessions_per_person.to_string(),
                "how many sessions a person may have at once; the oldest makes room (1 to 100)",
            ),
            view(
                "sessions",
                self.sessions.to_string(),
                "how many sessions there may be in all (1 to 65535)",
            ),
            view(
                "sign-in-failures",
                self.login_failures.to_string(),
                "how often a name may fail from one address until it is locked there (1 to 100)",
            ),
            view(
                "sign-in-address-failures",
                self.login_address_failures.to_string(),
                "how often an address may fail with any names until it is locked (1 to 10000)",
            ),
            view(
                "sign-in-lock-seconds",
                seconds(self.login_lock),
                "how long the first lock lasts; each further failure doubles it (1 to 3600)",
            ),
            view(
                "sign-in-longest-lock-seconds",
                seconds(self.login_longest_lock),
                "how long a lock lasts at most (1 to 43200)",
            ),
            view(
                "sign-in-slowest-seconds",
                seconds(self.login_slowest),
                "how long an answer is held back at most for a name that many fail with (0 to 60)",
            ),
            view(
                "sign-in-at-once",
                self.logins_at_once.to_string(),
                "how many passwords are compared at once, each in its own memory (1 to 16)",
            ),
            view(
                "sign-in-wait-seconds",
                seconds(self.login_wait),
                "how long somebody waits for that (1 to 60)",
            ),
            view(
                "sign-in-memory-mib",
                self.login_memory.to_string(),
                "the memory of Argon2id for passwords that are set from now on (19 to 1024)",
            ),
            view(
                "sign-in-passes",
                self.login_passes.to_string(),
                "its passes (2 to 64)",
            ),
            view(
                "sign-in-lanes",
                self.login_lanes.to_string(),
                "its lanes (1 to 16)",
            ),
        ]
    }

    /// Sets one of them; `false` when `name` is none of them.
    pub(super) fn set_sign_in(&mut self, name: &str, value: &str) -> Result<bool, String> {
        let parsed = |range| number(name, value, range);
        let seconds = |range| parsed(range).map(|number| Duration::from_secs(u64::from(number)));
        match name {
            "person-password-length" => self.person_password = parsed(8..=128)?,
            "sign-in-minutes" => self.sign_in = seconds(1..=1440)? * 60,
            "sessions-per-person" => self.sessions_per_person = parsed(1..=100)?,
            "sessions" => self.sessions = parsed(1..=u16::MAX)?,
            "sign-in-failures" => self.login_failures = parsed(1..=100)?,
            "sign-in-address-failures" => self.login_address_failures = parsed(1..=10_000)?,
            "sign-in-lock-seconds" => self.login_lock = seconds(1..=3600)?,
            "sign-in-longest-lock-seconds" => self.login_longest_lock = seconds(1..=43_200)?,
            "sign-in-slowest-seconds" => self.login_slowest = seconds(0..=60)?,
            "sign-in-at-once" => self.logins_at_once = parsed(1..=16)?,
            "sign-in-wait-seconds" => self.login_wait = seconds(1..=60)?,
            "sign-in-memory-mib" => self.login_memory = parsed(19..=1024)?,
            "sign-in-passes" => self.login_passes = parsed(2..=64)?,
            "sign-in-lanes" => self.login_lanes = parsed(1..=16)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}
