use std::collections::BTreeSet;
use std::time::Duration;

use claviger::domain::{
    ApiToken, Expiry, Lock, RefusalReason, Role, Scope, Timestamp, TokenId, TokenState,
};
use claviger::vault::{Caller, Clock, Credential, IssuedToken, UserEdit, VaultError};

use crate::fixture::{House, house, house_in, new_user};

const USER: &str = "app@10.0.0.1";
/// What the original says, and clients compare.
const UNKNOWN: &str = "API key received is not associated to any user. Authentication failed.";

async fn with_user() -> House {
    let house = house().await;
    add(&house, "app", "10.0.0.1").await;
    house
}

async fn add(house: &House, name: &str, host: &str) {
    let operator = house.operator().await;
    let new = new_user(name, host, 1);
    house.vault.add_user(&new, &operator).await.unwrap();
}

async fn issue(house: &House, expires: Option<Expiry>) -> IssuedToken {
    let operator = house.operator().await;
    house
        .vault
        .issue_token(USER, expires, &operator)
        .await
        .unwrap()
}

async fn show(house: &House, token: &str, peer: &str) -> Result<Caller, VaultError> {
    let shown = Credential::Token(ApiToken::parse(token).unwrap());
    let origin = house.origin(peer);
    house.vault.identify(&shown, &origin).await
}

#[tokio::test]
async fn a_token_proves_its_user_and_no_other_text_does() {
    let house = with_user().await;
    let issued = issue(&house, Some(Expiry::Never)).await;
    let text = issued.text.expose();

    let caller = show(&house, text, "10.0.0.1").await.unwrap();

    assert_eq!(caller.login(), USER);
    assert!(house.vault.holds(&caller));
    let last = if text.ends_with('0') { "1" } else { "0" };
    let near = format!("{}{last}", &text[..35]);
    let refused = show(&house, &near, "10.0.0.1").await;
    house.assert_turned_away(refused, RefusalReason::UnknownUser, UNKNOWN);
    let zero = "00000000-0000-0000-0000-000000000000";
    let refused = show(&house, zero, "10.0.0.1").await;
    house.assert_turned_away(refused, RefusalReason::UnknownUser, UNKNOWN);
}

#[tokio::test]
async fn tokens_differ_and_none_is_kept_as_it_is() {
    let house = with_user().await;
    let mut texts = BTreeSet::new();
    for _ in 0..10 {
        texts.insert(issue(&house, None).await.text.expose().to_owned());
    }

    assert_eq!(texts.len(), 10);
    for entry in std::fs::read_dir(house.dir.path()).unwrap().flatten() {
        let Ok(bytes) = std::fs::read(entry.path()) else {
            continue;
        };
        for text in &texts {
            let found = bytes.windows(36).any(|window| window == text.as_bytes());
            assert!(!found, "{}", entry.path().display());
        }
    }
}

#[tokio::test]
async fn unknown_revoked_expired_and_locked_tokens_are_one_answer() {
    let house = with_user().await;
    let operator = house.operator().await;
    let revoked = issue(&house, None).await;
    let ends = Expiry::in_days(1, house.clock.now()).unwrap();
    let expired = issue(&house, Some(ends)).await;
    let locked = issue(&house, None).await;
    let id = revoked.token.id;
    house.vault.revoke_token(USER, id, &operator).await.unwrap();
    house.clock.pass(Duration::from_secs(86_400));

    let shown = show(&house, revoked.text.expose(), "10.0.0.1").await;
    house.assert_turned_away(shown, RefusalReason::Revoked, UNKNOWN);
    let shown = show(&house, expired.text.expose(), "10.0.0.1").await;
    house.assert_turned_away(shown, RefusalReason::Expired, UNKNOWN);
    let lock = UserEdit::Lock(Lock::Locked);
    house.vault.edit_user(USER, &lock, &operator).await.unwrap();
    let shown = show(&house, locked.text.expose(), "10.0.0.1").await;
    house.assert_turned_away(shown, RefusalReason::Locked, UNKNOWN);
}

