//! The bare peer's audit: records in a file that was filled beforehand, one flush for all that
//! wait. The least that a durable record can cost, so the measure for ours.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

/// The size of the prefilled file; records wrap around at its end.
const FILE_SIZE: u64 = 64 << 20;

/// A writer of durable records.
#[derive(Clone, Debug)]
pub struct Audit {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    come: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    records: Vec<u8>,
    done: Vec<oneshot::Sender<()>>,
}

impl Audit {
    /// Fills the file at `path` with zeros and starts the one thread that writes to it.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(path)?;
        fill(&file)?;
        let shared = Arc::new(Shared::default());
        let writer = Arc::clone(&shared);
        thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.write_for_ever(&file))?;
        Ok(Self { shared })
    }

    /// Writes a record; ready when it would survive a power cut.
    pub async fn record(&self, record: &[u8]) {
        let (sender, durable) = oneshot::channel();
        let first = {
            let mut waiting = self.shared.lock();
            waiting.records.extend_from_slice(record);
            waiting.done.push(sender);
            waiting.done.len() == 1
        };
        if first {
            self.shared.come.notify_one();
        }
        // The writer ends with the process only.
        drop(durable.await);
    }
}

impl Shared {
    fn write_for_ever(&self, file: &File) {
        let mut at = 0;
        let mut batch = Waiting::default();
        loop {
            self.take(&mut batch);
            if at + batch.records.len() as u64 > FILE_SIZE {
                at = 0;
            }
            let written = file
                .write_all_at(&batch.records, at)
                .and_then(|()| file.sync_data());
            if let Err(why) = written {
                drop(writeln!(io::stderr(), "audit: {why}"));
                std::process::exit(1);
            }
            at += batch.records.len() as u64;
            batch.records.clear();
            for sender in batch.done.drain(..) {
                // A caller that went away needs no answer.
                let _ = sender.send(());
            }
        }
    }

    /// Waits for records and swaps them for the empty `batch`.
    fn take(&self, batch: &mut Waiting) {
        let mut waiting = self.lock();
        while waiting.done.is_empty() {
            waiting = self
                .come
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut *waiting, batch);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fill(file: &File) -> io::Result<()> {
    let zeros = vec![0; 1 << 20];
    for at in 0..FILE_SIZE >> 20 {
        file.write_all_at(&zeros, at << 20)?;
    }
    file.sync_all()
}
