//! One command, as an exec request brings it: no shell line, and never guessed at.
//!
//! `ssh` joins its arguments with single blanks, and the caller's shell has eaten the quotes: a
//! value runs up to the next blank and known option, unless it is quoted. What could mean two
//! things is refused with words for the caller, which never repeat what was sent.

use std::fmt;

use zeroize::Zeroizing;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Retrieve,
    ResetLocal,
    ResetRemote,
    Create,
    List,
    Help,
}

/// What a command may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Resource,
    Account,
    NewPassword,
    ResourceType,
    Notes,
    Reason,
    TicketId,
}

/// A command that is whole: each option at most once, and all that are needed.
pub(super) struct Command {
    verb: Verb,
    values: [Option<Zeroizing<String>>; Name::ALL.len()],
}

/// Why it is none, in words for the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Usage(String);

impl Verb {
    pub(super) const ALL: [Self; 6] = [
        Self::Retrieve,
        Self::ResetLocal,
        Self::ResetRemote,
        Self::Create,
        Self::List,
        Self::Help,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Retrieve => "RETRIEVE",
            Self::ResetLocal => "RESET_LOCAL",
            Self::ResetRemote => "RESET_REMOTE",
            Self::Create => "CREATE",
            Self::List => "LIST",
            Self::Help => "HELP",
        }
    }

    /// What it must be told, and what it may be told.
    const fn options(self) -> (&'static [Name], &'static [Name]) {
        const PLACE: &[Name] = &[Name::Resource, Name::Account];
        match self {
            Self::Retrieve => (PLACE, &[Name::Reason, Name::TicketId]),
            Self::ResetLocal | Self::ResetRemote => {
                (PLACE, &[Name::NewPassword, Name::Reason, Name::TicketId])
            }
            Self::Create => (
                PLACE,
                &[
                    Name::NewPassword,
                    Name::ResourceType,
                    Name::Notes,
                    Name::TicketId,
                ],
            ),
            Self::List => (&[], &[Name::Resource, Name::TicketId]),
            Self::Help => (&[], &[Name::TicketId]),
        }
    }

    /// How it is written.
    pub(super) fn synopsis(self) -> String {
        let (must, may) = self.options();
        let mut text = self.as_str().to_owned();
        for name in must {
            text.push_str(&format!(" --{}=…", name.as_str()));
        }
        for name in may {
            text.push_str(&format!(" [--{}=…]", name.as_str()));
        }
        text
    }

    fn takes(self, name: Name) -> bool {
        let (must, may) = self.options();
        must.contains(&name) || may.contains(&name)
    }

    fn usage(self, problem: &str) -> Usage {
        Usage(format!("{problem}. Usage: {}", self.synopsis()))
    }
}

impl Name {
    const ALL: [Self; 7] = [
        Self::Resource,
        Self::Account,
        Self::NewPassword,
        Self::ResourceType,
        Self::Notes,
        Self::Reason,
        Self::TicketId,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Account => "account",
            Self::NewPassword => "newpassword",
            Self::ResourceType => "resourcetype",
            Self::Notes => "notes",
            Self::Reason => "reason",
            Self::TicketId => "ticketid",
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({})", self.verb.as_str())
    }
}

