//! The house's own rules: which floor may use which, how long a file or a function may be, and
//! what nobody writes. `ARCHITECTURE.md` says why.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A floor of the server and the floors of ours that it may use.
struct Floor {
    name: &'static str,
    may_use: &'static [&'static str],
    /// Our other crates, and libraries, that it must not name.
    never: &'static [&'static str],
}

const FLOORS: &[Floor] = &[
    Floor {
        name: "domain",
        may_use: &["domain"],
        never: &[
            "tokio",
            "serde",
            "certs",
            "typed-secret",
            "xmlrpc_codec",
            "input_data",
            "claviger_client",
            "SystemTime",
            "Instant",
        ],
    },
    Floor {
        name: "crypto",
        may_use: &["crypto", "domain"],
        never: OUR_CRATES,
    },
    Floor {
        name: "store",
        may_use: &["store", "domain", "crypto"],
        never: OUR_CRATES,
    },
    Floor {
        name: "ledger",
        may_use: &["ledger", "domain", "crypto"],
        never: OUR_CRATES,
    },
    Floor {
        name: "connectors",
        may_use: &["connectors", "domain"],
        never: OUR_CRATES,
    },
    Floor {
        name: "vault",
        may_use: &["vault", "domain", "store", "ledger", "connectors"],
        never: &[
            "xmlrpc_codec",
            "input_data",
            "claviger_client",
            "hyper",
            "axum",
        ],
    },
    Floor {
        name: "doors",
        may_use: &["doors", "domain", "vault"],
        never: &["claviger_client"],
    },
    Floor {
        name: "admin",
        may_use: &["admin", "domain", "vault"],
        never: &["claviger_client"],
    },
    Floor {
        name: "cli",
        may_use: &["cli", "config", "admin", "app", "crypto", "vault"],
        never: &[],
    },
];

/// Names that one floor may use of another although the table says no: (floor, other, name, why).
const EXCEPTIONS: &[(&str, &str, &str, &str)] = &[
    (
        "vault",
        "crypto",
        "CryptoError",
        "what goes wrong with the locks goes wrong with the vault",
    ),
    (
        "cli",
        "admin",
        "wire",
        "the words of the admin API, shared by both of its sides",
    ),
    ("cli", "app", "DataFolder", "where the admin socket lies"),
    (
        "cli",
        "crypto",
        "Parcel",
        "an export is sealed before it is written, by whoever asked for it",
    ),
    ("cli", "crypto", "ParcelWriter", "the same"),
    ("cli", "crypto", "Passphrase", "the same"),
    ("cli", "crypto", "PassphraseCost", "the same"),
    ("cli", "crypto", "CryptoError", "the same"),
];

const OUR_CRATES: &[&str] = &["certs", "xmlrpc_codec", "input_data", "claviger_client"];

/// The rooms of `doors` that speak a protocol: none knows another.
const DOORS: &[&str] = &["xmlrpc", "ssh", "rest", "a2a"];

/// Lines of a file before its unit tests, and of a file of tests.
const FILE_LIMIT: usize = 600;
/// Lines of a function, from `fn` to its closing brace.
const FUNCTION_LIMIT: usize = 80;

#[test]
fn each_floor_uses_only_the_floors_below_it() {
    let mut wrong = Vec::new();
    for floor in FLOORS {
        for file in floor_files(floor.name) {
            for (used, name) in file.used_paths() {
                if !floor.may_use.contains(&used.as_str()) && !excepted(floor.name, &used, &name) {
                    wrong.push(format!(
                        "{}: {} may not use {used}::{name}",
                        file.shown, floor.name
                    ));
                }
            }
            for name in floor.never {
                if file.words().contains(*name) {
                    wrong.push(format!(
                        "{}: {} may not name {name}",
                        file.shown, floor.name
                    ));
                }
            }
        }
    }

    assert_none(&wrong);
}

#[test]
fn no_door_knows_another_door() {
    let mut wrong = Vec::new();
    for door in DOORS {
        for file in floor_files(&format!("doors/{door}")) {
            for other in DOORS.iter().filter(|other| *other != door) {
                let named = [format!("doors::{other}"), format!("super::{other}")];
                if named.iter().any(|path| file.names_path(path)) {
                    wrong.push(format!("{}: names the door {other}", file.shown));
                }
            }
        }
    }

    assert_none(&wrong);
}

