//! Rows with their meaning: sealed on the way down, opened on the way up, found by hidden names.
//!
//! `record.rs` has the forms of the records, `place.rs` says where each one is.

mod access_policy;
mod application;
mod custody;
mod form;
mod login;
mod material;
mod pending;
mod place;
mod record;
mod registration;
mod second_factor;
mod target;
mod tended;
mod token;

pub use login::{LoginCost, LoginRow};
pub use material::MaterialRow;
pub use pending::PendingRow;
pub use place::Places;
pub use record::{
    AnchorRow, DocumentRow, Ids, NextId, Record, Secret, SecretRow, SettingRow, TrustKind, TrustRow,
};
pub use registration::{BrokerRow, RetrievableRow};
pub use second_factor::FactorRow;
pub use tended::TendedRow;
pub use token::TokenRow;

use std::hint::black_box;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::crypto::KeyRing;
use crate::store::{Batch, Expected, Key, Row, StepKind, Store, StoreError};

/// A record as it was read, with what is needed to replace or remove it.
#[derive(Clone, Debug)]
pub struct Kept<R> {
    /// Where it is.
    pub key: Key,
    /// Its version.
    pub version: u64,
    /// What it says.
    pub record: R,
}

/// The store, with records instead of sealed rows.
#[derive(Clone, Debug)]
pub struct Rows {
    store: Arc<dyn Store>,
    keys: Arc<KeyRing>,
}

impl Rows {
    /// Puts `keys` over `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, keys: Arc<KeyRing>) -> Self {
        Self { store, keys }
    }

    /// Where records are: names hidden under this store's index key.
    #[must_use]
    pub fn places(&self) -> Places<'_> {
        Places::new(&self.keys)
    }

    /// The engine below, for what deals in sealed rows.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The keys that the rows are sealed with.
    #[must_use]
    pub fn keys(&self) -> &Arc<KeyRing> {
        &self.keys
    }

    /// The record at `key`, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be read, opened or understood.
    pub async fn get<R: Record>(&self, key: Key) -> Result<Option<Kept<R>>, StoreError> {
        self.store
            .get(&key)
            .await?
            .map(|row| self.open(row))
            .transpose()
    }

    /// As [`Self::get`], and what is missing costs as much work as what is there: for records of
    /// which the caller must not learn by the time it takes whether they exist.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub async fn seek<R: Record>(&self, key: Key) -> Result<Option<Kept<R>>, StoreError> {
        let Some(row) = self.store.get(&key).await? else {
            // Sealing costs what opening costs; nobody wants the result.
            let _decoy = black_box(self.keys.seal(&place(&key, 1), &DECOY));
            return Ok(None);
        };
        self.open(row).map(Some)
    }

    /// At most `limit` records whose keys begin with `prefix`, after `after`, in key order.
    ///
    /// # Errors
    /// [`StoreError`] when one could not be read, opened or understood.
    pub async fn page<R: Record>(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Kept<R>>, StoreError> {
        let rows = self.store.scan(prefix, after, limit).await?;
        rows.into_iter().map(|row| self.open(row)).collect()
    }

    /// Every record whose key begins with `prefix`; for sets that are small by nature.
    ///
    /// # Errors
    /// As for [`Self::page`].
    pub async fn all<R: Record>(&self, prefix: &Key) -> Result<Vec<Kept<R>>, StoreError> {
        let mut found: Vec<Kept<R>> = Vec::new();
        loop {
            let after = found.last().map(|kept| kept.key.clone());
            let page = self.page(prefix, after.as_ref(), PAGE).await?;
            let last = page.len() < PAGE;
            found.extend(page);
            if last {
                return Ok(found);
            }
        }
    }

    /// An empty set of changes.
    #[must_use]
    pub fn changes(&self) -> Changes<'_> {
        Changes {
            rows: self,
            batch: Batch::default(),
            keys: PhantomData,
        }
    }

    /// Seals `row` again under the newest data key; `None` when it is under it already.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when it does not open.
    pub fn reseal(&self, row: &Row) -> Result<Option<Batch>, StoreError> {
        if KeyRing::key_number(&row.sealed) == Some(self.keys.newest()) {
            return Ok(None);
        }
        let plain = self.keys.open(&place(&row.key, row.version), &row.sealed)?;
        let version = row.version + 1;
        let sealed = self.keys.seal(&place(&row.key, version), &plain)?;
        let mut batch = Batch::default();
        batch.push(
            row.key.clone(),
            Expected::Version(row.version),
            StepKind::Put { version, sealed },
        );
        Ok(Some(batch))
    }

    /// The record in `row`.
    ///
    /// # Errors
    /// [`StoreError`] when it does not open, or is not understood.
    pub fn record<R: Record>(&self, row: &Row) -> Result<R, StoreError> {
        let plain = self.keys.open(&place(&row.key, row.version), &row.sealed)?;
        R::decode(&plain).ok_or(StoreError::Form)
    }

    fn open<R: Record>(&self, row: Row) -> Result<Kept<R>, StoreError> {
        let record = self.record(&row)?;
        Ok(Kept {
            key: row.key,
            version: row.version,
            record,
        })
    }
}

