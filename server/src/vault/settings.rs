//! Settings of the whole house that change while it is open.

use std::time::Duration;

use crate::domain::{Operation, PolicyName, RefusalReason};
use crate::store::rows::{Kept, SettingRow};
use crate::vault::book::Deed;
use crate::vault::{Caller, Vault, VaultError};

/// What is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether a retrieval or change must give a reason, where nothing nearer says so.
    pub reason_demanded: bool,
    /// Whether a retrieval or change must give a ticket, where nothing nearer says so.
    pub ticket_demanded: bool,
    /// How many passwords of an account are kept, the one in force included: 1 to 100.
    pub history: u16,
    /// The policy of resources that name none.
    pub default_policy: String,
    /// How long a request waits for approval and check-out.
    pub patience: Duration,
    /// How long the addresses of a user's host are believed.
    pub host_lookup: Duration,
    /// How many days a REST token counts for which nobody says it: 1 to 3650.
    pub token_days: u16,
    /// How many live REST tokens a user may have: 1 to 100.
    pub tokens_per_user: u16,
    /// Whether API keys open anything at the A2A door.
    pub a2a_service: bool,
    /// How many SSH keys a user may have: 1 to 100.
    pub ssh_keys_per_user: u16,
    /// How many groups a user may be in: 1 to 100.
    pub groups_per_user: u16,
    /// How many users may be in a group: 1 to 10 000.
    pub members_per_group: u16,
    /// How many groups of resources may be shared with a user or group: 1 to 100.
    pub sets_per_user: u16,
    /// How large a file may be that an account keeps, in KiB: 1 to 4096.
    pub file_kib: u16,
    /// How many characters the reason of a request may have: 1 to 4000.
    pub reason_characters: u16,
    /// How many characters the ticket of a request may have: 1 to 300.
    pub ticket_characters: u16,
    /// How many characters a person's password has at least: 8 to 128.
    pub person_password: u16,
    /// How long a person who signed in stays so without signing in again.
    pub sign_in: Duration,
    /// How many sessions a person may have at once: 1 to 100.
    pub sessions_per_person: u16,
    /// How many sessions there may be in all: 1 to 65 535.
    pub sessions: u16,
    /// How often a name may fail to sign in from one address until it is locked there: 1 to 100.
    pub login_failures: u16,
    /// How often any names may fail to sign in from one address until it is locked: 1 to 10 000.
    pub login_address_failures: u16,
    /// How long the first lock lasts; each further failure doubles it.
    pub login_lock: Duration,
    /// How long a lock lasts at most.
    pub login_longest_lock: Duration,
    /// How long an answer is held back at most for a name that many fail with.
    pub login_slowest: Duration,
    /// How many passwords are compared at once: 1 to 16.
    pub logins_at_once: u16,
    /// How long somebody waits for its turn.
    pub login_wait: Duration,
    /// The memory that it costs to try a person's password, in MiB: 19 to 1024.
    pub login_memory: u16,
    /// How often that memory is passed over: 2 to 64.
    pub login_passes: u16,
    /// In how many lanes: 1 to 16.
    pub login_lanes: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            reason_demanded: false,
            ticket_demanded: false,
            history: 10,
            default_policy: "Low".to_owned(),
            patience: Duration::from_hours(24),
            host_lookup: Duration::from_secs(30),
            token_days: 365,
            tokens_per_user: 10,
            a2a_service: true,
            ssh_keys_per_user: 10,
            groups_per_user: 20,
            members_per_group: 1000,
            sets_per_user: 20,
            file_kib: 1024,
            reason_characters: 2000,
            ticket_characters: 200,
            person_password: 8,
            sign_in: Duration::from_secs(15 * 60),
            sessions_per_person: 10,
            sessions: 10_000,
            login_failures: 5,
            login_address_failures: 50,
            login_lock: Duration::from_secs(30),
            login_longest_lock: Duration::from_secs(900),
            login_slowest: Duration::from_secs(4),
            logins_at_once: 4,
            login_wait: Duration::from_secs(10),
            login_memory: 64,
            login_passes: 3,
            login_lanes: 4,
        }
    }
}

/// A setting as its list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingView {
    /// Its name.
    pub name: &'static str,
    /// Its value, as text.
    pub value: String,
    /// What it is for.
    pub about: &'static str,
}

impl Settings {
    /// Every setting with its value and what it is for.
    #[must_use]
    pub fn views(&self) -> Vec<SettingView> {
        let view = |name, value, about| SettingView { name, value, about };
        let mut all = vec![
            view(
                "reason-required",
                self.reason_demanded.to_string(),
                "whether a retrieval or change must give a reason (true, false)",
            ),
            view(
                "ticket-required",
                self.ticket_demanded.to_string(),
                "whether a retrieval or change must give a ticket id (true, false)",
            ),
            view(
                "history",
                self.history.to_string(),
                "how many passwords of an account are kept, the one in force included (1 to 100)",
            ),
            view(
                "default-policy",
                self.default_policy.clone(),
                "the password policy of resources that name none",
            ),
            view(
                "request-hours",
                (self.patience.as_secs() / 3600).to_string(),
                "how long a request waits for approval and check-out (1 to 720)",
            ),
            view(
                "host-lookup-seconds",
                self.host_lookup.as_secs().to_string(),
                "how long the addresses of an API user's host name are believed (1 to 3600)",
            ),
            view(
                "token-days",
                self.token_days.to_string(),
                "how many days a REST token counts for which nobody says it (1 to 3650)",
            ),
            view(
                "tokens-per-user",
                self.tokens_per_user.to_string(),
                "how many live REST tokens a user may have (1 to 100)",
            ),
            view(
                "a2a-service",
                self.a2a_service.to_string(),
                "whether API keys open anything at the A2A door (true, false)",
            ),
        ];
        all.push(self.ssh_key_view());
        all.push(self.file_view());
        all.extend(self.word_views());
        all.push(self.set_view());
        all.extend(self.group_views());
        all.extend(self.sign_in_views());
        all
    }

