//! The keys of a data directory.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use zeroize::Zeroizing;

use crate::crypto::derive::derive;
use crate::crypto::document::{Document, Purpose, tampered};
use crate::crypto::{CryptoError, MacKey, MasterKey, RecoveryCode, SealKey, private_file};
use crate::domain::{ApiToken, Timestamp};

/// The data keys by number, the key that hides names, the ledger's key. Never printed; cheap to
/// share in an `Arc`; keys can be added and retired while others seal and open.
pub struct KeyRing {
    data: ArcSwap<DataKeys>,
    index: MacKey,
    ledger: SealKey,
    other: SealKey,
    tokens: MacKey,
    path: PathBuf,
    written: Mutex<Written>,
}

struct DataKeys {
    newest: u32,
    keys: BTreeMap<u32, DataKey>,
}

#[derive(Clone)]
struct DataKey {
    key: Arc<SealKey>,
    created: Timestamp,
}

/// What lies on disk, and the key to write it.
struct Written {
    root: SealKey,
    document: Document,
}

impl KeyRing {
    /// The keyring's file in a data directory.
    pub const FILE: &str = "keyring.json";

    /// Makes fresh keys in `directory`, wrapped by `master` and by a fresh recovery code. The code
    /// is not kept: it is shown once, or lost.
    ///
    /// # Errors
    /// [`CryptoError::Exists`] when there is a keyring, [`CryptoError::File`] when it cannot be
    /// written.
    pub fn create(
        directory: &Path,
        master: &MasterKey,
        now: Timestamp,
    ) -> Result<(Self, RecoveryCode), CryptoError> {
        let path = directory.join(Self::FILE);
        let (root, code) = (SealKey::random()?, RecoveryCode::random()?);
        let mut document = Document::new(&root, master, &code)?;
        for purpose in PURPOSES {
            document.add(&root, (purpose, 1), now, &SealKey::random()?)?;
        }
        private_file::create(&path, &document.finish(&root))?;
        Ok((Self::from_document(path, document, root)?, code))
    }

    /// Opens the keyring in `directory`.
    ///
    /// # Errors
    /// [`CryptoError::NoRing`], [`CryptoError::WrongMaster`], [`CryptoError::Tampered`],
    /// [`CryptoError::Format`]; [`CryptoError::Exposed`] and [`CryptoError::Owner`] when others
    /// may use the file, [`CryptoError::File`] when it cannot be read.
    pub fn load(directory: &Path, master: &MasterKey) -> Result<Self, CryptoError> {
        let path = directory.join(Self::FILE);
        let document = Document::read(&path)?;
        let root = document.open(&path, master)?;
        Self::from_document(path, document, root)
    }

    /// Opens the keyring in `directory` with the recovery code and wraps it by `master`, which
    /// takes the place of the lost key. The code stays good.
    ///
    /// # Errors
    /// [`CryptoError::WrongCode`], and as [`KeyRing::load`].
    pub fn recover(
        directory: &Path,
        code: &RecoveryCode,
        master: &MasterKey,
    ) -> Result<Self, CryptoError> {
        let path = directory.join(Self::FILE);
        let document = Document::read(&path)?;
        let root = document.open_by_code(&path, code)?;
        let ring = Self::from_document(path, document, root)?;
        ring.rewrap(master)?;
        Ok(ring)
    }

    /// Seals `plain` for the place that `aad` names, under the newest data key:
    /// `number(4) || nonce(24) || XChaCha20-Poly1305(plain, aad = number || aad)`.
    ///
    /// # Errors
    /// [`CryptoError::Random`] when the operating system has no random numbers.
    pub fn seal(&self, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let data = self.data.load();
        let newest = data.get(data.newest)?;
        let number = data.newest.to_be_bytes();
        newest.seal_after(&number, &numbered(number, aad), plain)
    }

