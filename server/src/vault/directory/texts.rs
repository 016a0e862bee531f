//! The texts of an organisation's resources in one buffer, searched as one.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::domain::ResourceId;
use crate::vault::directory::needle::{Needle, Signature};

/// Texts by resource. Most are in one buffer, in the order of ids, in blocks whose [`Signature`]
/// says what is not in them; those that changed since stand aside until there are many.
#[derive(Debug, Default)]
pub(super) struct Texts {
    ids: Vec<ResourceId>,
    starts: Vec<u32>,
    bytes: Vec<u8>,
    signatures: Vec<Signature>,
    aside: BTreeMap<ResourceId, Vec<u8>>,
    aside_bytes: usize,
}

impl Texts {
    /// Room for so many.
    pub(super) fn for_count(count: usize) -> Self {
        Self {
            ids: Vec::with_capacity(count),
            starts: Vec::with_capacity(count),
            signatures: Vec::with_capacity(count.div_ceil(BLOCK)),
            ..Self::default()
        }
    }

    /// All are there: no room is kept for more.
    pub(super) fn close(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// Adds the text of a resource whose id is beyond all others; `false` when there is no room.
    pub(super) fn push(&mut self, id: ResourceId, text: &[u8]) -> bool {
        let Ok(start) = u32::try_from(self.bytes.len()) else {
            return false;
        };
        if self.ids.len().is_multiple_of(BLOCK) {
            self.signatures.push(Signature::default());
        }
        if let Some(signature) = self.signatures.last_mut() {
            signature.add(text);
        }
        self.ids.push(id);
        self.starts.push(start);
        self.bytes.extend_from_slice(text);
        true
    }

    /// Another text for a resource, or none any more.
    pub(super) fn set(&mut self, id: ResourceId, text: Option<Vec<u8>>) {
        if let Ok(at) = self.ids.binary_search(&id) {
            // Zeros are in no needle.
            let place = self.place(at);
            if let Some(old) = self.bytes.get_mut(place) {
                old.fill(0);
            }
        }
        let new = text.as_ref().map_or(0, Vec::len);
        let old = match text {
            Some(text) => self.aside.insert(id, text),
            None => self.aside.remove(&id),
        };
        self.aside_bytes = self.aside_bytes + new - old.map_or(0, |old| old.len());
    }

    /// How many bytes it takes, about.
    pub(super) fn size(&self) -> usize {
        let each = size_of::<ResourceId>() + size_of::<u32>();
        self.bytes.capacity()
            + self.ids.capacity() * each
            + self.signatures.capacity() * size_of::<Signature>()
            + self.aside_bytes
            + self.aside.len() * 64
    }

    /// The resources in whose texts `needle` is, in the order of ids.
    pub(super) fn find(&mut self, needle: &Needle) -> Vec<ResourceId> {
        if self.aside.len() > BLOCK.max(self.ids.len() / 64) {
            self.settle();
        }
        let mut found = Vec::new();
        for (block, signature) in self.signatures.iter().enumerate() {
            if needle.may_be_in(signature) {
                let first = block * BLOCK;
                let last = (first + BLOCK).min(self.ids.len());
                self.find_among(first..last, needle, &mut found);
            }
        }
        let aside = self.aside.iter().filter(|(_, text)| needle.is_in(text));
        let before = found.len();
        found.extend(aside.map(|(id, _)| *id));
        if found.len() > before {
            found.sort_unstable();
        }
        found
    }

    /// Adds those of the resources at `slots` in whose texts `needle` is.
    fn find_among(&self, slots: Range<usize>, needle: &Needle, found: &mut Vec<ResourceId>) {
        let begin = self.place(slots.start).start;
        let end = self.place(slots.end.saturating_sub(1)).end;
        let text = self.bytes.get(..end).unwrap_or_default();
        let mut from = begin;
        while let Some(at) = needle.next_in(text, from) {
            let starts = self.starts.get(slots.clone()).unwrap_or_default();
            let slot = starts.partition_point(|start| *start as usize <= at);
            let slot = slots.start + slot.saturating_sub(1);
            let place = self.place(slot);
            let own = self.bytes.get(place.clone()).unwrap_or_default();
            if needle.stands_right(own, at.saturating_sub(place.start)) {
                found.extend(self.ids.get(slot));
                from = place.end.max(at + 1);
            } else {
                from = at + 1;
            }
        }
    }

    fn place(&self, slot: usize) -> Range<usize> {
        let start = |slot: usize| self.starts.get(slot).map(|start| *start as usize);
        let end = start(slot + 1).unwrap_or(self.bytes.len());
        start(slot).unwrap_or(end)..end
    }

    /// Puts those that stand aside into the buffer; what was removed is left out.
    fn settle(&mut self) {
        let old = std::mem::take(self);
        let mut aside = old.aside.iter().peekable();
        for (slot, id) in old.ids.iter().enumerate() {
            while let Some((new, text)) = aside.next_if(|(new, _)| *new < id) {
                self.push(*new, text);
            }
            let text = old.bytes.get(old.place(slot)).unwrap_or_default();
            // Every text begins with a mark; what is gone is zeros.
            if text.first().is_some_and(|byte| *byte != 0) {
                self.push(*id, text);
            }
        }
        for (new, text) in aside {
            self.push(*new, text);
        }
    }
}

/// How many texts share a signature.
const BLOCK: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vault::{Search, SearchColumn, SearchKind};

