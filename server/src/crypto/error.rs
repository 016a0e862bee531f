//! What can go wrong with locks.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why something could not be sealed, opened or unlocked.
#[derive(Debug, Error)]
pub enum CryptoError {
    /// The sealed bytes are not what was sealed under this key for this place.
    #[error("the seal is broken: changed, moved, rolled back or under another key")]
    Broken,
    /// The operating system gave no random numbers.
    #[error("the operating system gave no random numbers")]
    Random,
    /// The bytes were sealed under a data key that is not in the ring.
    #[error("data key {0} is not in the keyring")]
    NoKey(u32),
    /// The newest data key seals new rows and cannot be retired.
    #[error("data key {0} is the newest and cannot be retired")]
    Newest(u32),
    /// There is no keyring in the data directory.
    #[error("there is no keyring at {}: run `claviger init`, or restore a backup", .0.display())]
    NoRing(PathBuf),
    /// There is a file already where a new one should be made.
    #[error("{} is there already and is not overwritten", .0.display())]
    Exists(PathBuf),
    /// The master key is not the one that the keyring was wrapped with.
    #[error("this is not the master key of {}: take the key of that vault and that time", .0.display())]
    WrongMaster(PathBuf),
    /// The recovery code is well-formed, and not the one of this keyring.
    #[error("this is not the recovery code of {}: take the one that `init` of that vault printed", .0.display())]
    WrongCode(PathBuf),
    /// The recovery code holds a typing error.
    #[error("the recovery code holds a typing error: compare it with the paper, sign by sign")]
    Typo,
    /// The keyring file was edited or damaged.
    #[error("{} was changed by hand or damaged ({what}): restore it from a backup", path.display())]
    Tampered {
        /// The keyring file.
        path: PathBuf,
        /// The part of it that is wrong.
        what: &'static str,
    },
    /// The keyring file has a form that this version does not know.
    #[error("{} has format {format}, which this version does not know", path.display())]
    Format {
        /// The keyring file.
        path: PathBuf,
        /// The number of its format.
        format: u32,
    },
    /// Somebody else wrote the keyring file since it was loaded.
    #[error("{} was changed by another process: load it again", .0.display())]
    Changed(PathBuf),
    /// Others than its owner may read or write a file that holds secrets.
    #[error("{} has mode {mode:04o}: others may use it; run `chmod 600` on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file that holds secrets belongs to another user.
    #[error("{} belongs to user {owner}: run this as that user, or change its owner", path.display())]
    Owner {
        /// The file.
        path: PathBuf,
        /// The number of the user who owns it.
        owner: u32,
    },
    /// What should be a master key is none.
    #[error("{0} holds no master key: 32 bytes are wanted, raw, hexadecimal or base 64")]
    NotAKey(String),
    /// A new passphrase is too short, or an old one is empty.
    #[error("the passphrase is too short: at least {0} bytes are wanted")]
    Short(usize),
    /// A key derivation that is too weak or too costly.
    #[error("the passphrase's parameters are out of bounds: {0}")]
    Cost(&'static str),
    /// A sealed file could not be read or written, or is none.
    #[error("{0}")]
    Parcel(io::Error),
    /// There is no such systemd credential.
    #[error("there is no systemd credential {0:?}: is LoadCredential= in the unit?")]
    Credential(String),
    /// The operator's command gave no key.
    #[error("the master key's command {program:?} {why}")]
    Command {
        /// The program.
        program: String,
        /// What it did instead.
        why: &'static str,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}

impl CryptoError {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
