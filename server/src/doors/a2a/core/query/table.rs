//! The names of an entity's properties: today's, those of earlier versions, and other spellings.

use serde_json::{Map, Value};

/// The names of an entity's properties.
#[derive(Debug)]
pub(in crate::doors::a2a) struct Table {
    /// Each as version 4 calls it; those within another with a dot.
    pub(in crate::doors::a2a) names: &'static [&'static str],
    /// Version 4's name, and that of versions 2 and 3, which they are answered with and which
    /// everybody may ask for.
    pub(in crate::doors::a2a) renamed: &'static [(&'static str, &'static str)],
    /// Version 4's name, and another that may be asked for; what stands within another object
    /// there stands beside it as well in versions 2 and 3.
    pub(in crate::doors::a2a) aliases: &'static [(&'static str, &'static str)],
}

impl Table {
    /// Version 4's name of a property, in whatever case and of whatever version it is written.
    pub(super) fn find(&self, name: &str) -> Option<&'static str> {
        let own = self.names.iter().find(|own| own.eq_ignore_ascii_case(name));
        let mut others = self.renamed.iter().chain(self.aliases);
        let whole = || {
            let mut wholes = self.names.iter().filter_map(|own| own.split_once('.'));
            let whole = wholes.find(|(whole, _)| whole.eq_ignore_ascii_case(name));
            whole.map(|(whole, _)| whole)
        };
        let other = || {
            let other = others.find(|(_, other)| other.eq_ignore_ascii_case(name));
            other.map(|(own, _)| *own)
        };
        own.copied().or_else(whole).or_else(other)
    }

    /// An object with the names of `version`.
    pub(in crate::doors::a2a) fn named(
        &self,
        object: Map<String, Value>,
        version: u8,
    ) -> Map<String, Value> {
        if version >= RENAMED_IN {
            return object;
        }
        let rename = |(name, value): (String, Value)| {
            let old = self.renamed.iter().find(|(own, _)| *own == name);
            (old.map_or(name, |(_, old)| (*old).to_owned()), value)
        };
        let flat: Vec<(String, Value)> = self
            .aliases
            .iter()
            .filter_map(|(own, other)| {
                let (first, rest) = own.split_once('.')?;
                let value = object.get(first)?.as_object()?.get(rest)?;
                Some(((*other).to_owned(), value.clone()))
            })
            .collect();
        object.into_iter().map(rename).chain(flat).collect()
    }
}

/// The version that calls assets assets.
const RENAMED_IN: u8 = 4;
