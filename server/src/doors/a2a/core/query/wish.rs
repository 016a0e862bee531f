//! All that a caller says about a list, and the list that it gets.

use std::cmp::Ordering;

use serde::{Serialize, Serializer};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::doors::a2a::core::query::fault::{QueryFault, quoted};
use crate::doors::a2a::core::query::filter::{Filter, at};
use crate::doors::a2a::core::query::row::Row;
use crate::doors::a2a::core::query::table::Table;

/// What a caller says about a list.
#[derive(Clone, Debug)]
pub(in crate::doors::a2a) struct Wish {
    table: &'static Table,
    version: u8,
    filter: Option<Filter>,
    /// What one of its texts has in it, in lower case.
    mentions: Option<String>,
    /// These properties only; all where there are none.
    only: Vec<&'static str>,
    without: Vec<&'static str>,
    order: Vec<(&'static str, Direction)>,
    page: usize,
    limit: usize,
    count: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

/// The rows that a wish has gathered.
#[derive(Debug)]
pub(in crate::doors::a2a) struct Gathered {
    wish: Wish,
    /// Those that may be on the page.
    rows: Vec<Sorted>,
    read: usize,
    /// How many of them fit, on the page or not.
    found: usize,
    cut: bool,
}

/// A row with what it is ordered by.
#[derive(Debug)]
struct Sorted {
    texts: Vec<Zeroizing<String>>,
    row: Row,
}

/// What is answered.
#[derive(Debug)]
pub(in crate::doors::a2a) enum Listing {
    /// How many there are.
    Count(usize),
    /// The rows.
    Rows(Vec<Row>),
}

impl Serialize for Listing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => count.serialize(serializer),
            Self::Rows(rows) => rows.serialize(serializer),
        }
    }
}

impl Wish {
    /// Reads what the parameters, found by their names in lower case, say about a list of the
    /// entities of `table`, answered to a client of `version`.
    ///
    /// # Errors
    /// [`QueryFault`]
    pub(in crate::doors::a2a) fn read<'q>(
        parameter: impl Fn(&str) -> Option<&'q str>,
        table: &'static Table,
        version: u8,
    ) -> Result<Self, QueryFault> {
        let given = |name| parameter(name).filter(|text| !text.trim().is_empty());
        let filter = given("filter").map(|text| Filter::parse(text, table));
        let (only, without) = fields(given("fields").unwrap_or_default(), table)?;
        Ok(Self {
            table,
            version,
            filter: filter.transpose()?,
            mentions: given("q").map(str::to_lowercase),
            only,
            without,
            order: order(given("orderby").unwrap_or_default(), table)?,
            page: number("page", given("page"))?.unwrap_or(0),
            limit: number("limit", given("limit"))?.map_or(MOST, |limit| limit.min(MOST)),
            count: truth("count", given("count"))?,
        })
    }

    /// Nothing gathered yet.
    pub(in crate::doors::a2a) fn gather(self) -> Gathered {
        Gathered {
            wish: self,
            rows: Vec::new(),
            read: 0,
            found: 0,
            cut: false,
        }
    }

    /// One row as the wish wants its fields.
    pub(in crate::doors::a2a) fn shape(&self, row: Row) -> Row {
        let row = match self.only.is_empty() {
            true => row,
            false => row.only(&self.only),
        };
        row.without(&self.without).named(self.table, self.version)
    }

    fn takes(&self, row: &Row) -> bool {
        let fits = |filter: &Filter| filter.holds(row.value());
        let mentions = |part: &String| row.mentions(part);
        self.filter.as_ref().is_none_or(fits) && self.mentions.as_ref().is_none_or(mentions)
    }

    /// What the row is ordered by, its texts in lower case: once, and not at every comparison.
    fn sorted_by(&self, row: &Row) -> Vec<Zeroizing<String>> {
        let lower = |(path, _): &(&str, Direction)| match at(row.value(), path) {
            Value::String(text) => Zeroizing::new(text.to_lowercase()),
            _ => Zeroizing::default(),
        };
        self.order.iter().map(lower).collect()
    }

    /// How many rows stand before the page.
    fn before(&self) -> usize {
        self.page.saturating_mul(self.limit)
    }

    fn compare(&self, one: &Sorted, other: &Sorted) -> Ordering {
        let texts = one.texts.iter().zip(&other.texts);
        for ((path, direction), (text, other_text)) in self.order.iter().zip(texts) {
            let (value, other_value) = (at(one.row.value(), path), at(other.row.value(), path));
            let order = text.as_str().cmp(other_text.as_str());
            let order = order.then_with(|| compare(value, other_value));
            if order.is_ne() {
                return match direction {
                    Direction::Up => order,
                    Direction::Down => order.reverse(),
                };
            }
        }
        Ordering::Equal
    }
}

impl Gathered {
    /// Looks at one more row. `false` when no more are needed or looked at.
    pub(in crate::doors::a2a) fn take(&mut self, row: Row) -> bool {
        if self.read == MOST_READ {
            self.cut = true;
            return false;
        }
        self.read += 1;
        if !self.wish.takes(&row) {
            return true;
        }
        self.found += 1;
        if self.wish.count {
            return true;
        }
        match self.wish.order.is_empty() {
            true => self.take_as_it_comes(row),
            false => self.take_in_order(row),
        }
        !self.is_enough()
    }

