//! What the caller asks for.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// The help text.
pub const HELP: &str = "\
Measures Claviger, a bare rustls server with the same durable audit, and OpenBao, in turns.

    cargo run --release -p claviger-bench -- [OPTIONS]

    --quick             3 runs of 1 s, and 100 000 accounts in place of a million
    --runs N            runs of each load; the medians are shown      [default: 5]
    --seconds N         how long each run is counted                  [default: 5]
    --accounts N        accounts in the vault                         [default: 10000]
    --many N            accounts for `million`                        [default: 1000000]
    --rotated N         accounts for `rotate`                         [default: 1000]
    --at-once N         how many of them are changed at once          [default: 4]
    --only NAME[,NAME]  kept, rest, a2a, oneshot, resumed, hybrid, change, memory, idle, ssh,
                        events, checkouts, million; or one load: kept-8; or rotate, which makes users of this machine,
                        needs root and is run only when it is named
    --without NAME      a peer to leave out: bare, openbao
    --claviger FILE     this program in place of the one Cargo builds
    --dir DIR           data of all servers; a real disk              [default: target/bench-data]
    --reuse             the large vault of an earlier run in DIR, where there is one: no import
    --json FILE         write all numbers there
    --help              this text
";

/// What is to be measured, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Runs of each load.
    pub runs: usize,
    /// How long each run is counted.
    pub duration: Duration,
    /// Accounts in the vault.
    pub accounts: u64,
    /// Accounts of the large vault.
    pub many: u64,
    /// Accounts of the machine whose passwords are rotated.
    pub rotated: u64,
    /// How many of those at once.
    pub at_once: u64,
    /// Names or beginnings of names; all when empty.
    pub only: Vec<String>,
    /// Peers left out.
    pub without: Vec<String>,
    /// The program to measure.
    pub claviger: Option<PathBuf>,
    /// Where all servers keep their data.
    pub dir: PathBuf,
    /// Whether the large vault of an earlier run will do.
    pub reuse: bool,
    /// Where the numbers go.
    pub json: Option<PathBuf>,
}

/// What the command line says.
#[derive(Debug)]
pub enum Asked {
    /// To measure.
    Measure(Options),
    /// For help.
    Help,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            runs: 5,
            duration: Duration::from_secs(5),
            accounts: 10_000,
            many: 1_000_000,
            rotated: 1_000,
            at_once: 4,
            only: Vec::new(),
            without: Vec::new(),
            claviger: None,
            dir: root().join("target/bench-data"),
            reuse: false,
            json: None,
        }
    }
}

impl Options {
    /// Reads the command line.
    ///
    /// # Errors
    /// One line about the word that is wrong.
    pub fn parse(arguments: &[String]) -> Result<Asked, String> {
        let mut options = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(Asked::Help),
                "--quick" => options.be_quick(),
                "--runs" => options.runs = number(value()?)?.max(1) as usize,
                "--seconds" => options.duration = Duration::from_secs(number(value()?)?.max(1)),
                "--accounts" => options.accounts = number(value()?)?.max(1),
                "--rotated" => options.rotated = number(value()?)?.max(1),
                "--at-once" => options.at_once = number(value()?)?.max(1),
                "--many" => options.many = number(value()?)?.max(1),
                "--only" => options.only.extend(value()?.split(',').map(str::to_owned)),
                "--without" => options
                    .without
                    .extend(value()?.split(',').map(str::to_owned)),
                "--claviger" => options.claviger = Some(value()?.into()),
                "--dir" => options.dir = value()?.into(),
                "--reuse" => options.reuse = true,
                "--json" => options.json = Some(value()?.into()),
                other => return Err(format!("what is {other}?")),
            }
        }
        Ok(Asked::Measure(options))
    }

    /// Whether the load or measure of this name is asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.names(name)
    }

    /// Whether it is asked for by its name.
    pub fn names(&self, name: &str) -> bool {
        let named = |only: &String| name.strip_prefix(only.as_str()).is_some_and(ends_a_word);
        self.only.iter().any(named)
    }

    /// Whether the peer of this name takes part.
    pub fn with(&self, peer: &str) -> bool {
        !self.without.iter().any(|left_out| peer == left_out)
    }

    fn be_quick(&mut self) {
        self.runs = 3;
        self.duration = Duration::from_secs(1);
        self.many = 100_000;
    }
}

/// The repository's root.
pub fn root() -> &'static Path {
    let member = Path::new(env!("CARGO_MANIFEST_DIR"));
    member.parent().unwrap_or(member)
}

fn ends_a_word(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('-')
}

fn number(text: &str) -> Result<u64, String> {
    text.replace('_', "")
        .parse()
        .map_err(|_| format!("{text} is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_chooses_its_whole_family() {
        let words = ["--only".to_owned(), "kept,change-8".to_owned()];
        let Ok(Asked::Measure(options)) = Options::parse(&words) else {
            panic!("these are options")
        };

        assert!(options.wants("kept-8") && options.wants("kept-32") && options.wants("change-8"));
        assert!(!options.wants("change-32") && !options.wants("memory"));
        assert!(Options::default().wants("memory") && !Options::default().names("rotate"));
    }
}