    fn needle(value: &str, column: SearchColumn) -> Needle {
        let search = Search {
            kind: SearchKind::Resource,
            column,
            value: value.to_owned(),
        };
        Needle::new(&search).unwrap()
    }

    fn text(name: &str, kind: &str) -> Vec<u8> {
        format!("\u{e}{name}\u{f}{kind}").into_bytes()
    }

    #[test]
    fn a_needle_is_found_in_its_column_and_not_over_its_end() {
        let mut texts = Texts::default();
        texts.push(ResourceId(1), &text("alpha", "linux"));
        texts.push(ResourceId(2), &text("linux-1", "windows"));

        let ids = |texts: &mut Texts, value, column| -> Vec<u64> {
            let found = texts.find(&needle(value, column));
            found.into_iter().map(|id| id.0).collect()
        };
        assert_eq!(ids(&mut texts, "linux", SearchColumn::All), [1, 2]);
        assert_eq!(ids(&mut texts, "LINUX", SearchColumn::Name), [2]);
        assert_eq!(ids(&mut texts, "linux", SearchColumn::Kind), [1]);
        assert_eq!(ids(&mut texts, "1", SearchColumn::All), [2]);
        for nothing in ["alinux", "a\u{f}l", "\u{f}", "\0", "linuxlinux"] {
            assert!(ids(&mut texts, nothing, SearchColumn::All).is_empty());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_changes_what_is_found_is_what_is_there(
            first in prop::collection::btree_map(0_u64..300, "[ab]{1,4}", 0..200),
            acts in prop::collection::vec((0_u64..400, prop::option::of("[ab]{1,4}")), 0..150),
            value in "[ab]{1,4}",
        ) {
            let mut model = first.clone();
            let mut texts = Texts::default();
            for (id, name) in &first {
                texts.push(ResourceId(*id), &text(name, "x"));
            }
            for (id, name) in acts {
                texts.set(ResourceId(id), name.as_ref().map(|name| text(name, "x")));
                match name {
                    Some(name) => model.insert(id, name),
                    None => model.remove(&id),
                };
            }

            let found = texts.find(&needle(&value, SearchColumn::All));
            let expected = model.iter().filter(|(_, name)| name.contains(&value));
            let expected: Vec<_> = expected.map(|(id, _)| ResourceId(*id)).collect();
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(texts.find(&needle(&value, SearchColumn::Name)), expected);
        }
    }
}
