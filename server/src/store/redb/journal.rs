//! What was written since the redb file was last brought up to date, in one piece: a change costs
//! one small write to a file that was filled beforehand, not one for every page it touches.
//!
//! `length(4) || number(4) || epoch(8) || steps || check(16)`, integers little-endian. A frame counts
//! while its epoch is the one that the redb file names (drawn at random, so that no other life of
//! the two files has it) and no frame before it is missing: what is
//! left of a write that was torn, and of an epoch that is over, ends the journal. The rows in it are
//! sealed, as they are in the redb file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::store::place;
use crate::store::{Expected, Key, Step, StepKind, StoreError};

/// The file, and where its next frame goes.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    size: u64,
    epoch: u64,
    end: u64,
    number: u32,
}

impl Journal {
    /// Opens the journal at `path` and fills it up to `size` bytes, or as far as it was before where
    /// the disk is full: all that it held must be in the redb file, which names `epoch` as the next.
    ///
    /// # Errors
    /// As [`place::open_private`], and what the disk says.
    pub(super) fn begin(path: &Path, size: usize, epoch: u64) -> Result<Self, StoreError> {
        let file = place::open_private(path, true)?;
        let size = fit(&file, size as u64)?;
        place::sync_directory(path)?;
        Ok(Self {
            file,
            size,
            epoch,
            end: 0,
            number: 0,
        })
    }

    /// The steps that the journal at `path` holds for `epoch`.
    ///
    /// # Errors
    /// [`StoreError::JournalGone`] when there is none although something was written to it before;
    /// what the disk says.
    pub(super) fn read(path: &Path, epoch: u64) -> Result<Vec<Step>, StoreError> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return if epoch == 0 {
                    Ok(Vec::new())
                } else {
                    Err(StoreError::JournalGone(PathBuf::from(path)))
                };
            }
            read => read?,
        };
        Ok(steps(&bytes, epoch))
    }

    /// `steps` as the next frame.
    pub(super) fn frame(&self, steps: &[&Step]) -> Vec<u8> {
        frame(steps, self.number, self.epoch)
    }

    /// Whether there would be room for `frame` if the journal were empty.
    pub(super) fn could_take(&self, frame: &[u8]) -> bool {
        frame.len() as u64 <= self.size
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.end == 0
    }

    /// Whether there is room for `frame`.
    pub(super) fn takes(&self, frame: &[u8]) -> bool {
        self.end + frame.len() as u64 <= self.size
    }

    /// Adds what [`Self::frame`] made; returns after it would survive a power cut.
    ///
    /// # Errors
    /// What the disk says; whether the frame stands is then open, and no other may follow it.
    pub(super) fn append(&mut self, frame: &[u8]) -> io::Result<()> {
        self.file.write_all_at(frame, self.end)?;
        self.file.sync_data()?;
        self.end += frame.len() as u64;
        self.number += 1;
        Ok(())
    }

    /// All frames are in the redb file, which names `epoch` now: they count no more.
    pub(super) fn forget(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.end = 0;
        self.number = 0;
    }
}

/// Makes the file `size` bytes long, or leaves it as long as it is where the disk has no room for
/// more; says how long it is.
fn fit(file: &File, size: u64) -> io::Result<u64> {
    let before = file.metadata()?.len();
    if size <= before {
        file.set_len(size)?;
        return Ok(size);
    }
    match fill(file, before, size) {
        Err(error) if error.kind() == io::ErrorKind::StorageFull => {
            file.set_len(before)?;
            Ok(before)
        }
        filled => filled.map(|()| size),
    }
}

/// Zeros, so that no later write needs room on the disk.
fn fill(file: &File, from: u64, to: u64) -> io::Result<()> {
    let zeros = vec![0; 64 << 10];
    let mut at = from;
    while at < to {
        let left = usize::try_from(to - at).unwrap_or(zeros.len());
        let some = zeros.get(..left.min(zeros.len())).unwrap_or(&zeros);
        file.write_all_at(some, at)?;
        at += some.len() as u64;
    }
    file.sync_all()
}

fn frame(steps: &[&Step], number: u32, epoch: u64) -> Vec<u8> {
    let mut frame = vec![0; 4];
    frame.extend_from_slice(&number.to_le_bytes());
    frame.extend_from_slice(&epoch.to_le_bytes());
    for step in steps {
        put(&mut frame, step);
    }
    let length = u32::try_from(frame.len() + CHECK).unwrap_or(u32::MAX);
    if let Some(place) = frame.first_chunk_mut() {
        *place = length.to_le_bytes();
    }
    let check = check(&frame);
    frame.extend_from_slice(&check);
    frame
}

/// `1 || key || version(8) || sealed` for a row that is written, `2 || key` for one that goes; a
/// text is `length(4) || bytes`.
fn put(frame: &mut Vec<u8>, step: &Step) {
    let text = |frame: &mut Vec<u8>, text: &[u8]| {
        frame.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        frame.extend_from_slice(text);
    };
    match &step.kind {
        StepKind::Keep => {}
        StepKind::Put { version, sealed } => {
            frame.push(PUT);
            text(frame, step.key.as_bytes());
            frame.extend_from_slice(&version.to_le_bytes());
            text(frame, sealed);
        }
        StepKind::Delete => {
            frame.push(DELETE);
            text(frame, step.key.as_bytes());
        }
    }
}

fn check(bytes: &[u8]) -> [u8; CHECK] {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let mut check = [0; CHECK];
    check
        .iter_mut()
        .zip(digest)
        .for_each(|(to, from)| *to = from);
    check
}

