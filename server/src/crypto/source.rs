//! Where the master key comes from.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::crypto::document::Document;
use crate::crypto::{
    CryptoError, KeyRing, MasterKey, Passphrase, PassphraseCost, private_file, program,
};

/// Where the master key comes from.
#[derive(Debug)]
pub enum MasterSource {
    /// A file of mode 0600 that holds it in hexadecimal.
    File(PathBuf),
    /// A passphrase, through Argon2id. Its cost counts when a keyring is wrapped anew; after that
    /// the keyring says it.
    Passphrase(Passphrase, PassphraseCost),
    /// A credential of systemd (`LoadCredential=`, `LoadCredentialEncrypted=`), by its path.
    Credential(PathBuf),
    /// A program and its arguments, without a shell, that prints it within the time given.
    Command(Vec<String>, Duration),
}

impl MasterSource {
    /// The credential `name` of this process.
    ///
    /// # Errors
    /// [`CryptoError::Credential`] when systemd handed over none, or `name` is no file name.
    pub fn credential(name: &str) -> Result<Self, CryptoError> {
        let directory = std::env::var_os("CREDENTIALS_DIRECTORY");
        credential_path(directory.as_deref(), name).map(Self::Credential)
    }

    /// The master key to wrap a keyring with that is made now. A file that is not there is made.
    ///
    /// # Errors
    /// As a fresh one, but an existing file is read.
    pub fn establish(&self) -> Result<MasterKey, CryptoError> {
        let Self::File(path) = self else {
            return self.fresh();
        };
        if path.try_exists().map_err(CryptoError::file(path))? {
            return read_file(path);
        }
        let key = MasterKey::random()?;
        private_file::create(path, key.expose_hex().as_bytes())?;
        Ok(key)
    }

    /// A master key that is not in use yet: a random one for a file (which is not written), a
    /// fresh salt for a passphrase; credentials and commands give what they give.
    ///
    /// # Errors
    /// What the source could not do: [`CryptoError::File`], [`CryptoError::NotAKey`],
    /// [`CryptoError::Short`], [`CryptoError::Cost`], [`CryptoError::Command`].
    fn fresh(&self) -> Result<MasterKey, CryptoError> {
        match self {
            Self::File(_) => MasterKey::random(),
            Self::Passphrase(passphrase, cost) => MasterKey::stretch_new(passphrase, *cost),
            Self::Credential(path) => read_credential(path),
            Self::Command(argv, limit) => run(argv, *limit),
        }
    }

    /// The master key of the keyring in `directory`.
    fn existing(&self, directory: &Path) -> Result<MasterKey, CryptoError> {
        self.key_of(|| Document::read(&directory.join(KeyRing::FILE)))
    }

    /// The master key of the keyring that `document` gives.
    pub(super) fn key_of(
        &self,
        document: impl FnOnce() -> Result<Document, CryptoError>,
    ) -> Result<MasterKey, CryptoError> {
        match self {
            Self::File(path) => read_file(path),
            Self::Passphrase(passphrase, _) => MasterKey::stretch(passphrase, document()?.master),
            Self::Credential(path) => read_credential(path),
            Self::Command(argv, limit) => run(argv, *limit),
        }
    }
}

impl KeyRing {
    /// Opens the keyring in `directory` by the master key from `source`. Where a crash stopped a
    /// change of the key file half-way, the change is finished.
    ///
    /// # Errors
    /// As [`KeyRing::load`]; and what the source could not do.
    pub fn unlock(directory: &Path, source: &MasterSource) -> Result<Self, CryptoError> {
        let opened = source
            .existing(directory)
            .and_then(|key| Self::load(directory, &key));
        match (opened, source) {
            (Err(CryptoError::WrongMaster(ring)), MasterSource::File(path)) => {
                finish_change(directory, path)?.ok_or(CryptoError::WrongMaster(ring))
            }
            (opened, _) => opened,
        }
    }

