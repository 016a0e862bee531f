//! Users: made, found, locked, removed; their tokens.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::domain::{Expiry, Lock, Password, Role, Scope, Timestamp, User, UserId};
use crate::doors::rest::Rest;
use crate::doors::rest::dispatch::{Ask, Trouble};
use crate::doors::rest::envelope::{Done, Fields as Out, Secret};
use crate::doors::rest::input::{Fields, Unfit};
use crate::vault::{Caller, NewPerson, NewUser, UserEdit, UserRef};

impl Rest {
    pub(super) async fn create_user(&self, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let fields = ask.input.fields()?;
        let done = Done::new("User Created Successfully");
        if !fields.flag("ISAPIUSER")? {
            self.create_person(&fields, ask.caller).await?;
            return Ok(done);
        }
        let expires = expiry(&fields, self.vault.now())?;
        let wants_token = fields.flag("RESTAPIACCESS")?;
        let user = self
            .create_program(&fields, expires, wants_token, ask.caller)
            .await?;
        let told = Out::new().with("USERID", user.id.0);
        if !wants_token {
            return Ok(done.with(told));
        }
        let issued = self
            .vault
            .issue_token(&user.login(), expires, ask.caller)
            .await?;
        let text = Zeroizing::new(issued.text.expose().to_owned());
        Ok(done.with(told.with("AUTHTOKEN", Secret::new(text))))
    }

    /// Makes an API user, `USERNAME@HOSTNAME`. The expiry that is given is its token's, where it
    /// gets one, and its own otherwise.
    async fn create_program(
        &self,
        fields: &Fields<'_>,
        expires: Option<Expiry>,
        wants_token: bool,
        caller: &Caller,
    ) -> Result<User, Trouble> {
        let login = format!("{}@{}", fields.text("USERNAME")?, fields.text("HOSTNAME")?);
        let own_end = expires.filter(|_| !wants_token).and_then(Expiry::end);
        let new = NewUser {
            login,
            role: role(fields)?,
            scope: scope(fields)?,
            full_name: fields.optional("FULLNAME")?.map(str::to_owned),
            any_host: fields.denies("HOSTCHECK")?,
            certificates: Vec::new(),
            department: fields.or_empty("DEPARTMENT")?.to_owned(),
            location: fields.or_empty("LOCATION")?.to_owned(),
            expires: own_end,
        };
        Ok(self.vault.add_user(&new, caller).await?)
    }

    async fn create_person(&self, fields: &Fields<'_>, caller: &Caller) -> Result<User, Trouble> {
        let text = |name| Ok::<_, Unfit>(fields.or_empty(name)?.to_owned());
        let password = Zeroizing::new(fields.text("PASSWORD")?.to_owned());
        let password = Password::parse(password).map_err(|e| Unfit(format!("PASSWORD: {e}")))?;
        let expires = expiry(fields, self.vault.now())?;
        let new = NewPerson {
            name: fields.text("USERNAME")?.to_owned(),
            role: role(fields)?,
            scope: scope(fields)?,
            first: text("FIRSTNAME")?,
            last: text("LASTNAME")?,
            email: text("EMAIL")?,
            full_name: fields.optional("FULLNAME")?.map(str::to_owned),
            department: text("DEPARTMENT")?,
            location: text("LOCATION")?,
            expires: expires.and_then(Expiry::end),
            second_factor: fields.flag("ENABLETWOFACTOR")?,
            password: Arc::new(password),
        };
        Ok(self.vault.add_person(&new, caller).await?)
    }

    pub(super) async fn user_id(&self, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let name = ask.input.needed("USERNAME")?;
        let user = self.vault.user(name, ask.caller).await?;
        let id = Out::new().with("USERID", user.id.0);
        Ok(Done::new("User ID fetched successfully").with(id))
    }

    pub(super) async fn lock_user(&self, ask: &Ask<'_>) -> Result<Done, Trouble> {
        self.set_lock(Lock::Locked, ask).await?;
        Ok(Done::new("User locked successfully"))
    }

    pub(super) async fn unlock_user(&self, ask: &Ask<'_>) -> Result<Done, Trouble> {
        self.set_lock(Lock::Open, ask).await?;
        Ok(Done::new("User unlocked successfully"))
    }

    async fn set_lock(&self, lock: Lock, ask: &Ask<'_>) -> Result<(), Trouble> {
        let name = ask.input.needed("USERNAME")?;
        let edit = UserEdit::Lock(lock);
        Ok(self.vault.edit_user(name, &edit, ask.caller).await?)
    }

    pub(super) async fn delete_user(&self, id: UserId, ask: &Ask<'_>) -> Result<Done, Trouble> {
        self.vault.remove_user(UserRef::Id(id), ask.caller).await?;
        Ok(Done::new("User deleted successfully"))
    }

    /// Another token, and the others taken back: of the user who is named, or of whoever asks.
    pub(super) async fn regenerate_token(&self, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let expires = expiry(&ask.input.fields()?, self.vault.now())?;
        let user = match (
            ask.input.parameter("USERID")?,
            ask.input.parameter("USERNAME")?,
        ) {
            (Some(_), _) => UserRef::Id(UserId(ask.input.id("USERID")?)),
            (None, Some(name)) => UserRef::Named(name),
            (None, None) => UserRef::Named(ask.caller.login()),
        };
        let issued = self
            .vault
            .regenerate_token(user, expires, ask.caller)
            .await?;
        let text = Zeroizing::new(issued.text.expose().to_owned());
        let details = Out::new()
            .with("USERID", issued.token.user.0)
            .with("AUTHTOKEN", Secret::new(text));
        Ok(Done::new("Authentication token regenerated successfully").with(details))
    }
}

/// The original's word for a role, or ours; where none is given, the least.
fn role(fields: &Fields<'_>) -> Result<Role, Unfit> {
    let Some(word) = fields.optional("ROLE")? else {
        return Ok(Role::PasswordUser);
    };
    let ours = word.to_ascii_lowercase().replace(' ', "-");
    let words = "ROLE is none of Administrator, Password Administrator, Password Auditor, \
                 Password User";
    ours.parse().map_err(|()| Unfit(words.to_owned()))
}

fn scope(fields: &Fields<'_>) -> Result<Scope, Unfit> {
    Ok(if fields.flag("ISSUPERADMIN")? {
        Scope::All
    } else {
        Scope::Owned
    })
}

/// Until when: a day, `NeverExpires`, or so many days; nothing where nothing is said.
fn expiry(fields: &Fields<'_>, now: Timestamp) -> Result<Option<Expiry>, Unfit> {
    let unfit = |name: &str, error: crate::domain::ExpiryError| Unfit(format!("{name}: {error}"));
    match (
        fields.optional("EXPIRYDATE")?,
        fields.number("TOKENVALIDITYDAYS")?,
    ) {
        (Some(_), Some(_)) => {
            let words = "EXPIRYDATE and TOKENVALIDITYDAYS say the same thing twice";
            Err(Unfit(words.to_owned()))
        }
        (Some(word), None) if word.eq_ignore_ascii_case("NeverExpires") => Ok(Some(Expiry::Never)),
        (Some(day), None) => Expiry::parse(day)
            .map(Some)
            .map_err(|error| unfit("EXPIRYDATE", error)),
        (None, Some(days)) => Expiry::in_days(days, now)
            .map(Some)
            .map_err(|error| unfit("TOKENVALIDITYDAYS", error)),
        (None, None) => Ok(None),
    }
}
