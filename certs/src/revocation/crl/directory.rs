//! What a directory holds, cheaply compared.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{CrlFault, CrlProblem};

/// A file as the directory shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Mark {
    name: OsString,
    seen: Result<(u64, Option<SystemTime>), io::ErrorKind>,
}

/// The files of a directory by name, time and size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listing {
    marks: Result<Vec<Mark>, io::ErrorKind>,
    limit: usize,
}

impl Listing {
    /// Lists `directory`; no more than a few files above `limit` are looked at.
    pub(super) fn of(directory: &Path, limit: usize) -> Self {
        let marks = match marks(directory) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            marks => marks.map_err(|why| why.kind()),
        };
        Self { marks, limit }
    }

    /// Whether the directory could be listed; a missing one counts as an empty one.
    pub(super) fn is_readable(&self) -> bool {
        self.marks.is_ok()
    }

    /// The files to be read, in the order of their names.
    pub(super) fn paths(&self, directory: &Path) -> Vec<PathBuf> {
        self.marks
            .iter()
            .flatten()
            .take(self.limit)
            .map(|mark| directory.join(&mark.name))
            .collect()
    }

    /// What is wrong with the directory itself.
    pub(super) fn problems(&self, directory: &Path) -> Vec<CrlProblem> {
        let why = match &self.marks {
            Err(kind) => CrlFault::Unreadable(*kind),
            Ok(marks) if marks.len() > self.limit => CrlFault::TooManyFiles { limit: self.limit },
            Ok(_) => return Vec::new(),
        };
        vec![CrlProblem::new(directory, why)]
    }
}

fn marks(directory: &Path) -> io::Result<Vec<Mark>> {
    let mut marks = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        if let Some(mark) = mark(directory, name) {
            marks.push(mark);
        }
    }
    marks.sort();
    Ok(marks)
}

/// Nothing for what is no candidate: folders, sockets, hidden files and editors' backups. A
/// symbolic link counts as what it points to; a dangling one is a file that cannot be read.
fn mark(directory: &Path, name: OsString) -> Option<Mark> {
    let bytes = name.as_encoded_bytes();
    if bytes.starts_with(b".") || bytes.ends_with(b"~") {
        return None;
    }
    let seen = match fs::metadata(directory.join(&name)) {
        Ok(meta) if !meta.is_file() => return None,
        Ok(meta) => Ok((meta.len(), meta.modified().ok())),
        Err(why) => Err(why.kind()),
    };
    Some(Mark { name, seen })
}
