//! What a caller may say about a list: `filter`, `fields`, `orderby`, `page`, `limit`, `count`, `q`.
//!
//! `table` has the names of an entity's properties, `token` cuts a filter into words, `filter`
//! reads and evaluates it, `wish` is all of it together, and `row` a row of the answer. Nothing here
//! knows of the vault: it works on JSON that is made already.

mod fault;
mod filter;
mod literal;
mod row;
mod table;
mod token;
mod wish;

pub(in crate::doors::a2a) use fault::QueryFault;
pub(in crate::doors::a2a) use row::Row;
pub(in crate::doors::a2a) use table::Table;
pub(in crate::doors::a2a) use wish::{Gathered, MOST, MOST_READ, Wish};
