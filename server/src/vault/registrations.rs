//! Registrations: applications as the A2A interface speaks of them. Whoever administers makes them;
//! a certificate user sees by its certificate which of its own are to be seen.

use crate::domain::{
    Action, Allowed, Application, ApplicationId, ApplicationName, CertBinding, Decision, FreeText,
    Host, Lock, Operation, Permit, Platform, RefusalReason, Thumbprint, User, UserId, UserKind,
    decide, may_stand_in,
};
use crate::store::rows::{BrokerRow, Ids, Kept, TrustRow};
use crate::vault::applications::{No, invalid};
use crate::vault::book::Deed;
use crate::vault::id_block::IdKind;
use crate::vault::leftovers::Leftover;
use crate::vault::{Caller, Vault, VaultError};

/// A registration to be made, or what one is to become.
#[derive(Clone, Debug)]
pub struct NewRegistration {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The certificate user: an API user.
    pub user: Option<UserId>,
    /// Whether it is kept out.
    pub lock: Lock,
    /// Whether its user sees by its certificate alone what it may have, with the API keys.
    pub visible: bool,
    /// Whether it may also change what it may have.
    pub bidirectional: bool,
}

/// A registration, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationView {
    /// The application.
    pub application: Application,
    /// The certificate user; none where it was removed: then nobody comes as this program.
    pub user: Option<User>,
    /// The thumbprint of the certificate that proves the user, where it is known.
    pub thumbprint: Option<Thumbprint>,
    /// The login of whoever made it, if that is still a user.
    pub author: Option<String>,
}

impl Vault {
    /// Makes a registration: an application that may come from anywhere with its user's certificate
    /// and an API key.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::Exists`] for a name that an application has
    /// already; [`VaultError::NotFound`] when there is no such user; [`VaultError::Invalid`].
    pub async fn add_registration(
        &self,
        new: &NewRegistration,
        caller: &Caller,
    ) -> Result<RegistrationView, VaultError> {
        let deed = Deed::new(Operation::Application).detail(format!("register {}", words(new)));
        self.primary_only(&deed, caller).await?;
        self.administer(&deed, caller).await?;
        let mut application = match self.registered(None, new, caller).await? {
            Ok(application) => application,
            Err((why, answer)) => return Err(self.refuse(&deed, why, answer, caller).await),
        };
        application.id = ApplicationId(self.next_id(IdKind::Application).await?);
        self.allow(&deed, caller).await?;
        let done = self.commit_application(&application).await;
        self.settle(&deed, done, caller).await?;
        self.registration_view(application).await
    }

