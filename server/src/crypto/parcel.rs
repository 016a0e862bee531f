//! A file for somewhere else, sealed in pieces: an export by a passphrase, a backup by the keyring.

use std::fmt;
use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::crypto::derive::derive;
use crate::crypto::passphrase::stretch;
use crate::crypto::{CryptoError, Passphrase, PassphraseCost, SealKey};

/// A parcel: `magic || head || pieces`.
///
/// The head is a line of JSON with the salt and the cost. Each piece is `length u32 || sealed`, up
/// to 64 KiB of the content sealed under
/// `HKDF-SHA-256(Argon2id(passphrase, salt), "claviger parcel v1")` with
/// `magic || head || number u64 || last u8` as associated data: no piece can be changed, dropped,
/// moved or added, and a parcel without its last piece does not open to its end.
#[derive(Debug)]
pub struct Parcel;

impl Parcel {
    /// What every parcel begins with.
    pub const MAGIC: &'static [u8] = b"claviger parcel 1\n";

    /// Begins a parcel. Takes tenths of a second.
    ///
    /// # Errors
    /// [`CryptoError::Short`] and [`CryptoError::Cost`] when it would be too easy to guess;
    /// [`CryptoError::Random`]; [`CryptoError::Parcel`] when `to` cannot be written.
    pub fn seal<W: Write>(
        mut to: W,
        passphrase: &Passphrase,
        cost: PassphraseCost,
    ) -> Result<ParcelWriter<W>, CryptoError> {
        passphrase.check_new()?;
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).map_err(|_| CryptoError::Random)?;
        let text = serde_json::to_vec(&Head { salt, cost })
            .map_err(|error| CryptoError::Parcel(error.into()))?;
        let head = [Self::MAGIC, text.as_slice(), b"\n"].concat();
        to.write_all(&head).map_err(CryptoError::Parcel)?;
        let key = stretched(passphrase, &salt, cost)?;
        Ok(ParcelWriter::under(to, key, head))
    }

    /// Opens a parcel for reading. A wrong passphrase is [`io::ErrorKind::InvalidData`] at the
    /// first read, and so is a parcel that was changed or cut, where that is found.
    ///
    /// # Errors
    /// [`CryptoError::Parcel`] when it is no parcel or cannot be read; [`CryptoError::Cost`].
    pub fn open<R: BufRead>(
        mut from: R,
        passphrase: &Passphrase,
    ) -> Result<ParcelReader<R>, CryptoError> {
        let no_parcel = || CryptoError::Parcel(invalid("it is no sealed export"));
        let mut head = vec![0; Self::MAGIC.len()];
        from.read_exact(&mut head).map_err(|_| no_parcel())?;
        if head != Self::MAGIC {
            return Err(no_parcel());
        }
        let mut text = Vec::new();
        let mut limited = from.by_ref().take(HEAD_LIMIT);
        limited
            .read_until(b'\n', &mut text)
            .map_err(CryptoError::Parcel)?;
        let Head { salt, cost } = serde_json::from_slice(&text).map_err(|_| no_parcel())?;
        head.extend_from_slice(&text);
        let key = stretched(passphrase, &salt, cost)?;
        Ok(ParcelReader::under(from, key, head))
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    salt: [u8; SALT],
    cost: PassphraseCost,
}

/// The key, and what binds every piece to its place.
struct Seal {
    key: SealKey,
    head: Vec<u8>,
    number: u64,
}

impl Seal {
    fn new(key: SealKey, head: Vec<u8>) -> Self {
        Self {
            key,
            head,
            number: 0,
        }
    }

    fn next(&mut self, last: bool) -> Vec<u8> {
        let place = [
            &self.head,
            self.number.to_be_bytes().as_slice(),
            &[u8::from(last)],
        ]
        .concat();
        self.number += 1;
        place
    }
}

fn stretched(
    passphrase: &Passphrase,
    salt: &[u8],
    cost: PassphraseCost,
) -> Result<SealKey, CryptoError> {
    let stretched = stretch(passphrase, salt, cost)?;
    Ok(SealKey::new(derive(
        stretched.as_slice(),
        "claviger parcel v1",
    )))
}

/// Writes what goes into a parcel. Only [`Self::finish`] makes it whole.
pub struct ParcelWriter<W> {
    to: W,
    seal: Seal,
    piece: Zeroizing<Vec<u8>>,
}

impl<W: Write> ParcelWriter<W> {
    /// Writes pieces alone, under a key that is used for nothing else; `head` stands for what was
    /// written before them, and every piece is bound to it.
    pub(crate) fn under(to: W, key: SealKey, head: Vec<u8>) -> Self {
        Self {
            to,
            seal: Seal::new(key, head),
            piece: Zeroizing::new(Vec::with_capacity(PIECE)),
        }
    }

    /// Seals the last piece and gives the writer back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.put(true)?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn put(&mut self, last: bool) -> io::Result<()> {
        let place = self.seal.next(last);
        let sealed = self
            .seal
            .key
            .seal(&place, &self.piece)
            .map_err(io::Error::other)?;
        let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
        self.to.write_all(&length.to_be_bytes())?;
        self.to.write_all(&sealed)?;
        self.piece.clear();
        Ok(())
    }
}

