//! A filter: `Name eq 'x' and not (Id in [1, 2] or Asset.Name icontains "y")`.

use std::cmp::Ordering;
use std::vec::IntoIter;

use serde_json::Value;

use crate::doors::a2a::core::query::fault::{QueryFault, quoted};
use crate::doors::a2a::core::query::literal::Literal;
use crate::doors::a2a::core::query::table::Table;
use crate::doors::a2a::core::query::token::{Token, tokens};

/// A condition on rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// Each of them.
    All(Vec<Self>),
    /// One of them.
    Any(Vec<Self>),
    /// Not this one.
    Not(Box<Self>),
    /// A property compared with a value.
    Test(&'static str, Operator, Literal),
    /// A property that is one of these.
    In(&'static str, Vec<Literal>),
}

/// How a property is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    Contains,
    Icontains,
    Ieq,
    Sw,
    Isw,
    Ew,
    Iew,
}

impl Operator {
    fn parse(word: &str) -> Option<Self> {
        let named = |(name, _): &&(&str, Self)| name.eq_ignore_ascii_case(word);
        OPERATORS.iter().find(named).map(|(_, operator)| *operator)
    }

    fn holds(self, value: &Value, literal: &Literal) -> bool {
        let order = |wanted: fn(Ordering) -> bool| literal.order_of(value).is_some_and(wanted);
        let contains = |text: &str, part: &str| text.contains(part);
        let starts = |text: &str, part: &str| text.starts_with(part);
        let ends = |text: &str, part: &str| text.ends_with(part);
        match self {
            Self::Eq => literal.equals(value),
            Self::Ne => !literal.equals(value),
            Self::Gt => order(Ordering::is_gt),
            Self::Ge => order(Ordering::is_ge),
            Self::Lt => order(Ordering::is_lt),
            Self::Le => order(Ordering::is_le),
            Self::Contains => literal.fits(value, contains),
            Self::Icontains => literal.fits_folded(value, contains),
            Self::Ieq if *literal == Literal::Null => value.is_null(),
            Self::Ieq => literal.fits_folded(value, |text, part| text == part),
            Self::Sw => literal.fits(value, starts),
            Self::Isw => literal.fits_folded(value, starts),
            Self::Ew => literal.fits(value, ends),
            Self::Iew => literal.fits_folded(value, ends),
        }
    }
}

impl Filter {
    /// Reads a filter on rows with the properties of `table`.
    ///
    /// # Errors
    /// [`QueryFault::FilterProperty`] for a property that there is not, [`QueryFault::Filter`] for
    /// everything else that is none.
    pub(super) fn parse(text: &str, table: &Table) -> Result<Self, QueryFault> {
        let tokens = tokens(text)?;
        if tokens.len() > MOST_WORDS {
            let words = format!("it has more than {MOST_WORDS} words");
            return Err(QueryFault::Filter(words));
        }
        let mut parser = Parser {
            rest: tokens.into_iter(),
            table,
        };
        let filter = parser.any(0)?;
        match parser.rest.next() {
            None => Ok(filter),
            Some(token) => Err(unexpected(Some(token))),
        }
    }

    /// Whether a row fulfils it.
    pub(super) fn holds(&self, row: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(row)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(row)),
            Self::Not(part) => !part.holds(row),
            Self::Test(property, Operator::Ne, literal) => {
                !of_some(at(row, property), |value| literal.equals(value))
            }
            Self::Test(property, operator, literal) => {
                of_some(at(row, property), |value| operator.holds(value, literal))
            }
            Self::In(property, literals) => of_some(at(row, property), |value| {
                literals.iter().any(|literal| literal.equals(value))
            }),
        }
    }
}

/// A row's value at a path; nothing where there is none.
pub(super) fn at<'a>(row: &'a Value, path: &str) -> &'a Value {
    path.split('.')
        .fold(row, |value, name| value.get(name).unwrap_or(&Value::Null))
}

/// Whether something holds of a value, or of one of a list of them.
fn of_some(value: &Value, test: impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(values) => values.iter().any(test),
        one => test(one),
    }
}

struct Parser<'a> {
    rest: IntoIter<Token>,
    table: &'a Table,
}