    /// Opens what [`KeyRing::seal`] sealed for the place that `aad` names.
    ///
    /// # Errors
    /// [`CryptoError::NoKey`] when its data key is not in the ring, [`CryptoError::Broken`] when
    /// it was changed or belongs to another place.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let (number, body) = sealed.split_first_chunk().ok_or(CryptoError::Broken)?;
        let data = self.data.load();
        let key = data.get(u32::from_be_bytes(*number))?;
        key.open(&numbered(*number, aad), body)
    }

    /// Which data key `sealed` is under, if it is long enough to tell.
    #[must_use]
    pub fn key_number(sealed: &[u8]) -> Option<u32> {
        sealed.first_chunk().copied().map(u32::from_be_bytes)
    }

    /// The number of the data key that seals.
    #[must_use]
    pub fn newest(&self) -> u32 {
        self.data.load().newest
    }

    /// The data keys in the ring, with the moment each was made.
    #[must_use]
    pub fn data_keys(&self) -> Vec<(u32, Timestamp)> {
        let data = self.data.load();
        data.keys.iter().map(|(n, key)| (*n, key.created)).collect()
    }

    /// A keyed hash for look-ups: `HMAC-SHA-256(index key, label, parts…)`, each with its length.
    #[must_use]
    pub fn hide(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut all = Vec::with_capacity(parts.len() + 1);
        all.push(label.as_bytes());
        all.extend_from_slice(parts);
        self.index.tag(&all)
    }

    /// The keys that seal the ledger's records and chain them.
    #[must_use]
    pub fn ledger_keys(&self) -> (SealKey, MacKey) {
        let ledger = self.ledger.expose();
        (
            SealKey::new(derive(ledger, "claviger ledger seal v1")),
            MacKey::new(derive(ledger, "claviger ledger chain v1")),
        )
    }

    /// A sealing key for another use. `label` is a fixed text that ends in a version.
    #[must_use]
    pub fn derive_seal(&self, label: &str) -> SealKey {
        SealKey::new(derive(self.other.expose(), &format!("seal: {label}")))
    }

    /// A key for keyed hashes for another use. `label` is a fixed text that ends in a version.
    #[must_use]
    pub fn derive_mac(&self, label: &str) -> MacKey {
        MacKey::new(derive(self.other.expose(), &format!("mac: {label}")))
    }

    /// What stands for a token at rest: `HMAC-SHA-256(token key, token)`. The key is no data key:
    /// it stays when those are rotated.
    #[must_use]
    pub fn token_tag(&self, token: &ApiToken) -> [u8; 32] {
        self.tokens.tag(&[token.expose().as_bytes()])
    }

    /// Whether `tag` stands for `token`, in constant time.
    #[must_use]
    pub fn is_token(&self, token: &ApiToken, tag: &[u8; 32]) -> bool {
        self.tokens.verify(&[token.expose().as_bytes()], tag)
    }

    /// Adds a data key, which seals from now on; returns its number. It is on disk before it is
    /// used.
    ///
    /// # Errors
    /// [`CryptoError::Changed`] when another process wrote the keyring, [`CryptoError::File`] when
    /// it cannot be written; the ring is as before then.
    pub fn add_data_key(&self, now: Timestamp) -> Result<u32, CryptoError> {
        let key = SealKey::random()?;
        self.change(|document, root| {
            let number = self.newest().saturating_add(1);
            document.add(root, (Purpose::Data, number), now, &key)?;
            Ok(number)
        })
    }

    /// Takes a data key out of the ring, for good: no row may be sealed under it any more.
    ///
    /// # Errors
    /// [`CryptoError::Newest`] when it is the one that seals, [`CryptoError::NoKey`] when it is not
    /// in the ring, and as [`KeyRing::add_data_key`].
    pub fn retire(&self, number: u32) -> Result<(), CryptoError> {
        self.change(|document, _| {
            let data = self.data.load();
            if number == data.newest {
                return Err(CryptoError::Newest(number));
            }
            data.get(number)?;
            document
                .keys
                .retain(|key| key.purpose != Purpose::Data || key.number != number);
            Ok(())
        })
    }

    /// Wraps the keyring by another master key. The recovery code stays good. Who held the old
    /// master key *and* an old keyring file still has the root key: then [`KeyRing::renew`].
    ///
    /// # Errors
    /// As [`KeyRing::add_data_key`].
    pub fn rewrap(&self, master: &MasterKey) -> Result<(), CryptoError> {
        self.change(|document, root| document.set_master(root, master))
    }

    /// Wraps every key anew under a fresh root key, that one by `master` and by a fresh recovery
    /// code: the old master key and the old code open nothing that is written from now on.
    ///
    /// # Errors
    /// As [`KeyRing::add_data_key`].
    pub fn renew(&self, master: &MasterKey) -> Result<RecoveryCode, CryptoError> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_unchanged(&written.document)?;
        let (root, code) = (SealKey::random()?, RecoveryCode::random()?);
        let mut document = Document::new(&root, master, &code)?;
        for old in &written.document.keys {
            let key = written.document.key(&self.path, &written.root, old)?;
            document.add(
                &root,
                (old.purpose, old.number),
                Timestamp(old.created),
                &key,
            )?;
        }
        private_file::replace(&self.path, &document.finish(&root))?;
        *written = Written { root, document };
        Ok(code)
    }

    /// The keyring's file as it lies on disk, for a backup: every key in it is wrapped, and only
    /// the master key or the recovery code opens it.
    #[must_use]
    pub fn wrapped(&self) -> Vec<u8> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.document.to_bytes()
    }

    /// Changes a copy of the document, writes it, and only then uses it.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Document, &SealKey) -> Result<T, CryptoError>,
    ) -> Result<T, CryptoError> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_unchanged(&written.document)?;
        let mut document = written.document.clone();
        let answer = change(&mut document, &written.root)?;
        let bytes = document.finish(&written.root);
        let data = data_keys(&self.path, &document, &written.root)?;
        private_file::replace(&self.path, &bytes)?;
        written.document = document;
        self.data.store(Arc::new(data));
        Ok(answer)
    }

    fn check_unchanged(&self, document: &Document) -> Result<(), CryptoError> {
        if document.is(&Document::read(&self.path)?) {
            return Ok(());
        }
        Err(CryptoError::Changed(self.path.clone()))
    }

    pub(super) fn from_document(
        path: PathBuf,
        document: Document,
        root: SealKey,
    ) -> Result<Self, CryptoError> {
        let index = only_key(&path, &document, &root, Purpose::Index)?;
        let other = only_key(&path, &document, &root, Purpose::Other)?;
        Ok(Self {
            data: ArcSwap::from_pointee(data_keys(&path, &document, &root)?),
            index: MacKey::new(Zeroizing::new(*index.expose())),
            ledger: only_key(&path, &document, &root, Purpose::Ledger)?,
            tokens: MacKey::new(derive(other.expose(), "mac: claviger rest token v1")),
            other,
            path,
            written: Mutex::new(Written { root, document }),
        })
    }
}

