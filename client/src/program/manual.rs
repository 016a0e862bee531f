//! The manual pages, from the definition of the command line.

use std::io::{self, Write as _};

use clap::CommandFactory as _;
use clap_mangen::{Man as Page, generate_to};

use crate::program::options::{Line, Man};
use crate::program::trouble::Trouble;

/// Prints the page of the program, or writes all of them.
pub(super) fn write(man: Man) -> Result<(), Trouble> {
    if let Some(folder) = man.out {
        let written = std::fs::create_dir_all(&folder);
        let written = written.and_then(|()| generate_to(Line::command(), &folder));
        return written.map_err(|source| Trouble::Manual { folder, source });
    }
    let mut text = Vec::new();
    let mut out = io::stdout().lock();
    let page = Page::new(Line::command()).render(&mut text);
    page.and_then(|()| out.write_all(&text))
        .and_then(|()| out.flush())
        .map_err(Trouble::Output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_its_page() {
        let dir = tempfile::tempdir().unwrap();
        let out = Some(dir.path().join("man1"));

        write(Man { out: out.clone() }).unwrap();

        for page in ["claviger-client.1", "claviger-client-RETRIEVE.1"] {
            let text = std::fs::read_to_string(out.as_ref().unwrap().join(page)).unwrap();
            assert!(text.contains(".SH"), "{page}");
        }
        let file = out.map(|folder| folder.join("claviger-client.1"));
        let refused = write(Man { out: file }).unwrap_err();
        assert!(matches!(refused, Trouble::Manual { .. }));
        assert_eq!(refused.status(), 2);
    }
}