impl<W: Write> Write for ParcelWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.piece.len() == PIECE {
            self.put(false)?;
        }
        let room = PIECE - self.piece.len();
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.piece.extend_from_slice(taken);
        Ok(taken.len())
    }

    /// Flushes whole pieces only: a piece is not begun twice.
    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl<W> fmt::Debug for ParcelWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ParcelWriter(..)")
    }
}

/// Reads what is in a parcel.
pub struct ParcelReader<R> {
    from: R,
    seal: Seal,
    piece: Zeroizing<Vec<u8>>,
    at: usize,
    ended: bool,
}

impl<R: BufRead> ParcelReader<R> {
    /// Reads what [`ParcelWriter::under`] wrote.
    pub(crate) fn under(from: R, key: SealKey, head: Vec<u8>) -> Self {
        Self {
            from,
            seal: Seal::new(key, head),
            piece: Zeroizing::new(Vec::new()),
            at: 0,
            ended: false,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut length = [0; 4];
        self.from.read_exact(&mut length).map_err(cut)?;
        let length = u32::from_be_bytes(length) as usize;
        if !(SealKey::OVERHEAD..=PIECE + SealKey::OVERHEAD).contains(&length) {
            return Err(invalid(DAMAGED));
        }
        let mut sealed = vec![0; length];
        self.from.read_exact(&mut sealed).map_err(cut)?;
        // The last piece is the one behind which the file ends; its seal must say so, too.
        self.ended = self.from.fill_buf()?.is_empty();
        let place = self.seal.next(self.ended);
        self.piece = self
            .seal
            .key
            .open(&place, &sealed)
            .map_err(|_| invalid(DAMAGED))?;
        self.at = 0;
        Ok(())
    }
}

impl<R: BufRead> Read for ParcelReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            if self.ended {
                return Ok(0);
            }
            self.fill()?;
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let count = rest.len().min(into.len());
        for (to, from) in into.iter_mut().zip(rest) {
            *to = *from;
        }
        self.at += count;
        Ok(count)
    }
}

impl<R> fmt::Debug for ParcelReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ParcelReader(..)")
    }
}

fn cut(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => invalid(DAMAGED),
        _ => error,
    }
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

const DAMAGED: &str = "wrong passphrase, or the sealed file was changed or cut";
const SALT: usize = 16;
const PIECE: usize = 64 << 10;
const HEAD_LIMIT: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAPEST: PassphraseCost = PassphraseCost {
        memory_kib: 19 * 1024,
        passes: 2,
        lanes: 1,
    };

    fn passphrase() -> Passphrase {
        Passphrase::new("correct horse battery").unwrap()
    }

    fn sealed(content: &[u8]) -> Vec<u8> {
        let mut writer = Parcel::seal(Vec::new(), &passphrase(), CHEAPEST).unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap()
    }

    fn opened(parcel: &[u8], passphrase: &Passphrase) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        Parcel::open(parcel, passphrase)
            .map_err(io::Error::other)?
            .read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn what_was_packed_comes_out_whatever_its_length() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let content: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();

            assert_eq!(
                opened(&sealed(&content), &passphrase()).unwrap(),
                content,
                "{length}"
            );
        }
    }

    #[test]
    fn a_wrong_passphrase_a_change_a_cut_and_an_addition_are_found() {
        let content = vec![7; PIECE + 100];
        let whole = sealed(&content);
        let first = whole
            .iter()
            .skip(Parcel::MAGIC.len())
            .position(|&b| b == b'\n')
            .unwrap();
        let first = Parcel::MAGIC.len() + first + 1;
        let second = first + 4 + PIECE + SealKey::OVERHEAD;
        let changed = |at: usize| {
            let mut parcel = whole.clone();
            parcel[at] ^= 1;
            parcel
        };
        let swapped = [&whole[..first], &whole[second..], &whole[first..second]].concat();
        let cases = [
            ("changed", changed(first + 40)),
            ("changed at its end", changed(whole.len() - 1)),
            ("cut inside a piece", whole[..whole.len() - 1].to_vec()),
            ("cut between pieces", whole[..second].to_vec()),
            ("longer", [whole.as_slice(), b"x"].concat()),
            (
                "the last piece twice",
                [whole.as_slice(), &whole[second..]].concat(),
            ),
            ("swapped", swapped),
        ];

        for (what, parcel) in cases {
            let error = opened(&parcel, &passphrase()).unwrap_err();
            assert_eq!(error.to_string(), DAMAGED, "{what}");
        }
        let other = Passphrase::new("another horse").unwrap();
        assert_eq!(opened(&whole, &other).unwrap_err().to_string(), DAMAGED);
        assert!(opened(b"resource,account", &passphrase()).is_err());
    }

    #[test]
    fn a_short_passphrase_seals_nothing() {
        let short = Passphrase::new("short").unwrap();

        let refused = Parcel::seal(Vec::new(), &short, CHEAPEST);

        assert!(matches!(refused, Err(CryptoError::Short(12))));
    }
}