/// About as long as most records.
const DECOY: [u8; 96] = [0; 96];

/// That `row` opens under `keys`: it was sealed for its key and version.
///
/// # Errors
/// [`StoreError::Sealed`] when it does not.
pub fn check(keys: &KeyRing, row: &Row) -> Result<(), StoreError> {
    let opened = keys.open(&place(&row.key, row.version), &row.sealed);
    Ok(opened.map(drop)?)
}

/// Changes that happen together or not at all.
#[derive(Debug)]
pub struct Changes<'a> {
    rows: &'a Rows,
    batch: Batch,
    keys: PhantomData<&'a KeyRing>,
}

impl Changes<'_> {
    /// A new record where there is none.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when it could not be sealed.
    pub fn add<R: Record>(&mut self, key: Key, record: &R) -> Result<(), StoreError> {
        self.put(key, Expected::Absent, 1, record)
    }

    /// Another record where `kept` was read.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when it could not be sealed.
    pub fn replace<R: Record>(&mut self, kept: &Kept<R>, record: &R) -> Result<(), StoreError> {
        self.put(
            kept.key.clone(),
            Expected::Version(kept.version),
            kept.version + 1,
            record,
        )
    }

    /// A record at `key`, which was read as `kept`, or as absent.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when it could not be sealed.
    pub fn set<R: Record>(
        &mut self,
        key: Key,
        kept: Option<&Kept<R>>,
        record: &R,
    ) -> Result<(), StoreError> {
        match kept {
            Some(kept) => self.replace(kept, record),
            None => self.add(key, record),
        }
    }

    /// No record any more where `kept` was read.
    pub fn remove<R>(&mut self, kept: &Kept<R>) {
        self.batch.push(
            kept.key.clone(),
            Expected::Version(kept.version),
            StepKind::Delete,
        );
    }

    /// No row any more at `key`, whatever it holds now.
    pub fn clear(&mut self, key: Key) {
        self.batch.push(key, Expected::Any, StepKind::Delete);
    }

    /// Only if `kept` is still as it was read.
    pub fn depend_on<R>(&mut self, kept: &Kept<R>) {
        self.batch.push(
            kept.key.clone(),
            Expected::Version(kept.version),
            StepKind::Keep,
        );
    }

    /// Only if there is still nothing at `key`.
    pub fn depend_on_none(&mut self, key: Key) {
        self.batch.push(key, Expected::Absent, StepKind::Keep);
    }

    /// How many rows are touched.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batch.steps.len()
    }

    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.steps.is_empty()
    }

    /// Does all of it, durably, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a record is not as it was read; otherwise what the engine
    /// could not do.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.rows.store.commit(self.batch).await
    }

    fn put<R: Record>(
        &mut self,
        key: Key,
        expected: Expected,
        version: u64,
        record: &R,
    ) -> Result<(), StoreError> {
        let sealed = self
            .rows
            .keys
            .seal(&place(&key, version), &record.encode())?;
        self.batch
            .push(key, expected, StepKind::Put { version, sealed });
        Ok(())
    }
}

/// What a seal is bound to: the table and key, and the version, so that a row that was moved,
/// swapped or rolled back does not open.
fn place(key: &Key, version: u64) -> Vec<u8> {
    let mut aad = Vec::with_capacity(64);
    aad.extend_from_slice(b"claviger row 1");
    aad.extend_from_slice(&version.to_be_bytes());
    aad.extend_from_slice(key.as_bytes());
    aad
}

const PAGE: usize = 256;
