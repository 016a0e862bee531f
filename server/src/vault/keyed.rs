//! Who comes with a certificate and an API key, and for what; and who comes with a certificate
//! alone.

use std::sync::Arc;

use crate::domain::{
    Account, AccountId, AccountName, Allowed, ApiKey, Application, ApplicationId, CertBinding,
    Host, Level, Lock, Operation, OrgId, Permit, RefusalReason, ResourceId, Role, Scope,
    SecretKind, Thumbprint, Timestamp, User, UserId, UserKind,
};
use crate::store::rows::{BrokerRow, Ids, Kept, RetrievableRow};
use crate::vault::away::{Proof, Stranger};
use crate::vault::book::Deed;
use crate::vault::caller::{Certified, Grant, Identity, Who};
use crate::vault::retrievable::is_same;
use crate::vault::user_edits::note_thumbprint;
use crate::vault::{Caller, CertificateCredential, Origin, Outage, SignedIn, Vault, VaultError};

/// Somebody who came with an API key.
#[derive(Clone, Debug)]
pub struct Keyed {
    /// Who it is, narrowed to what the key is for.
    pub caller: Caller,
    /// What the key is for.
    pub of: KeyOf,
}

/// What an API key is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyOf {
    /// One account.
    Account {
        /// The resource that it is on.
        resource: ResourceId,
        /// The account.
        account: AccountId,
        /// How it is called.
        name: AccountName,
        /// What it keeps.
        kind: SecretKind,
        /// Whether it may be changed, too.
        bidirectional: bool,
    },
    /// Requests in users' names.
    Broker {
        /// The application that raises them.
        application: ApplicationId,
    },
}

/// What is known of a key, before anybody has proved to be the one who may show it.
pub(super) struct Meant {
    pub(super) application: Application,
    pub(super) user: Kept<User>,
    pub(super) from: Vec<Host>,
    pub(super) account: Option<(ResourceId, Account)>,
}

impl Vault {
    /// Who shows this certificate and this API key. Whatever is wrong, with the key, the
    /// certificate, the address, the registration or its user, is one answer; the audit trail
    /// says which it was.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::Unavailable`] when it could not be found out.
    pub async fn by_key(
        &self,
        shown: &CertificateCredential,
        key: &ApiKey,
        origin: &Origin,
    ) -> Result<Keyed, VaultError> {
        for _ in 0..TRIES {
            let generation = self.generation();
            let meant = self.meant_by(key).await?;
            let name = meant.as_ref().map(|meant| meant.application.name.clone());
            let checked = match meant {
                Some(meant) => self.proved(meant, shown, origin).await?,
                None => Err(RefusalReason::UnknownUser),
            };
            let meant = match checked {
                Ok(meant) => meant,
                Err(why) => {
                    let name =
                        name.map_or_else(String::new, |name| format!("registration {name} "));
                    return Err(self.no_key((name, why), shown, origin).await);
                }
            };
            let until = shown.valid_until;
            let keyed = self.keyed(meant, (until, generation), origin).await?;
            // A name server may take seconds: what was taken back by then must not come in.
            if self.generation() == generation {
                return Ok(keyed);
            }
        }
        Err(VaultError::Unavailable(Outage::Part(UNSETTLED)))
    }

    /// The certificate user whom a certificate proves by itself; it sees what of its own is to be
    /// seen, and may do nothing else.
    ///
    /// # Errors
    /// [`VaultError::Unidentified`]; [`VaultError::Unavailable`].
    pub async fn by_certificate_alone(
        &self,
        shown: &CertificateCredential,
        origin: &Origin,
    ) -> Result<Caller, VaultError> {
        let identity = self.certificate_user(shown, origin).await?;
        let identity = Identity {
            within: Some(Allowed::default()),
            ..identity
        };
        Ok(Caller {
            identity: Arc::new(identity),
            origin: *origin,
        })
    }

    /// Signs a certificate user in.
    ///
    /// # Errors
    /// As for [`Self::by_certificate_alone`]; [`VaultError::Unavailable`] when too many are signed
    /// in.
    pub async fn sign_in_with_certificate(
        &self,
        shown: &CertificateCredential,
        origin: &Origin,
    ) -> Result<SignedIn, VaultError> {
        let trust = self.generation.trust();
        let identity = self.certificate_user(shown, origin).await?;
        let until = self.clock.now().after(self.settings.load().sign_in);
        let identity = Identity {
            // From where it comes is asked every time: the host need not be looked up again sooner.
            valid_until: shown.valid_until.min(until),
            proved_until: identity.proved_until.min(until),
            certificate: Some(Arc::new(Certified {
                shown: shown.clone(),
                trust,
            })),
            ..identity
        };
        let caller = Caller {
            identity: Arc::new(identity),
            origin: *origin,
        };
        let deed =
            Deed::new(Operation::Identify).detail(format!("certificate {}", shown.fingerprint));
        self.allow(&deed, &caller).await?;
        self.open_session(&caller, origin)
    }

