use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use claviger::app::{self, AppError, Restore, Unlock};
use claviger::crypto::{CryptoError, KeyRing, MasterSource};
use claviger::domain::{
    ApiToken, Connector, Fingerprint, Level, Operation, Outcome, Password, Role, Scope, Wire,
};
use claviger::ledger::{Query, Word};
use claviger::store::StoreError;
use claviger::vault::{
    AnchorState, Credential, IssuedToken, NewPerson, NewTarget, Outage, PasswordCredential,
    VaultError,
};
use zeroize::Zeroizing;

use crate::fixture::{Live, SMALL, home, names};

#[tokio::test]
async fn a_restored_vault_is_as_it_was_and_goes_on() {
    let home = home().await;
    let first = home.open("data").await;
    let (before, trusted) = furnish(&first).await;
    let report = first.backup(&home.path("backup")).await.unwrap();
    let owner = first.enter("owner", 1).await.unwrap();
    first.change("db1", "later", &owner).await;
    first.close().await;

    let restored = home.restore("new").await.unwrap();

    assert_eq!(restored.content.head, report.head);
    assert_eq!(
        (restored.content.rows, restored.content.files),
        (report.rows, report.files)
    );
    assert_eq!((&restored.damage, &restored.aside), (&None, &None));
    let second = home.open("new").await;
    assert_eq!(
        second.vault.anchor().await.unwrap(),
        Some(second.ledger.head())
    );
    assert_eq!(seen(&second).await, before);
    assert_eq!(*second.heard.0.lock().unwrap(), trusted);
    let user = second.enter("user", 2).await.unwrap();
    assert_eq!(second.retrieve("db1", &user).await.unwrap(), "second");
    assert!(second.enter("stranger", 3).await.is_err());
    let owner = second.enter("owner", 1).await.unwrap();
    second.create("db2", "fresh", &owner).await;
    assert_eq!(second.retrieve("db2", &owner).await.unwrap(), "fresh");
    second.close().await;
}

#[tokio::test]
async fn a_restored_vault_with_targets_stands_still() {
    let home = home().await;
    let first = home.open("data").await;
    let operator = first.operator().await;
    first.create("db1", "first", &operator).await;
    let target = NewTarget {
        connector: Connector::Ssh,
        host: "db1.example".to_owned(),
        port: None,
        wire: Wire::Sealed,
        admin: None,
        reconcile: None,
        pin: None,
    };
    let set = first
        .vault
        .set_reset_target("db1".into(), &target, &operator);
    set.await.unwrap();
    first.backup(&home.path("backup")).await.unwrap();
    first.close().await;

    let restored = home.restore("new").await.unwrap();

    let told = |line: &String| line.contains("claviger reset resume");
    assert!(restored.next.iter().any(told), "{:?}", restored.next);
    let second = home.open("new").await;
    let problems = second.vault.status().await.unwrap().problems;
    assert!(problems.iter().any(told), "{problems:?}");
    second.close().await;
    let original = home.open("data").await;
    let problems = original.vault.status().await.unwrap().problems;
    assert!(!problems.iter().any(told), "{problems:?}");
    original.close().await;
}

#[tokio::test]
async fn tokens_and_persons_are_restored_and_what_was_revoked_before_stays_so() {
    let home = home().await;
    let first = home.open("data").await;
    first.user("app", 1, Role::PasswordUser).await;
    let operator = first.operator().await;
    let issue = async || {
        let issued = first.vault.issue_token("app@10.0.0.1", None, &operator);
        issued.await.unwrap()
    };
    let (kept, before, after) = (issue().await, issue().await, issue().await);
    let revoke = async |issued: &IssuedToken| {
        let (vault, id) = (&first.vault, issued.token.id);
        let revoked = vault.revoke_token("app@10.0.0.1", id, &operator).await;
        revoked.unwrap();
    };
    revoke(&before).await;
    first.vault.add_person(&alice(), &operator).await.unwrap();
    first.backup(&home.path("backup")).await.unwrap();
    revoke(&after).await;
    let late = issue().await;
    first.close().await;

    let restored = home.restore("new").await.unwrap();

    let second = home.open("new").await;
    let show = async |issued: &IssuedToken| {
        let shown = Credential::Token(ApiToken::parse(issued.text.expose()).unwrap());
        let caller = second.vault.identify(&shown, &second.origin()).await;
        caller.map(|caller| caller.login().to_owned())
    };
    assert_eq!(show(&kept).await.unwrap(), "app@10.0.0.1");
    assert!(show(&before).await.is_err(), "it was revoked already");
    assert!(show(&late).await.is_err(), "it was issued later");
    // As the report says: what was revoked since must be revoked again.
    assert_eq!(show(&after).await.unwrap(), "app@10.0.0.1");
    assert!(restored.next[0].contains("revoked since"), "{restored:?}");
    assert_eq!(sign_in(&second, SECRET).await.unwrap(), "alice");
    assert!(sign_in(&second, "another one entirely").await.is_err());
    second.close().await;
}

