//! COUNTER: every rule, one file per family of operations. May use `domain`, `store`, `ledger` and
//! `connectors`.
//!
//! Every operation asks for a [`Caller`], and [`Vault::identify`] alone makes one. Every operation
//! writes its decision into the ledger before anything leaves or changes.

mod access;
mod accounts;
mod anchor;
mod applications;
mod associations;
mod away;
mod backup;
mod beside;
mod book;
mod broker;
mod caller;
mod catalogue;
mod change;
mod clock;
mod create;
mod directory;
mod documents;
mod earlier;
mod error;
mod events;
mod find;
mod generation;
mod ground;
mod group_edits;
mod groups;
mod handover;
mod heard;
mod host;
mod id_block;
mod identify;
mod index;
mod inventory;
mod keyed;
mod keys;
mod leftovers;
mod mailbox;
mod material;
mod memberships;
mod organisations;
mod pages;
mod patience;
mod persons;
mod policies;
mod reading;
mod reference;
mod registration_edits;
mod registrations;
mod report;
mod reset;
mod resource_group_shares;
mod resource_groups;
mod resources;
mod resume;
mod retrievable;
mod retrieve;
mod second_factor;
mod sessions;
mod settings;
mod shares;
mod shortcut;
mod sign_in;
mod ssh_keys;
mod status;
mod tokens;
mod transfer;
mod trust;
mod user_edits;
mod users;
mod workflow;

pub use crate::ledger::{
    Entry as AuditEntry, Export as AuditExport, ExportFormat as AuditFormat, Follower,
    Head as AuditHead, Order, OutcomeKind, Page as AuditPage, Progress as AuditProgress,
    Query as AuditQuery, Report as AuditReport, Word, json_line as audit_line, neutralise,
};
pub use accounts::{AccountEdit, AccountView, NewAccount};
pub use anchor::AnchorState;
pub use applications::{ApplicationEdit, ApplicationView, NewApplication};
pub use backup::{BackupFiles, BackupProgress, BackupReport};
pub use beside::ApiKeyBeside;
pub use broker::{BrokerView, NewBroker};
pub use caller::{
    Caller, CertificateCredential, CertificateTrust, Credential, Origin, PasswordCredential,
    SshCredential,
};
pub use catalogue::CatalogueEntry;
pub use change::{NewPassword, Reach};
pub use clock::{Chance, Clock, NoChance, SystemChance, SystemClock};
pub use create::{Made, NewResource};
pub use directory::ListLimits;
pub use error::{Hurdle, Outage, VaultError};
pub use group_edits::GroupEdit;
pub use groups::NewGroup;
pub use handover::Voucher;
pub use host::{Resolve, ResolveError, SystemResolver};
pub use inventory::Located;
pub use keyed::{KeyOf, Keyed};
pub use keys::RotationProgress;
pub use mailbox::{Changed, Heard, Listening};
pub use pages::{Filter, Page, Search, SearchColumn, SearchKind, Within};
pub use persons::NewPerson;
pub use reference::{AccountRef, ResourceGroupRef, ResourceRef, TargetRef, UserRef, Wanted};
pub use registrations::{NewRegistration, RegistrationView};
pub use report::{AccountFacts, AccountReport};
pub use reset::{
    Claim, DueView, Held, NewTarget, PendingView, ResetLimits, RotationView, RunFailure,
    RunProgress, Settled, TargetTest, TargetView, Tried,
};
pub use resources::{ResourceEdit, ResourceView};
pub use resume::Resumption;
pub use retrievable::RetrievableView;
pub use second_factor::{FactorOffer, FactorText, FactorView};
pub use sessions::SignedIn;
pub use settings::{SettingView, Settings};
pub use shares::{GranteeName, ShareView, SharedWith};
pub use status::HouseStatus;
pub use tokens::IssuedToken;
pub use transfer::{Entry, EntryError};
pub use trust::{TrustListener, Trusted};
pub use user_edits::UserNames;
pub use users::{NewUser, UserEdit};
pub use workflow::{
    AccessControlView, AccessPolicyView, CheckedOut, NewAccessControl, NewAccessPolicy, REQUESTED,
    RequestPlace, RequestView,
};

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use crate::domain::RequestId;
use crate::ledger::Ledger;
use crate::store::rows::Rows;