impl Command {
    /// Reads what came in.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Usage> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Usage("a command is text in UTF-8".to_owned()))?;
        if text.chars().any(char::is_control) {
            let why = "a command is one line: it holds no tab, line end or other control character";
            return Err(Usage(why.to_owned()));
        }
        let text = text.trim_start_matches(' ');
        let (word, mut rest) = text.split_once(' ').unwrap_or((text, ""));
        let verb = Verb::ALL.into_iter().find(|verb| verb.as_str() == word);
        let mut command = Self {
            verb: verb.ok_or_else(no_such_command)?,
            values: Default::default(),
        };
        loop {
            rest = rest.trim_start_matches(' ');
            if rest.is_empty() {
                return command.whole();
            }
            rest = command.option(rest)?;
        }
    }

    pub(super) fn verb(&self) -> Verb {
        self.verb
    }

    /// What was said, or nothing.
    pub(super) fn get(&self, name: Name) -> &str {
        let value = self.values.get(name as usize).and_then(Option::as_ref);
        value.map_or("", |value| value.as_str())
    }

    /// The new password; empty where none was given.
    pub(super) fn take_password(&mut self) -> Zeroizing<String> {
        let place = self.values.get_mut(Name::NewPassword as usize);
        place.and_then(Option::take).unwrap_or_default()
    }

    /// Reads the option that `text` begins with; what is left stands behind it.
    fn option<'a>(&mut self, text: &'a str) -> Result<&'a str, Usage> {
        let verb = self.verb;
        let Some((name, value)) = text.strip_prefix("--").and_then(named) else {
            let why = "here stands no option that it takes: each is written --name=value, and a \
                       value that holds blanks and dashes is quoted";
            return Err(verb.usage(why));
        };
        let quoted = value.starts_with(['\'', '"']);
        let read = if quoted {
            quote(value)
        } else {
            bare(value, name)
        };
        let (value, rest) = read.map_err(|why| verb.usage(&why))?;
        let told = format!("--{}=", name.as_str());
        if !verb.takes(name) {
            return Err(verb.usage(&format!("it takes no {told}")));
        }
        if name == Name::NewPassword && value.is_empty() {
            let why = format!("{told} is empty: leave it out to have a password generated");
            return Err(verb.usage(&why));
        }
        match self.values.get_mut(name as usize) {
            Some(place @ None) => *place = Some(value),
            _ => return Err(verb.usage(&format!("{told} is there twice"))),
        }
        Ok(rest)
    }

    fn whole(self) -> Result<Self, Usage> {
        let (must, _) = self.verb.options();
        let missing = must.iter().find(|name| self.get(**name).is_empty());
        match missing {
            Some(name) => Err(self.verb.usage(&format!("--{}= is missing", name.as_str()))),
            None => Ok(self),
        }
    }
}

fn no_such_command() -> Usage {
    let verbs = Verb::ALL.map(Verb::as_str).join(", ");
    Usage(format!("there is no such command: there are {verbs}"))
}

/// The known option that `text` begins with, behind its dashes, and what stands behind its `=`.
fn named(text: &str) -> Option<(Name, &str)> {
    let after = |name: Name| Some((name, text.strip_prefix(name.as_str())?.strip_prefix('=')?));
    Name::ALL.into_iter().find_map(after)
}

type Read<'a> = Result<(Zeroizing<String>, &'a str), String>;

/// A quoted value: up to its closing quote, behind which stands a blank or nothing.
fn quote(text: &str) -> Read<'_> {
    // Room for all of it: growing would leave copies of a password behind.
    let mut value = Zeroizing::new(String::with_capacity(text.len()));
    let mut signs = text.chars();
    let closing = signs.next();
    while let Some(sign) = signs.next() {
        if Some(sign) == closing {
            let rest = signs.as_str();
            if rest.is_empty() || rest.starts_with(' ') {
                return Ok((value, rest));
            }
            return Err("behind a closing quote stands a blank".to_owned());
        }
        let sign = match sign {
            '\\' => match signs.next() {
                Some(escaped @ ('\\' | '\'' | '"')) => escaped,
                _ => return Err(r#"in quotes, \ stands before \, ' or " only"#.to_owned()),
            },
            plain => plain,
        };
        value.push(sign);
    }
    Err("a quote is not closed".to_owned())
}

