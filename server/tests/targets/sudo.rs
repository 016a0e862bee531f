//! The true sudo, before a `chpasswd` that writes down what it reads.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use claviger::domain::Connector;
use claviger::vault::NewTarget;

use crate::daemon::{Daemon, program};
use crate::machine::{User, sshd};
use crate::scene::{Scene, admin, assert_failed, scene_with, target};

/// Claims, in sudo's name, that sudo wants a password; changes nothing.
const LIAR: &str = "#!/bin/sh\n\
    echo 'sudo: a password is required' >&2\n\
    cat >> \"$(dirname \"$0\")/read\"\n\
    exit 1\n";

/// An administrator, and an account that it is to change.
struct Stand {
    sshd: Daemon,
    user: User,
    boss: User,
    _sudo: PathBuf,
}

fn stand(name: &str) -> Option<Stand> {
    let (sshd, sudo) = (sshd(name)?, program(name, &["/usr/bin/sudo"])?);
    Some(Stand {
        sshd,
        user: User::with("0ld-s3cret"),
        boss: User::with("adm1n-s3cret"),
        _sudo: sudo,
    })
}

impl Stand {
    /// `tag` is what sudo is told of passwords; its only `chpasswd` is this text.
    fn lies_after(&self, tag: &str) -> PathBuf {
        let folder = self.sshd.home.path().join("bin");
        std::fs::create_dir_all(&folder).unwrap();
        let liar = folder.join("chpasswd");
        std::fs::write(&liar, LIAR).unwrap();
        std::fs::set_permissions(&liar, std::fs::Permissions::from_mode(0o755)).unwrap();
        let (boss, folder, liar) = (&self.boss.0, folder.display(), liar.display());
        let rule = format!(
            "Defaults:{boss} secure_path={folder}:/usr/bin:/bin\n{boss} ALL=(root) {tag} {liar}\n"
        );
        std::fs::write(self.boss.rule(), rule).unwrap();
        self.sshd.home.path().join("bin/read")
    }

    async fn scene(&self, timeout: Duration) -> Scene {
        let scene = scene_with(&self.user.0, "0ld-s3cret", timeout).await;
        let boss = &self.boss.0;
        let made = scene
            .house
            .create("boss", boss, "adm1n-s3cret", &scene.owner);
        made.await;
        let new = NewTarget {
            admin: admin("boss", boss),
            ..target(Connector::Ssh, self.sshd.port)
        };
        scene.reach(&new).await;
        scene
    }

    async fn is_as_it_was(&self, scene: &Scene) {
        assert_eq!(scene.stored(&self.user.0).await, "0ld-s3cret");
        assert_eq!(scene.pending().await, 0);
        assert!(scene.opens(&self.user.0).await);
    }
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

#[tokio::test]
async fn a_sudo_that_asks_for_nothing_is_told_no_password_whatever_is_said_in_its_name() {
    let name = "a_sudo_that_asks_for_nothing_is_told_no_password_whatever_is_said_in_its_name";
    let Some(stand) = stand(name) else { return };
    let heard = stand.lies_after("NOPASSWD:");
    let scene = stand.scene(Duration::from_secs(8)).await;

    let answer = scene.change(&stand.user.0, "n3w-s3cret").await;

    assert_failed(&answer, "the target took too long");
    assert_eq!(read(&heard), "");
    stand.is_as_it_was(&scene).await;
}

#[tokio::test]
async fn a_sudo_that_asks_reads_the_password_and_chpasswd_never_does() {
    let name = "a_sudo_that_asks_reads_the_password_and_chpasswd_never_does";
    let Some(stand) = stand(name) else { return };
    let heard = stand.lies_after("");
    let scene = stand.scene(Duration::from_secs(30)).await;

    let answer = scene.change(&stand.user.0, "n3w-s3cret").await;

    assert_failed(&answer, "the target refuses: sudo: a password is required");
    assert_eq!(read(&heard), "");
    stand.is_as_it_was(&scene).await;
}

#[tokio::test]
async fn an_administrator_without_a_line_in_sudoers_is_refused_before_anything_is_told() {
    let name = "an_administrator_without_a_line_in_sudoers_is_refused_before_anything_is_told";
    let Some(stand) = stand(name) else { return };
    let scene = stand.scene(Duration::from_secs(30)).await;

    let answer = scene.change(&stand.user.0, "n3w-s3cret").await;

    assert_failed(&answer, "the target refuses: ");
    stand.is_as_it_was(&scene).await;
}
