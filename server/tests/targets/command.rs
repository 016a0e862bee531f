//! The operator's own program.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use claviger::domain::Connector;
use claviger::vault::NewTarget;

use crate::scene::{METACHARACTERS, Scene, UNICODE, assert_failed, scene, target};

/// A program that keeps one password in the file beside it.
const KEEPER: &str = r#"#!/bin/sh
here=$(dirname "$0")
env > "$here/environment"
echo "$0 $*" > "$here/arguments"
IFS= read -r first
if [ "$CLAVIGER_ACTION" = verify ]; then
    [ "$first" = "$(cat "$here/password")" ] && exit 0
    exit 1
fi
IFS= read -r second
case $(cat "$here/mode") in
    refuse) exit 1;;
    leave) sleep 600 & echo $! > "$here/left";;
    die) kill -KILL $$;;
esac
[ "$first" = "$(cat "$here/password")" ] || exit 1
printf '%s' "$second" > "$here/password"
"#;

async fn keeper(home: &Path) -> Scene {
    let program = home.join("keeper");
    std::fs::write(&program, KEEPER).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(home.join("password"), "old").unwrap();
    mode(home, "work");
    let scene = scene("app", "old").await;
    let new = NewTarget {
        host: String::new(),
        ..target(
            Connector::Command {
                argv: vec![program.display().to_string(), "a b; $(c)".to_owned()],
            },
            0,
        )
    };
    let tested = scene.reach(&new).await;
    assert_eq!(
        (tested.shown, tested.login),
        (None, Some(true)),
        "{tested:?}"
    );
    scene
}

fn mode(home: &Path, word: &str) {
    std::fs::write(home.join("mode"), word).unwrap();
}

#[tokio::test]
async fn a_command_reads_passwords_and_has_none_in_its_arguments_or_environment() {
    let home = tempfile::tempdir().unwrap();
    let scene = keeper(home.path()).await;

    for password in [METACHARACTERS, UNICODE, &"x".repeat(200), "x"] {
        scene.changes("app", password).await;
        for file in ["environment", "arguments"] {
            let text = std::fs::read_to_string(home.path().join(file)).unwrap();
            assert!(password.len() < 2 || !text.contains(password), "{text}");
        }
    }
    let arguments = std::fs::read_to_string(home.path().join("arguments")).unwrap();
    assert!(arguments.ends_with("keeper a b; $(c)\n"), "{arguments}");
}

#[tokio::test]
async fn a_command_that_refuses_or_dies_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let scene = keeper(home.path()).await;

    mode(home.path(), "refuse");
    assert_failed(&scene.change("app", "n3w").await, "ended with status 1");
    assert_eq!(scene.pending().await, 0);
    mode(home.path(), "die");
    assert_failed(&scene.change("app", "n3w").await, "cut or disturbed");

    assert_eq!(
        (scene.stored("app").await.as_str(), scene.pending().await),
        ("old", 1)
    );
    scene.house.clock.pass(Duration::from_secs(600));
    scene.house.vault.heal(false).await.unwrap();
    assert_eq!(scene.pending().await, 0);
}

#[tokio::test]
async fn a_command_that_cannot_be_started_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let scene = keeper(home.path()).await;
    std::fs::remove_file(home.path().join("keeper")).unwrap();

    let answer = scene.change("app", "n3w").await;

    assert_failed(&answer, "the command cannot be started");
    assert_eq!(
        (scene.stored("app").await.as_str(), scene.pending().await),
        ("old", 0)
    );
}

#[tokio::test]
async fn what_a_command_leaves_running_ends_with_it() {
    let home = tempfile::tempdir().unwrap();
    let scene = keeper(home.path()).await;
    mode(home.path(), "leave");

    scene.changes("app", "n3w").await;

    let left = std::fs::read_to_string(home.path().join("left")).unwrap();
    let process = Path::new("/proc").join(left.trim()).join("stat");
    // Killed at once; whoever inherits it may take a moment to take note.
    let end = std::time::Instant::now() + harness::PATIENCE;
    while let Ok(text) = std::fs::read_to_string(&process) {
        if text.contains(") Z ") {
            break;
        }
        assert!(std::time::Instant::now() < end, "{text}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_password_of_4_kib_goes_where_it_fits_and_is_refused_in_words_elsewhere() {
    // No policy allows more than so many characters.
    let long = "🔑".repeat(1024);
    assert_eq!(long.len(), 4096);
    for (connector, words) in [
        (Connector::Ssh, "can have 500 bytes at most"),
        (crate::postgres::connector(), "can have 900 bytes at most"),
        (crate::mariadb::connector(), "can have 250 bytes at most"),
        (crate::slapd::connector(), "can have 900 bytes at most"),
    ] {
        let scene = scene("app", "old").await;
        scene.expect(target(connector, 9), None).await;

        let answer = scene.change("app", &long).await;

        assert_failed(&answer, words);
        assert_eq!(
            (scene.stored("app").await.as_str(), scene.pending().await),
            ("old", 0)
        );
    }
    let home = tempfile::tempdir().unwrap();
    let scene = keeper(home.path()).await;
    scene.changes("app", &long).await;
}
