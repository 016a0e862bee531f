//! A file that is only read, and takes writes in memory: redb wants to write even to open a file
//! that was not closed cleanly, and a disk that became read-only takes nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};

/// The file, and what was written over it.
#[derive(Debug)]
pub(super) struct Overlay {
    file: File,
    /// Most bytes that are kept in memory.
    most: usize,
    over: Mutex<Over>,
}

#[derive(Debug)]
struct Over {
    length: u64,
    /// How much of the file still counts: what was cut off does not come back.
    kept: u64,
    blocks: BTreeMap<u64, Box<Block>>,
}

type Block = [u8; BLOCK];

impl Overlay {
    /// Over `file`; what is written takes at most `most` bytes of memory.
    pub(super) fn new(file: File, most: usize) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let over = Mutex::new(Over {
            length,
            kept: length,
            blocks: BTreeMap::new(),
        });
        Ok(Self { file, most, over })
    }

    fn over(&self) -> MutexGuard<'_, Over> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The block that begins at `start`, zeros where the file has ended.
    fn block(&self, over: &Over, start: u64) -> io::Result<Box<Block>> {
        if let Some(block) = over.blocks.get(&start) {
            return Ok(block.clone());
        }
        let mut block = Box::new([0; BLOCK]);
        let counts = over.kept.saturating_sub(start).min(BLOCK as u64);
        let counts = usize::try_from(counts).unwrap_or(BLOCK);
        if let Some(read) = block.get_mut(..counts) {
            self.file.read_exact_at(read, start)?;
        }
        Ok(block)
    }
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.over().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let over = self.over();
        if offset.saturating_add(out.len() as u64) > over.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        pieces(offset, out.len(), |start, within, done| {
            let block = self.block(&over, start)?;
            if let (Some(to), Some(from)) = (out.get_mut(done), block.get(within)) {
                to.copy_from_slice(from);
            }
            Ok(())
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut over = self.over();
        over.kept = over.kept.min(length);
        over.length = length;
        over.blocks
            .split_off(&length.next_multiple_of(BLOCK as u64));
        let within = usize::try_from(length % BLOCK as u64).unwrap_or(0);
        if let Some(block) = over.blocks.get_mut(&(length - within as u64)) {
            block.iter_mut().skip(within).for_each(|byte| *byte = 0);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut over = self.over();
        if over.blocks.len().saturating_mul(BLOCK) + data.len() > self.most {
            return Err(io::ErrorKind::StorageFull.into());
        }
        over.length = over.length.max(offset.saturating_add(data.len() as u64));
        pieces(offset, data.len(), |start, within, done| {
            let mut block = self.block(&over, start)?;
            if let (Some(to), Some(from)) = (block.get_mut(within), data.get(done)) {
                to.copy_from_slice(from);
            }
            over.blocks.insert(start, block);
            Ok(())
        })
    }

    /// This process holds the data directory already, and nothing reaches the file.
    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}

/// Cuts `length` bytes at `offset` along the blocks: where each begins, which part of it is meant,
/// and which part of the bytes that is.
fn pieces(
    offset: u64,
    length: usize,
    mut piece: impl FnMut(u64, std::ops::Range<usize>, std::ops::Range<usize>) -> io::Result<()>,
) -> io::Result<()> {
    let mut done = 0;
    while done < length {
        let at = offset + done as u64;
        let start = at - at % BLOCK as u64;
        let from = usize::try_from(at - start).unwrap_or(0);
        let taken = (BLOCK - from).min(length - done);
        piece(start, from..from + taken, done..done + taken)?;
        done += taken;
    }
    Ok(())
}

const BLOCK: usize = 4096;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Act {
        Write(usize, Vec<u8>),
        Length(usize),
    }

    fn act() -> impl Strategy<Value = Act> {
        let bytes = prop::collection::vec(any::<u8>(), 1..9000);
        prop_oneof![
            (0_usize..20_000, bytes).prop_map(|(at, bytes)| Act::Write(at, bytes)),
            (0_usize..30_000).prop_map(Act::Length),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_is_read_and_the_file_stays(
            first in prop::collection::vec(any::<u8>(), 0..20_000),
            acts in prop::collection::vec(act(), 0..12),
        ) {
            let mut file = tempfile::tempfile().unwrap();
            io::Write::write_all(&mut file, &first).unwrap();
            let overlay = Overlay::new(file.try_clone().unwrap(), 64 << 20).unwrap();
            let mut model = first.clone();

            for act in acts {
                match act {
                    Act::Write(at, bytes) => {
                        let end = at + bytes.len();
                        model.resize(model.len().max(end), 0);
                        model[at..end].copy_from_slice(&bytes);
                        overlay.write(at as u64, &bytes).unwrap();
                    }
                    Act::Length(length) => {
                        model.resize(length, 0);
                        overlay.set_len(length as u64).unwrap();
                    }
                }
                let mut whole = vec![1; model.len()];
                overlay.read(0, &mut whole).unwrap();
                prop_assert_eq!(&whole, &model);
                prop_assert_eq!(overlay.len().unwrap(), model.len() as u64);
                prop_assert!(overlay.read(1, &mut whole).is_err() || model.is_empty());
            }
            let mut kept = vec![0; first.len()];
            file.read_exact_at(&mut kept, 0).unwrap();
            prop_assert_eq!(kept, first);
        }
    }
}