/// What a vault is made of.
#[derive(Debug)]
pub struct Parts {
    /// The safe.
    pub rows: Rows,
    /// The book.
    pub ledger: Arc<Ledger>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Random numbers.
    pub chance: Arc<dyn Chance>,
    /// Forward look-ups of host names.
    pub resolver: Arc<dyn Resolve>,
    /// Who is told when trust changes.
    pub trust: Arc<dyn TrustListener>,
    /// How many allowed retrievals are remembered, so that the next ones are found faster.
    pub shortcuts: usize,
    /// Whether this server answers retrievals only.
    pub secondary: bool,
}

/// The counter: the one place where anything is decided.
pub struct Vault {
    rows: Rows,
    ledger: Arc<Ledger>,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    resolver: Arc<dyn Resolve>,
    trust: Arc<dyn TrustListener>,
    settings: ArcSwap<Settings>,
    ids: id_block::IdBlocks,
    generation: generation::Generation,
    requests: AtomicU64,
    accesses: access::AccessTimes,
    shortcuts: shortcut::Shortcuts,
    directory: directory::Directory,
    listeners: Arc<mailbox::Desk>,
    patience: patience::Patience,
    sessions: sessions::Sessions,
    handovers: handover::Handovers,
    turnstile: persons::Turnstile,
    defaults: policies::DefaultPolicies,
    anchored: std::sync::Mutex<Option<AnchorState>>,
    rotating: tokio::sync::Mutex<()>,
    publishing: tokio::sync::Mutex<()>,
    resets: reset::Resets,
    secondary: bool,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("secondary", &self.secondary)
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// Opens the counter over its parts: makes what is there from the first start (the default
    /// organisation, the shipped policies), catches up with what an earlier version's data directory
    /// lacks, reads the settings, and tells the trust.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] when the store cannot be read or written.
    pub async fn open(parts: Parts) -> Result<Self, VaultError> {
        let first = getrandom::u64().map_err(|_| VaultError::from(NoChance))?;
        let vault = Self {
            rows: parts.rows,
            ledger: parts.ledger,
            clock: parts.clock,
            chance: parts.chance,
            resolver: parts.resolver,
            trust: parts.trust,
            settings: ArcSwap::from_pointee(Settings::default()),
            ids: id_block::IdBlocks::default(),
            generation: generation::Generation::default(),
            requests: AtomicU64::new(first),
            accesses: access::AccessTimes::default(),
            shortcuts: shortcut::Shortcuts::new(parts.shortcuts),
            directory: directory::Directory::default(),
            listeners: Arc::default(),
            patience: patience::Patience::default(),
            sessions: sessions::Sessions::default(),
            handovers: handover::Handovers::default(),
            turnstile: persons::Turnstile::default(),
            defaults: policies::DefaultPolicies::default(),
            anchored: std::sync::Mutex::default(),
            rotating: tokio::sync::Mutex::default(),
            publishing: tokio::sync::Mutex::default(),
            resets: reset::Resets::default(),
            secondary: parts.secondary,
        };
        vault.furnish().await?;
        vault.index_accounts().await?;
        vault.load_settings().await?;
        vault.publish_trust().await?;
        vault.look_back().await?;
        Ok(vault)
    }

    /// An id for a request that has just come in; not one that can be guessed from outside.
    #[must_use]
    pub fn next_request(&self) -> RequestId {
        RequestId(
            self.requests
                .fetch_add(1, Ordering::Relaxed)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15),
        )
    }

    /// What the machine's clock says here.
    #[must_use]
    pub fn now(&self) -> crate::domain::Timestamp {
        self.clock.now()
    }

    fn writable(&self) -> Result<(), VaultError> {
        if self.secondary {
            Err(VaultError::ReadOnly)
        } else {
            Ok(())
        }
    }
}
