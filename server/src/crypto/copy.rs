//! A copy of a keyring that is in no data directory: what a backup brings.

use std::path::Path;

use crate::crypto::document::Document;
use crate::crypto::{CryptoError, KeyRing, MasterSource, RecoveryCode};

impl KeyRing {
    /// Opens a copy of a keyring's file by the master key from `source`. `path` says in an error
    /// where `bytes` came from. The ring seals and opens; it cannot be changed.
    ///
    /// # Errors
    /// As [`KeyRing::load`]; and what the source could not do.
    pub fn unlock_copy(
        bytes: &[u8],
        path: &Path,
        source: &MasterSource,
    ) -> Result<Self, CryptoError> {
        let document = Document::parse(path, bytes)?;
        let master = source.key_of(|| Document::parse(path, bytes))?;
        let root = document.open(path, &master)?;
        Self::from_document(path.to_path_buf(), document, root)
    }

    /// Opens a copy of a keyring's file by the recovery code, as [`KeyRing::unlock_copy`] does.
    ///
    /// # Errors
    /// [`CryptoError::WrongCode`], and as [`KeyRing::load`].
    pub fn recover_copy(
        bytes: &[u8],
        path: &Path,
        code: &RecoveryCode,
    ) -> Result<Self, CryptoError> {
        let document = Document::parse(path, bytes)?;
        let root = document.open_by_code(path, code)?;
        Self::from_document(path.to_path_buf(), document, root)
    }
}
