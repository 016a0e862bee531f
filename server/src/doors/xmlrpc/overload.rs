//! From positional parameters to what is asked for: by their number, and by where the boolean is.

use xmlrpc_codec::Value;
use zeroize::{Zeroize, Zeroizing};

use crate::doors::xmlrpc::method::Operation;

/// What a call of an application asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Retrieve(Place),
    Change {
        place: Place,
        password: NewText,
        remote: bool,
    },
    Create {
        resource: String,
        kind: String,
        account: String,
        password: NewText,
        notes: String,
    },
}

/// An account, and why it is wanted; what was not given is empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) resource: String,
    pub(super) account: String,
    pub(super) reason: String,
    pub(super) ticket: String,
}

/// A password as it was given: wiped, never shown. Empty asks for a generated one.
#[derive(Default, PartialEq, Eq)]
pub(super) struct NewText(pub(super) Zeroizing<String>);

impl std::fmt::Debug for NewText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewText(..)")
    }
}

/// Why parameters fit no overload, in words for the caller.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfit(pub(super) String);

/// Reads the parameters of a retrieval; what is read is taken out of them.
pub(super) fn retrieval(params: &mut [Value]) -> Result<Asked, Unfit> {
    let mut texts = Texts::take(params, Operation::Retrieve, None)?;
    Ok(Asked::Retrieve(Place {
        resource: texts.next(),
        account: texts.next(),
        reason: texts.next(),
        ticket: texts.next(),
    }))
}

/// Reads the parameters of a change. Where five of them leave open which is the boolean, they are
/// refused: a wrong guess would write a password down as a reason.
pub(super) fn change(params: &mut [Value]) -> Result<Asked, Unfit> {
    let (at, remote) = find_boolean(params)?;
    let has_password = matches!((params.len(), at), (5, 4) | (6, _));
    let mut texts = Texts::take(params, Operation::Change, Some(at))?;
    let (resource, account) = (texts.next(), texts.next());
    let password = texts.password(has_password);
    Ok(Asked::Change {
        place: Place {
            resource,
            account,
            reason: texts.next(),
            ticket: texts.next(),
        },
        password,
        remote,
    })
}

/// Reads the parameters of a creation.
pub(super) fn creation(params: &mut [Value]) -> Result<Asked, Unfit> {
    let has_password = params.len() == 5;
    let mut texts = Texts::take(params, Operation::Create, None)?;
    let (resource, kind, account) = (texts.next(), texts.next(), texts.next());
    Ok(Asked::Create {
        resource,
        kind,
        account,
        password: texts.password(has_password),
        notes: texts.next(),
    })
}

/// Which parameter of a change is `updateRemote`, and what it says.
fn find_boolean(params: &[Value]) -> Result<(usize, bool), Unfit> {
    let at = match params.len() {
        4 => 3,
        5 => boolean_of_five(params)?,
        6 => 4,
        _ => return Err(wrong_number(Operation::Change, params.len())),
    };
    match params.get(at).and_then(as_boolean) {
        Some(remote) => Ok((at, remote)),
        None => {
            let found = params.get(at).map_or("nothing", Value::type_name);
            Err(Unfit(format!(
                "parameter {} (updateRemote) must be a boolean, or a string true or false, not \
                 {found}",
                at + 1
            )))
        }
    }
}

/// The last, or the one before: a real boolean decides, then the one text that reads as one.
fn boolean_of_five(params: &[Value]) -> Result<usize, Unfit> {
    let (Some(fourth), Some(fifth)) = (params.get(3), params.get(4)) else {
        return Err(wrong_number(Operation::Change, params.len()));
    };
    let typed = (fourth.as_bool().is_some(), fifth.as_bool().is_some());
    let readable = (as_boolean(fourth).is_some(), as_boolean(fifth).is_some());
    match (typed, readable) {
        ((false, true), _) | ((false, false), (false, _)) => Ok(4),
        ((true, false), _) | ((false, false), (true, false)) => Ok(3),
        ((true, true), _) | ((false, false), (true, true)) => Err(Unfit(
            "parameters 4 and 5 could both be updateRemote: send it as a boolean, and the other \
             as a string"
                .to_owned(),
        )),
    }
}

/// A boolean, or a text that says one: the vendor's own samples send texts.
fn as_boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// The parameters that are texts, in their order; then nothing but empty ones.
struct Texts<'a>(Box<dyn Iterator<Item = &'a mut Value> + 'a>);

