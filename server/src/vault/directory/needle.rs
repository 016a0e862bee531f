//! What is searched for, and the text of a resource that it is searched in.

use memchr::memmem::Finder;

use crate::domain::{AccountName, Folded, Resource};
use crate::vault::{Search, SearchColumn, SearchKind};

/// Columns of a resource's text. Each begins with its mark: a control character, which no name and
/// no text may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Column {
    Name = 0x0E,
    Kind,
    Address,
    Url,
    Description,
    Department,
    Location,
    Field,
    Account,
}

/// What is searched for, folded.
#[derive(Clone, Debug)]
pub(in crate::vault) struct Needle {
    finder: Finder<'static>,
    columns: Columns,
    /// Places in a [`Signature`] that a text which holds it has set.
    bits: Vec<u16>,
}

/// A set of columns, a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns(u16);

impl Needle {
    /// `None` when nothing is searched for: then everything is found.
    pub(in crate::vault) fn new(search: &Search) -> Option<Self> {
        let folded = Folded::new(&search.value);
        let text = folded.as_str();
        if text.is_empty() {
            return None;
        }
        Some(Self {
            finder: Finder::new(text.as_bytes()).into_owned(),
            columns: Columns::of(search),
            bits: triples(text.as_bytes()).collect(),
        })
    }

    /// Whether it is about accounts: one that is not visible must not be found.
    pub(in crate::vault) fn is_about_accounts(&self) -> bool {
        self.columns == Columns::one(Column::Account)
    }

    /// Whether it is in a resource's text.
    pub(in crate::vault) fn is_in(&self, text: &[u8]) -> bool {
        let mut from = 0;
        while let Some(at) = self.next_in(text, from) {
            if self.stands_right(text, at) {
                return true;
            }
            from = at + 1;
        }
        false
    }

    /// Whether it is in an account's name.
    pub(super) fn is_in_name(&self, name: &AccountName) -> bool {
        let folded = name.folded();
        self.finder.find(folded.as_str().as_bytes()).is_some()
    }

    /// Where it begins next, in whatever column.
    pub(super) fn next_in(&self, text: &[u8], from: usize) -> Option<usize> {
        let rest = text.get(from..)?;
        Some(from + self.finder.find(rest)?)
    }

    /// Whether what begins `at` is in a column that is searched. One that goes over a column's end
    /// holds its mark, which is nobody's to search for.
    pub(super) fn stands_right(&self, text: &[u8], at: usize) -> bool {
        let before = text.get(..at).unwrap_or_default();
        let mark = before.iter().rev().find(|byte| Columns::has_mark(**byte));
        let marked = self.finder.needle().iter().any(|b| Columns::has_mark(*b));
        !marked && mark.is_some_and(|mark| self.columns.holds(*mark))
    }

    /// Whether texts with this signature may hold it.
    pub(super) fn may_be_in(&self, signature: &Signature) -> bool {
        self.bits.iter().all(|bit| signature.has(*bit))
    }
}

impl Columns {
    fn of(search: &Search) -> Self {
        match search.column {
            SearchColumn::All => match search.kind {
                SearchKind::Resource => Self(Self::ALL.0 & !Self::one(Column::Account).0),
                SearchKind::Account => Self::one(Column::Account),
            },
            SearchColumn::Name => Self::one(Column::Name),
            SearchColumn::Kind => Self::one(Column::Kind),
            SearchColumn::Address => Self::one(Column::Address),
            SearchColumn::Url => Self::one(Column::Url),
            SearchColumn::Description => Self::one(Column::Description),
            SearchColumn::Department => Self::one(Column::Department),
            SearchColumn::Location => Self::one(Column::Location),
            SearchColumn::Fields => Self::one(Column::Field),
            SearchColumn::Account => Self::one(Column::Account),
        }
    }

    const ALL: Self = Self(u16::MAX);

    fn one(column: Column) -> Self {
        Self(1 << (column as u8 - FIRST))
    }

    fn has_mark(byte: u8) -> bool {
        (FIRST..=Column::Account as u8).contains(&byte)
    }

    fn holds(self, mark: u8) -> bool {
        mark.checked_sub(FIRST)
            .is_some_and(|at| self.0 & (1 << at) != 0)
    }
}

const FIRST: u8 = Column::Name as u8;

/// What a resource can be found by, folded: everything that lists show of it, and the names of its
/// accounts. Notes are not searched.
pub(in crate::vault) fn text_of<'a>(
    resource: &Resource,
    accounts: impl IntoIterator<Item = &'a AccountName>,
) -> Vec<u8> {
    let mut text = Vec::with_capacity(64);
    let columns = [
        (Column::Name, resource.name.as_str()),
        (Column::Kind, resource.kind.as_str()),
        (Column::Address, resource.address.as_str()),
        (Column::Url, resource.url.as_str()),
        (Column::Description, resource.description.as_str()),
        (Column::Department, resource.department.as_str()),
        (Column::Location, resource.location.as_str()),
    ];
    for (column, words) in columns {
        add(&mut text, column, words);
    }
    for field in &resource.fields {
        add(&mut text, Column::Field, field.value.as_str());
    }
    for account in accounts {
        add(&mut text, Column::Account, account.as_str());
    }
    text
}

fn add(text: &mut Vec<u8>, column: Column, words: &str) {
    if !words.is_empty() {
        text.push(column as u8);
        text.extend_from_slice(Folded::new(words).as_str().as_bytes());
    }
}

/// Which triples of bytes some texts hold, as a Bloom filter of one hash: where one of a needle's
/// triples is missing, the needle is not there.
#[derive(Clone, Debug)]
pub(super) struct Signature([u64; WORDS]);

impl Default for Signature {
    fn default() -> Self {
        Self([0; WORDS])
    }
}

impl Signature {
    /// Takes in another text.
    pub(super) fn add(&mut self, text: &[u8]) {
        for bit in triples(text) {
            if let Some(word) = self.0.get_mut(usize::from(bit / 64)) {
                *word |= 1 << (bit % 64);
            }
        }
    }

    fn has(&self, bit: u16) -> bool {
        let word = self.0.get(usize::from(bit / 64)).copied();
        word.unwrap_or(u64::MAX) & (1 << (bit % 64)) != 0
    }
}

fn triples(text: &[u8]) -> impl Iterator<Item = u16> + '_ {
    text.windows(3).map(|triple| {
        let number = triple
            .iter()
            .fold(0_u32, |all, byte| all << 8 | u32::from(*byte));
        (number.wrapping_mul(0x9E37_79B1) >> 21) as u16
    })
}

/// 2048 bits: the top 11 of a hash.
const WORDS: usize = 32;
