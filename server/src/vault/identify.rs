//! Who is it? The only place where a [`Caller`] is made.

use std::sync::Arc;

use crate::domain::{
    Application, CertBinding, Lock, OrgId, Organisation, RefusalReason, Role, Scope, Timestamp,
    User, UserId, UserKind, UserName,
};
use crate::store::rows::Ids;
use crate::vault::away::{Proof, Stranger};
use crate::vault::caller::{Identity, Who};
use crate::vault::{
    Caller, CertificateCredential, CertificateTrust, Credential, Origin, Outage, Vault, VaultError,
};

impl Vault {
    /// Finds out who shows `credential`, and whether they may come in from there.
    ///
    /// # Errors
    /// [`VaultError::Unidentified`] with words for the caller when nobody may come in with it; the
    /// audit trail says why. [`VaultError::Unavailable`] when it could not be found out.
    pub async fn identify(
        &self,
        credential: &Credential,
        origin: &Origin,
    ) -> Result<Caller, VaultError> {
        let generation = self.generation();
        let identity = match credential {
            Credential::LocalOperator { uid } => self.operator(*uid, generation).await?,
            Credential::Certificate(shown) => self.certified(shown, origin, generation).await?,
            Credential::Password(shown) => match self.by_password(shown, origin).await? {
                Ok((user, entry)) => {
                    let until = self.clock.now().after(self.settings.load().sign_in);
                    let identity = self.identity_of(user, until, generation).await?;
                    Identity {
                        entry: Some(entry),
                        ..identity
                    }
                }
                Err(away) => return Err(self.turn_away(Proof::Password, &away, origin).await),
            },
            Credential::SshKey(shown) => match self.by_ssh_key(shown, origin).await? {
                Ok(user) => {
                    let until = Timestamp(i64::MAX);
                    self.identity_of(user, until, generation).await?
                }
                Err(away) => return Err(self.turn_away(Proof::SshKey, &away, origin).await),
            },
            Credential::Token(shown) => match self.by_token(shown, origin).await? {
                Ok((user, until)) => Identity {
                    token: Some(self.rows.keys().token_tag(shown)),
                    ..self.identity_of(user, until, generation).await?
                },
                Err(away) => return Err(self.turn_away(Proof::Token, &away, origin).await),
            },
        };
        Ok(Caller {
            identity: Arc::new(identity),
            origin: *origin,
        })
    }

    /// As [`Self::identify`], where nothing about who may come in has changed meanwhile: a name
    /// server may take seconds, and what was taken back by then must not come in.
    ///
    /// # Errors
    /// As for [`Self::identify`].
    pub async fn identify_now(
        &self,
        credential: &Credential,
        origin: &Origin,
    ) -> Result<Caller, VaultError> {
        for _ in 0..TRIES {
            let before = self.generation();
            let caller = self.identify(credential, origin).await?;
            if self.generation() == before {
                return Ok(caller);
            }
        }
        Err(VaultError::Unavailable(Outage::Part(UNSETTLED)))
    }

    /// The same operator, acting in the organisation called `name`.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] when there is none; [`VaultError::NotAllowed`] for anybody but the
    /// operator.
    pub async fn within(&self, caller: &Caller, name: &str) -> Result<Caller, VaultError> {
        if caller.identity.who != Who::Operator {
            return Err(VaultError::NotAllowed);
        }
        let org = self.organisation_named(name).await?;
        let org = org.ok_or(VaultError::NotFound("organisation"))?;
        let identity = Identity {
            org: org.id,
            org_name: Arc::from(org.name.as_str()),
            ..Identity::clone(&caller.identity)
        };
        Ok(Caller {
            identity: Arc::new(identity),
            origin: caller.origin,
        })
    }

    /// Whom a certificate proves: an application where it is one's, a user otherwise.
    async fn certified(
        &self,
        shown: &CertificateCredential,
        origin: &Origin,
        generation: u64,
    ) -> Result<Identity, VaultError> {
        let application = self.application_shown(shown).await?;
        let found = match &application {
            Some(application) => self.by_application(application, shown, origin).await?,
            None => self.by_certificate(shown, origin).await?,
        };
        let user = match found {
            Ok(user) => user,
            Err(why) => {
                let away = stranger(shown, application.as_ref()).away(why);
                return Err(self.turn_away(Proof::Certificate, &away, origin).await);
            }
        };
        let until = shown.valid_until;
        match &application {
            Some(application) => {
                let looked_up = self.clock.now().after(self.settings.load().host_lookup);
                let user = self.identity_of(user, until, generation).await?;
                let user = Identity {
                    valid_until: user.valid_until.min(looked_up),
                    ..user
                };
                Ok(narrowed(user, application))
            }
            None => self.identity_of(user, until, generation).await,
        }
    }

    async fn operator(&self, uid: u32, generation: u64) -> Result<Identity, VaultError> {
        let org = self.organisation(OrgId::DEFAULT).await?;
        Ok(Identity {
            who: Who::Operator,
            org: org.id,
            org_name: Arc::from(""),
            login: format!("operator (uid {uid})"),
            role: Role::Administrator,
            scope: Scope::All,
            within: None,
            generation,
            valid_until: Timestamp(i64::MAX),
            proved_until: Timestamp(i64::MAX),
            entry: None,
            session: None,
            token: None,
            certificate: None,
            grant: None,
        })
    }

