//! LOCKS: how secrets are sealed and names are hidden. May use `domain`.
//!
//! A [`MasterKey`], kept elsewhere, wraps the [`KeyRing`] of a data directory; its data keys seal
//! rows, its index key hides names, its ledger key seals and chains the audit trail. A
//! [`RecoveryCode`] on paper opens the ring when the master key is lost.

mod copy;
mod derive;
mod document;
mod error;
mod keyring;
mod login;
mod mac;
mod master;
mod parcel;
mod passphrase;
pub(crate) mod private_file;
mod program;
mod recovery;
mod seal;
mod source;
mod totp;

pub use error::CryptoError;
pub use keyring::KeyRing;
pub use login::LoginHash;
pub use mac::MacKey;
pub use master::MasterKey;
pub use parcel::{Parcel, ParcelReader, ParcelWriter};
pub use passphrase::{Passphrase, PassphraseCost};
pub use recovery::RecoveryCode;
pub use seal::SealKey;
pub use source::MasterSource;
pub use totp::TotpSecret;
