//! The operator's own program.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use claviger::domain::Connector;
use claviger::vault::NewTarget;

use crate::scene::{METACHARACTERS, Scene, UNICODE, assert_failed, scene, scene_with, target};

/// A program that keeps one password in the file beside it.
const KEEPER: &str = r#"#!/bin/sh
here=$(dirname "$0")
env > "$here/environment"
echo "$0 $*" > "$here/arguments"
case "$CLAVIGER_ACTION $(cat "$here/mode")" in
    "change unread") exit 0;;
    "change deaf") echo $$ > "$here/left"; exec sleep 600;;
    "verify mute") echo $$ > "$here/left"; exec sleep 600;;
    "verify struck") kill -TERM $$;;
    "verify odd") exit 2;;
esac
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
    talk) yes | head -c 1000000; yes | head -c 1000000 >&2;;
    hang) echo $$ > "$here/left"; exec sleep 600;;
esac
[ "$first" = "$(cat "$here/password")" ] || exit 1
printf '%s' "$second" > "$here/password"
"#;

async fn keeper(home: &Path) -> Scene {
    hasty(home, Duration::from_secs(30)).await
}

/// The same; it is waited for so long.
async fn hasty(home: &Path, timeout: Duration) -> Scene {
    let program = home.join("keeper");
    std::fs::write(&program, KEEPER).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(home.join("password"), "old").unwrap();
    mode(home, "work");
    let scene = scene_with("app", "old", timeout).await;
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

    has_ended(home.path());
}

/// What wrote down its number there goes on no longer.
fn has_ended(home: &Path) {
    let left = std::fs::read_to_string(home.join("left")).unwrap();
    let process = Path::new("/proc").join(left.trim()).join("stat");
    // Killed at once; whoever inherits it may take a moment to take note.
    let end = std::time::Instant::now() + harness::PATIENCE;
    while let Ok(text) = std::fs::read_to_string(&process) {
        if text.contains(") Z ") {
            break;
        }
        assert!(std::time::Instant::now() < end, "{text}");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed_and_both_passwords_are_kept() {
    for how in ["hang", "deaf"] {
        let home = tempfile::tempdir().unwrap();
        let scene = hasty(home.path(), Duration::from_secs(2)).await;
        mode(home.path(), how);

        let answer = scene.change("app", "n3w").await;

        assert_failed(&answer, "the target took too long");
        has_ended(home.path());
        assert_eq!(
            (scene.stored("app").await.as_str(), scene.pending().await),
            ("old", 1)
        );
        mode(home.path(), "work");
        scene.house.clock.pass(Duration::from_secs(600));
        scene.house.vault.heal(true).await.unwrap();
        assert_eq!(scene.pending().await, 0);
        scene.changes("app", "n3w").await;
    }
}

#[tokio::test]
async fn a_command_that_prints_without_end_is_neither_heard_nor_held_up() {
    let home = tempfile::tempdir().unwrap();
    let scene = keeper(home.path()).await;
    mode(home.path(), "talk");

    scene.changes("app", "n3w").await;
}

#[tokio::test]
async fn a_command_that_reads_nothing_and_says_yes_is_not_believed() {
    let home = tempfile::tempdir().unwrap();
    let scene = keeper(home.path()).await;
    mode(home.path(), "unread");

    let answer = scene.change("app", &"n3w".repeat(300)).await;

    assert_failed(&answer, "it is not clear which password the target has");
    assert_eq!(
        (scene.stored("app").await.as_str(), scene.pending().await),
        ("old", 1)
    );
    assert!(scene.opens("app").await);
}

#[tokio::test]
async fn a_command_that_is_killed_or_ends_oddly_says_neither_yes_nor_no() {
    let home = tempfile::tempdir().unwrap();
    let scene = hasty(home.path(), Duration::from_secs(2)).await;

    for (how, why) in [
        ("struck", "the line to the target was cut or disturbed"),
        ("odd", "the line to the target was cut or disturbed"),
        ("mute", "the target took too long"),
    ] {
        mode(home.path(), how);
        let tested = scene.test(None).await;
        assert_eq!(
            (tested.login, tested.trouble.as_deref()),
            (None, Some(why)),
            "{how}"
        );
        let answer = scene.change("app", "n3w").await;
        assert_failed(&answer, "cannot be told, so it is not changed");
        assert_eq!(scene.pending().await, 0, "{how}");
    }

    has_ended(home.path());
    assert_eq!(scene.stored("app").await, "old");
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
