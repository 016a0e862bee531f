//! The members of an object.

use std::fmt;

use crate::{Text, Value};

/// An object: members in the order in which they were written, no two of one name.
pub struct Object {
    members: Vec<(Text, Value)>,
}

impl Object {
    /// Whoever makes one has looked for names that come twice.
    pub(crate) fn new(members: Vec<(Text, Value)>) -> Self {
        Self { members }
    }

    /// The member of exactly this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// All members, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.members
            .iter()
            .map(|(key, value)| (key.as_str(), value))
    }

    /// The number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether it has no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.members.iter().map(|(key, value)| (key, value));
        f.debug_map().entries(members).finish()
    }
}
