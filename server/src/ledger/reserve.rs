//! The next segment's file, filled with zeros ahead of use by a thread of its own.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use crate::ledger::Trouble;
use crate::ledger::cursor::Cursor;
use crate::ledger::folder::Folder;

/// The prepared file's name until it becomes a segment.
pub(crate) const NEXT: &str = "next.tmp";

/// Keeps one prepared file at hand.
#[derive(Debug)]
pub(crate) struct Reserve {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread does besides: told of each round, whether it made a file or could not.
pub(crate) trait Watch: Send + 'static {
    /// A file is ready.
    fn ready(&mut self);
    /// None could be made.
    fn failed(&mut self, why: Trouble);
    /// Nothing happened for a while.
    fn idle(&mut self);
}

impl Reserve {
    /// Starts the thread; it prepares a file at once.
    pub(crate) fn start(
        folder: Arc<Folder>,
        size: u64,
        retry: Duration,
        watch: impl Watch,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State::Wanted),
            changed: Condvar::new(),
        });
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("audit-reserve".to_owned())
            .spawn(move || theirs.run(&folder, size, retry, watch))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// The prepared file; waits for it if it is not ready yet, and has it tried once more if it
    /// could not be made. Nothing is prepared before [`Reserve::want`].
    pub(crate) fn take(&self) -> Result<File, Trouble> {
        let mut state = self.shared.lock();
        let mut asked = false;
        loop {
            match std::mem::replace(&mut *state, State::Taken) {
                State::Ready(file) => return Ok(file),
                State::Stopped => {
                    *state = State::Stopped;
                    return Err(Trouble::Closed);
                }
                State::Failed(why) if asked => {
                    *state = State::Failed(why);
                    return Err(why);
                }
                State::Failed(_) | State::Taken | State::Wanted => *state = State::Wanted,
            }
            asked = true;
            self.shared.changed.notify_all();
            state = self
                .shared
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The file that was taken has its own name now, or is given up: the next may be prepared.
    pub(crate) fn want(&self) {
        let mut state = self.shared.lock();
        if matches!(*state, State::Taken) {
            *state = State::Wanted;
            self.shared.changed.notify_all();
        }
    }

    /// Whether a file is at hand.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(*self.shared.lock(), State::Ready(_))
    }
}

impl Drop for Reserve {
    fn drop(&mut self) {
        *self.shared.lock() = State::Stopped;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic in there has been reported by the panic hook; there is nothing to add.
            let _ = thread.join();
        }
    }
}

/// Makes the prepared file: of `size` bytes, all zero, on the disk. One that is left from before
/// serves if it is just that.
pub(crate) fn prepare(
    folder: &Folder,
    size: u64,
    stop: impl Fn() -> bool,
) -> Result<File, Trouble> {
    if let Some(left) = left_over(folder, size) {
        return Ok(left);
    }
    let file = folder.create(NEXT)?;
    match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, size) {
        // Not every file system can; the writes below tell as well, only later.
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {}
        Err(code) => return Err(give_up(folder, io::Error::from(code))),
    }
    fill(&file, size, stop).map_err(|error| give_up(folder, error))?;
    Ok(file)
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
enum State {
    Wanted,
    Ready(File),
    Failed(Trouble),
    Taken,
    Stopped,
}

impl Shared {
    fn run(&self, folder: &Folder, size: u64, retry: Duration, mut watch: impl Watch) {
        let mut state = self.lock();
        loop {
            match &*state {
                State::Stopped => return,
                State::Wanted => {
                    drop(state);
                    let made = prepare(folder, size, || matches!(*self.lock(), State::Stopped));
                    state = self.settle(made, &mut watch);
                }
                State::Ready(_) | State::Failed(_) | State::Taken => {
                    let (woken, waited) = self
                        .changed
                        .wait_timeout(state, retry)
                        .unwrap_or_else(PoisonError::into_inner);
                    state = woken;
                    if waited.timed_out() {
                        state = self.tick(state, &mut watch);
                    }
                }
            }
        }
    }

    fn settle(&self, made: Result<File, Trouble>, watch: &mut impl Watch) -> MutexGuard<'_, State> {
        let outcome = made.as_ref().map(|_| ()).map_err(|why| *why);
        let mut state = self.lock();
        if matches!(*state, State::Wanted) {
            *state = made.map_or_else(State::Failed, State::Ready);
        }
        self.changed.notify_all();
        drop(state);
        match outcome {
            Ok(()) => watch.ready(),
            Err(why) => watch.failed(why),
        }
        self.lock()
    }

    fn tick<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        watch: &mut impl Watch,
    ) -> MutexGuard<'a, State> {
        if matches!(*state, State::Failed(_)) {
            *state = State::Wanted;
            return state;
        }
        drop(state);
        watch.idle();
        self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn left_over(folder: &Folder, size: u64) -> Option<File> {
    let file = folder.open_file(NEXT).ok()?;
    let meta = file.metadata().ok()?;
    if !meta.is_file() || meta.len() != size || meta.nlink() != 1 {
        return None;
    }
    let untouched = Cursor::new(file.try_clone().ok()?)
        .written(0)
        .ok()?
        .is_none();
    // Allocated only would still have to be written: its blocks count as such when they are.
    (untouched && meta.blocks() * 512 >= size && file.sync_all().is_ok()).then_some(file)
}

/// In steps, each flushed: a burst of 16 MiB would hold up the flushes of the present segment.
fn fill(file: &File, size: u64, stop: impl Fn() -> bool) -> io::Result<()> {
    let zeros = vec![0; STEP];
    let mut at = 0;
    while at < size {
        if stop() {
            return Err(io::Error::from(io::ErrorKind::Interrupted));
        }
        let left = usize::try_from(size - at).unwrap_or(STEP);
        file.write_all_at(zeros.get(..left).unwrap_or(&zeros), at)?;
        file.sync_data()?;
        at += STEP as u64;
    }
    file.sync_all()
}

/// A file half made takes space that somebody else may need to get out of the same trouble.
fn give_up(folder: &Folder, error: io::Error) -> Trouble {
    // If it cannot be removed either, the next try does it.
    let _ = std::fs::remove_file(folder.path().join(NEXT));
    error.into()
}

const STEP: usize = 1 << 20;
