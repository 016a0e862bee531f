//! Applications: machine identities that act for a user, with some of the operations only. Making,
//! changing and removing them, and which one a certificate proves.

use crate::domain::{
    Allowed, Application, ApplicationId, ApplicationName, Fingerprint, FreeText, Host, Lock,
    Operation, OrgId, Platform, RefusalReason, User, may_stand_in,
};
use crate::store::rows::{Changes, Ids, Kept};
use crate::vault::book::Deed;
use crate::vault::id_block::IdKind;
use crate::vault::leftovers::Leftover;
use crate::vault::{Caller, CertificateCredential, Origin, Vault, VaultError};

/// An application to be made.
#[derive(Clone, Debug)]
pub struct NewApplication {
    /// Its name.
    pub name: String,
    /// From where it may come: a DNS name, an address, or a network.
    pub host: String,
    /// What its host runs.
    pub platform: Platform,
    /// What it may do at most; not nothing.
    pub allowed: Allowed,
    /// The login of the user for whom it acts.
    pub inherits: String,
    /// The certificates that prove it.
    pub certificates: Vec<Fingerprint>,
}

/// What changes about an application; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ApplicationEdit {
    /// From where it may come.
    pub host: Option<String>,
    /// What its host runs.
    pub platform: Option<Platform>,
    /// What it may do at most; not nothing.
    pub allowed: Option<Allowed>,
    /// The login of the user for whom it acts.
    pub inherits: Option<String>,
    /// Kept out, or let in again; at the very next request.
    pub lock: Option<Lock>,
    /// Certificates that prove it from now on, too.
    pub bind: Vec<Fingerprint>,
    /// Certificates that prove it no more.
    pub unbind: Vec<Fingerprint>,
}

/// An application, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationView {
    /// The application.
    pub application: Application,
    /// The login of the user for whom it acts.
    pub inherits: String,
}

/// Why something is refused, and what is answered.
pub(super) type No = (RefusalReason, VaultError);

impl Vault {
    /// Makes an application.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::Exists`] for a name that one has already;
    /// [`VaultError::NotFound`] when there is no such user to inherit from;
    /// [`VaultError::Invalid`], for a certificate that is somebody else's, too.
    pub async fn add_application(
        &self,
        new: &NewApplication,
        caller: &Caller,
    ) -> Result<ApplicationView, VaultError> {
        let words = format!("add {} for {}: {}", new.name, new.inherits, new.allowed);
        let deed = Deed::new(Operation::Application).detail(words);
        self.primary_only(&deed, caller).await?;
        self.administer(&deed, caller).await?;
        let mut application = match self.draft_application(new, caller).await? {
            Ok(application) => application,
            Err((why, answer)) => return Err(self.refuse(&deed, why, answer, caller).await),
        };
        application.id = ApplicationId(self.next_id(IdKind::Application).await?);
        self.allow(&deed, caller).await?;
        let done = self.commit_application(&application).await;
        self.settle(&deed, done, caller).await?;
        self.application_view(application).await
    }

    /// At most `limit` applications, after the one with the id `after`.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`].
    pub async fn applications(
        &self,
        after: Option<ApplicationId>,
        limit: usize,
        caller: &Caller,
    ) -> Result<Vec<ApplicationView>, VaultError> {
        let deed = Deed::new(Operation::List).detail("applications");
        self.administer(&deed, caller).await?;
        self.allow(&deed, caller).await?;
        let (places, org) = (self.rows.places(), caller.org());
        let after = after.map(|id| places.application(org, id));
        let prefix = places.applications(org);
        let page = self
            .rows
            .page::<Application>(&prefix, after.as_ref(), limit);
        let mut views = Vec::new();
        for kept in page.await? {
            views.push(self.application_view(kept.record).await?);
        }
        Ok(views)
    }