    /// At most `limit` registrations, after the one with the id `after`: all of the organisation
    /// for administrators and auditors, and for others those of their own that are to be seen.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn registrations(
        &self,
        after: Option<ApplicationId>,
        limit: usize,
        caller: &Caller,
    ) -> Result<Vec<RegistrationView>, VaultError> {
        let deed = Deed::new(Operation::List).detail("registrations");
        self.allow(&deed, caller).await?;
        let (places, org) = (self.rows.places(), caller.org());
        let prefix = places.applications(org);
        let mut after = after.map(|id| places.application(org, id));
        let mut views = Vec::new();
        while views.len() < limit {
            let page = self.rows.page::<Application>(&prefix, after.as_ref(), PAGE);
            let page = page.await?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.key.clone());
            for kept in page {
                if views.len() < limit && self.sees(&kept.record, caller) {
                    views.push(self.registration_view(kept.record).await?);
                }
            }
        }
        Ok(views)
    }

    /// The id of the registration with a name, for an administrator; what is found is not written
    /// down, but what is done with it.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn registration_called(
        &self,
        name: &str,
        caller: &Caller,
    ) -> Result<ApplicationId, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("registration {name}"));
        self.administer(&deed, caller).await?;
        match self.application_called(caller.org(), name).await? {
            Some(kept) => Ok(kept.record.id),
            None => Err(self.no_registration(&deed, caller).await),
        }
    }

    /// A registration.
    ///
    /// # Errors
    /// [`VaultError::NotFound`], also for what the caller may not see.
    pub async fn registration(
        &self,
        id: ApplicationId,
        caller: &Caller,
    ) -> Result<RegistrationView, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("registration {id}"));
        let kept = self.seen_registration(id, &deed, caller).await?;
        self.allow(&deed, caller).await?;
        self.registration_view(kept.record).await
    }

    /// Removes a registration with its API keys: they open nothing from the very next request on.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn remove_registration(
        &self,
        id: ApplicationId,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::Application).detail(format!("remove registration {id}"));
        self.primary_only(&deed, caller).await?;
        let kept = self.administered_registration(id, &deed, caller).await?;
        self.allow(&deed, caller).await?;
        let done = self.commit_application_removal(&kept).await;
        self.settle(&deed, done, caller).await?;
        self.clear_away(Leftover::Application(id)).await;
        Ok(())
    }

    /// The thumbprint of the certificate that proves a user, where it is known: it was bound by it,
    /// or the certificate was seen when it was bound or came, or is trusted as itself.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn thumbprint_of(&self, user: &User) -> Result<Option<Thumbprint>, VaultError> {
        let UserKind::Api {
            certificates,
            thumbprints,
            ..
        } = &user.kind
        else {
            return Ok(None);
        };
        for binding in certificates {
            match binding {
                CertBinding::Thumbprint { thumbprint, .. } => return Ok(Some(*thumbprint)),
                CertBinding::Exactly(print) => {
                    if let Some((_, called)) = thumbprints.iter().find(|(of, _)| of == print) {
                        return Ok(Some(*called));
                    }
                    let key = self.rows.places().trust(*print);
                    if let Some(kept) = self.rows.get::<TrustRow>(key).await? {
                        return Ok(Some(Thumbprint::of(&kept.record.der)));
                    }
                }
                CertBinding::IssuedBy(_) => {}
            }
        }
        Ok(None)
    }

    /// The application with an id, for an administrator who may stand in for its user.
    pub(super) async fn administered_registration(
        &self,
        id: ApplicationId,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<Application>, VaultError> {
        self.administer(deed, caller).await?;
        let Some(kept) = self.application_with(id, caller).await? else {
            return Err(self.no_registration(deed, caller).await);
        };
        self.not_above_user_of(&kept.record, deed, caller).await?;
        Ok(kept)
    }

    /// Refuses, and writes down, what is done with an application whose user reaches more; one whose
    /// user is removed may have reached everything: nobody knows.
    pub(super) async fn not_above_user_of(
        &self,
        application: &Application,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let key = places.user(application.org, application.inherits);
        match self.rows.get::<User>(key).await? {
            Some(user) => self.not_above(&user.record, deed, caller).await,
            None if reaches_all(caller) => Ok(()),
            None => {
                let why = RefusalReason::NotAllowed;
                Err(self.refuse(deed, why, VaultError::NotAllowed, caller).await)
            }
        }
    }

    /// The application with an id, for whoever sees it.
    pub(super) async fn seen_registration(
        &self,
        id: ApplicationId,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<Application>, VaultError> {
        match self.application_with(id, caller).await? {
            Some(kept) if self.sees(&kept.record, caller) => Ok(kept),
            _ => Err(self.no_registration(deed, caller).await),
        }
    }

    async fn no_registration(&self, deed: &Deed, caller: &Caller) -> VaultError {
        let answer = VaultError::NotFound("registration");
        self.refuse(deed, RefusalReason::NoSuchThing, answer, caller)
            .await
    }

    async fn application_with(
        &self,
        id: ApplicationId,
        caller: &Caller,
    ) -> Result<Option<Kept<Application>>, VaultError> {
        let key = self.rows.places().application(caller.org(), id);
        Ok(self.rows.get::<Application>(key).await?)
    }

    fn sees(&self, application: &Application, caller: &Caller) -> bool {
        let standing = caller.standing(None, None);
        let by_role = [Action::Administer, Action::ReadAudit]
            .into_iter()
            .any(|action| decide(action, standing) == Decision::Allowed);
        by_role || is_own(application, caller)
    }

    /// Whether somebody who sees an application sees its API keys: its user, to whom it is to be
    /// seen, and whoever administers it; not whoever only reads.
    pub(super) async fn shows_keys(
        &self,
        application: &Application,
        caller: &Caller,
    ) -> Result<bool, VaultError> {
        if is_own(application, caller) {
            return Ok(true);
        }
        let standing = caller.standing(None, None);
        if decide(Action::Administer, standing) != Decision::Allowed {
            return Ok(false);
        }
        let places = self.rows.places();
        let key = places.user(application.org, application.inherits);
        Ok(match self.rows.get::<User>(key).await? {
            Some(user) => caller.is_operator() || may_stand_in(standing, &user.record),
            None => reaches_all(caller),
        })
    }

    /// Refuses, and writes down, that somebody asks for API keys who only reads.
    pub(super) async fn may_see_keys(
        &self,
        application: &Application,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        if self.shows_keys(application, caller).await? {
            return Ok(());
        }
        let why = RefusalReason::NotAllowed;
        Err(self.refuse(deed, why, VaultError::NotAllowed, caller).await)
    }

    pub(super) async fn registration_view(
        &self,
        application: Application,
    ) -> Result<RegistrationView, VaultError> {
        let places = self.rows.places();
        let key = places.user(application.org, application.inherits);
        let user = self.rows.get::<User>(key).await?.map(|kept| kept.record);
        let author = match application.author {
            Some(id) => {
                let key = places.user(application.org, id);
                let kept = self.rows.get::<User>(key).await?;
                kept.map(|kept| kept.record.login())
            }
            None => None,
        };
        let thumbprint = match &user {
            Some(user) => self.thumbprint_of(user).await?,
            None => None,
        };
        Ok(RegistrationView {
            thumbprint,
            application,
            user,
            author,
        })
    }

    /// What a registration is before anything is said of it.
    fn unregistered(&self, name: ApplicationName, caller: &Caller) -> Application {
        let anywhere = std::net::Ipv4Addr::UNSPECIFIED.into();
        Application {
            id: ApplicationId(0),
            org: caller.org(),
            name,
            platform: Platform::Linux,
            host: Host::Network {
                network: anywhere,
                prefix: 0,
            },
            anywhere: true,
            allowed: Allowed::of(&[Permit::Retrieve]),
            inherits: UserId(0),
            certificates: Vec::new(),
            lock: Lock::Open,
            created: self.clock.now(),
            description: FreeText::default(),
            visible: false,
            bidirectional: false,
            author: caller.user(),
        }
    }

    pub(super) async fn registered(
        &self,
        before: Option<&Application>,
        new: &NewRegistration,
        caller: &Caller,
    ) -> Result<Result<Application, No>, VaultError> {
        let (name, description) = match (
            ApplicationName::parse(&new.name),
            FreeText::parse(&new.description),
        ) {
            (Ok(name), Ok(description)) => (name, description),
            (Err(error), _) | (_, Err(error)) => return Ok(Err(invalid(error.to_string()))),
        };
        let before = match before {
            Some(before) => before.clone(),
            None => self.unregistered(name.clone(), caller),
        };
        let by_name = self.rows.places().application_by_name(before.org, &name);
        let index = self.rows.get::<Ids>(by_name).await?;
        if index.is_some_and(|kept| kept.record.0.first() != Some(&before.id.0)) {
            let answer = VaultError::Exists("an application with this name");
            return Ok(Err((RefusalReason::Exists, answer)));
        }
        let user = match new.user {
            Some(id) => self
                .rows
                .get::<User>(self.rows.places().user(before.org, id)),
            None => return Ok(Err(invalid(NAME_A_USER.to_owned()))),
        };
        let user = match user.await? {
            Some(kept) => kept.record,
            None => {
                let answer = VaultError::NotFound("user");
                return Ok(Err((RefusalReason::NoSuchThing, answer)));
            }
        };
        if let UserKind::Person(_) = user.kind {
            return Ok(Err(invalid(NAME_A_USER.to_owned())));
        }
        if !may_stand_in(caller.standing(None, None), &user) {
            return Ok(Err((RefusalReason::NotAllowed, VaultError::NotAllowed)));
        }
        let mut after = Application {
            name,
            description,
            inherits: user.id,
            lock: new.lock,
            visible: new.visible,
            bidirectional: new.bidirectional,
            ..before
        };
        if new.bidirectional && !after.allowed.has(Permit::Reset) {
            let permits: Vec<_> = after.allowed.permits().chain([Permit::Reset]).collect();
            after.allowed = Allowed::of(&permits);
        }
        Ok(Ok(after))
    }

    /// Refuses, and writes down, what would give somebody the accounts of an application, or the
    /// names it speaks in, that does not reach everything: such a one may only shut it out.
    pub(super) async fn not_widened(
        &self,
        (before, after): (&Application, &Application),
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let locked = Application {
            lock: Lock::Locked,
            ..before.clone()
        };
        if after == before || *after == locked || reaches_all(caller) {
            return Ok(());
        }
        if !self.has_keys(before.id).await? {
            return Ok(());
        }
        let why = RefusalReason::NotAllowed;
        Err(self.refuse(deed, why, VaultError::NotAllowed, caller).await)
    }

    /// As [`Self::not_widened`], for what proves a user in whose hands applications are.
    pub(super) async fn opens_no_application(
        &self,
        user: &User,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        if reaches_all(caller) {
            return Ok(());
        }
        let prefix = self.rows.places().applications(user.org);
        let mut after = None;
        loop {
            let page = self.rows.page::<Application>(&prefix, after.as_ref(), PAGE);
            let page = page.await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.key.clone());
            for kept in page {
                if kept.record.inherits == user.id && self.has_keys(kept.record.id).await? {
                    let why = RefusalReason::NotAllowed;
                    return Err(self.refuse(deed, why, VaultError::NotAllowed, caller).await);
                }
            }
        }
    }

    /// Whether an application has anything by API key.
    async fn has_keys(&self, id: ApplicationId) -> Result<bool, VaultError> {
        let places = self.rows.places();
        let theirs = places.retrievables_of(id);
        if !self.rows.page::<Ids>(&theirs, None, 1).await?.is_empty() {
            return Ok(true);
        }
        Ok(self
            .rows
            .get::<BrokerRow>(places.broker(id))
            .await?
            .is_some())
    }
}

/// Whether a registration is somebody's own, and to be seen by it.
pub(super) fn is_own(application: &Application, caller: &Caller) -> bool {
    application.visible && caller.user() == Some(application.inherits)
}

/// Whether nothing in the organisation is out of somebody's reach.
pub(super) fn reaches_all(caller: &Caller) -> bool {
    caller.is_operator() || caller.reaches_all()
}

pub(super) fn words(new: &NewRegistration) -> String {
    let user = new.user.map_or(0, |id| id.0);
    let flags = [
        (new.lock == Lock::Locked, "disabled"),
        (new.visible, "visible"),
        (new.bidirectional, "bidirectional"),
    ];
    let flags = flags.iter().filter(|(on, _)| *on).map(|(_, word)| *word);
    let flags: Vec<_> = flags.collect();
    format!("{} for user {user} {}", new.name, flags.join(" "))
}

const PAGE: usize = 64;
const NAME_A_USER: &str = "a registration needs a certificate user: an API user with a certificate";

/// What is done with a registration, as the audit trail tells it.
pub(super) fn deed_on(id: ApplicationId, what: &str) -> Deed {
    Deed::new(Operation::Application).detail(format!("registration {id}: {what}"))
}