    /// Whoever signed in with a certificate, as it is now, if that would still prove it: nothing
    /// about trust has changed since, for the certificate is not there to be looked at again.
    pub(super) async fn certified_again(
        &self,
        (before, certified): (&Identity, &Arc<Certified>),
        origin: &Origin,
    ) -> Result<Option<Identity>, VaultError> {
        let generation = self.generation();
        if certified.trust != self.generation.trust() {
            return Ok(None);
        }
        let kept = self.proved_by(&certified.shown).await?;
        let same = |user: &User| before.who == Who::User(user.id) && before.org == user.org;
        let Some(user) = kept.map(|kept| kept.record).filter(same) else {
            return Ok(None);
        };
        let expires = user.expires.unwrap_or(before.valid_until);
        if self.may_enter(&user, origin).await.is_err() {
            return Ok(None);
        }
        Ok(Some(Identity {
            session: before.session,
            certificate: Some(certified.clone()),
            valid_until: before.valid_until.min(expires),
            ..self
                .identity_of(user, before.valid_until, generation)
                .await?
        }))
    }

    /// That no other user has one of these thumbprints.
    pub(super) async fn thumbprints_are_free(
        &self,
        prints: &[Thumbprint],
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        for print in prints {
            let key = self.rows.places().users_by_thumbprint(*print);
            if self.rows.get::<Ids>(key).await?.is_some() {
                let answer = VaultError::Exists("a user with this thumbprint");
                let why = RefusalReason::Exists;
                return Err(self.refuse(deed, why, answer, caller).await);
            }
        }
        Ok(())
    }

    /// What a key leads to: as many look-ups, whether there is anything or not.
    async fn meant_by(&self, key: &ApiKey) -> Result<Option<Meant>, VaultError> {
        let places = self.rows.places();
        let index = self.rows.seek::<Ids>(places.api_key(key)).await?;
        let numbers = index.map_or(Vec::new(), |kept| kept.record.0);
        let number = |at: usize| numbers.get(at).copied().unwrap_or_default();
        let (org, id) = (OrgId(number(0)), ApplicationId(number(1)));
        let (resource, account) = (ResourceId(number(2)), AccountId(number(3)));
        let place = places.retrievable(resource, account, id);
        let retrievable = self.rows.seek::<RetrievableRow>(place).await?;
        let broker = self.rows.seek::<BrokerRow>(places.broker(id)).await?;
        let kept = self.rows.seek::<Application>(places.application(org, id));
        let application = kept.await?.map(|kept| kept.record);
        let user = application.as_ref().map_or(UserId(0), |it| it.inherits);
        let user = self.rows.seek::<User>(places.user(org, user)).await?;
        let kept = self.rows.seek::<Account>(places.account(resource, account));
        let account = kept.await?.map(|kept| (resource, kept.record));
        let (Some(application), Some(user)) = (application, user) else {
            return Ok(None);
        };
        let retrievable = retrievable.filter(|kept| is_same(&kept.record.key, key));
        let broker = broker.filter(|kept| is_same(&kept.record.key, key));
        Ok(match (retrievable, account, broker) {
            (Some(kept), Some(account), _) => Some(Meant {
                application,
                user,
                from: kept.record.retrievable.from,
                account: Some(account),
            }),
            (None, None, Some(kept)) => Some(Meant {
                application,
                user,
                from: kept.record.broker.from,
                account: None,
            }),
            _ => None,
        })
    }

    /// Whether whoever shows the certificate may come with that key, and from there.
    async fn proved(
        &self,
        meant: Meant,
        shown: &CertificateCredential,
        origin: &Origin,
    ) -> Result<Result<Meant, RefusalReason>, VaultError> {
        let (application, user) = (&meant.application, &meant.user.record);
        let own = application.certificates.contains(&shown.fingerprint);
        if !self.settings.load().a2a_service {
            return Ok(Err(RefusalReason::Locked));
        }
        if shown.valid_until <= self.clock.now() {
            return Ok(Err(RefusalReason::Untrusted));
        }
        if !own && !proves(user, shown) {
            return Ok(Err(RefusalReason::UnknownUser));
        }
        if let Some(why) = self.kept_from(&meant, own, origin).await? {
            return Ok(Err(why));
        }
        if !own {
            self.remember_first(&meant.user, shown).await?;
        }
        Ok(Ok(meant))
    }

