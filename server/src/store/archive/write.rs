//! Writing a backup.

use std::fmt;
use std::io::{self, Read, Write};

use crate::crypto::{CryptoError, KeyRing, ParcelWriter};
use crate::domain::Timestamp;
use crate::store::Row;
use crate::store::archive::{ArchiveError, Clear, END, FILE, MAGIC, ROW, Totals, seal};

/// Writes a backup, part by part. Without [`ArchiveWriter::end`] it is none.
pub struct ArchiveWriter<W> {
    to: ParcelWriter<W>,
    done: Totals,
}

impl<W: Write> ArchiveWriter<W> {
    /// Begins a backup that is made at `made`. `keyring` is the file of `keys`, wrapped.
    ///
    /// # Errors
    /// [`ArchiveError::Io`], [`ArchiveError::Keys`] without random numbers.
    pub fn begin(
        mut to: W,
        keys: &KeyRing,
        keyring: &[u8],
        made: Timestamp,
    ) -> Result<Self, ArchiveError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|_| CryptoError::Random)?;
        let line = Clear {
            made: made.0,
            salt: salt.iter().map(|byte| format!("{byte:02x}")).collect(),
            keyring: keyring.len(),
        };
        let line = serde_json::to_vec(&line).map_err(io::Error::from)?;
        let clear = [MAGIC, &line, b"\n", keyring].concat();
        to.write_all(&clear)?;
        let (key, place) = seal(keys, &clear);
        Ok(Self {
            to: ParcelWriter::under(to, key, place),
            done: Totals::default(),
        })
    }

    /// Adds the file `name`: `used` bytes from `content`, then zeros up to `size`.
    ///
    /// # Errors
    /// [`ArchiveError::Changed`] when there are fewer; [`ArchiveError::Io`].
    pub fn file(
        &mut self,
        name: &str,
        (size, used): (u64, u64),
        content: impl Read,
    ) -> Result<(), ArchiveError> {
        self.to.write_all(&[FILE])?;
        self.short(name.as_bytes())?;
        self.to.write_all(&size.to_be_bytes())?;
        self.to.write_all(&used.to_be_bytes())?;
        if io::copy(&mut content.take(used), &mut self.to)? < used {
            return Err(ArchiveError::Changed(name.to_owned()));
        }
        self.done.files += 1;
        self.done.bytes += used;
        Ok(())
    }

    /// Adds a row as it lies in the store, sealed.
    ///
    /// # Errors
    /// [`ArchiveError::Io`].
    pub fn row(&mut self, row: &Row) -> Result<(), ArchiveError> {
        self.to.write_all(&[ROW])?;
        self.short(row.key.as_bytes())?;
        self.to.write_all(&row.version.to_be_bytes())?;
        let length = u32::try_from(row.sealed.len()).map_err(io::Error::other)?;
        self.to.write_all(&length.to_be_bytes())?;
        self.to.write_all(&row.sealed)?;
        self.done.rows += 1;
        self.done.bytes += (row.key.as_bytes().len() + row.sealed.len()) as u64;
        Ok(())
    }

    /// What has been written so far.
    #[must_use]
    pub fn done(&self) -> Totals {
        self.done
    }

    /// Ends it: says how much there was, and `note`; flushes, and gives the writer back.
    ///
    /// # Errors
    /// [`ArchiveError::Io`].
    pub fn end(mut self, note: &[u8]) -> Result<(W, Totals), ArchiveError> {
        self.to.write_all(&[END])?;
        for number in [self.done.files, self.done.rows, self.done.bytes] {
            self.to.write_all(&number.to_be_bytes())?;
        }
        self.short(note)?;
        Ok((self.to.finish()?, self.done))
    }

    fn short(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
        self.to.write_all(&length.to_be_bytes())?;
        Ok(self.to.write_all(bytes)?)
    }
}

impl<W> fmt::Debug for ArchiveWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArchiveWriter(..)")
    }
}