    pub(super) async fn identity_of(
        &self,
        user: User,
        until: Timestamp,
        generation: u64,
    ) -> Result<Identity, VaultError> {
        let org = self.organisation(user.org).await?;
        let proved_until = user.expires.map_or(until, |expiry| expiry.min(until));
        let valid_until = match user.kind {
            UserKind::Api { .. } => {
                proved_until.min(self.clock.now().after(self.settings.load().host_lookup))
            }
            UserKind::Person(_) => proved_until,
        };
        Ok(Identity {
            who: Who::User(user.id),
            org: org.id,
            org_name: Arc::from(org.name.as_str()),
            login: user.login(),
            role: user.role,
            scope: user.scope,
            within: None,
            generation,
            valid_until,
            proved_until,
            entry: None,
            session: None,
            token: None,
            certificate: None,
            grant: None,
        })
    }

    /// The one user that a certificate and an address prove, or why there is none.
    async fn by_certificate(
        &self,
        shown: &CertificateCredential,
        origin: &Origin,
    ) -> Result<Result<User, RefusalReason>, VaultError> {
        if shown.valid_until <= self.clock.now() {
            return Ok(Err(RefusalReason::Untrusted));
        }
        let Some(name) = shown
            .common_name
            .as_ref()
            .ok()
            .and_then(|n| UserName::parse(n).ok())
        else {
            return Ok(Err(RefusalReason::UnknownUser));
        };
        let mut refusal = RefusalReason::UnknownUser;
        for user in self.candidates(shown, &name).await? {
            match self.may_enter(&user, origin).await {
                Ok(()) => return Ok(Ok(user)),
                Err(why) => refusal = why,
            }
        }
        Ok(Err(refusal))
    }

    /// The users whom this certificate is bound to, by itself or by its issuer. The CN must be the
    /// user's name to the letter in both cases; in an organisation of its own, O its name.
    async fn candidates(
        &self,
        shown: &CertificateCredential,
        name: &UserName,
    ) -> Result<Vec<User>, VaultError> {
        let places = self.rows.places();
        let mut ids = self.users_bound_to(shown.fingerprint).await?;
        if let CertificateTrust::IssuedBy(_) = shown.trust {
            let org = self.organisation_shown(shown).await?;
            let named = self
                .rows
                .get::<Ids>(places.users_by_name(org, name))
                .await?;
            let named = named.map_or(Vec::new(), |kept| kept.record.0);
            ids.extend(named.into_iter().map(|id| (org, UserId(id))));
        }
        let mut users = Vec::new();
        for (org, id) in ids {
            let Some(kept) = self.rows.get::<User>(places.user(org, id)).await? else {
                continue;
            };
            let user = kept.record;
            if user.name == *name && bound(&user, shown) && self.org_fits(&user, shown).await? {
                users.push(user);
            }
        }
        Ok(users)
    }

    /// In the default organisation, O may say anything: it is invisible until there is another.
    async fn org_fits(
        &self,
        user: &User,
        shown: &CertificateCredential,
    ) -> Result<bool, VaultError> {
        if user.org == OrgId::DEFAULT {
            return Ok(true);
        }
        let org = self.organisation(user.org).await?;
        Ok(shown.organisation.as_deref() == Some(org.name.as_str()))
    }

    async fn organisation_shown(&self, shown: &CertificateCredential) -> Result<OrgId, VaultError> {
        let named: Option<Organisation> = match &shown.organisation {
            Some(name) => self.organisation_named(name).await?,
            None => None,
        };
        Ok(named.map_or(OrgId::DEFAULT, |org| org.id))
    }

    /// Whether a user who is proved may come in now, and from there.
    pub(super) async fn may_enter(
        &self,
        user: &User,
        origin: &Origin,
    ) -> Result<(), RefusalReason> {
        if self.is_kept_out(user) {
            return Err(RefusalReason::Locked);
        }
        match (&user.kind, origin.peer) {
            (UserKind::Api { any_host: true, .. }, _) => Ok(()),
            (UserKind::Api { host, .. }, Some(peer)) => self.comes_from(host, peer).await,
            (UserKind::Api { .. }, None) => Err(RefusalReason::WrongHost),
            // People move about; what keeps theirs safe is what they show.
            (UserKind::Person(_), _) => Ok(()),
        }
    }

    /// Whether a user is locked or has expired.
    pub(super) fn is_kept_out(&self, user: &User) -> bool {
        user.lock == Lock::Locked || user.expires.is_some_and(|at| at <= self.clock.now())
    }
}

/// How often it is found out who calls, while that changes.
const TRIES: usize = 4;
const UNSETTLED: &str = "who may come in changes faster than it can be checked";

fn bound(user: &User, shown: &CertificateCredential) -> bool {
    let UserKind::Api { certificates, .. } = &user.kind else {
        return false;
    };
    certificates
        .iter()
        .any(|binding| match (binding, shown.trust) {
            (CertBinding::Exactly(print), _) => *print == shown.fingerprint,
            (CertBinding::IssuedBy(root), CertificateTrust::IssuedBy(issuer)) => *root == issuer,
            // A thumbprint proves nothing here.
            (CertBinding::IssuedBy(_), CertificateTrust::Pinned)
            | (CertBinding::Thumbprint { .. }, _) => false,
        })
}

/// The application that acts for a user, with what both may do; the audit trail tells both.
fn narrowed(user: Identity, application: &Application) -> Identity {
    Identity {
        login: format!("application {} for {}", application.name, user.login),
        within: Some(application.allowed),
        ..user
    }
}

fn stranger(shown: &CertificateCredential, application: Option<&Application>) -> Stranger {
    let name = match (application, &shown.common_name) {
        (Some(application), _) => format!("application {}", application.name),
        (None, Ok(name)) => name.clone(),
        (None, Err(problem)) => format!("({problem})"),
    };
    Stranger::new(format!("{name} [{}]", shown.fingerprint))
}