impl<'a> Texts<'a> {
    /// All of `params` but the boolean at `skipped`; all must be strings.
    fn take(
        params: &'a mut [Value],
        operation: Operation,
        skipped: Option<usize>,
    ) -> Result<Self, Unfit> {
        check(params, operation, skipped)?;
        let texts = params.iter_mut().enumerate();
        let texts = texts.filter(move |(at, _)| Some(*at) != skipped);
        Ok(Self(Box::new(texts.map(|(_, text)| text))))
    }

    fn next(&mut self) -> String {
        match self.0.next() {
            Some(Value::String(text)) => std::mem::take(text),
            Some(_) | None => String::new(),
        }
    }

    fn password(&mut self, given: bool) -> NewText {
        if given {
            NewText(Zeroizing::new(self.next()))
        } else {
            NewText::default()
        }
    }
}

fn check(params: &[Value], operation: Operation, skipped: Option<usize>) -> Result<(), Unfit> {
    let overloads = operation.overloads();
    let fits = overloads.iter().find(|overload| {
        let boolean = overload.iter().position(|(kind, _)| *kind == "boolean");
        overload.len() == params.len() && boolean == skipped
    });
    let Some(overload) = fits else {
        return Err(wrong_number(operation, params.len()));
    };
    for (at, (param, (_, name))) in params.iter().zip(overload.iter()).enumerate() {
        if Some(at) != skipped && param.as_str().is_none() {
            let found = param.type_name();
            return Err(Unfit(format!(
                "parameter {} ({name}) must be a string, not {found}",
                at + 1
            )));
        }
    }
    Ok(())
}

fn wrong_number(operation: Operation, found: usize) -> Unfit {
    let mut numbers: Vec<_> = operation.overloads().iter().map(|o| o.len()).collect();
    numbers.dedup();
    let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    Unfit(format!(
        "{} parameters expected, not {found}",
        numbers.join(" or ")
    ))
}