impl DataKeys {
    fn get(&self, number: u32) -> Result<&SealKey, CryptoError> {
        self.keys
            .get(&number)
            .map(|key| &*key.key)
            .ok_or(CryptoError::NoKey(number))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing(..)")
    }
}

/// `number || aad`: a row's key number cannot be changed without breaking its seal.
fn numbered(number: [u8; 4], aad: &[u8]) -> Vec<u8> {
    let mut place = Vec::with_capacity(number.len() + aad.len());
    place.extend_from_slice(&number);
    place.extend_from_slice(aad);
    place
}

fn data_keys(path: &Path, document: &Document, root: &SealKey) -> Result<DataKeys, CryptoError> {
    let mut keys = BTreeMap::new();
    for wrapped in document
        .keys
        .iter()
        .filter(|key| key.purpose == Purpose::Data)
    {
        let key = Arc::new(document.key(path, root, wrapped)?);
        let created = Timestamp(wrapped.created);
        keys.insert(wrapped.number, DataKey { key, created });
    }
    let newest = keys.keys().next_back().copied();
    let newest = newest.ok_or_else(|| tampered(path, "no data key"))?;
    Ok(DataKeys { newest, keys })
}

fn only_key(
    path: &Path,
    document: &Document,
    root: &SealKey,
    purpose: Purpose,
) -> Result<SealKey, CryptoError> {
    let mut found = document.keys.iter().filter(|key| key.purpose == purpose);
    match (found.next(), found.next()) {
        (Some(wrapped), None) => document.key(path, root, wrapped),
        _ => Err(tampered(path, "keys")),
    }
}

const PURPOSES: [Purpose; 4] = [
    Purpose::Data,
    Purpose::Index,
    Purpose::Ledger,
    Purpose::Other,
];