/// The steps of all frames that count, in their order.
fn steps(mut bytes: &[u8], epoch: u64) -> Vec<Step> {
    let mut all = Vec::new();
    let mut number = 0;
    while let Some((mut some, rest)) = next_frame(bytes, number, epoch) {
        while let Some(step) = next_step(&mut some) {
            all.push(step);
        }
        bytes = rest;
        number += 1;
    }
    all
}

/// What is inside the first frame, and what follows it.
fn next_frame(bytes: &[u8], number: u32, epoch: u64) -> Option<(&[u8], &[u8])> {
    let length = u32::from_le_bytes(*bytes.first_chunk()?);
    let (whole, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    let (framed, tag) = whole.split_last_chunk::<CHECK>()?;
    let (head, inside) = framed.split_first_chunk::<HEAD>()?;
    let expected = [
        &length.to_le_bytes()[..],
        &number.to_le_bytes(),
        &epoch.to_le_bytes(),
    ];
    (head[..] == expected.concat() && check(framed) == *tag).then_some((inside, rest))
}

fn next_step(bytes: &mut &[u8]) -> Option<Step> {
    let (kind, rest) = bytes.split_first()?;
    let mut rest = rest;
    let key = Key::from_bytes(take_text(&mut rest)?);
    let kind = match *kind {
        PUT => {
            let (version, after) = rest.split_first_chunk()?;
            rest = after;
            StepKind::Put {
                version: u64::from_le_bytes(*version),
                sealed: take_text(&mut rest)?.to_vec(),
            }
        }
        DELETE => StepKind::Delete,
        _ => return None,
    };
    *bytes = rest;
    Some(Step {
        key,
        expected: Expected::Any,
        kind,
    })
}

fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (text, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(text)
}

const PUT: u8 = 1;
const DELETE: u8 = 2;
/// Bytes before the steps.
const HEAD: usize = 16;
/// Bytes behind them: the beginning of their SHA-256.
const CHECK: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;
    use crate::store::Table;

    fn put_step(number: u64, sealed: &[u8]) -> Step {
        let sealed = sealed.to_vec();
        step(
            number,
            StepKind::Put {
                version: number,
                sealed,
            },
        )
    }

    fn step(number: u64, kind: StepKind) -> Step {
        Step {
            key: Key::table(Table::Meta).number(number),
            expected: Expected::Any,
            kind,
        }
    }

    fn written(epoch: u64, groups: &[Vec<Step>]) -> (TempDir, PathBuf) {
        let home = TempDir::new().unwrap();
        let path = home.path().join("store.journal");
        let mut journal = Journal::begin(&path, 8192, epoch).unwrap();
        for group in groups {
            let steps: Vec<&Step> = group.iter().collect();
            let frame = journal.frame(&steps);
            journal.append(&frame).unwrap();
        }
        (home, path)
    }

    #[test]
    fn what_was_appended_is_read_in_its_order() {
        let groups = [
            vec![put_step(1, b"one"), step(2, StepKind::Delete)],
            vec![put_step(1, b"again")],
        ];
        let (_home, path) = written(7, &groups);

        assert_eq!(Journal::read(&path, 7).unwrap(), groups.concat());
    }

    #[test]
    fn frames_of_another_epoch_do_not_count() {
        let (_home, path) = written(7, &[vec![put_step(1, b"one")]]);

        assert_eq!(Journal::read(&path, 6).unwrap(), []);
        assert_eq!(Journal::read(&path, 8).unwrap(), []);
    }

    #[test]
    fn what_an_epoch_before_left_behind_the_last_frame_does_not_count() {
        let old: Vec<Step> = (1..9).map(|number| put_step(number, b"old")).collect();
        let groups: Vec<Vec<Step>> = old.into_iter().map(|step| vec![step]).collect();
        let (_home, path) = written(1, &groups);
        let mut journal = Journal::begin(&path, 8192, 2).unwrap();
        let new = put_step(1, b"new");
        let frame = journal.frame(&[&new]);
        journal.append(&frame).unwrap();

        assert_eq!(Journal::read(&path, 2).unwrap(), [new]);
    }

    #[test]
    fn a_journal_that_is_gone_is_an_error_once_something_was_in_it() {
        let home = TempDir::new().unwrap();
        let path = home.path().join("store.journal");

        assert_eq!(Journal::read(&path, 0).unwrap(), []);
        let gone = Journal::read(&path, 1);
        assert!(matches!(gone, Err(StoreError::JournalGone(at)) if at == path));
    }

    #[test]
    fn what_is_longer_than_the_journal_is_never_taken() {
        let home = TempDir::new().unwrap();
        let journal = Journal::begin(&home.path().join("store.journal"), 4096, 1).unwrap();

        assert!(!journal.could_take(&journal.frame(&[&put_step(1, &[0; 4096])])));
        let frame = journal.frame(&[&put_step(1, &[0; 2048])]);
        assert!(journal.could_take(&frame) && journal.takes(&frame));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_torn_or_damaged_journal_gives_whole_groups_from_its_beginning_only(
            sizes in prop::collection::vec(0_usize..300, 1..6),
            at in 0_usize..2048,
            byte in any::<u8>(),
            cut in any::<bool>(),
        ) {
            let groups: Vec<Vec<Step>> = (1..)
                .zip(&sizes)
                .map(|(number, size)| vec![put_step(number, &vec![7; *size])])
                .collect();
            let (_home, path) = written(3, &groups);
            let mut bytes = std::fs::read(&path).unwrap();
            if cut {
                bytes[at..].fill(0);
            } else {
                bytes[at] = byte;
            }
            std::fs::write(&path, bytes).unwrap();

            let read = Journal::read(&path, 3).unwrap();

            let whole = groups.concat();
            prop_assert_eq!(&read[..], &whole[..read.len()]);
        }
    }
}