    /// Wraps the keyring by a new master key from `source`. A key file is replaced by one with a
    /// fresh key; whenever a crash comes, [`KeyRing::unlock`] finds the right one.
    ///
    /// # Errors
    /// As [`KeyRing::rewrap`]; and what the source could not do.
    pub fn rewrap_from(&self, source: &MasterSource) -> Result<(), CryptoError> {
        let key = source.fresh()?;
        let MasterSource::File(path) = source else {
            return self.rewrap(&key);
        };
        // The new key is on disk before the ring needs it, and takes its place after.
        let new = private_file::write_new(path, key.expose_hex().as_bytes())?;
        self.rewrap(&key)?;
        private_file::rename(&new, path)
    }
}

/// Tries the key that a change of the key file left beside it.
fn finish_change(directory: &Path, path: &Path) -> Result<Option<KeyRing>, CryptoError> {
    let new = private_file::beside(path);
    let Ok(key) = read_file(&new) else {
        return Ok(None);
    };
    let Ok(ring) = KeyRing::load(directory, &key) else {
        return Ok(None);
    };
    private_file::rename(&new, path)?;
    Ok(Some(ring))
}

impl Passphrase {
    /// Reads it from a file that only its owner may read.
    ///
    /// # Errors
    /// [`CryptoError::Exposed`], [`CryptoError::Owner`], [`CryptoError::File`],
    /// [`CryptoError::Short`].
    pub fn from_file(path: &Path) -> Result<Self, CryptoError> {
        Self::from_bytes(path, &private_file::read(path, LONGEST)?)
    }

    /// Reads it from the credential `name` of this process.
    ///
    /// # Errors
    /// [`CryptoError::Credential`], [`CryptoError::File`], [`CryptoError::Short`].
    pub fn from_credential(name: &str) -> Result<Self, CryptoError> {
        let directory = std::env::var_os("CREDENTIALS_DIRECTORY");
        let path = credential_path(directory.as_deref(), name)?;
        Self::from_bytes(&path, &credential_bytes(&path)?)
    }

    fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, CryptoError> {
        let text = std::str::from_utf8(bytes).map_err(|_| {
            CryptoError::file(path)(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                "not UTF-8",
            ))
        })?;
        Self::new(text)
    }
}

fn read_file(path: &Path) -> Result<MasterKey, CryptoError> {
    MasterKey::parse(&private_file::read(path, LONGEST)?, &path.to_string_lossy())
}

fn run(argv: &[String], limit: Duration) -> Result<MasterKey, CryptoError> {
    let printed = program::run(argv, limit, LONGEST)?;
    let name = argv.first().map_or("", String::as_str);
    MasterKey::parse(&printed, &format!("what {name:?} prints"))
}

fn read_credential(path: &Path) -> Result<MasterKey, CryptoError> {
    MasterKey::parse(&credential_bytes(path)?, &path.to_string_lossy())
}

/// Who may read a credential is systemd's affair: it grants by ACL, which looks like group rights.
fn credential_bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    File::open(path)
        .and_then(|file| private_file::read_all(file, LONGEST))
        .map_err(CryptoError::file(path))
}

fn credential_path(directory: Option<&OsStr>, name: &str) -> Result<PathBuf, CryptoError> {
    let missing = || CryptoError::Credential(name.to_owned());
    // systemd's own rule for names; the rest could leave the directory.
    if name.is_empty() || name.contains('/') || matches!(name, "." | "..") {
        return Err(missing());
    }
    let path = Path::new(directory.ok_or_else(missing)?).join(name);
    fs::metadata(&path).map_err(|_| missing())?;
    Ok(path)
}

/// Longest text that may hold a key or a passphrase.
const LONGEST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_found_by_its_name_only() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("master"), "x").unwrap();
        let directory = Some(home.path().as_os_str());

        let found = credential_path(directory, "master").unwrap();

        assert_eq!(found, home.path().join("master"));
        for name in ["", ".", "..", "../master", "other", "a/b"] {
            let refused = credential_path(directory, name);
            assert!(
                matches!(refused, Err(CryptoError::Credential(_))),
                "{name:?}"
            );
        }
        let refused = credential_path(None, "master");
        assert!(matches!(refused, Err(CryptoError::Credential(_))));
    }
}
