//! Whether a certificate has been taken back: CRL files and OCSP.
//!
//! [`load_crls`] reads a directory of CRLs for rustls' verifier, which checks them during the
//! handshake. [`OcspChecker`] asks the responder that a certificate names, after the handshake and
//! before the first answer, for rustls' verifiers cannot wait. Both say in words what an operator has
//! to mend, and neither ever decides by silence: [`OcspStatus::decision`] and [`CrlSet::problems`]
//! leave the last word to the settings.

mod crl;
mod ocsp;

pub use crl::{CrlFault, CrlLimits, CrlProblem, CrlSet, LoadedCrl, load_crls};
pub use ocsp::{
    Decision, HttpProxy, NonceUse, OcspChecker, OcspFailure, OcspMode, OcspSettings, OcspStatus,
    ProxyError, RevocationReason,
};