    /// The application called `name`.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn application(
        &self,
        name: &str,
        caller: &Caller,
    ) -> Result<ApplicationView, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("application {name}"));
        let kept = self.administered_application(name, &deed, caller).await?;
        self.allow(&deed, caller).await?;
        self.application_view(kept.record).await
    }

    /// Changes an application; in force on its very next request.
    ///
    /// # Errors
    /// As for [`Self::add_application`]; [`VaultError::NotFound`] when there is no such
    /// application, or it has no such certificate.
    pub async fn edit_application(
        &self,
        name: &str,
        edit: &ApplicationEdit,
        caller: &Caller,
    ) -> Result<ApplicationView, VaultError> {
        let words = format!("edit {name}: {}", words(edit));
        let deed = Deed::new(Operation::Application).detail(words);
        self.primary_only(&deed, caller).await?;
        let kept = self.administered_application(name, &deed, caller).await?;
        let application = match self.edited(&kept.record, edit, caller).await? {
            Ok(application) => application,
            Err((why, answer)) => return Err(self.refuse(&deed, why, answer, caller).await),
        };
        self.not_widened((&kept.record, &application), &deed, caller)
            .await?;
        self.allow(&deed, caller).await?;
        let done = self.commit_application_edit(&kept, &application).await;
        self.settle(&deed, done, caller).await?;
        self.application_view(application).await
    }

    /// Removes an application: its certificates prove it no more from its very next request on.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn remove_application(&self, name: &str, caller: &Caller) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::Application).detail(format!("remove {name}"));
        self.primary_only(&deed, caller).await?;
        let kept = self.administered_application(name, &deed, caller).await?;
        self.allow(&deed, caller).await?;
        let done = self.commit_application_removal(&kept).await;
        self.settle(&deed, done, caller).await?;
        self.clear_away(Leftover::Application(kept.record.id)).await;
        Ok(())
    }

    /// The application that a certificate proves, by itself alone: neither CN nor issuer make one.
    pub(super) async fn application_shown(
        &self,
        shown: &CertificateCredential,
    ) -> Result<Option<Application>, VaultError> {
        let by_certificate = self
            .rows
            .places()
            .application_by_certificate(shown.fingerprint);
        let Some(index) = self.rows.get::<Ids>(by_certificate).await? else {
            return Ok(None);
        };
        let [org, id] = index.record.0.as_slice() else {
            return Ok(None);
        };
        let place = self
            .rows
            .places()
            .application(OrgId(*org), ApplicationId(*id));
        let kept = self.rows.get::<Application>(place).await?;
        Ok(kept.map(|kept| kept.record))
    }

    /// The user for whom an application acts, if it may come in now, and from there: neither it nor
    /// the user is kept out, and no code is demanded from the user. From where the user itself may come does not matter.
    pub(super) async fn by_application(
        &self,
        application: &Application,
        shown: &CertificateCredential,
        origin: &Origin,
    ) -> Result<Result<User, RefusalReason>, VaultError> {
        if shown.valid_until <= self.clock.now() {
            return Ok(Err(RefusalReason::Untrusted));
        }
        let key = self
            .rows
            .places()
            .user(application.org, application.inherits);
        let Some(user) = self.rows.get::<User>(key).await?.map(|kept| kept.record) else {
            return Ok(Err(RefusalReason::UnknownUser));
        };
        if application.lock == Lock::Locked || self.is_kept_out(&user) {
            return Ok(Err(RefusalReason::Locked));
        }
        if let Some(why) = self.factor_against_token(&user).await? {
            return Ok(Err(why));
        }
        let Some(peer) = origin.peer else {
            return Ok(Err(RefusalReason::WrongHost));
        };
        if application.anywhere {
            return Ok(Ok(user));
        }
        let comes = self.comes_from(&application.host, peer).await;
        Ok(comes.map(|()| user))
    }

    /// That no application has one of these certificates, each of which is to prove a user.
    pub(super) async fn no_application_has(
        &self,
        prints: &[Fingerprint],
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        for print in prints {
            let key = self.rows.places().application_by_certificate(*print);
            if self.rows.get::<Ids>(key).await?.is_some() {
                let answer = VaultError::Invalid(format!("{print} proves an application already"));
                let why = RefusalReason::Exists;
                return Err(self.refuse(deed, why, answer, caller).await);
            }
        }
        Ok(())
    }

    async fn administered_application(
        &self,
        name: &str,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<Application>, VaultError> {
        self.administer(deed, caller).await?;
        match self.application_called(caller.org(), name).await? {
            Some(kept) => {
                self.not_above_user_of(&kept.record, deed, caller).await?;
                Ok(kept)
            }
            None => {
                let answer = VaultError::NotFound("application");
                let why = RefusalReason::NoSuchThing;
                Err(self.refuse(deed, why, answer, caller).await)
            }
        }
    }

    pub(super) async fn application_called(
        &self,
        org: OrgId,
        name: &str,
    ) -> Result<Option<Kept<Application>>, VaultError> {
        let Ok(name) = ApplicationName::parse(name) else {
            return Ok(None);
        };
        let places = self.rows.places();
        let index = self
            .rows
            .get::<Ids>(places.application_by_name(org, &name))
            .await?;
        let Some(id) = index.and_then(|kept| kept.record.0.first().copied()) else {
            return Ok(None);
        };
        let key = places.application(org, ApplicationId(id));
        let kept = self.rows.get::<Application>(key).await?;
        Ok(kept.filter(|kept| kept.record.name == name))
    }

    async fn application_view(
        &self,
        application: Application,
    ) -> Result<ApplicationView, VaultError> {
        let inherits = self.login_of(application.org, application.inherits).await?;
        Ok(ApplicationView {
            application,
            inherits,
        })
    }

    async fn draft_application(
        &self,
        new: &NewApplication,
        caller: &Caller,
    ) -> Result<Result<Application, No>, VaultError> {
        let name = match ApplicationName::parse(&new.name) {
            Ok(name) => name,
            Err(error) => return Ok(Err(invalid(error.to_string()))),
        };
        let org = caller.org();
        let by_name = self.rows.places().application_by_name(org, &name);
        if self.rows.get::<Ids>(by_name).await?.is_some() {
            let answer = VaultError::Exists("an application with this name");
            return Ok(Err((RefusalReason::Exists, answer)));
        }
        let Some(user) = self.user_called(org, &new.inherits).await? else {
            return Ok(Err(no_user()));
        };
        if !may_stand_in(caller.standing(None, None), &user.record) {
            return Ok(Err(above()));
        }
        let bare = Application {
            id: ApplicationId(0),
            org,
            name,
            platform: new.platform,
            host: match Host::parse(&new.host) {
                Ok(host) => host,
                Err(error) => return Ok(Err(invalid(error.to_string()))),
            },
            allowed: new.allowed,
            inherits: user.record.id,
            certificates: Vec::new(),
            lock: Lock::Open,
            created: self.clock.now(),
            anywhere: false,
            description: FreeText::default(),
            visible: false,
            bidirectional: false,
            author: caller.user(),
        };
        let rest = ApplicationEdit {
            allowed: Some(new.allowed),
            bind: new.certificates.clone(),
            ..ApplicationEdit::default()
        };
        self.edited(&bare, &rest, caller).await
    }

    async fn edited(
        &self,
        before: &Application,
        edit: &ApplicationEdit,
        caller: &Caller,
    ) -> Result<Result<Application, No>, VaultError> {
        let mut after = before.clone();
        if let Some(login) = &edit.inherits {
            match self.user_called(before.org, login).await? {
                Some(user) if !may_stand_in(caller.standing(None, None), &user.record) => {
                    return Ok(Err(above()));
                }
                Some(user) => after.inherits = user.record.id,
                None => return Ok(Err(no_user())),
            }
        }
        if let Err(no) = apply(edit, &mut after) {
            return Ok(Err(no));
        }
        for print in &edit.bind {
            if let Some(no) = self.is_taken(*print).await? {
                return Ok(Err(no));
            }
            if after.certificates.contains(print) {
                return Ok(Err(taken(*print, "this application")));
            }
            after.certificates.push(*print);
        }
        self.needs_no_code(before, after).await
    }

    /// An application shows no code: it acts for nobody from whom one is demanded. One that does so
    /// already may be changed, or it could not be locked.
    async fn needs_no_code(
        &self,
        before: &Application,
        after: Application,
    ) -> Result<Result<Application, No>, VaultError> {
        if before.id != ApplicationId(0) && before.inherits == after.inherits {
            return Ok(Ok(after));
        }
        let key = self.rows.places().user(after.org, after.inherits);
        let demands = match self.rows.get::<User>(key).await? {
            Some(user) => self.factor_against_token(&user.record).await?.is_some(),
            None => false,
        };
        Ok(match demands {
            true => Err(invalid(NO_CODE.to_owned())),
            false => Ok(after),
        })
    }

    /// A certificate belongs to one application, or to users. Where both take it at once, it is
    /// the application's: that is looked for first, and reaches less.
    async fn is_taken(&self, print: Fingerprint) -> Result<Option<No>, VaultError> {
        if !self.users_bound_to(print).await?.is_empty() {
            return Ok(Some(taken(print, "a user")));
        }
        let key = self.rows.places().application_by_certificate(print);
        let index = self.rows.get::<Ids>(key).await?;
        Ok(index.map(|_| taken(print, "an application")))
    }

    pub(super) async fn commit_application(
        &self,
        application: &Application,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let mut changes = self.rows.changes();
        let key = places.application(application.org, application.id);
        changes.add(key, application)?;
        let by_name = places.application_by_name(application.org, &application.name);
        changes.add(by_name, &Ids(vec![application.id.0]))?;
        for print in &application.certificates {
            self.add_proof(&mut changes, *print, application)?;
        }
        Ok(changes.commit().await?)
    }

    pub(super) async fn commit_application_edit(
        &self,
        kept: &Kept<Application>,
        after: &Application,
    ) -> Result<(), VaultError> {
        let before = &kept.record;
        let mut changes = self.rows.changes();
        changes.replace(kept, after)?;
        let gone = |print: &&Fingerprint| !after.certificates.contains(print);
        for print in before.certificates.iter().filter(gone) {
            changes.clear(self.rows.places().application_by_certificate(*print));
        }
        let new = |print: &&Fingerprint| !before.certificates.contains(print);
        for print in after.certificates.iter().filter(new) {
            self.add_proof(&mut changes, *print, after)?;
        }
        Ok(changes.commit().await?)
    }

    pub(super) async fn commit_application_removal(
        &self,
        kept: &Kept<Application>,
    ) -> Result<(), VaultError> {
        let (places, application) = (self.rows.places(), &kept.record);
        let mut changes = self.rows.changes();
        changes.remove(kept);
        changes.clear(places.application_by_name(application.org, &application.name));
        for print in &application.certificates {
            changes.clear(places.application_by_certificate(*print));
        }
        self.leave(&mut changes, Leftover::Application(application.id))?;
        Ok(changes.commit().await?)
    }

    fn add_proof(
        &self,
        changes: &mut Changes<'_>,
        print: Fingerprint,
        application: &Application,
    ) -> Result<(), VaultError> {
        let key = self.rows.places().application_by_certificate(print);
        let proven = Ids(vec![application.org.0, application.id.0]);
        Ok(changes.add(key, &proven)?)
    }
}