    /// These settings with one changed.
    ///
    /// # Errors
    /// What is wrong with the name or the value, in words.
    pub fn with(&self, name: &str, value: &str) -> Result<Self, String> {
        let mut settings = self.clone();
        let truth = |value: &str| match value {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(format!(
                "{name} is true or false, not `{}`",
                value.escape_default()
            )),
        };
        match name {
            "reason-required" => settings.reason_demanded = truth(value)?,
            "ticket-required" => settings.ticket_demanded = truth(value)?,
            "history" => settings.history = number(name, value, 1..=100)?,
            "default-policy" => {
                let policy = PolicyName::parse(value).map_err(|error| error.to_string())?;
                settings.default_policy = policy.to_string();
            }
            "request-hours" => {
                let hours = number(name, value, 1..=720)?;
                settings.patience = Duration::from_hours(u64::from(hours));
            }
            "host-lookup-seconds" => {
                let seconds = number(name, value, 1..=3600)?;
                settings.host_lookup = Duration::from_secs(u64::from(seconds));
            }
            "token-days" => settings.token_days = number(name, value, 1..=3650)?,
            "a2a-service" => settings.a2a_service = truth(value)?,
            "tokens-per-user" => settings.tokens_per_user = number(name, value, 1..=100)?,
            _ if settings.set_ssh_keys(name, value)? => {}
            _ if settings.set_file(name, value)? => {}
            _ if settings.set_word(name, value)? => {}
            _ if settings.set_sets(name, value)? => {}
            _ if settings.set_group(name, value)? => {}
            _ if settings.set_sign_in(name, value)? => {}
            _ => {
                let names: Vec<_> = self.views().iter().map(|view| view.name).collect();
                return Err(format!(
                    "there is no such setting: there are {}",
                    names.join(", ")
                ));
            }
        }
        Ok(settings)
    }
}

pub(super) fn number(
    name: &str,
    value: &str,
    range: std::ops::RangeInclusive<u16>,
) -> Result<u16, String> {
    let parsed = value.parse().ok().filter(|number| range.contains(number));
    parsed.ok_or_else(|| {
        format!(
            "{name} is a number from {} to {}",
            range.start(),
            range.end()
        )
    })
}

impl Vault {
    /// What is in force.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`].
    pub async fn settings(&self, caller: &Caller) -> Result<Vec<SettingView>, VaultError> {
        let deed = Deed::new(Operation::List).detail("settings");
        self.administer(&deed, caller).await?;
        self.allow(&deed, caller).await?;
        Ok(self.settings.load().views())
    }

    /// Changes a setting, for the whole house and at once.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::Invalid`] for a name or value that is none.
    pub async fn set_setting(
        &self,
        name: &str,
        value: &str,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let old = self.settings.load_full();
        let deed = Deed::new(Operation::Setting);
        let deed = deed.detail(format!("{name}: {value}; was {}", value_of(&old, name)));
        self.primary_only(&deed, caller).await?;
        self.govern(&deed, caller).await?;
        let new = match old.with(name, value) {
            Ok(new) => new,
            Err(words) => {
                let answer = VaultError::Invalid(words);
                return Err(self
                    .refuse(&deed, RefusalReason::Invalid, answer, caller)
                    .await);
            }
        };
        if new.default_policy != old.default_policy {
            self.policy_id(&new.default_policy, caller).await?;
        }
        self.allow(&deed, caller).await?;
        let done = self.commit_setting(name, value).await;
        self.settle(&deed, done, caller).await?;
        self.load_settings().await?;
        self.generation.grow();
        Ok(())
    }

    async fn commit_setting(&self, name: &str, value: &str) -> Result<(), VaultError> {
        let key = self.rows.places().setting(name);
        let kept: Option<Kept<SettingRow>> = self.rows.get(key.clone()).await?;
        let mut changes = self.rows.changes();
        let row = SettingRow {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        changes.set(key, kept.as_ref(), &row)?;
        Ok(changes.commit().await?)
    }

    /// Reads the settings; one that is damaged or of a later version keeps the server shut, since
    /// an unread demand would be an open door.
    pub(super) async fn load_settings(&self) -> Result<(), VaultError> {
        // Whoever has read before another change must not put that in force after it.
        let _one_at_a_time = self.publishing.lock().await;
        let mut settings = Settings::default();
        for kept in self
            .rows
            .all::<SettingRow>(&self.rows.places().settings())
            .await?
        {
            settings = settings
                .with(&kept.record.name, &kept.record.value)
                .map_err(VaultError::Invalid)?;
        }
        self.settings.store(settings.into());
        Ok(())
    }
}

fn value_of(settings: &Settings, name: &str) -> String {
    let views = settings.views();
    views
        .into_iter()
        .find(|view| view.name == name)
        .map_or(String::new(), |view| view.value)
}
