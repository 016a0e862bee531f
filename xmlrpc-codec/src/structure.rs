//! A struct: named values in the order they were written.

use std::fmt;
use std::slice;

use crate::{IntoValue, Value};

/// The members of a `<struct>`, in their order; no two have the same name.
#[derive(Clone, Default, PartialEq)]
pub struct Struct {
    members: Vec<(String, Value)>,
}

impl Struct {
    /// A struct without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more member: for building in one expression.
    ///
    /// ```
    /// let answer = xmlrpc_codec::Struct::new().with("resultCode", 0).with("message", "SUCCESS");
    /// assert_eq!(answer.get("resultCode").and_then(|value| value.as_int()), Some(0));
    /// ```
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl IntoValue) -> Self {
        self.insert(name, value);
        self
    }

    /// Puts a member at the end, or in the place of the one that has its name, which is returned.
    pub fn insert(&mut self, name: impl Into<String>, value: impl IntoValue) -> Option<Value> {
        let (name, value) = (name.into(), value.into_value());
        if let Some((_, old)) = self.members.iter_mut().find(|(known, _)| *known == name) {
            return Some(std::mem::replace(old, value));
        }
        self.members.push((name, value));
        None
    }

    /// The member of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Takes the member of that name out, with the buffers it was decoded into.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.members.iter().position(|(known, _)| known == name)?;
        Some(self.members.remove(at).1)
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The members in their order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            members: self.members.iter(),
        }
    }

    /// From members whose names are known to differ.
    pub(crate) fn from_distinct(members: Vec<(String, Value)>) -> Self {
        Self { members }
    }
}

impl fmt::Debug for Struct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// A later member replaces an earlier one of the same name.
impl<N: Into<String>, V: IntoValue> FromIterator<(N, V)> for Struct {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(members: I) -> Self {
        members
            .into_iter()
            .fold(Self::new(), |all, (name, value)| all.with(name, value))
    }
}

impl IntoIterator for Struct {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
    }
}

impl<'a> IntoIterator for &'a Struct {
    type Item = (&'a str, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The members of a [`Struct`] in their order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    members: slice::Iter<'a, (String, Value)>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.members
            .next()
            .map(|(name, value)| (name.as_str(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_member_keeps_its_place() {
        let mut members = Struct::new().with("b", 1).with("a", 2);

        let old = members.insert("b", 3);

        assert_eq!(old, Some(Value::Int(1)));
        assert_eq!(
            members.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            ["b", "a"]
        );
    }
}