const SECRET: &str = "correct horse battery";

fn secret(text: &str) -> Arc<Password> {
    Arc::new(Password::parse(Zeroizing::new(text.to_owned())).unwrap())
}

fn alice() -> NewPerson {
    NewPerson {
        name: "alice".to_owned(),
        role: Role::PasswordUser,
        scope: Scope::Owned,
        first: "Alice".to_owned(),
        last: "Liddell".to_owned(),
        email: "alice@wonder.example".to_owned(),
        full_name: None,
        department: String::new(),
        location: String::new(),
        expires: None,
        password: secret(SECRET),
        second_factor: false,
    }
}

async fn sign_in(live: &Live, text: &str) -> Result<String, VaultError> {
    let shown = Credential::Password(PasswordCredential {
        organisation: None,
        name: "alice".to_owned(),
        password: secret(text),
        code: None,
    });
    let caller = live.vault.identify(&shown, &live.origin()).await;
    caller.map(|caller| caller.login().to_owned())
}

#[tokio::test]
async fn what_a_killed_restore_left_is_named_and_in_nobodys_way() {
    let home = home().await;
    home.backup().await;
    fs::create_dir(home.path("new")).unwrap();
    fs::set_permissions(home.path("new"), fs::Permissions::from_mode(0o700)).unwrap();
    let left = home.path("new/restoring-20270131T120000Z");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("store.redb"), "half").unwrap();

    let report = home.restore("new").await.unwrap();

    let words = format!("{0} was left by a restore that was killed", left.display());
    let told = report.next.iter().filter(|line| line.contains(&words));
    assert_eq!(told.count(), 1, "{report:?}");
    assert!(left.exists());
    home.open("new").await.close().await;
}