    /// Why whoever has proved to be the one may not come in all the same, or not from there.
    pub(super) async fn kept_from(
        &self,
        meant: &Meant,
        own: bool,
        origin: &Origin,
    ) -> Result<Option<RefusalReason>, VaultError> {
        let (application, user) = (&meant.application, &meant.user.record);
        if application.lock == Lock::Locked || self.is_kept_out(user) {
            return Ok(Some(RefusalReason::Locked));
        }
        let Some(peer) = origin.peer else {
            return Ok(Some(RefusalReason::WrongHost));
        };
        let listed = meant
            .from
            .iter()
            .any(|host| host.contains(peer) == Some(true));
        if !meant.from.is_empty() && !listed {
            return Ok(Some(RefusalReason::WrongHost));
        }
        if !application.anywhere
            && let Err(why) = self.comes_from(&application.host, peer).await
        {
            return Ok(Some(why));
        }
        if let Some(why) = self.factor_against_token(user).await? {
            return Ok(Some(why));
        }
        // An application's own certificate comes from the application's own host.
        if !own && let Err(why) = self.may_enter(user, origin).await {
            return Ok(Some(why));
        }
        Ok(None)
    }

    /// Whoever may come in, narrowed to what the key is for.
    pub(super) async fn keyed(
        &self,
        meant: Meant,
        (until, generation): (Timestamp, u64),
        origin: &Origin,
    ) -> Result<Keyed, VaultError> {
        let application = meant.application;
        let until = match application.anywhere {
            true => until,
            false => until.min(self.clock.now().after(self.settings.load().host_lookup)),
        };
        let user = self
            .identity_of(meant.user.record, until, generation)
            .await?;
        let mut identity = Identity {
            login: format!("registration {} for {}", application.name, user.login),
            role: Role::PasswordUser,
            scope: Scope::Owned,
            within: Some(Allowed::default()),
            ..user
        };
        let Some((resource, account)) = meant.account else {
            return Ok(Keyed {
                caller: Caller {
                    identity: Arc::new(identity),
                    origin: *origin,
                },
                of: KeyOf::Broker {
                    application: application.id,
                },
            });
        };
        let both = application.bidirectional && application.allowed.has(Permit::Reset);
        let permits = [(Permit::Retrieve, true), (Permit::Reset, both)];
        let permits = permits
            .into_iter()
            .filter(|(permit, wanted)| *wanted && application.allowed.has(*permit));
        let permits: Vec<Permit> = permits.map(|(permit, _)| permit).collect();
        identity.within = Some(Allowed::of(&permits));
        identity.grant = Some(Arc::new(Grant {
            resource,
            account: account.id,
            name: account.name.clone(),
            level: if both { Level::Modify } else { Level::View },
        }));
        Ok(Keyed {
            caller: Caller {
                identity: Arc::new(identity),
                origin: *origin,
            },
            of: KeyOf::Account {
                resource,
                account: account.id,
                name: account.name,
                kind: account.kind,
                bidirectional: both,
            },
        })
    }

    async fn no_key(
        &self,
        (name, why): (String, RefusalReason),
        shown: &CertificateCredential,
        origin: &Origin,
    ) -> VaultError {
        let who = Stranger::new(format!("{name}[{}]", shown.fingerprint)).detail(NO_KEY.to_owned());
        match self
            .turn_away(Proof::Certificate, &who.away(why), origin)
            .await
        {
            VaultError::Unidentified(_) => VaultError::NotAllowed,
            unwritten => unwritten,
        }
    }

    /// The one user whom a certificate proves by itself.
    async fn certificate_user(
        &self,
        shown: &CertificateCredential,
        origin: &Origin,
    ) -> Result<Identity, VaultError> {
        for _ in 0..TRIES {
            let generation = self.generation();
            let why = match self.proved_by(shown).await? {
                _ if shown.valid_until <= self.clock.now() => RefusalReason::Untrusted,
                None => RefusalReason::UnknownUser,
                Some(kept) => match self.may_enter(&kept.record, origin).await {
                    Err(why) => why,
                    Ok(()) => {
                        self.remember_first(&kept, shown).await?;
                        let until = shown.valid_until;
                        let found = self.identity_of(kept.record, until, generation).await?;
                        if self.generation() == generation {
                            return Ok(found);
                        }
                        continue;
                    }
                },
            };
            let away = Stranger::new(format!("[{}]", shown.fingerprint)).away(why);
            return Err(self.turn_away(Proof::Certificate, &away, origin).await);
        }
        Err(VaultError::Unavailable(Outage::Part(UNSETTLED)))
    }