/// What needs no look into the store.
fn apply(edit: &ApplicationEdit, application: &mut Application) -> Result<(), No> {
    if let Some(host) = &edit.host {
        application.host = Host::parse(host).map_err(|error| invalid(error.to_string()))?;
        application.anywhere = false;
    }
    if let Some(allowed) = edit.allowed {
        if allowed.is_empty() {
            return Err(invalid(ALLOW_SOMETHING.to_owned()));
        }
        application.allowed = allowed;
    }
    application.platform = edit.platform.unwrap_or(application.platform);
    application.lock = edit.lock.unwrap_or(application.lock);
    for print in &edit.unbind {
        let before = application.certificates.len();
        application.certificates.retain(|other| other != print);
        if application.certificates.len() == before {
            let answer = VaultError::NotFound("certificate of this application");
            return Err((RefusalReason::NoSuchThing, answer));
        }
    }
    Ok(())
}

pub(super) fn invalid(words: String) -> No {
    (RefusalReason::Invalid, VaultError::Invalid(words))
}

/// It acts for a user who reaches more than whoever names it.
fn above() -> No {
    (RefusalReason::NotAllowed, VaultError::NotAllowed)
}

fn no_user() -> No {
    (RefusalReason::NoSuchThing, VaultError::NotFound("user"))
}

fn taken(print: Fingerprint, whose: &str) -> No {
    let words = format!("{print} proves {whose} already");
    (RefusalReason::Exists, VaultError::Invalid(words))
}

fn words(edit: &ApplicationEdit) -> String {
    let mut words = Vec::new();
    let mut tell = |what: &str, value: Option<String>| {
        words.extend(value.map(|value| format!("{what} {value}")));
    };
    tell("host", edit.host.clone());
    let platform = edit.platform.map(|platform| platform.as_str().to_owned());
    tell("type", platform);
    tell("allow", edit.allowed.map(|allowed| allowed.to_string()));
    tell("inherit", edit.inherits.clone());
    tell(
        "lock",
        edit.lock.map(|lock| (lock == Lock::Locked).to_string()),
    );
    for print in &edit.bind {
        tell("bind certificate", Some(print.to_string()));
    }
    for print in &edit.unbind {
        tell("unbind certificate", Some(print.to_string()));
    }
    words.join(", ")
}

const NO_CODE: &str = "this user shows a code when it signs in, which an application cannot do: let it \
                       inherit from another";
const ALLOW_SOMETHING: &str = "allow an application retrieve, reset or create, or several of them";
