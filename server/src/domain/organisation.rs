//! Organisations.

use crate::domain::{OrgId, OrgName};

/// An organisation: everything belongs to one, and nobody sees another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Its id.
    pub id: OrgId,
    /// Its display name: a client certificate's O, where there is more than one organisation.
    pub name: OrgName,
}