#[test]
fn no_path_climbs_out_of_its_floor_by_super() {
    let mut wrong = Vec::new();
    for floor in FLOORS {
        for file in floor_files(floor.name) {
            if file.climbs_to_the_root() {
                wrong.push(format!(
                    "{}: say `crate::`, not a chain of `super::`",
                    file.shown
                ));
            }
        }
    }

    assert_none(&wrong);
}

#[test]
fn files_and_functions_stay_readable() {
    let mut wrong = Vec::new();
    for file in every_source() {
        let lines = file.code.lines().count();
        if lines > FILE_LIMIT {
            wrong.push(format!(
                "{}: {lines} lines, at most {FILE_LIMIT}",
                file.shown
            ));
        }
        for (name, length) in functions(&file.whole) {
            if length > FUNCTION_LIMIT {
                wrong.push(format!("{}: fn {name} has {length} lines", file.shown));
            }
        }
    }

    assert_none(&wrong);
}

#[test]
fn nobody_writes_what_nobody_may_write() {
    // Assembled from halves, so that this file does not find itself.
    let in_code = [
        ["un", "safe {"].concat(),
        ["un", "safe fn"].concat(),
        ["un", "safe impl"].concat(),
        ["to", "do!"].concat(),
        ["unimple", "mented!"].concat(),
        ["db", "g!("].concat(),
    ];
    let anywhere = [["FIX", "ME"].concat(), ["XX", "X "].concat()];
    let mut wrong = Vec::new();
    for file in every_source() {
        let bare = without_comments(&file.whole);
        let words = in_code.iter().filter(|word| bare.contains(*word));
        let notes = anywhere.iter().filter(|word| file.whole.contains(*word));
        wrong.extend(
            words
                .chain(notes)
                .map(|word| format!("{}: {word}", file.shown)),
        );
        if has_bare_allowance(&bare) {
            wrong.push(format!("{}: an allowance without a reason", file.shown));
        }
    }

    assert_none(&wrong);
}

#[test]
fn every_skipped_test_has_its_reason_in_the_list() {
    let list = fs::read_to_string(harness::repository().join("tests/skipped.txt")).unwrap();
    let listed: BTreeSet<&str> = list
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.split_once(": ").expect("`name: reason` a line").0)
        .collect();
    let mark = ["#[ig", "nore"].concat();
    let mut ignored = BTreeSet::new();
    let sources = every_source();
    for file in &sources {
        for place in file.whole.split(&mark).skip(1) {
            let name = place
                .split("fn ")
                .nth(1)
                .and_then(|rest| rest.split('(').next());
            ignored.insert(name.unwrap_or("?"));
        }
    }

    assert_eq!(ignored, listed);
}

fn excepted(floor: &str, used: &str, name: &str) -> bool {
    EXCEPTIONS
        .iter()
        .any(|(from, to, what, _)| (*from, *to, *what) == (floor, used, name))
}

fn has_bare_allowance(code: &str) -> bool {
    let mark = ["[al", "low("].concat();
    let reasoned = |place: &str| {
        place
            .split(']')
            .next()
            .is_some_and(|it| it.contains("reason"))
    };
    code.split(&mark).skip(1).any(|place| !reasoned(place))
}

/// One source file, cut up for questions.
struct Source {
    /// Its path from the repository's root.
    shown: String,
    /// Folders between `server/src` and the file.
    depth: usize,
    /// All of it.
    whole: String,
    /// What stands before its unit tests, without comments and texts.
    bare: String,
    /// What stands before its unit tests.
    code: String,
}

impl Source {
    fn read(path: &Path) -> Self {
        let whole = fs::read_to_string(path).unwrap();
        let code = whole
            .split("#[cfg(test)]\nmod ")
            .next()
            .unwrap_or_default()
            .to_owned();
        let shown = path
            .strip_prefix(harness::repository())
            .unwrap()
            .display()
            .to_string();
        let folders = shown
            .strip_prefix("server/src/")
            .map_or(0, |rest| rest.matches('/').count());
        // `mod.rs` is its folder, so one nearer to the root than its neighbours.
        let depth = folders + usize::from(!shown.ends_with("mod.rs"));
        Self {
            shown,
            depth,
            bare: without_comments(&code),
            whole,
            code,
        }
    }

    fn words(&self) -> BTreeSet<&str> {
        self.bare
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .collect()
    }

