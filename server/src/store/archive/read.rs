//! Reading a backup.

use std::fmt;
use std::io::{self, BufRead, Read, Write};

use crate::crypto::{KeyRing, ParcelReader};
use crate::domain::Timestamp;
use crate::store::archive::{ArchiveError, Clear, END, FAMILY, FILE, MAGIC, ROW, Totals, seal};
use crate::store::{Key, Row};

/// What stands in the clear at the beginning of a backup. Anybody may have written it: only what
/// [`ArchiveHead::open`] gives is true.
#[derive(Debug)]
pub struct ArchiveHead {
    /// When it was made.
    pub made: Timestamp,
    clear: Vec<u8>,
    keyring: usize,
}

impl ArchiveHead {
    /// Reads it.
    ///
    /// # Errors
    /// [`ArchiveError::Foreign`], [`ArchiveError::Format`], [`ArchiveError::Damaged`],
    /// [`ArchiveError::Io`].
    pub fn read(from: &mut impl BufRead) -> Result<Self, ArchiveError> {
        let mut clear = Vec::new();
        line(from, &mut clear)?;
        if clear != MAGIC {
            return Err(if clear.starts_with(FAMILY) {
                ArchiveError::Format
            } else {
                ArchiveError::Foreign
            });
        }
        let begin = clear.len();
        line(from, &mut clear)?;
        let said = clear.get(begin..).unwrap_or_default();
        let Clear { made, keyring, .. } =
            serde_json::from_slice(said).map_err(|_| ArchiveError::Damaged)?;
        if keyring > LONGEST_RING {
            return Err(ArchiveError::Damaged);
        }
        let whole = clear.len() + keyring;
        from.take(keyring as u64).read_to_end(&mut clear)?;
        if clear.len() != whole {
            return Err(ArchiveError::Damaged);
        }
        Ok(Self {
            made: Timestamp(made),
            clear,
            keyring,
        })
    }

    /// The keyring's file.
    #[must_use]
    pub fn keyring(&self) -> &[u8] {
        let begin = self.clear.len().saturating_sub(self.keyring);
        self.clear.get(begin..).unwrap_or_default()
    }

    /// Goes on to read the sealed parts with the keys from that keyring.
    #[must_use]
    pub fn open<R: BufRead>(&self, from: R, keys: &KeyRing) -> ArchiveReader<R> {
        let (key, place) = seal(keys, &self.clear);
        ArchiveReader {
            from: ParcelReader::under(from, key, place),
            left: 0,
            done: Totals::default(),
        }
    }
}

/// Reads a backup, part by part.
pub struct ArchiveReader<R> {
    from: ParcelReader<R>,
    /// Bytes of the present file that have not been read.
    left: u64,
    done: Totals,
}

/// A part of a backup.
#[derive(Debug)]
pub enum Part {
    /// A file: its content follows, by [`ArchiveReader::content`].
    File {
        /// Its name, as it was given.
        name: String,
        /// Its size.
        size: u64,
        /// How much of it follows; the rest are zeros.
        used: u64,
    },
    /// A row, sealed.
    Row(Row),
    /// The end: the backup is whole.
    End {
        /// What the writer noted.
        note: Vec<u8>,
    },
}

impl<R: BufRead> ArchiveReader<R> {
    /// The next part; what is left of a file before it is passed over.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`], [`ArchiveError::Io`].
    pub fn next_part(&mut self) -> Result<Part, ArchiveError> {
        self.content(&mut io::sink())?;
        match self.array::<1>()? {
            [FILE] => self.begin_file(),
            [ROW] => self.row(),
            [END] => self.end(),
            _ => Err(ArchiveError::Damaged),
        }
    }

    /// Writes what is left of the present file to `to`.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`], [`ArchiveError::Io`] of either side.
    pub fn content(&mut self, to: &mut impl Write) -> Result<(), ArchiveError> {
        let copied = io::copy(&mut (&mut self.from).take(self.left), to)?;
        if copied < self.left {
            return Err(ArchiveError::Damaged);
        }
        self.left = 0;
        Ok(())
    }

    /// What has been read so far.
    #[must_use]
    pub fn done(&self) -> Totals {
        self.done
    }

    fn begin_file(&mut self) -> Result<Part, ArchiveError> {
        let name = String::from_utf8(self.short()?).map_err(|_| ArchiveError::Damaged)?;
        let size = u64::from_be_bytes(self.array()?);
        let used = u64::from_be_bytes(self.array()?);
        if used > size {
            return Err(ArchiveError::Damaged);
        }
        self.left = used;
        self.done.files += 1;
        self.done.bytes += used;
        Ok(Part::File { name, size, used })
    }

