//! What the program says: what was asked for on standard output, what went wrong in one line on
//! standard error.

use std::io::{self, IsTerminal, Read, Write};

use zeroize::Zeroizing;

use crate::Secret;
use crate::program::trouble::Trouble;

/// Prints lines in one piece.
pub(super) fn tell(lines: &[&str]) -> Result<(), Trouble> {
    let length = lines.iter().map(|line| line.len() + 1).sum();
    let mut text = Zeroizing::new(String::with_capacity(length));
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Trouble::Output)
}

/// Says in one line what went wrong; nothing in it acts on a terminal.
pub(super) fn complain(what: &str) {
    let visible: String = what
        .chars()
        .flat_map(|c| {
            let acts =
                c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
            let escaped = acts.then(|| c.escape_default());
            escaped.into_iter().flatten().chain((!acts).then_some(c))
        })
        .collect();
    let mut err = io::stderr().lock();
    // Nobody is left to be told that nobody can be told.
    let _unread = writeln!(err, "ERROR: {visible}").and_then(|()| err.flush());
}

/// Reads a password from standard input: all of it, without one line end behind it. On a terminal
/// it is asked for, and not shown.
pub(super) fn password_from_stdin() -> Result<Secret, Trouble> {
    let bytes = if io::stdin().is_terminal() {
        typed()?
    } else {
        let mut bytes = Zeroizing::new(Vec::with_capacity(LIMIT + 1));
        let limit = u64::try_from(LIMIT + 1).unwrap_or(u64::MAX);
        let read = io::stdin().lock().take(limit).read_to_end(&mut bytes);
        read.map_err(Trouble::Input)?;
        bytes
    };
    let usage = |words: &str| Trouble::Usage(format!("the password on standard input {words}"));
    if bytes.len() > LIMIT {
        return Err(usage("is too long"));
    }
    let text = str::from_utf8(&bytes).map_err(|_| usage("is not UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(usage("is empty"));
    }
    Ok(Secret::from(text))
}

#[cfg(unix)]
fn typed() -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let line = typed_secret::ask("password: ", LIMIT).map_err(Trouble::Input)?;
    line.ok_or_else(|| Trouble::Usage("interrupted: nothing was done".to_owned()))
}

#[cfg(not(unix))]
fn typed() -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let words = "a password that is typed here would be shown: give it by a pipe";
    Err(Trouble::Usage(words.to_owned()))
}

/// More than any server takes.
const LIMIT: usize = 64 * 1024;
