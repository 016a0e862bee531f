//! What the documents and the settings say of the program is so.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use harness::repository;

fn rust_below(dir: &Path, texts: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "target" {
            rust_below(&path, texts);
        } else if path.extension().is_some_and(|end| end == "rs") {
            texts.push((
                path.display().to_string(),
                fs::read_to_string(path).unwrap(),
            ));
        }
    }
}

fn sources(dirs: &[&str]) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for dir in dirs {
        rust_below(&repository().join(dir), &mut texts);
    }
    texts
}

/// The names of all functions with an attribute that makes them tests.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, text) in sources(&[
        "xmlrpc-codec",
        "input-data",
        "text-position",
        "certs",
        "typed-secret",
        "client",
        "server",
        "tests",
    ]) {
        let mut marked = false;
        for line in text.lines().map(str::trim_start) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                marked = true;
            } else if marked && let Some((_, rest)) = line.split_once("fn ") {
                names.extend(rest.split('(').next().map(str::to_owned));
                marked = false;
            }
        }
    }
    names
}

#[test]
fn every_threat_has_its_tests_and_every_test_is_there() {
    let text = fs::read_to_string(repository().join("docs/threats.md")).unwrap();
    let tests = tests();
    let lines = text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| threat"));
    let mut wrong = Vec::new();

    for line in lines {
        let names = line.rsplit(" | ").next().unwrap_or_default();
        let named: Vec<&str> = names
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|name| !name.contains('.'))
            .collect();
        if named.is_empty() {
            wrong.push(format!("no test: {line}"));
        }
        let missing = named.iter().filter(|name| !tests.contains(**name));
        wrong.extend(missing.map(|name| format!("no such test: {name}")));
    }

    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_setting_is_deaf() {
    let all = sources(&["server/src"]);
    let (declared, used): (Vec<_>, Vec<_>) =
        all.iter().partition(|(path, _)| path.contains("/config/"));
    let names: BTreeSet<&str> = declared
        .iter()
        .filter(|(path, _)| path.ends_with("settings.rs") || path.ends_with("tls.rs"))
        .flat_map(|(_, text)| text.lines())
        .filter(|line| line.starts_with("        ") && line.contains(" = ") && line.ends_with(';'))
        .filter_map(|line| Some(line.trim_start().split_once(": ")?.0))
        .collect();
    assert!(names.len() > 60, "the settings are not read: {names:?}");

    let deaf: Vec<_> = names
        .iter()
        .filter(|name| {
            !used
                .iter()
                .any(|(_, text)| text.contains(&format!(".{name}")))
        })
        .collect();

    assert!(deaf.is_empty(), "nothing reads {deaf:?}");
}