    /// What stands after `crate::`: the floor and the name in it, groups opened.
    fn used_paths(&self) -> BTreeSet<(String, String)> {
        let mut found = BTreeSet::new();
        for rest in self.bare.split("crate::").skip(1) {
            let paths = match rest.strip_prefix('{') {
                Some(group) => first_segments(group),
                None => vec![rest],
            };
            found.extend(paths.into_iter().flat_map(floor_and_names));
        }
        found
    }

    fn names_path(&self, path: &str) -> bool {
        self.bare
            .match_indices(path)
            .any(|(at, _)| identifier(&self.bare[at + path.len()..]).is_none())
    }

    fn climbs_to_the_root(&self) -> bool {
        self.bare.contains(&"super::".repeat(self.depth.max(1)))
    }
}

/// `store::{Key, Row}` → (store, Key), (store, Row).
fn floor_and_names(path: &str) -> Vec<(String, String)> {
    let Some(floor) = identifier(path) else {
        return Vec::new();
    };
    let rest = path[floor.len()..].strip_prefix("::").unwrap_or_default();
    let names = match rest.strip_prefix('{') {
        Some(group) => first_segments(group),
        None => vec![rest],
    };
    let name = |name: &str| identifier(name).unwrap_or_else(|| "*".to_owned());
    names
        .into_iter()
        .map(|it| (floor.clone(), name(it)))
        .collect()
}

/// `a::b, c::{d, e}, f}` → what begins at a, at c and at f.
fn first_segments(group: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut depth = 0;
    let mut expects = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expects = true,
            c if expects && !c.is_whitespace() => {
                found.push(&group[at..]);
                expects = false;
            }
            _ => {}
        }
    }
    found
}

fn identifier(text: &str) -> Option<String> {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// Functions of rustfmt-formatted code with their lengths in lines.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let bare = line.trim_start();
        let Some(at) = function_keyword(bare) else {
            continue;
        };
        let closing = format!("{}}}", &line[..line.len() - bare.len()]);
        let length = lines[start..].iter().position(|line| *line == closing);
        if let (Some(name), Some(length)) = (identifier(&bare[at..]), length) {
            found.push((name, length + 1));
        }
    }
    found
}

/// Where the name of the function begins, if this line begins a function with a body.
fn function_keyword(line: &str) -> Option<usize> {
    let at = line.find("fn ")?;
    let before_is_qualifiers = line[..at]
        .split_whitespace()
        .all(|word| word.starts_with("pub") || ["const", "async", "in", "crate)"].contains(&word));
    (before_is_qualifiers && !line.ends_with(';') && !line.ends_with('}')).then_some(at + 3)
}

fn without_comments(text: &str) -> String {
    let code = text.lines().map(|line| match line.find("//") {
        // Part of a URL in a text, not a comment.
        Some(at) if line[..at].ends_with(':') => line,
        Some(at) => &line[..at],
        None => line,
    });
    code.collect::<Vec<_>>().join("\n")
}

fn floor_files(floor: &str) -> Vec<Source> {
    let src = harness::repository().join("server/src");
    let mut paths = sources_below(&src.join(floor));
    paths.extend(Some(src.join(format!("{floor}.rs"))).filter(|path| path.is_file()));
    paths.iter().map(|path| Source::read(path)).collect()
}

fn every_source() -> Vec<Source> {
    let members = [
        "xmlrpc-codec",
        "input-data",
        "text-position",
        "certs",
        "client",
        "server",
        "tests",
        "bench",
        "fuzz",
    ];
    members
        .iter()
        .flat_map(|member| sources_below(&harness::repository().join(member)))
        .map(|path| Source::read(&path))
        .collect()
}

fn sources_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "target" {
            found.extend(sources_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_reader_of_this_file_reads_rust_as_it_is_written() {
    let group = "domain::{Account, Role},\n    store, vault::Caller}; more, x";
    let paths: Vec<_> = first_segments(group)
        .into_iter()
        .flat_map(floor_and_names)
        .collect();
    let long =
        "impl A {\n    pub async fn b(\n        &self,\n    ) {\n        c();\n    }\n}\nfn d();\n";

    let expected = [
        ("domain", "Account"),
        ("domain", "Role"),
        ("store", "*"),
        ("vault", "Caller"),
    ];
    assert_eq!(
        paths,
        expected.map(|(floor, name)| (floor.to_owned(), name.to_owned()))
    );
    assert_eq!(functions(long), [("b".to_owned(), 5)]);
    assert_eq!(
        without_comments("a // b\n\"https://x\"\n/// c"),
        "a \n\"https://x\"\n"
    );
}
