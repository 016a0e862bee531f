//! The operator's command that gives the master key.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use zeroize::Zeroizing;

use crate::crypto::{CryptoError, private_file};

/// What the program prints on its standard output, at most `most` bytes within `limit`. There is
/// no shell, no input, and its standard error is dropped: it may hold secrets.
///
/// # Errors
/// [`CryptoError::File`] when it cannot be started, [`CryptoError::Command`] when it ends with an
/// error, prints too much, or is not done in time.
pub(super) fn run(
    argv: &[String],
    limit: Duration,
    most: usize,
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let (program, arguments) = argv
        .split_first()
        .ok_or_else(|| refused("", "is not named"))?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(CryptoError::file(program))?;
    let printed = wait(&mut child, Instant::now() + limit, most);
    if printed.is_err() {
        stop(&mut child);
    }
    printed.map_err(|why| refused(program, why))
}

fn wait(
    child: &mut Child,
    deadline: Instant,
    most: usize,
) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let output = child.stdout.take().ok_or(MUTE)?;
    let (sender, receiver) = mpsc::sync_channel(1);
    // Not joined: a grandchild that keeps the pipe open must not hold the server up.
    thread::spawn(move || sender.send(private_file::read_all(output, most)));
    let printed = receiver
        .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        .map_err(|_| LATE)?
        .map_err(|_| "printed too much, or could not be read")?;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(printed),
            Ok(Some(_)) => return Err("ended with an error"),
            Ok(None) if Instant::now() < deadline => thread::sleep(PAUSE),
            Ok(None) => return Err(LATE),
            Err(_) => return Err(MUTE),
        }
    }
}

/// Ends the program and what it started, whatever state they are in.
fn stop(child: &mut Child) {
    if let Ok(id) = i32::try_from(child.id())
        && let Some(group) = Pid::from_raw(id)
    {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}

fn refused(program: &str, why: &'static str) -> CryptoError {
    CryptoError::Command {
        program: program.to_owned(),
        why,
    }
}

const LATE: &str = "was not done in time";
const MUTE: &str = "could not be listened to";
/// Between a program's last word and its end.
const PAUSE: Duration = Duration::from_millis(2);
