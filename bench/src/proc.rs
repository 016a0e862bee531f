//! What the kernel knows about a process.

use std::fs;
use std::time::Duration;

use crate::trouble::Trouble;

/// The CPU time of a process and all its threads, living and dead, to the clock tick (10 ms).
///
/// # Errors
/// When there is no such process.
pub fn cpu_time(pid: u32) -> Result<Duration, Trouble> {
    let [user, system, ..] = times(pid)?;
    Ok(user + system)
}

/// That of its children that have ended and been waited for, and of theirs.
///
/// # Errors
/// When there is no such process.
pub fn cpu_time_of_children(pid: u32) -> Result<Duration, Trouble> {
    let [.., user, system] = times(pid)?;
    Ok(user + system)
}

/// Fields 14 to 17 of proc(5): user and system time, and both of the children.
fn times(pid: u32) -> Result<[Duration; 4], Trouble> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in brackets may hold blanks.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut fields = after_name.split_whitespace().skip(11);
    let second = rustix::param::clock_ticks_per_second();
    let mut times = [Duration::ZERO; 4];
    for time in &mut times {
        let ticks = fields.next().unwrap_or_default().parse::<u64>()?;
        *time = Duration::from_micros(ticks * 1_000_000 / second);
    }
    Ok(times)
}

/// A size of a process in MiB: `VmRSS` now, `VmHWM` at its peak.
///
/// # Errors
/// When there is no such process, or no such field.
pub fn size_mib(pid: u32, field: &str) -> Result<f64, Trouble> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib = line.and_then(|rest| rest.split_whitespace().next());
    let kib: u32 = kib
        .ok_or_else(|| Trouble::new(format!("no {field}")))?
        .parse()?;
    Ok(f64::from(kib) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_its_own_size_and_time() {
        let pid = std::process::id();

        assert!(size_mib(pid, "VmRSS").is_ok_and(|mib| mib > 0.1));
        assert!(size_mib(pid, "VmHWM").is_ok_and(|mib| mib > 0.1));
        assert!(cpu_time(pid).is_ok());
        assert!(cpu_time(u32::MAX).is_err());
        assert!(cpu_time_of_children(pid).is_ok());
    }
}