#[tokio::test]
async fn a_token_counts_to_its_last_millisecond_and_stays_out_when_the_clock_is_set_back() {
    let house = with_user().await;
    let now = house.clock.now();
    let end = Timestamp(now.0 + 10_000);
    let issued = issue(&house, Some(Expiry::At(end))).await;
    let text = issued.text.expose();

    house.clock.pass(Duration::from_millis(9_999));
    let caller = show(&house, text, "10.0.0.1").await.unwrap();
    assert!(house.vault.holds(&caller));
    house.clock.pass(Duration::from_millis(1));
    assert!(!house.vault.holds(&caller), "an open connection ends, too");
    let shown = show(&house, text, "10.0.0.1").await;
    house.assert_turned_away(shown, RefusalReason::Expired, UNKNOWN);

    house.clock.back(Duration::from_millis(5_000));
    let shown = show(&house, text, "10.0.0.1").await;
    house.assert_turned_away(shown, RefusalReason::Expired, UNKNOWN);
}

#[tokio::test]
async fn a_token_that_never_expires_does_not_and_one_that_would_have_is_not_issued() {
    let house = with_user().await;
    let operator = house.operator().await;
    let issued = issue(&house, Some(Expiry::Never)).await;

    house.clock.pass(Duration::from_secs(86_400 * 365 * 7_000));
    assert!(show(&house, issued.text.expose(), "10.0.0.1").await.is_ok());

    let now = house.clock.now();
    for end in [now, Timestamp(0), Timestamp(i64::MIN)] {
        let past = Some(Expiry::At(end));
        let refused = house.vault.issue_token(USER, past, &operator).await;
        assert!(matches!(refused, Err(VaultError::Invalid(_))), "{end:?}");
    }
}

#[tokio::test]
async fn a_token_counts_as_long_as_the_setting_says_where_nobody_says_it() {
    let house = with_user().await;
    let operator = house.operator().await;
    let set = |value: &'static str| house.vault.set_setting("token-days", value, &operator);
    set("2").await.unwrap();

    let issued = issue(&house, None).await;

    let two_days = Timestamp(house.clock.now().0 + 2 * 86_400_000);
    assert_eq!(issued.token.expires, Expiry::At(two_days));
    for value in ["", "0", "3651", "never", "-1"] {
        let refused = set(value).await;
        assert!(matches!(refused, Err(VaultError::Invalid(_))), "{value:?}");
    }
}

