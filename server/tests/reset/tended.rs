//! What was changed from here before counts for the way it went only.

use claviger::domain::{Connector, Directory};
use claviger::store::rows::TendedRow;
use claviger::vault::NewTarget;

use crate::scene::{NEW, Scene, administered, assert_failed, scene_to};

const STRANGE: &str = "the stored password does not open the target";

fn by(connector: Connector) -> NewTarget {
    NewTarget {
        connector,
        ..administered()
    }
}

fn directory(dn: &str, directory: Directory) -> NewTarget {
    by(Connector::Ldap {
        dn: dn.to_owned(),
        directory,
    })
}

fn mysql(from: &str) -> NewTarget {
    by(Connector::Mysql {
        from: from.to_owned(),
    })
}

fn postgres(database: &str) -> NewTarget {
    by(Connector::Postgres {
        database: database.to_owned(),
    })
}

fn command(argv: &[&str]) -> NewTarget {
    by(Connector::Command {
        argv: argv.iter().map(|&word| word.to_owned()).collect(),
    })
}

async fn set(scene: &Scene, target: &NewTarget) {
    let (vault, operator) = (&scene.house.vault, scene.house.operator().await);
    let set = vault.set_reset_target("db1".into(), target, &operator);
    set.await.unwrap();
}

#[tokio::test]
async fn what_was_changed_by_another_way_to_the_target_counts_for_nothing() {
    let people = "uid={account},ou=people,dc=example";
    let other = Some(("another".to_owned(), "admin".to_owned()));
    let by_another = NewTarget {
        admin: other,
        ..administered()
    };
    for (before, after) in [
        (
            directory(people, Directory::Rfc3062),
            directory("uid={account},ou=bosses,dc=example", Directory::Rfc3062),
        ),
        (
            directory(people, Directory::Rfc3062),
            directory(people, Directory::Active),
        ),
        (mysql("%"), mysql("localhost")),
        (postgres("postgres"), postgres("other")),
        (
            command(&["/bin/true", "a", "b"]),
            command(&["/bin/true", "a b"]),
        ),
        (administered(), by_another),
    ] {
        let scene = scene_to(&before).await;
        let (house, owner) = (&scene.house, &scene.owner);
        house.create("another", "admin", "adm1n", owner).await;
        scene.change("f1rst-s3cret").await.unwrap();
        scene.fake.set("somebody else's");
        set(&scene, &after).await;

        assert_failed(&scene.change(NEW).await, STRANGE);

        assert_eq!(scene.fake.password(), "somebody else's");
        assert_eq!(scene.pending().await, 0);
        set(&scene, &before).await;
        scene.change(NEW).await.unwrap();
        scene.assert_settled(NEW).await;
    }
}

#[tokio::test]
async fn what_an_earlier_version_wrote_is_read_and_counts_for_no_administrator() {
    let scene = scene_to(&administered()).await;
    scene.change("f1rst-s3cret").await.unwrap();
    let rows = &scene.house.rows;
    let prefix = rows.places().every_tended();
    let kept = rows.all::<TendedRow>(&prefix).await.unwrap().remove(0);
    let mut changes = rows.changes();
    let earlier = TendedRow("ssh 127.0.0.1 22 root".to_owned());
    changes.replace(&kept, &earlier).unwrap();
    changes.commit().await.unwrap();
    scene.fake.set("somebody else's");

    assert_failed(&scene.change(NEW).await, STRANGE);

    scene.fake.set("f1rst-s3cret");
    scene.change("sec0nd-s3cret").await.unwrap();
    scene.fake.set("somebody else's");
    scene.change(NEW).await.unwrap();
    scene.assert_settled(NEW).await;
}