/// A value without quotes: up to the next blank and known option, or the end.
fn bare(text: &str, name: Name) -> Read<'_> {
    let end = end_of_bare(text)?;
    let (value, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    // One blank is not the value's: `ssh` has put it there.
    let value = if rest.is_empty() {
        value
    } else {
        value.strip_suffix(' ').unwrap_or(value)
    };
    let trimmed = value.trim_matches(' ');
    if name == Name::NewPassword && trimmed != value {
        let why = "quote a password that begins or ends with a blank".to_owned();
        return Err(why);
    }
    if name == Name::NewPassword && has_dash_behind_blank(value) {
        let why = "quote a password that holds a blank with a dash behind it: this may be an \
                   option that is written wrong";
        return Err(why.to_owned());
    }
    if has_likeness(value) {
        let why = "quote a value in which a word begins with a dash and a letter, or is an option's \
                   name before = or a colon: this may be an option that is written wrong";
        return Err(why.to_owned());
    }
    Ok((Zeroizing::new(trimmed.to_owned()), rest))
}

/// Where the next option begins.
fn end_of_bare(text: &str) -> Result<usize, String> {
    for (at, _) in text.char_indices().filter(|(_, sign)| *sign == '-') {
        let (before, from) = text.split_at_checked(at).unwrap_or((text, ""));
        let Some(behind) = from.strip_prefix("--") else {
            continue;
        };
        let blank = before.ends_with(' ');
        match (named(behind), blank) {
            (Some(_), true) => return Ok(at),
            (Some((name, _)), false) => {
                let name = name.as_str();
                return Err(format!(
                    "there is no blank before --{name}=: write one, or quote the value that holds it"
                ));
            }
            (None, true) if has_no_value(behind) => {
                return Err("an option is written with its value: --name=value".to_owned());
            }
            (None, true) if is_unknown(behind) => {
                let why = "there is an option that it does not know: a value that holds such a \
                           thing is quoted";
                return Err(why.to_owned());
            }
            (None, _) => {}
        }
    }
    Ok(text.len())
}

/// A known option without its `=`.
fn has_no_value(text: &str) -> bool {
    let rest = |name: Name| text.strip_prefix(name.as_str());
    let ends = |rest: &str| rest.is_empty() || rest.starts_with(' ');
    Name::ALL.into_iter().filter_map(rest).any(ends)
}

/// A dash behind a blank: an option may be meant.
fn has_dash_behind_blank(text: &str) -> bool {
    let mut behind = text.split(char::is_whitespace).skip(1);
    behind.any(|word| word.starts_with(is_dash))
}

/// Something behind a blank that looks like an option: a reason that has swallowed a mistyped
/// `--newpassword=` would take the password into the audit trail.
fn has_likeness(text: &str) -> bool {
    let blanks = text.char_indices().filter(|(_, sign)| sign.is_whitespace());
    let mut behind = blanks.filter_map(|(at, _)| text.get(at..).map(str::trim_start));
    behind.any(is_likeness)
}

/// Whether `text` begins with a dash and a letter, or with the name of an option, however it is
/// spelled, and `=` or `:`.
fn is_likeness(text: &str) -> bool {
    let undashed = text.trim_start_matches(is_dash);
    if undashed.len() < text.len() && undashed.starts_with(char::is_alphabetic) {
        return true;
    }
    let word = |sign: char| sign.is_alphanumeric() || sign == '_' || is_dash(sign);
    let behind = undashed.trim_start_matches(word);
    let name = undashed.strip_suffix(behind).unwrap_or_default();
    behind.trim_start().starts_with(['=', ':']) && is_named(name)
}

/// A name of ours, or what may be meant by `newpassword`.
fn is_named(word: &str) -> bool {
    let word: String = word.chars().filter(|sign| sign.is_alphanumeric()).collect();
    let word = Zeroizing::new(word.to_lowercase());
    let secret = ["passw", "pwd"].iter().any(|part| word.contains(part));
    secret || Name::ALL.iter().any(|name| name.as_str() == *word)
}

/// A dash, those of word processors included.
fn is_dash(sign: char) -> bool {
    matches!(
        sign,
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
    )
}

/// Something of the form of an option.
fn is_unknown(text: &str) -> bool {
    let word = text.split_once('=').map_or("", |(word, _)| word);
    let letter = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_');
    !word.is_empty() && word.chars().all(letter)
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