/// Wipes every text that is left in a value.
pub(super) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Base64(bytes) => bytes.zeroize(),
        Value::Array(elements) => elements.iter_mut().for_each(wipe),
        Value::Struct(members) => {
            for (_, mut member) in std::mem::take(members) {
                wipe(&mut member);
            }
        }
        Value::Int(_) | Value::Bool(_) | Value::Double(_) | Value::DateTime(_) | Value::Nil => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    fn texts(words: &str) -> Vec<Value> {
        words.split_whitespace().map(text).collect()
    }

    fn place(reason: &str, ticket: &str) -> Place {
        Place {
            resource: "r".to_owned(),
            account: "a".to_owned(),
            reason: reason.to_owned(),
            ticket: ticket.to_owned(),
        }
    }

    fn changed(password: &str, reason: &str, remote: bool, ticket: &str) -> Asked {
        Asked::Change {
            place: place(reason, ticket),
            password: NewText(Zeroizing::new(password.to_owned())),
            remote,
        }
    }

    fn read_change(params: &[Value]) -> Result<Asked, String> {
        change(&mut params.to_vec()).map_err(|unfit| unfit.0)
    }

    #[test]
    fn a_retrieval_takes_two_to_four_texts() {
        let read = |words| retrieval(&mut texts(words)).map_err(|unfit| unfit.0);

        assert_eq!(read("r a"), Ok(Asked::Retrieve(place("", ""))));
        assert_eq!(read("r a why"), Ok(Asked::Retrieve(place("why", ""))));
        assert_eq!(
            read("r a why T-1"),
            Ok(Asked::Retrieve(place("why", "T-1")))
        );
        for (words, found) in [("", 0), ("r", 1), ("r a b c d", 5)] {
            let message = format!("2 or 3 or 4 parameters expected, not {found}");
            assert_eq!(read(words), Err(message));
        }
    }

    #[test]
    fn a_text_is_demanded_where_a_text_belongs() {
        for (wrong, found) in [
            (Value::Int(1), "int"),
            (Value::Nil, "nil"),
            (Value::Bool(true), "boolean"),
            (Value::Base64(vec![1]), "base64"),
            (Value::Array(vec![]), "array"),
        ] {
            let mut params = vec![text("r"), text("a"), wrong];
            let message = format!("parameter 3 (reason) must be a string, not {found}");
            assert_eq!(retrieval(&mut params), Err(Unfit(message)));
        }
    }

    #[test]
    fn a_creation_takes_four_or_five_texts() {
        let asked = |password: &str| Asked::Create {
            resource: "r".to_owned(),
            kind: "Linux".to_owned(),
            account: "a".to_owned(),
            password: NewText(Zeroizing::new(password.to_owned())),
            notes: "n".to_owned(),
        };

        assert_eq!(creation(&mut texts("r Linux a n")), Ok(asked("")));
        assert_eq!(creation(&mut texts("r Linux a p n")), Ok(asked("p")));
        let mut empty = [text("r"), text("Linux"), text("a"), text(""), text("n")];
        assert_eq!(creation(&mut empty), Ok(asked("")));
        for words in ["r Linux a", "r Linux a p n more"] {
            let found = words.split(' ').count();
            let message = format!("4 or 5 parameters expected, not {found}");
            assert_eq!(creation(&mut texts(words)), Err(Unfit(message)));
        }
    }

    #[test]
    fn every_overload_of_a_change_reads_with_a_boolean_and_with_a_text() {
        for (remote, boolean) in [
            (true, Value::Bool(true)),
            (false, Value::Bool(false)),
            (true, text("true")),
            (false, text("false")),
            (true, text("TRUE")),
            (false, text("False")),
        ] {
            let table = [
                (vec!["r", "a", "why", "?"], changed("", "why", remote, "")),
                (
                    vec!["r", "a", "new", "why", "?"],
                    changed("new", "why", remote, ""),
                ),
                (
                    vec!["r", "a", "", "why", "?"],
                    changed("", "why", remote, ""),
                ),
                (
                    vec!["r", "a", "why", "?", "T-1"],
                    changed("", "why", remote, "T-1"),
                ),
                (
                    vec!["r", "a", "new", "why", "?", "T-1"],
                    changed("new", "why", remote, "T-1"),
                ),
            ];
            for (words, asked) in table {
                let value = |word: &&str| match *word {
                    "?" => boolean.clone(),
                    word => text(word),
                };
                let params: Vec<_> = words.iter().map(value).collect();
                assert_eq!(read_change(&params), Ok(asked), "{words:?} {boolean:?}");
            }
        }
    }

    #[test]
    fn a_real_boolean_wins_over_a_text_that_reads_as_one() {
        let fourth = [
            text("r"),
            text("a"),
            text("why"),
            Value::Bool(true),
            text("false"),
        ];
        let fifth = [
            text("r"),
            text("a"),
            text("new"),
            text("true"),
            Value::Bool(false),
        ];

        assert_eq!(read_change(&fourth), Ok(changed("", "why", true, "false")));
        assert_eq!(read_change(&fifth), Ok(changed("new", "true", false, "")));
    }

    #[test]
    fn two_candidates_of_the_same_kind_are_refused() {
        let both = "parameters 4 and 5 could both be updateRemote: send it as a boolean, and the \
                    other as a string";
        let typed = [
            text("r"),
            text("a"),
            text("x"),
            Value::Bool(true),
            Value::Bool(true),
        ];

        assert_eq!(read_change(&typed), Err(both.to_owned()));
        assert_eq!(
            read_change(&texts("r a x true false")),
            Err(both.to_owned())
        );
    }

    #[test]
    fn a_change_without_its_boolean_is_refused() {
        let wrong = |at: usize, found: &str| {
            Err(format!(
                "parameter {at} (updateRemote) must be a boolean, or a string true or false, not \
                 {found}"
            ))
        };

        assert_eq!(read_change(&texts("r a why yes")), wrong(4, "string"));
        assert_eq!(read_change(&texts("r a new why 1")), wrong(5, "string"));
        assert_eq!(
            read_change(&texts("r a new why no T-1")),
            wrong(5, "string")
        );
        let number = [text("r"), text("a"), text("why"), Value::Int(1)];
        assert_eq!(read_change(&number), wrong(4, "int"));
        let early = [
            text("r"),
            text("a"),
            Value::Bool(true),
            text("why"),
            text("true"),
        ];
        assert_eq!(
            read_change(&early),
            Err("parameter 3 (newPassword) must be a string, not boolean".to_owned())
        );
        for words in ["r a why", "r a new why true T-1 more"] {
            let found = words.split(' ').count();
            let message = format!("4 or 5 or 6 parameters expected, not {found}");
            assert_eq!(read_change(&texts(words)), Err(message));
        }
    }

    #[test]
    fn a_wiped_value_has_no_text_left() {
        let inner = xmlrpc_codec::Struct::new().with("password", "hunter2");
        let mut value = Value::Array(vec![Value::Struct(inner), text("hunter2")]);

        wipe(&mut value);

        let empty = Value::Struct(xmlrpc_codec::Struct::new());
        assert_eq!(value, Value::Array(vec![empty, text("")]));
    }
}