    /// The one user who is bound to a certificate; nobody where there are several.
    async fn proved_by(
        &self,
        shown: &CertificateCredential,
    ) -> Result<Option<Kept<User>>, VaultError> {
        let exact = self.users_bound_to(shown.fingerprint).await?;
        let key = self.rows.places().users_by_thumbprint(shown.thumbprint);
        let listed = self.rows.get::<Ids>(key).await?;
        let numbers = listed.map_or(Vec::new(), |kept| kept.record.0);
        let (pairs, _) = numbers.as_chunks::<2>();
        let known = pairs.iter().map(|[org, id]| (OrgId(*org), UserId(*id)));
        let mut proved: Vec<Kept<User>> = Vec::new();
        for (org, id) in exact.into_iter().chain(known) {
            let kept = self
                .rows
                .get::<User>(self.rows.places().user(org, id))
                .await?;
            let kept = kept.filter(|kept| proves(&kept.record, shown));
            proved.extend(kept.filter(|kept| proved.iter().all(|it| it.key != kept.key)));
        }
        if proved.len() > 1 {
            // Whoever else was bound to somebody's certificate does not shut its user out.
            let name = shown.common_name.as_deref().unwrap_or_default();
            proved.retain(|kept| kept.record.name.as_str() == name);
        }
        let one = proved.len() == 1;
        Ok(proved.pop().filter(|_| one))
    }

    /// Remembers which certificate came first with a thumbprint: no other one that has it, too,
    /// counts from then on.
    async fn remember_first(
        &self,
        kept: &Kept<User>,
        shown: &CertificateCredential,
    ) -> Result<(), VaultError> {
        let mut user = kept.record.clone();
        if !see_first(&mut user, shown) || self.secondary {
            return Ok(());
        }
        let mut changes = self.rows.changes();
        changes.replace(kept, &user)?;
        match changes.commit().await.map_err(VaultError::from) {
            // Whoever was faster has remembered it, or has changed the user: it is looked at again.
            Ok(()) | Err(VaultError::Conflict) => {
                self.generation.grow();
                Ok(())
            }
            Err(other) => Err(other),
        }
    }
}

/// Whether a user is bound to this very certificate.
fn proves(user: &User, shown: &CertificateCredential) -> bool {
    let UserKind::Api { certificates, .. } = &user.kind else {
        return false;
    };
    certificates.iter().any(|binding| match binding {
        CertBinding::Exactly(print) => *print == shown.fingerprint,
        CertBinding::Thumbprint { thumbprint, seen } => {
            *thumbprint == shown.thumbprint && seen.is_none_or(|seen| seen == shown.fingerprint)
        }
        CertBinding::IssuedBy(_) => false,
    })
}

/// The thumbprints that a user is bound to.
pub(super) fn thumbprints(user: &User) -> Vec<Thumbprint> {
    let UserKind::Api { certificates, .. } = &user.kind else {
        return Vec::new();
    };
    let print = |binding: &CertBinding| match binding {
        CertBinding::Thumbprint { thumbprint, .. } => Some(*thumbprint),
        CertBinding::Exactly(_) | CertBinding::IssuedBy(_) => None,
    };
    certificates.iter().filter_map(print).collect()
}

/// Notes the certificate beside its thumbprint, and the other way round; says whether that is news.
fn see_first(user: &mut User, shown: &CertificateCredential) -> bool {
    let mut news = note_thumbprint(user, (shown.fingerprint, shown.thumbprint));
    let UserKind::Api { certificates, .. } = &mut user.kind else {
        return false;
    };
    for binding in certificates {
        if let CertBinding::Thumbprint { thumbprint, seen } = binding
            && *thumbprint == shown.thumbprint
            && seen.is_none()
        {
            *seen = Some(shown.fingerprint);
            news = true;
        }
    }
    news
}

const TRIES: usize = 4;
const UNSETTLED: &str = "who may come in changes faster than it can be checked";
const NO_KEY: &str = "by API key";