impl Parser<'_> {
    fn any(&mut self, depth: usize) -> Result<Filter, QueryFault> {
        let first = self.all(depth)?;
        let mut parts = vec![first];
        while self.takes("or") {
            parts.push(self.all(depth)?);
        }
        Ok(joined(parts, Filter::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Filter, QueryFault> {
        let first = self.one(depth)?;
        let mut parts = vec![first];
        while self.takes("and") {
            parts.push(self.one(depth)?);
        }
        Ok(joined(parts, Filter::All))
    }

    fn one(&mut self, depth: usize) -> Result<Filter, QueryFault> {
        if depth >= DEEPEST {
            let words = format!("it is nested deeper than {DEEPEST}");
            return Err(QueryFault::Filter(words));
        }
        if self.takes("not") {
            return Ok(Filter::Not(Box::new(self.one(depth + 1)?)));
        }
        match self.rest.next() {
            Some(Token::Open) => {
                let within = self.any(depth + 1)?;
                match self.rest.next() {
                    Some(Token::Close) => Ok(within),
                    other => Err(unexpected(other)),
                }
            }
            Some(Token::Word(name)) => self.test(&name),
            other => Err(unexpected(other)),
        }
    }

    fn test(&mut self, name: &str) -> Result<Filter, QueryFault> {
        let property = self.table.find(name);
        let property = property.ok_or_else(|| QueryFault::FilterProperty(quoted(name)))?;
        if self.takes("in") {
            return Ok(Filter::In(property, self.list()?));
        }
        let operator = match self.rest.next() {
            Some(Token::Word(word)) => Operator::parse(&word).ok_or_else(|| {
                QueryFault::Filter(format!("'{}' is not a valid operator", quoted(&word)))
            })?,
            other => return Err(unexpected(other)),
        };
        Ok(Filter::Test(property, operator, self.literal()?))
    }

    fn list(&mut self) -> Result<Vec<Literal>, QueryFault> {
        match self.rest.next() {
            Some(Token::OpenList) => {}
            other => return Err(unexpected(other)),
        }
        let mut literals = Vec::new();
        loop {
            literals.push(self.literal()?);
            match self.rest.next() {
                Some(Token::Comma) => {}
                Some(Token::CloseList) => return Ok(literals),
                other => return Err(unexpected(other)),
            }
        }
    }

    fn literal(&mut self) -> Result<Literal, QueryFault> {
        match self.rest.next() {
            Some(Token::Text(text)) => Ok(Literal::text(text)),
            Some(Token::Word(word)) => match Literal::word(word.clone()) {
                Some(literal) => Ok(literal),
                None => Err(QueryFault::Filter(format!(
                    "'{}' is no number, and a text stands in quotes",
                    quoted(&word)
                ))),
            },
            other => Err(unexpected(other)),
        }
    }

    /// Takes the next word if it is this one.
    fn takes(&mut self, word: &str) -> bool {
        let next = self.rest.as_slice().first();
        let is = matches!(next, Some(Token::Word(next)) if next.eq_ignore_ascii_case(word));
        if is {
            self.rest.next();
        }
        is
    }
}

fn joined(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            join(parts)
        }
    }
}

fn unexpected(token: Option<Token>) -> QueryFault {
    QueryFault::Filter(match token {
        None => "it ends too early".to_owned(),
        Some(Token::Word(word)) => format!("'{}' does not belong there", quoted(&word)),
        Some(Token::Text(_)) => "a text does not belong there".to_owned(),
        Some(Token::Open | Token::Close) => "a parenthesis does not belong there".to_owned(),
        Some(Token::OpenList | Token::CloseList) => "a bracket does not belong there".to_owned(),
        Some(Token::Comma) => "a comma does not belong there".to_owned(),
    })
}

/// How deep parentheses and `not` may be nested: each is a call on the stack.
const DEEPEST: usize = 32;
/// How many words a filter may have: every row is compared with each.
const MOST_WORDS: usize = 256;

const OPERATORS: [(&str, Operator); 13] = [
    ("eq", Operator::Eq),
    ("ne", Operator::Ne),
    ("gt", Operator::Gt),
    ("ge", Operator::Ge),
    ("lt", Operator::Lt),
    ("le", Operator::Le),
    ("contains", Operator::Contains),
    ("icontains", Operator::Icontains),
    ("ieq", Operator::Ieq),
    ("sw", Operator::Sw),
    ("isw", Operator::Isw),
    ("ew", Operator::Ew),
    ("iew", Operator::Iew),
];

#[cfg(test)]
mod tests;
