use claviger::domain::{Level, Operation, Outcome, PolicyViolation, RefusalReason, Role, Scope};
use claviger::vault::{NewPassword, NewResource, Reach, ResourceEdit, VaultError, Wanted};
use futures_util::future::join_all;

use crate::fixture::{given, house, house_in, new_resource, wanted};

#[tokio::test]
async fn who_may_not_make_resources_makes_none() {
    let house = house().await;
    let user = house.plain_user("user", 1).await;

    let refusal = house
        .vault
        .create(&new_resource("db1"), given("s3cret"), &user)
        .await;

    assert!(matches!(refusal, Err(VaultError::NotAllowed)));
    let why = Outcome::Refused(RefusalReason::NotAllowed);
    assert_eq!(house.newest(1), [(Operation::CreateResource, why)]);
}

#[tokio::test]
async fn a_generated_password_comes_back_and_is_the_one_in_force() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;

    let made = house
        .vault
        .create(&new_resource("db1"), NewPassword::Generate, &owner)
        .await;
    let made = made.unwrap().generated.expect("it was generated");
    assert_eq!(
        house.retrieve("db1", "root", &owner).await.unwrap(),
        made.expose()
    );

    let wanted = wanted("db1", "root");
    let again = house
        .vault
        .change(&wanted, NewPassword::Generate, Reach::Local, &owner);
    let again = again.await.unwrap().expect("it was generated");
    assert_ne!(again.expose(), made.expose());
    assert_eq!(
        house.retrieve("db1", "root", &owner).await.unwrap(),
        again.expose()
    );
}

#[tokio::test]
async fn a_name_in_another_case_or_unicode_form_is_taken() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    house.create("Caf\u{e9}", "root", "s3cret", &owner).await;

    for name in ["Caf\u{e9}", "cafe\u{301}", "CAF\u{c9}"] {
        let refusal = house
            .vault
            .create(&new_resource(name), given("other"), &owner)
            .await;
        assert!(matches!(refusal, Err(VaultError::ResourceExists)), "{name}");
    }
}

#[tokio::test]
async fn of_many_who_make_the_same_name_at_once_one_wins() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let make = |n: usize| {
        let (house, owner) = (&house, &owner);
        async move {
            let password = format!("password{n}");
            let made = house
                .vault
                .create(&new_resource("db1"), given(&password), owner)
                .await;
            made.map(|_| password)
        }
    };

    let results = join_all((0..50).map(make)).await;

    let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(
        lost.iter()
            .all(|e| matches!(e, Err(VaultError::ResourceExists)))
    );
    let kept = house.retrieve("db1", "root", &owner).await.unwrap();
    assert_eq!(Ok(&kept), won[0].as_ref().map_err(|_| ()));
}

#[tokio::test]
async fn a_view_share_reads_and_does_not_change() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let user = house.plain_user("user", 2).await;
    house.create("db1", "app", "s3cret", &owner).await;
    house.share("db1", None, "user@10.0.0.1", Level::View).await;
    let change = || {
        house
            .vault
            .change(&WANTED, given("changed"), Reach::Local, &user)
    };

    assert!(matches!(change().await, Err(VaultError::NotAllowed)));
    assert_eq!(house.retrieve("db1", "app", &user).await.unwrap(), "s3cret");

    house
        .share("db1", None, "user@10.0.0.1", Level::Modify)
        .await;
    assert!(change().await.unwrap().is_none());
    assert_eq!(
        house.retrieve("db1", "app", &user).await.unwrap(),
        "changed"
    );
}

const WANTED: Wanted<'static> = Wanted::named("db1", "app");

#[tokio::test]
async fn a_policy_refuses_what_breaks_it_and_what_was_used_before() {
    let house = house().await;
    let operator = house.operator().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let strong = house.vault.policy_id("Strong", &operator).await.unwrap();
    let more = ResourceEdit {
        policy: Some(Some(strong)),
        ..ResourceEdit::default()
    };
    let new = NewResource {
        account: "app",
        more,
        ..new_resource("db1")
    };
    let weak = NewResource {
        more: new.more.clone(),
        ..new_resource("db2")
    };
    let refusal = house.vault.create(&weak, given("short"), &owner).await;
    assert!(matches!(
        refusal,
        Err(VaultError::Policy(PolicyViolation::TooShort(12)))
    ));

    house
        .vault
        .create(&new, given("First-Passw0rd"), &owner)
        .await
        .unwrap();
    for next in ["Second-Passw0rd", "Third-Passw0rd"] {
        house
            .vault
            .change(&WANTED, given(next), Reach::Local, &owner)
            .await
            .unwrap();
    }

    let reused = house
        .vault
        .change(&WANTED, given("First-Passw0rd"), Reach::Local, &owner)
        .await;
    assert!(matches!(
        reused,
        Err(VaultError::Policy(PolicyViolation::Reused(3)))
    ));
    house
        .vault
        .change(&WANTED, given("Fourth-Passw0rd"), Reach::Local, &owner)
        .await
        .unwrap();
    house
        .vault
        .change(&WANTED, given("First-Passw0rd"), Reach::Local, &owner)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_remote_change_without_a_way_to_the_target_changes_nothing() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    house.create("db1", "app", "s3cret", &owner).await;

    let refusal = house
        .vault
        .change(&WANTED, given("changed"), Reach::Remote, &owner)
        .await;

    let Err(VaultError::RemoteReset(words)) = refusal else {
        panic!("{refusal:?}")
    };
    assert_eq!(words, "no connector is set up for this resource");
    assert_eq!(
        house.retrieve("db1", "app", &owner).await.unwrap(),
        "s3cret"
    );
}