    fn row(&mut self) -> Result<Part, ArchiveError> {
        let key = Key::from_bytes(&self.short()?);
        let version = u64::from_be_bytes(self.array()?);
        let length = u32::from_be_bytes(self.array()?);
        if length > LONGEST_ROW {
            return Err(ArchiveError::Damaged);
        }
        let sealed = self.bytes(length as usize)?;
        self.done.rows += 1;
        self.done.bytes += (key.as_bytes().len() + sealed.len()) as u64;
        Ok(Part::Row(Row {
            key,
            version,
            sealed,
        }))
    }

    fn end(&mut self) -> Result<Part, ArchiveError> {
        let said = Totals {
            files: u64::from_be_bytes(self.array()?),
            rows: u64::from_be_bytes(self.array()?),
            bytes: u64::from_be_bytes(self.array()?),
        };
        let note = self.short()?;
        let more = self.from.read(&mut [0])?;
        if said != self.done || more != 0 {
            return Err(ArchiveError::Damaged);
        }
        Ok(Part::End { note })
    }

    fn short(&mut self) -> Result<Vec<u8>, ArchiveError> {
        let length = u16::from_be_bytes(self.array()?);
        self.bytes(length.into())
    }

    fn bytes(&mut self, length: usize) -> Result<Vec<u8>, ArchiveError> {
        let mut bytes = vec![0; length];
        self.from.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ArchiveError> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl<R> fmt::Debug for ArchiveReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArchiveReader(..)")
    }
}

fn line(from: &mut impl BufRead, into: &mut Vec<u8>) -> Result<(), ArchiveError> {
    from.take(LONGEST_LINE).read_until(b'\n', into)?;
    Ok(())
}

const LONGEST_LINE: u64 = 1024;
/// As long as a keyring's file may be.
const LONGEST_RING: usize = 4 << 20;
/// Far above what a record grows to.
const LONGEST_ROW: u32 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::MasterKey;
    use crate::store::Table;
    use crate::store::archive::ArchiveWriter;

    #[test]
    fn what_was_written_is_read_and_everything_else_is_damage() {
        let home = tempfile::tempdir().unwrap();
        let master = MasterKey::random().unwrap();
        let (keys, _) = KeyRing::create(home.path(), &master, Timestamp(0)).unwrap();
        let row = Row {
            key: Key::table(Table::Meta).number(7),
            version: 3,
            sealed: vec![9; 100],
        };
        let mut writer =
            ArchiveWriter::begin(Vec::new(), &keys, &keys.wrapped(), Timestamp(5)).unwrap();
        writer.file("a/b", (10, 4), &b"text and more"[..]).unwrap();
        writer.row(&row).unwrap();
        let (whole, written) = writer.end(b"note").unwrap();

        assert_eq!(read(&whole, &keys).unwrap(), (vec![row], written));
        for at in 0..whole.len() {
            let mut other = whole.clone();
            other[at] ^= 1;
            assert!(read(&other, &keys).is_err(), "byte {at}");
        }
        for end in 0..whole.len() {
            assert!(read(&whole[..end], &keys).is_err(), "cut at {end}");
        }
        let longer = [whole.as_slice(), b"x"].concat();
        assert!(matches!(read(&longer, &keys), Err(ArchiveError::Damaged)));
        assert!(matches!(read(b"PK", &keys), Err(ArchiveError::Foreign)));
        let newer = b"claviger backup 2\n{}\n";
        assert!(matches!(read(newer, &keys), Err(ArchiveError::Format)));
    }

    #[test]
    fn a_file_that_became_shorter_is_no_backup() {
        let home = tempfile::tempdir().unwrap();
        let master = MasterKey::random().unwrap();
        let (keys, _) = KeyRing::create(home.path(), &master, Timestamp(0)).unwrap();
        let mut writer =
            ArchiveWriter::begin(Vec::new(), &keys, &keys.wrapped(), Timestamp(5)).unwrap();

        let short = writer.file("crl/a.crl", (9, 9), &b"four"[..]);

        assert!(matches!(short, Err(ArchiveError::Changed(name)) if name == "crl/a.crl"));
    }

    fn read(bytes: &[u8], keys: &KeyRing) -> Result<(Vec<Row>, Totals), ArchiveError> {
        let mut from = bytes;
        let head = ArchiveHead::read(&mut from)?;
        let mut reader = head.open(from, keys);
        let mut rows = Vec::new();
        loop {
            match reader.next_part()? {
                Part::File { name, size, used } => {
                    let mut content = Vec::new();
                    reader.content(&mut content)?;
                    assert_eq!((name.as_str(), size, used), ("a/b", 10, 4));
                    assert_eq!(content, b"text");
                }
                Part::Row(row) => rows.push(row),
                Part::End { note } => {
                    assert_eq!(note, b"note");
                    return Ok((rows, reader.done()));
                }
            }
        }
    }
}
