//! Secrets come by standard input or from a file, never as arguments: those stand in the list of
//! processes and in the shell's history.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use zeroize::Zeroizing;

use crate::cli::CliError;

/// Reads a secret from standard input: all of it, without one line end behind it.
///
/// # Errors
/// [`CliError::Failed`] when there is nothing, too much, or something that is no text.
pub(crate) fn from_stdin(what: &str) -> Result<Zeroizing<String>, CliError> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return from_terminal(what);
    }
    let bytes = read_limited(stdin.lock())
        .map_err(|error| CliError::Failed(format!("standard input: {error}")))?;
    as_secret(&bytes, what, "standard input")
}

/// Reads a secret from a file.
///
/// # Errors
/// [`CliError::File`] when it cannot be read, [`CliError::Failed`] when it holds no secret.
pub(crate) fn from_file(path: &Path, what: &str) -> Result<Zeroizing<String>, CliError> {
    let bytes = File::open(path)
        .and_then(read_limited)
        .map_err(CliError::file(path))?;
    as_secret(&bytes, what, &path.display().to_string())
}

/// Asks for a secret on the terminal, without showing it.
///
/// # Errors
/// [`CliError::Failed`] when the terminal cannot be read, or Ctrl-C was typed.
fn from_terminal(what: &str) -> Result<Zeroizing<String>, CliError> {
    let failed = |error: io::Error| CliError::Failed(format!("the terminal: {error}"));
    match typed_secret::ask(&format!("{what}: "), LIMIT + 1).map_err(failed)? {
        Some(line) => as_secret(&line, what, "the terminal"),
        None => Err(CliError::Failed("interrupted: nothing was done".to_owned())),
    }
}

/// Says something to whoever sits at the terminal.
pub(crate) fn eprint(text: &str) {
    use io::Write;
    let mut err = io::stderr().lock();
    // Nobody is left to be told that nobody can be told.
    let _unread = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Asks a question that is answered with yes or no; anything but yes is no.
///
/// # Errors
/// [`CliError::Failed`] when the terminal cannot be read.
pub(crate) fn ask(question: &str) -> Result<bool, CliError> {
    eprint(&format!("{question} [y/N] "));
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .map_err(|error| CliError::Failed(format!("the terminal: {error}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}

/// Whether somebody sits there who can be asked.
pub(crate) fn somebody_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn read_limited(from: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    // Room for all at once: a vector that grew would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LIMIT + 2));
    from.take(LIMIT as u64 + 2).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn as_secret(bytes: &[u8], what: &str, place: &str) -> Result<Zeroizing<String>, CliError> {
    let refuse = |why: &str| Err(CliError::Failed(format!("{place}: the {what} {why}")));
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return refuse("is empty");
    }
    if line.len() > LIMIT {
        return refuse("is longer than 8192 bytes");
    }
    match std::str::from_utf8(line) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => refuse("is no text in UTF-8"),
    }
}

/// As much as a password may have.
const LIMIT: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_dropped_and_nothing_else() {
        let read = |bytes: &[u8]| {
            as_secret(bytes, "password", "x")
                .map(|s| s.to_string())
                .ok()
        };

        assert_eq!(read(b" a b \n").as_deref(), Some(" a b "));
        assert_eq!(read(b"a\r\n").as_deref(), Some("a"));
        assert_eq!(read(b"a\n\n").as_deref(), Some("a\n"));
        assert_eq!(read(b""), None);
        assert_eq!(read(b"\n"), None);
        assert_eq!(read(b"\xff"), None);
        assert_eq!(read(&[b'x'; LIMIT + 1]), None);
        assert!(read(&[b'x'; LIMIT]).is_some());
    }
}
