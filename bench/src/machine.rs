//! The machine that the numbers are about: without it they mean nothing.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

use crate::trouble::Trouble;

/// One machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// Processors that this program may use.
    pub cores: usize,
    /// Memory in GiB.
    pub memory_gib: f64,
    /// The kernel's version.
    pub kernel: String,
    /// The file system of the data directory.
    pub file_system: String,
}

/// Looks at this machine, with the data in `dir`.
///
/// # Errors
/// When `dir` cannot be made.
pub fn describe(dir: &Path) -> Result<Machine, Trouble> {
    fs::create_dir_all(dir)?;
    let memory = first_value("/proc/meminfo", "MemTotal").unwrap_or_default();
    let kib: f64 = memory
        .trim_end_matches("kB")
        .trim()
        .parse()
        .unwrap_or_default();
    Ok(Machine {
        cpu: first_value("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
        cores: available_parallelism().map_or(1, usize::from),
        memory_gib: kib / 1024.0 / 1024.0,
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?
            .trim()
            .to_owned(),
        file_system: file_system(&dir.canonicalize()?)?,
    })
}

fn first_value(file: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_once(':')
        .map(|(_, value)| value.trim().to_owned())
}

/// The type of the mount that `dir` lies on, by the longest matching mount point.
fn file_system(dir: &Path) -> Result<String, Trouble> {
    let mounts = fs::read_to_string("/proc/mounts")?;
    let found = mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.nth(1)?, words.next()?))
        })
        .filter(|(point, _)| dir.starts_with(point))
        .max_by_key(|(point, _)| point.len());
    Ok(found.map_or("unknown", |(_, kind)| kind).to_owned())
}
