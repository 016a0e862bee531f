//! A secret that somebody types on a terminal, which does not show it; for programs on Unix.
#![cfg(unix)]

use std::io::{self, Write};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

/// Asks for a line on the terminal that is standard input, without showing it: at most `limit`
/// bytes, and one more where there are more; the line end counts. Nothing where it was interrupted
/// by Ctrl-C or Ctrl-\.
///
/// # Errors
/// Standard input is no terminal, or it cannot be read.
pub fn ask(question: &str, limit: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let hidden = Hidden::begin()?;
    say(question);
    let line = hidden.line(limit);
    drop(hidden);
    say("\n");
    line
}

/// Keeps what is typed from being shown until it is dropped.
struct Hidden {
    before: Termios,
}

impl Hidden {
    /// From now on Ctrl-C and Ctrl-\ end the line instead of the program, and Ctrl-Z does nothing:
    /// a program that ended here would leave a terminal that shows nothing.
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ISIG);
        let keys = &mut quiet.special_codes;
        keys[SpecialCodeIndex::VEOL] = before.special_codes[SpecialCodeIndex::VINTR];
        keys[SpecialCodeIndex::VEOL2] = before.special_codes[SpecialCodeIndex::VQUIT];
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self { before })
    }

    /// What is typed up to the end of the line; nothing if it was interrupted.
    fn line(&self, limit: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        // Past the buffer of `Stdin`, which nobody would wipe.
        let mut room = Zeroizing::new([0; 4096]);
        let mut line = Zeroizing::new(Vec::with_capacity(limit + 1));
        while line.len() <= limit && !line.ends_with(b"\n") {
            let count = rustix::io::retry_on_intr(|| rustix::io::read(io::stdin(), &mut room[..]))?;
            let typed = room.get(..count).unwrap_or_default();
            if typed.last().is_some_and(|last| self.interrupts(*last)) {
                return Ok(None);
            }
            if typed.is_empty() {
                break;
            }
            let space = (limit + 1).saturating_sub(line.len());
            line.extend_from_slice(typed.get(..space).unwrap_or(typed));
        }
        Ok(Some(line))
    }

    fn interrupts(&self, key: u8) -> bool {
        [SpecialCodeIndex::VINTR, SpecialCodeIndex::VQUIT]
            .into_iter()
            .any(|code| key != 0 && self.before.special_codes[code] == key)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that is gone needs no echo.
        let _gone = tcsetattr(io::stdin(), OptionalActions::Flush, &self.before);
    }
}

fn say(text: &str) {
    let mut err = io::stderr().lock();
    // Nobody is left to be told that nobody can be told.
    let _unread = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}