    fn take_as_it_comes(&mut self, row: Row) {
        if self.found <= self.wish.before() {
            return;
        }
        match self.rows.len() < self.wish.limit {
            true => self.rows.push(Sorted::unsorted(row)),
            false => self.note_left_out(),
        }
    }

    /// Keeps the first rows only, up to the end of the page: any later one may come before them.
    fn take_in_order(&mut self, row: Row) {
        let last = self.wish.before().saturating_add(self.wish.limit);
        let texts = self.wish.sorted_by(&row);
        self.rows.push(Sorted { texts, row });
        if self.found > last {
            self.note_left_out();
        }
        if self.rows.len() >= last.saturating_mul(2).max(FEWEST_SORTED) {
            self.sort();
            self.rows.truncate(last);
        }
    }

    /// Whoever asks for fewer rows than an answer may have knows that there are more.
    fn note_left_out(&mut self) {
        self.cut |= self.wish.limit == MOST;
    }

    fn sort(&mut self) {
        let wish = &self.wish;
        self.rows.sort_by(|one, other| wish.compare(one, other));
    }

    /// Whether no row that may still come can change the answer.
    fn is_enough(&self) -> bool {
        let wish = &self.wish;
        let full = self.rows.len() >= wish.limit;
        wish.order.is_empty() && full && (wish.limit < MOST || self.cut)
    }

    /// Whether rows were left out because there are too many.
    pub(in crate::doors::a2a) fn is_cut(&self) -> bool {
        self.cut
    }

    /// The answer.
    pub(in crate::doors::a2a) fn into_listing(mut self) -> Listing {
        if self.wish.count {
            return Listing::Count(self.found);
        }
        let mut before = 0;
        if !self.wish.order.is_empty() {
            self.sort();
            before = self.wish.before();
        }
        let rows = self.rows.into_iter().skip(before).take(self.wish.limit);
        Listing::Rows(rows.map(|sorted| self.wish.shape(sorted.row)).collect())
    }
}

impl Sorted {
    fn unsorted(row: Row) -> Self {
        Self {
            texts: Vec::new(),
            row,
        }
    }
}

/// Nothing before truths before numbers before texts.
fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Number(one), Value::Number(other)) => match (one.as_i128(), other.as_i128()) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => one
                .as_f64()
                .unwrap_or(0.0)
                .total_cmp(&other.as_f64().unwrap_or(0.0)),
        },
        (Value::String(one), Value::String(other)) => one.cmp(other),
        _ => rank(one).cmp(&rank(other)),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

/// The names of `fields`: those wanted, and those not wanted.
type Fields = (Vec<&'static str>, Vec<&'static str>);

fn fields(text: &str, table: &Table) -> Result<Fields, QueryFault> {
    let (mut only, mut without) = Fields::default();
    for name in names(text)? {
        let (name, list) = match name.strip_prefix('-') {
            Some(name) => (name, &mut without),
            None => (name, &mut only),
        };
        let found = table.find(name.trim());
        list.push(found.ok_or_else(|| QueryFault::Field(quoted(name)))?);
    }
    Ok((only, without))
}

fn order(text: &str, table: &Table) -> Result<Vec<(&'static str, Direction)>, QueryFault> {
    let mut order: Vec<(&'static str, Direction)> = Vec::new();
    for name in names(text)? {
        let (name, direction) = match name.strip_prefix('-') {
            Some(name) => (name, Direction::Down),
            None => (name, Direction::Up),
        };
        let found = table.find(name.trim());
        let found = found.ok_or_else(|| QueryFault::Order(quoted(name)))?;
        if !order.iter().any(|(other, _)| *other == found) {
            order.push((found, direction));
        }
    }
    match order.len() > MOST_ORDERS {
        true => Err(QueryFault::Number(format!(
            "Rows are ordered by {MOST_ORDERS} names at most."
        ))),
        false => Ok(order),
    }
}

fn names(text: &str) -> Result<Vec<&str>, QueryFault> {
    let names = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let names: Vec<_> = names.take(MOST_NAMES + 1).collect();
    match names.len() > MOST_NAMES {
        true => Err(QueryFault::Number(format!(
            "No more than {MOST_NAMES} names can be given."
        ))),
        false => Ok(names),
    }
}

fn number(name: &str, text: Option<&str>) -> Result<Option<usize>, QueryFault> {
    let parse = |text: &str| {
        let number = text.trim().parse();
        number.map_err(|_| QueryFault::Number(format!("'{name}' is a number, 0 or more.")))
    };
    text.map(parse).transpose()
}

fn truth(name: &str, text: Option<&str>) -> Result<bool, QueryFault> {
    match text.map(|text| text.trim().to_ascii_lowercase()).as_deref() {
        Some("true") => Ok(true),
        None | Some("false") => Ok(false),
        Some(_) => Err(QueryFault::Number(format!("'{name}' is true or false."))),
    }
}

/// The most rows that one answer is made of.
pub(in crate::doors::a2a) const MOST: usize = 10_000;
/// The most rows that are looked at for it.
pub(in crate::doors::a2a) const MOST_READ: usize = 100_000;
/// So many rows are gathered before those that stand behind the page are thrown away.
const FEWEST_SORTED: usize = 256;
/// By how many properties rows are ordered: each costs a copy of a text of every row.
const MOST_ORDERS: usize = 8;
/// More names than any entity has.
const MOST_NAMES: usize = 100;

#[cfg(test)]
mod tests;
