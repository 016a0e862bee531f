//! What the ledger's tests share.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use claviger::crypto::{MacKey, SealKey};
use claviger::domain::{Door, Operation, Outcome, Record, RequestId, ResourceId, Timestamp};
use claviger::ledger::{
    Damage, Head, Ledger, LedgerError, LedgerKeys, LedgerSettings, Report, verify,
};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// A directory of its own for a ledger, and the keys to it.
pub(crate) struct Place {
    pub(crate) root: TempDir,
    pub(crate) keys: LedgerKeys,
    pub(crate) settings: LedgerSettings,
}

impl Place {
    /// With the smallest segments, so that a few records fill one.
    pub(crate) fn new() -> Self {
        Self {
            root: tempfile::tempdir().expect("a temporary directory"),
            keys: keys(1),
            settings: LedgerSettings {
                segment_bytes: 8 << 10,
                ..LedgerSettings::default()
            },
        }
    }

    /// With segments that no test fills.
    pub(crate) fn roomy() -> Self {
        let mut place = Self::new();
        place.settings.segment_bytes = 1 << 20;
        place
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.root.path().join("audit")
    }

    pub(crate) fn try_open(&self) -> Result<Ledger, LedgerError> {
        Ledger::open(&self.dir(), self.keys.clone(), self.settings.clone())
    }

    pub(crate) fn open(&self) -> Ledger {
        self.try_open().expect("the ledger opens")
    }

    /// The segment files, in order.
    pub(crate) fn segments(&self) -> Vec<PathBuf> {
        segments_in(&self.dir())
    }

    /// The last segment file.
    pub(crate) fn last(&self) -> PathBuf {
        self.segments().pop().expect("a segment")
    }

    /// With segments that no test fills, in memory where the system has such a directory: for tests
    /// that open some thousand times.
    pub(crate) fn in_memory() -> Self {
        let mut place = Self::roomy();
        place.settings.segment_bytes = 64 << 10;
        if Path::new("/dev/shm").is_dir() {
            place.root = tempfile::tempdir_in("/dev/shm").expect("a temporary directory");
        }
        place
    }

    pub(crate) fn verify(&self, anchor: Option<Head>) -> Result<Report, LedgerError> {
        verify(&self.dir(), &self.keys, anchor, |_| {})
    }

    /// What verification names; it must name something.
    pub(crate) fn damage(&self, anchor: Option<Head>) -> Damage {
        match self.verify(anchor) {
            Err(LedgerError::Damaged(damage)) => damage,
            other => panic!("damage should be named, not {other:?}"),
        }
    }

    /// The same trail, in memory.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self {
            root: Self::in_memory().root,
            keys: self.keys.clone(),
            settings: self.settings.clone(),
        };
        fs::create_dir(copy.dir()).expect("a directory");
        fs::set_permissions(copy.dir(), fs::Permissions::from_mode(0o700)).expect("a mode");
        for file in fs::read_dir(self.dir()).expect("a directory") {
            let file = file.expect("a file");
            fs::copy(file.path(), copy.dir().join(file.file_name())).expect("a copy");
        }
        copy
    }
}

pub(crate) fn segments_in(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(dir)
        .expect("a directory")
        .map(|file| file.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|end| end == "log"))
        .collect();
    found.sort();
    found
}

/// Keys that differ by `seed`.
pub(crate) fn keys(seed: u8) -> LedgerKeys {
    LedgerKeys::new(
        SealKey::new(Zeroizing::new([seed; 32])),
        MacKey::new(Zeroizing::new([seed ^ 0xff; 32])),
    )
}

/// A record as most are, told apart by `number`.
pub(crate) fn record(number: u64) -> Record {
    Record {
        at: Timestamp(1_700_000_000_000 + i64::try_from(number).expect("a small number")),
        request: RequestId(number),
        caller: "svc-billing@app01.example.org".to_owned(),
        org: "default".to_owned(),
        door: Door::Xmlrpc,
        peer: Some([127, 0, 0, 1].into()),
        operation: Operation::Retrieve,
        resource: "db-prod-01".to_owned(),
        account: "billing".to_owned(),
        resource_id: Some(ResourceId(7)),
        account_id: None,
        reason: "nightly run".to_owned(),
        ticket: "CHG-4711".to_owned(),
        outcome: Outcome::Allowed,
        detail: String::new(),
    }
}

/// Appends records `from..=to`, one after the other, so that each is a write of its own.
pub(crate) async fn append_each(ledger: &Ledger, from: u64, to: u64) {
    for number in from..=to {
        let seq = ledger.append(&record(number)).await.expect("an append");
        assert_eq!(seq, number);
    }
}

/// Where the records of a segment stand: offset and length.
pub(crate) fn records_in(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = HEADER;
    while let Some(head) = bytes.get(at..at + 4) {
        let sealed = u32::from_le_bytes(head.try_into().expect("four bytes")) as usize;
        if sealed == 0 {
            break;
        }
        let whole = 16 + sealed + 32;
        found.push((at, whole));
        at += whole;
    }
    found
}

/// Where a segment's first record stands.
pub(crate) const HEADER: usize = 4096;