#[tokio::test]
async fn the_token_of_a_removed_user_is_unknown_and_a_namesake_does_not_inherit_it() {
    let house = with_user().await;
    let operator = house.operator().await;
    let issued = issue(&house, Some(Expiry::Never)).await;
    let caller = show(&house, issued.text.expose(), "10.0.0.1")
        .await
        .unwrap();

    house.vault.remove_user(USER, &operator).await.unwrap();
    assert!(!house.vault.holds(&caller));
    add(&house, "app", "10.0.0.1").await;

    let shown = show(&house, issued.text.expose(), "10.0.0.1").await;
    house.assert_turned_away(shown, RefusalReason::UnknownUser, UNKNOWN);
    assert!(
        house
            .vault
            .tokens(USER, &operator)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_revoked_token_and_a_locked_user_are_out_at_once() {
    let house = with_user().await;
    let operator = house.operator().await;
    let (one, two) = (issue(&house, None).await, issue(&house, None).await);
    let first = show(&house, one.text.expose(), "10.0.0.1").await.unwrap();

    house
        .vault
        .revoke_token(USER, one.token.id, &operator)
        .await
        .unwrap();
    assert!(!house.vault.holds(&first));
    let second = show(&house, two.text.expose(), "10.0.0.1").await.unwrap();
    let lock = UserEdit::Lock(Lock::Locked);
    house.vault.edit_user(USER, &lock, &operator).await.unwrap();

    assert!(!house.vault.holds(&second));
}

#[tokio::test]
async fn a_token_comes_from_its_users_host_only_and_the_host_is_named() {
    let house = house().await;
    add(&house, "app", "app1.example").await;
    let operator = house.operator().await;
    let issued = house
        .vault
        .issue_token("app@app1.example", None, &operator)
        .await
        .unwrap();
    let text = issued.text.expose();

    let shown = show(&house, text, "192.0.2.7").await;
    let words = "User is not allowed to access from this host: app1.example, the host of this API \
                 user, has no address";
    house.assert_turned_away(shown, RefusalReason::UnresolvableHost, words);
    house.names.set("app1.example", &["192.0.2.7"]);
    assert!(show(&house, text, "192.0.2.7").await.is_ok());
    assert!(show(&house, text, "::ffff:192.0.2.7").await.is_ok());
    let shown = show(&house, text, "192.0.2.8").await;
    let words = "User is not allowed to access from this host";
    house.assert_turned_away(shown, RefusalReason::WrongHost, words);
}

#[tokio::test]
async fn regenerating_takes_all_other_tokens_back() {
    let house = with_user().await;
    let operator = house.operator().await;
    let old = [issue(&house, None).await, issue(&house, None).await];

    let new = house
        .vault
        .regenerate_token(USER, Some(Expiry::Never), &operator)
        .await
        .unwrap();

    assert!(show(&house, new.text.expose(), "10.0.0.1").await.is_ok());
    for token in old {
        let shown = show(&house, token.text.expose(), "10.0.0.1").await;
        house.assert_turned_away(shown, RefusalReason::Revoked, UNKNOWN);
    }
    let listed = house.vault.tokens(USER, &operator).await.unwrap();
    let states: Vec<_> = listed.iter().map(|token| token.state).collect();
    use TokenState::{Live, Revoked};
    assert_eq!(states, [Revoked, Revoked, Live]);
}

#[tokio::test]
async fn a_user_has_as_many_live_tokens_as_the_setting_says() {
    let house = with_user().await;
    let operator = house.operator().await;
    house
        .vault
        .set_setting("tokens-per-user", "2", &operator)
        .await
        .unwrap();
    let first = issue(&house, None).await;
    issue(&house, None).await;

    let third = house.vault.issue_token(USER, None, &operator).await;
    assert!(matches!(third, Err(VaultError::Invalid(_))), "{third:?}");
    house
        .vault
        .revoke_token(USER, first.token.id, &operator)
        .await
        .unwrap();
    issue(&house, None).await;
}

#[tokio::test]
async fn tokens_that_are_over_are_forgotten_in_the_end() {
    let house = with_user().await;
    let operator = house.operator().await;
    for _ in 0..30 {
        let done = house.vault.regenerate_token(USER, None, &operator).await;
        done.unwrap();
    }

    let listed = house.vault.tokens(USER, &operator).await.unwrap();
    assert_eq!(listed.len(), 22, "the live one, the last, and twenty more");
    assert_eq!(listed.last().unwrap().state, TokenState::Live);
}

#[tokio::test]
async fn only_administrators_issue_list_and_revoke_tokens() {
    let house = with_user().await;
    let manager = house
        .user("manager", 2, Role::PasswordAdministrator, Scope::All)
        .await;
    let issued = issue(&house, None).await;
    let vault = &house.vault;

    let refused = vault.issue_token(USER, None, &manager).await;
    assert!(matches!(refused, Err(VaultError::NotAllowed)));
    let refused = vault.regenerate_token(USER, None, &manager).await;
    assert!(matches!(refused, Err(VaultError::NotAllowed)));
    let refused = vault.tokens(USER, &manager).await;
    assert!(matches!(refused, Err(VaultError::NotAllowed)));
    let refused = vault.revoke_token(USER, issued.token.id, &manager).await;
    assert!(matches!(refused, Err(VaultError::NotAllowed)));
    assert!(show(&house, issued.text.expose(), "10.0.0.1").await.is_ok());
}

#[tokio::test]
async fn a_token_is_revoked_once_and_only_as_its_own_users() {
    let house = with_user().await;
    add(&house, "other", "10.0.0.2").await;
    let operator = house.operator().await;
    let issued = issue(&house, None).await;
    let id = issued.token.id;
    let revoke = |login: &'static str, id: TokenId| {
        let (vault, operator) = (&house.vault, &operator);
        async move { vault.revoke_token(login, id, operator).await }
    };

    let others = revoke("other@10.0.0.2", id).await;
    assert!(matches!(others, Err(VaultError::NotFound(_))));
    assert!(show(&house, issued.text.expose(), "10.0.0.1").await.is_ok());
    revoke(USER, id).await.unwrap();
    let again = revoke(USER, id).await;
    assert!(matches!(again, Err(VaultError::NotFound(_))));
}

#[tokio::test]
async fn tokens_survive_the_rotation_of_keys_and_a_restart() {
    let house = with_user().await;
    let operator = house.operator().await;
    let issued = issue(&house, Some(Expiry::Never)).await;

    house.vault.rotate_key(&operator, &|_| {}).await.unwrap();
    assert!(show(&house, issued.text.expose(), "10.0.0.1").await.is_ok());
    let House {
        vault,
        ledger,
        rows,
        dir,
        ..
    } = house;
    drop((vault, ledger, rows));
    let house = house_in(dir, false).await;

    assert!(show(&house, issued.text.expose(), "10.0.0.1").await.is_ok());
}