#[tokio::test]
async fn simultaneous_changes_are_all_kept_in_some_order() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    house
        .vault
        .set_setting("history", "100", &house.operator().await)
        .await
        .unwrap();
    house.create("db1", "app", "s3cret", &owner).await;
    let change = |n: usize| {
        let (house, owner) = (&house, &owner);
        async move {
            let password = given(&format!("changed{n}"));
            house
                .vault
                .change(&WANTED, password, Reach::Local, owner)
                .await
        }
    };

    let results = join_all((0..32).map(change)).await;

    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let history = house.vault.history("db1", "app", &owner).await.unwrap();
    assert_eq!(history.len(), 33);
    assert_eq!(history[0].0.version.0, 33);
    assert!(
        house
            .retrieve("db1", "app", &owner)
            .await
            .unwrap()
            .starts_with("changed")
    );
}

#[tokio::test]
async fn only_so_many_old_passwords_are_kept_as_is_set() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    house
        .vault
        .set_setting("history", "3", &house.operator().await)
        .await
        .unwrap();
    house.create("db1", "app", "s3cret", &owner).await;

    for n in 0..6 {
        let next = given(&format!("changed{n}"));
        house
            .vault
            .change(&WANTED, next, Reach::Local, &owner)
            .await
            .unwrap();
    }

    let history = house.vault.history("db1", "app", &owner).await.unwrap();
    assert_eq!(
        history
            .iter()
            .map(|(change, _)| change.version.0)
            .collect::<Vec<_>>(),
        [7, 6, 5]
    );
}

#[tokio::test]
async fn a_secondary_retrieves_and_changes_nothing() {
    let first = house().await;
    let owner = first
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    first.create("db1", "app", "s3cret", &owner).await;
    first.ledger.close().await.unwrap();
    let crate::fixture::House {
        dir,
        vault,
        rows,
        ledger,
        ..
    } = first;
    drop((vault, rows, ledger));

    let second = house_in(dir, true).await;
    let owner = second
        .enter(&crate::fixture::credential("owner", 1), "10.0.0.1")
        .await
        .unwrap();

    assert_eq!(
        second.retrieve("db1", "app", &owner).await.unwrap(),
        "s3cret"
    );
    let change = second
        .vault
        .change(&WANTED, given("changed"), Reach::Local, &owner)
        .await;
    assert!(matches!(change, Err(VaultError::ReadOnly)));
    let create = second
        .vault
        .create(&new_resource("db2"), given("s3cret"), &owner)
        .await;
    assert!(matches!(create, Err(VaultError::ReadOnly)));
}

#[tokio::test]
async fn a_resource_is_made_without_an_account_by_who_may_and_under_a_free_name() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let user = house.plain_user("user", 2).await;
    let vault = &house.vault;
    let make = |name, caller| vault.add_resource((name, "Linux"), ResourceEdit::default(), caller);

    let made = make("db1", &owner).await.unwrap();

    let view = vault.resource("db1", &owner).await.unwrap();
    assert_eq!((view.accounts, view.resource), (0, made));
    let taken = make("DB1", &owner).await;
    assert!(
        matches!(taken, Err(VaultError::ResourceExists)),
        "{taken:?}"
    );
    let unfit = make("", &owner).await;
    assert!(matches!(unfit, Err(VaultError::Invalid(_))), "{unfit:?}");
    let refusal = make("db2", &user).await;
    assert!(
        matches!(refusal, Err(VaultError::NotAllowed)),
        "{refusal:?}"
    );
    let why = Outcome::Refused(RefusalReason::NotAllowed);
    assert_eq!(house.newest(1), [(Operation::CreateResource, why)]);
}