#[tokio::test]
async fn a_restored_trail_verifies_says_that_it_was_restored_and_goes_on() {
    let home = home().await;
    let report = home.backup().await;

    home.restore("new").await.unwrap();

    let folder = home.folder("new");
    let verified = app::verify_audit(&folder, Some(report.head)).await.unwrap();
    assert!(verified.head.seq > report.head.seq);
    let live = home.open("new").await;
    let newest = Query {
        limit: 2,
        ..Query::default()
    };
    let told = live.ledger.read(&newest).unwrap().entries;
    assert_eq!(told[0].operation, Word::Known(Operation::Stop));
    assert_eq!(told[1].operation, Word::Known(Operation::Restore));
    assert_eq!(told[1].outcome, Word::Known(Outcome::Allowed));
    let until = format!("up to record {} with tag ", report.head.seq);
    assert!(told[1].detail.contains(&until), "{}", told[1].detail);
    assert_eq!(live.vault.check_anchor().await.unwrap(), AnchorState::Whole);
    live.close().await;
    app::verify_audit(&folder, Some(verified.head))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_lies_beside_the_rows_comes_back_too_for_its_owner_only() {
    let home = home().await;
    fs::write(home.path("data/crl/a.crl"), "a list").unwrap();
    let report = home.backup().await;

    home.restore("new").await.unwrap();

    assert!(report.left_out.is_empty(), "{:?}", report.left_out);
    let all = "audit ca.pem claviger.toml crl keyring.json master.key store.journal store.lock store.redb tls";
    assert_eq!(names(&home.path("new")).join(" "), all);
    for name in names(&home.path("data/tls"))
        .iter()
        .map(|name| format!("tls/{name}"))
        .chain(["claviger.toml", "ca.pem", "crl/a.crl", "master.key"].map(str::to_owned))
    {
        let restored = home.path("new").join(&name);
        let mode = fs::metadata(&restored).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
        assert!(
            fs::read(restored).unwrap() == fs::read(home.path("data").join(&name)).unwrap(),
            "{name}"
        );
    }
    let mode = fs::metadata(home.path("backup"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn the_recovery_code_restores_and_a_new_master_key_is_made() {
    let home = home().await;
    home.backup().await;

    let report = home.restore_by("new", home.by_code()).await.unwrap();

    let told = report
        .next
        .iter()
        .any(|line| line.contains("new/master.key"));
    assert!(told, "{:?}", report.next);
    let new = home.path("new");
    let old = MasterSource::File(home.path("data/master.key"));
    let refused = KeyRing::unlock(&new, &old);
    assert!(matches!(refused, Err(CryptoError::WrongMaster(_))));
    home.open("new").await.close().await;
}

#[tokio::test]
async fn a_master_key_that_waits_in_the_empty_directory_is_used() {
    let home = home().await;
    home.backup().await;
    fs::create_dir(home.path("new")).unwrap();
    fs::set_permissions(home.path("new"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::copy(home.path("data/master.key"), home.path("new/master.key")).unwrap();

    home.restore_by("new", Unlock::Configured).await.unwrap();

    home.open("new").await.close().await;
}

#[tokio::test]
async fn settings_that_wait_in_the_directory_stay_in_force() {
    let home = home().await;
    home.backup().await;
    fs::create_dir(home.path("new")).unwrap();
    fs::set_permissions(home.path("new"), fs::Permissions::from_mode(0o700)).unwrap();
    let toml = format!("{SMALL}[store]\nengine = \"sled\"\n");
    fs::write(home.path("new/claviger.toml"), &toml).unwrap();

    home.restore("new").await.unwrap();

    let kept = fs::read_to_string(home.path("new/claviger.toml")).unwrap();
    assert_eq!(kept, toml);
    assert!(home.path("new/claviger.toml.from-backup").exists());
    assert!(home.path("new/store.sled").exists());
    assert!(!home.path("new/store.redb").exists());
    let folder = home.folder("new");
    app::verify_audit(&folder, None).await.unwrap();
}

#[tokio::test]
async fn a_vault_that_is_there_stays_unless_it_is_to_be_moved_aside() {
    let home = home().await;
    home.backup().await;
    let before = names(&home.path("data"));

    let refused = home.restore_by("data", Unlock::Configured).await;
    assert!(matches!(refused, Err(AppError::Occupied(_))));
    assert_eq!(names(&home.path("data")), before);

    let what = Restore {
        file: home.path("backup"),
        unlock: Unlock::Configured,
        replace: true,
    };
    let report = app::restore(&home.folder("data"), what, |_| {})
        .await
        .unwrap();
    let aside = report.aside.unwrap();
    assert_eq!(aside.parent(), Some(home.path("data").as_path()));
    let old = "audit ca.pem claviger.toml keyring.json store.journal store.redb tls";
    assert_eq!(names(&aside).join(" "), old);
    fs::copy(home.path("data/master.key"), aside.join("master.key")).unwrap();
    crate::fixture::open(&aside).await.close().await;
    home.open("data").await.close().await;
}

#[tokio::test]
async fn nothing_is_restored_under_a_running_server() {
    let home = home().await;
    home.backup().await;
    let running = home.open("data").await;

    let what = Restore {
        file: home.path("backup"),
        unlock: Unlock::Configured,
        replace: true,
    };
    let refused = app::restore(&home.folder("data"), what, |_| {}).await;

    assert!(matches!(refused, Err(AppError::Store(StoreError::Busy))));
    running.close().await;
}

#[tokio::test]
async fn a_trail_put_back_alone_is_named() {
    let home = home().await;
    home.backup().await;
    let live = home.open("data").await;
    let owner = live.user("owner", 1, Role::PasswordAdministrator).await;
    live.create("db1", "s3cret", &owner).await;
    live.close().await;
    home.restore("new").await.unwrap();
    fs::rename(home.path("data/audit"), home.path("data/audit.newer")).unwrap();
    fs::rename(home.path("new/audit"), home.path("data/audit")).unwrap();

    let verified = app::verify_audit(&home.folder("data"), None).await;

    let said = verified.unwrap_err().to_string();
    assert!(said.contains("cut") || said.contains("replaced"), "{said}");
    let live = home.open("data").await;
    let problems = live.vault.status().await.unwrap().problems;
    assert!(
        problems.iter().any(|line| line.contains("audit verify")),
        "{problems:?}"
    );
    live.ledger.close().await.unwrap();
}

#[tokio::test]
async fn a_store_put_back_alone_is_named() {
    let home = home().await;
    for name in ["store.redb", "store.journal"] {
        fs::copy(home.path(&format!("data/{name}")), home.path(name)).unwrap();
    }
    let live = home.open("data").await;
    live.user("owner", 1, Role::PasswordAdministrator).await;
    live.vault.note(Operation::Stop, "signal").await.unwrap();
    live.close().await;
    let folder = home.folder("data");
    app::verify_audit(&folder, None).await.unwrap();
    for name in ["store.redb", "store.journal"] {
        fs::rename(home.path(name), home.path(&format!("data/{name}"))).unwrap();
    }

    let verified = app::verify_audit(&folder, None).await;

    assert!(
        matches!(verified, Err(AppError::StoreBehind(_))),
        "{verified:?}"
    );
    let live = home.open("data").await;
    live.vault.drop_anchor().await.unwrap();
    let problems = live.vault.status().await.unwrap().problems;
    assert!(problems[0].contains("old copy"), "{problems:?}");
    let operator = live.operator().await;
    let running = live.vault.verify_audit(None, |_| {}, &operator).await;
    let Err(VaultError::Unavailable(Outage::Anchor(AnchorState::StoreBehind { .. }))) = running
    else {
        panic!("{running:?}");
    };
    live.close().await;
}

#[tokio::test]
async fn a_store_that_a_crash_left_behind_is_no_old_copy() {
    let home = home().await;
    let live = home.open("data").await;
    live.user("owner", 1, Role::PasswordAdministrator).await;
    live.ledger.close().await.unwrap();
    drop(live);

    app::verify_audit(&home.folder("data"), None).await.unwrap();

    let live = home.open("data").await;
    assert_eq!(live.vault.status().await.unwrap().problems, [""; 0]);
    live.close().await;
}

/// Everything that a backup must bring back.
async fn furnish(live: &Live) -> (String, Vec<claviger::vault::Trusted>) {
    let operator = live.operator().await;
    let owner = live.user("owner", 1, Role::PasswordAdministrator).await;
    live.user("user", 2, Role::PasswordUser).await;
    live.create("db1", "first", &owner).await;
    live.change("db1", "second", &owner).await;
    let user = "user@10.0.0.1";
    let shared = live
        .vault
        .share(("db1", None), user, Level::View, &operator);
    shared.await.unwrap();
    let set = live.vault.set_setting("history", "7", &operator);
    set.await.unwrap();
    let print = Fingerprint([9; 32]);
    let trusted =
        live.vault
            .trust_certificate((print, b"not looked at here"), false, "CN=user", &operator);
    trusted.await.unwrap();
    let heard = live.heard.0.lock().unwrap().clone();
    (seen(live).await, heard)
}

/// Users, resources, accounts, history, shares, settings, policies and the CA, as text.
async fn seen(live: &Live) -> String {
    let vault = &live.vault;
    let operator = live.operator().await;
    let owner = live.enter("owner", 1).await.unwrap();
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{}",
        vault.users(None, 10, &operator).await.unwrap(),
        vault.resource("db1", &owner).await.unwrap(),
        vault.history("db1", "root", &owner).await.unwrap(),
        vault.shares("db1", &owner).await.unwrap(),
        vault.settings(&operator).await.unwrap(),
        vault.accounts("db1", None, 10, &owner).await.unwrap(),
        String::from_utf8_lossy(&vault.certificate_authority("x", &operator).await.unwrap())
    )
}
