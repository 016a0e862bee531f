//! CRL files: a directory of them, read, checked and watched.

mod directory;
mod fault;
mod file;

pub use fault::{CrlFault, CrlProblem};

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateRevocationListDer;
use sha2::{Digest, Sha256};

use directory::Listing;

/// What a CRL directory may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrlLimits {
    /// Largest file that is read, in bytes. Default 32 MiB.
    pub max_file_bytes: u64,
    /// Most files that are read. Default 256.
    pub max_files: usize,
    /// Most CRLs that one PEM file may hold. Default 64.
    pub max_crls_per_file: usize,
}

impl Default for CrlLimits {
    fn default() -> Self {
        Self {
            max_file_bytes: 32 << 20,
            max_files: 256,
            max_crls_per_file: 64,
        }
    }
}

/// A CRL that the verifier can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedCrl {
    /// The file it came from.
    pub path: PathBuf,
    /// Its bytes, as rustls takes them.
    pub der: CertificateRevocationListDer<'static>,
    /// Its issuer's name, as text.
    pub issuer: String,
    /// When it was made, in seconds since 1970.
    pub this_update: i64,
    /// When the next one is due, in seconds since 1970. After that moment a verifier that enforces
    /// expiry refuses every certificate of this issuer: warn in time.
    pub next_update: i64,
    /// How many certificates it takes back.
    pub revoked: usize,
}

impl LoadedCrl {
    /// Whether the next CRL was due before `now_unix`.
    #[must_use]
    pub fn is_expired(&self, now_unix: i64) -> bool {
        self.next_update < now_unix
    }
}

/// The CRLs of a directory, and what in it could not be used.
///
/// Signatures are not checked here, since the issuer may not be known yet: the verifier does, each
/// time it uses a CRL.
#[derive(Clone, Debug)]
pub struct CrlSet {
    /// The CRLs, newest first: a verifier takes the first one that speaks for a certificate, so an
    /// old file that was left lying does not hide what a newer one takes back.
    pub crls: Vec<LoadedCrl>,
    /// What could not be used. The rest is loaded all the same; whoever runs the server must hear
    /// of these.
    pub problems: Vec<CrlProblem>,
    listing: Listing,
    directory: PathBuf,
    limits: CrlLimits,
}

/// Reads every file in `directory` that does not begin with a dot or end with `~`: PEM (any number
/// of CRLs) or DER (one). A directory that does not exist holds none.
#[must_use]
pub fn load_crls(directory: &Path, limits: CrlLimits) -> CrlSet {
    // Looked at before reading: a change during the reading is then seen by the next `is_changed`.
    let listing = Listing::of(directory, limits.max_files);
    let mut set = CrlSet {
        crls: Vec::new(),
        problems: listing.problems(directory),
        listing,
        directory: directory.to_owned(),
        limits,
    };
    for path in set.listing.paths(directory) {
        match file::read(&path, limits) {
            Ok((crls, faults)) => {
                set.crls.extend(crls);
                set.problems
                    .extend(faults.into_iter().map(|why| CrlProblem::new(&path, why)));
            }
            Err(why) => set.problems.push(CrlProblem::new(&path, why)),
        }
    }
    set.order();
    set
}

impl CrlSet {
    /// Whether the directory has changed since this set was loaded, by the names, times and sizes of
    /// its files. Cheap enough to be asked every few seconds.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        Listing::of(&self.directory, self.limits.max_files) != self.listing
    }

    /// Reads the directory again. A file that is still there but has become unusable (half copied,
    /// of the wrong form, unreadable) keeps the CRLs that this set has from it, and is named in
    /// `problems`: an accident must not let revoked certificates back in. A file that was removed
    /// is gone.
    #[must_use]
    pub fn reload(&self) -> Self {
        let mut fresh = load_crls(&self.directory, self.limits);
        let bad: HashSet<PathBuf> = fresh.problems.iter().map(|p| p.path.clone()).collect();
        let all = bad.contains(&self.directory) && !fresh.listing.is_readable();
        let kept: Vec<LoadedCrl> = self
            .crls
            .iter()
            .filter(|crl| all || bad.contains(&crl.path))
            .cloned()
            .collect();
        for problem in &mut fresh.problems {
            problem.kept = kept
                .iter()
                .filter(|crl| all || crl.path == problem.path)
                .count();
        }
        fresh.crls.extend(kept);
        fresh.order();
        fresh
    }

    /// The CRLs as rustls' verifier builders take them.
    #[must_use]
    pub fn ders(&self) -> Vec<CertificateRevocationListDer<'static>> {
        self.crls.iter().map(|crl| crl.der.clone()).collect()
    }

    fn order(&mut self) {
        self.crls
            .sort_by(|a, b| b.this_update.cmp(&a.this_update).then(a.path.cmp(&b.path)));
        let mut seen = HashSet::new();
        self.crls
            .retain(|crl| seen.insert(<[u8; 32]>::from(Sha256::digest(&crl.der))));
    }
}
