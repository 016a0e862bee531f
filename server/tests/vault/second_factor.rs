//! Second factors of persons: what counts, how often, and who may take it away.

use std::sync::Arc;
use std::time::Duration;

use claviger::domain::{
    ApiToken, FactorState, OneTimeCode, Operation, Outcome, RefusalReason, Timestamp,
};
use claviger::vault::{
    Caller, Clock, Credential, NewPerson, PasswordCredential, UserEdit, VaultError,
};
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::fixture::{House, house_in, new_user};
use crate::persons::{SECRET, WRONG, add, new_person, password, set, with_person};

const PEER: &str = "203.0.113.9";

/// What an authenticator shows so many steps from now: written anew, after RFC 4226 and 6238.
pub fn code_of(secret: &str, now: Timestamp, steps: i64) -> String {
    let key = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).unwrap();
    mac.update(&(now.0 / 30_000 + steps).to_be_bytes());
    let tag = mac.finalize().into_bytes();
    let at = usize::from(tag.last().unwrap() & 15);
    let four = u32::from_be_bytes(*tag.get(at..).unwrap().first_chunk().unwrap());
    format!("{:06}", (four & 0x7fff_ffff) % 1_000_000)
}

fn code(text: &str) -> OneTimeCode {
    OneTimeCode::parse(text).unwrap()
}

async fn enrol(house: &House) -> Result<String, VaultError> {
    let operator = house.operator().await;
    let offer = house.vault.enrol_factor("Alice", &operator).await?;
    Ok(offer.secret.expose().to_owned())
}

async fn confirm(house: &House, text: &str) -> Result<(), VaultError> {
    let operator = house.operator().await;
    let code = code(text);
    house.vault.confirm_factor("Alice", &code, &operator).await
}

async fn state(house: &House) -> FactorState {
    let operator = house.operator().await;
    house.vault.factor("Alice", &operator).await.unwrap().state
}

async fn sign_in(house: &House, secret: &str, code: Option<&str>) -> Result<Caller, VaultError> {
    let shown = Credential::Password(PasswordCredential {
        organisation: None,
        name: "Alice".to_owned(),
        password: password(secret),
        code: code.map(|text| Arc::new(self::code(text))),
    });
    house.vault.identify(&shown, &house.origin(PEER)).await
}

/// A house with a person whose authenticator counts, and its secret; a step later.
async fn with_factor() -> (House, String) {
    let house = with_person().await;
    let secret = enrol(&house).await.unwrap();
    let first = code_of(&secret, house.clock.now(), 0);
    confirm(&house, &first).await.unwrap();
    house.clock.pass(Duration::from_secs(30));
    (house, secret)
}

fn assert_away(house: &House, shown: Result<Caller, VaultError>, why: RefusalReason) {
    house.assert_turned_away(shown, why, WRONG);
}

#[tokio::test]
async fn a_factor_counts_once_a_code_of_it_was_confirmed() {
    let house = with_person().await;
    assert_eq!(state(&house).await, FactorState::Off);
    let none = confirm(&house, "000000").await.unwrap_err();
    assert!(matches!(none, VaultError::NotFound(_)), "{none}");

    let secret = enrol(&house).await.unwrap();
    assert_eq!(state(&house).await, FactorState::Offered);
    let by_password = sign_in(&house, SECRET, None).await.unwrap();
    let now = house.clock.now();
    let early = confirm(&house, &code_of(&secret, now, 2)).await;
    assert!(matches!(early, Err(VaultError::Invalid(_))));
    let refused = Outcome::Refused(RefusalReason::WrongCode);
    assert_eq!(house.newest(1), [(Operation::SecondFactor, refused)]);

    confirm(&house, &code_of(&secret, now, 0)).await.unwrap();

    assert_eq!(state(&house).await, FactorState::On(now));
    assert!(!house.vault.holds(&by_password), "it came in without one");
    let without = sign_in(&house, SECRET, None).await;
    assert_away(&house, without, RefusalReason::CodeMissing);
    let next = code_of(&secret, now, 1);
    let caller = sign_in(&house, SECRET, Some(&next)).await.unwrap();
    assert_eq!(caller.login(), "Alice");
    assert_eq!(house.newest(1), [(Operation::Identify, Outcome::Allowed)]);
}

#[tokio::test]
async fn a_code_counts_within_one_step_and_once_even_after_a_restart() {
    let (house, secret) = with_factor().await;
    let now = house.clock.now();
    for steps in [-2, 2] {
        let code = code_of(&secret, now, steps);
        let shown = sign_in(&house, SECRET, Some(&code)).await;
        assert_away(&house, shown, RefusalReason::WrongCode);
    }
    let late = code_of(&secret, now, 0);
    house.clock.pass(Duration::from_secs(30));
    sign_in(&house, SECRET, Some(&late)).await.unwrap();

    let again = sign_in(&house, SECRET, Some(&late)).await;
    assert_away(&house, again, RefusalReason::WrongCode);
    let House {
        vault,
        ledger,
        rows,
        heard,
        names,
        dir,
        clock,
    } = house;
    drop((vault, ledger, rows, heard, names));
    let house = house_in(dir, false).await;
    house.clock.pass(Duration::from_secs(60));
    assert_eq!(house.clock.now(), clock.now());
    let after = sign_in(&house, SECRET, Some(&late)).await;
    assert_away(&house, after, RefusalReason::WrongCode);
    let early = code_of(&secret, house.clock.now(), 1);
    sign_in(&house, SECRET, Some(&early)).await.unwrap();
}

#[tokio::test]
async fn one_code_lets_one_in_of_many_who_show_it_at_once() {
    let (house, secret) = with_factor().await;
    set(&house, "sign-in-failures", "100").await.unwrap();
    let code = code_of(&secret, house.clock.now(), 0);

    let tries = (0..6).map(|_| sign_in(&house, SECRET, Some(&code)));
    let all = futures_util::future::join_all(tries).await;

    assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1);
}

#[tokio::test]
async fn wrong_codes_count_like_wrong_passwords_and_a_wrong_password_uses_no_code_up() {
    let (house, secret) = with_factor().await;
    let right = code_of(&secret, house.clock.now(), 0);
    let shown = sign_in(&house, "wrong", Some(&right)).await;
    assert_away(&house, shown, RefusalReason::WrongPassword);
    let wrong = if right == "123456" {
        "654321"
    } else {
        "123456"
    };
    for _ in 0..2 {
        let shown = sign_in(&house, SECRET, Some(wrong)).await;
        assert_away(&house, shown, RefusalReason::WrongCode);
    }

    let locked = sign_in(&house, SECRET, Some(&right)).await.unwrap_err();
    assert!(locked.to_string().contains("too many"), "{locked}");
    house.clock.pass(Duration::from_secs(30));
    sign_in(&house, SECRET, Some(&right)).await.unwrap();
}

#[tokio::test]
async fn a_person_that_must_have_one_comes_in_with_one_only() {
    let house = with_person().await;
    let new = NewPerson {
        second_factor: true,
        ..new_person("Bob")
    };
    add(&house, new).await.unwrap();
    let operator = house.operator().await;
    assert!(house.vault.factor("Bob", &operator).await.unwrap().demanded);
    let in_time = sign_in(&house, SECRET, None).await.unwrap();

    let demand = UserEdit::DemandFactor(true);
    let edited = house.vault.edit_user("Alice", &demand, &operator).await;
    edited.unwrap();

    assert!(!house.vault.holds(&in_time));
    let shown = sign_in(&house, SECRET, None).await;
    assert_away(&house, shown, RefusalReason::NotEnrolled);
    let secret = enrol(&house).await.unwrap();
    let now = house.clock.now();
    confirm(&house, &code_of(&secret, now, 0)).await.unwrap();
    let next = code_of(&secret, now, 1);
    sign_in(&house, SECRET, Some(&next)).await.unwrap();
}

#[tokio::test]
async fn a_person_enrols_itself_and_only_an_administrator_takes_it_away() {
    let house = with_person().await;
    let operator = house.operator().await;
    add(&house, new_person("Bob")).await.unwrap();
    let alice = sign_in(&house, SECRET, None).await.unwrap();
    let of_other = house.vault.enrol_factor("Bob", &alice).await;
    assert!(matches!(of_other, Err(VaultError::NotAllowed)));

    let offer = house.vault.enrol_factor("Alice", &alice).await.unwrap();
    let secret = offer.secret.expose().to_owned();
    let now = house.clock.now();
    let first = code(&code_of(&secret, now, 0));
    let confirmed = house.vault.confirm_factor("Alice", &first, &alice).await;
    confirmed.unwrap();
    let next = code_of(&secret, now, 1);
    let alice = sign_in(&house, SECRET, Some(&next)).await.unwrap();

    let twice = house.vault.enrol_factor("Alice", &alice).await;
    assert!(matches!(twice, Err(VaultError::Exists(_))));
    let own = house.vault.remove_factor("Alice", &alice).await;
    assert!(matches!(own, Err(VaultError::NotAllowed)));
    house.vault.remove_factor("Alice", &operator).await.unwrap();
    assert!(!house.vault.holds(&alice));
    assert_eq!(state(&house).await, FactorState::Off);
    sign_in(&house, SECRET, None).await.unwrap();
    let none = house.vault.remove_factor("Alice", &operator).await;
    assert!(matches!(none, Err(VaultError::NotFound(_))));
}

#[tokio::test]
async fn a_second_offer_replaces_the_first_and_a_removed_person_leaves_none() {
    let house = with_person().await;
    let operator = house.operator().await;
    let first = enrol(&house).await.unwrap();
    let second = enrol(&house).await.unwrap();
    let now = house.clock.now();
    let of_first = confirm(&house, &code_of(&first, now, 0)).await;
    assert!(matches!(of_first, Err(VaultError::Invalid(_))));
    confirm(&house, &code_of(&second, now, 0)).await.unwrap();

    house.vault.remove_user("Alice", &operator).await.unwrap();
    add(&house, new_person("Alice")).await.unwrap();

    assert_eq!(state(&house).await, FactorState::Off);
}

#[tokio::test]
async fn programs_have_no_second_factor() {
    let house = with_person().await;
    let operator = house.operator().await;
    let app = "app@10.0.0.1";
    let new = new_user("app", "10.0.0.1", 1);
    house.vault.add_user(&new, &operator).await.unwrap();

    let enrolled = house.vault.enrol_factor(app, &operator).await.map(drop);
    let demand = UserEdit::DemandFactor(true);
    let demanded = house.vault.edit_user(app, &demand, &operator).await;
    let shown = house.vault.factor(app, &operator).await.map(drop);

    for refusal in [enrolled, demanded, shown] {
        let refusal = refusal.unwrap_err().to_string();
        assert!(refusal.contains("is a program"), "{refusal}");
    }
}

async fn by_token(house: &House, text: &str) -> Result<Caller, VaultError> {
    let shown = Credential::Token(ApiToken::parse(text).unwrap());
    house.vault.identify(&shown, &house.origin(PEER)).await
}

fn assert_unknown(house: &House, shown: Result<Caller, VaultError>, why: RefusalReason) {
    let words = "API key received is not associated to any user. Authentication failed.";
    house.assert_turned_away(shown, why, words);
}

#[tokio::test]
async fn no_token_is_handed_out_to_a_person_who_has_or_must_have_a_second_factor() {
    let house = with_person().await;
    let operator = house.operator().await;
    let (yes, no) = (UserEdit::DemandFactor(true), UserEdit::DemandFactor(false));
    let refused = [(
        Operation::IssueToken,
        Outcome::Refused(RefusalReason::Invalid),
    )];
    let edited = house.vault.edit_user("Alice", &yes, &operator).await;
    edited.unwrap();

    let must = house.vault.issue_token("Alice", None, &operator).await;
    let VaultError::Invalid(words) = must.unwrap_err() else {
        panic!("another refusal")
    };
    assert!(words.contains("second factor"), "{words}");
    assert_eq!(house.newest(1), refused);

    let edited = house.vault.edit_user("Alice", &no, &operator).await;
    edited.unwrap();
    let secret = enrol(&house).await.unwrap();
    let offered = house.vault.issue_token("Alice", None, &operator).await;
    assert!(offered.is_ok(), "an offer that nobody confirmed counts not");
    let now = house.clock.now();
    confirm(&house, &code_of(&secret, now, 0)).await.unwrap();
    let has = house.vault.regenerate_token("Alice", None, &operator).await;
    assert!(matches!(has, Err(VaultError::Invalid(_))), "{has:?}");
    assert_eq!(house.newest(1), refused);
}

#[tokio::test]
async fn a_token_from_before_is_unknown_once_a_second_factor_is_demanded_or_on() {
    let house = with_person().await;
    let operator = house.operator().await;
    let issued = house.vault.issue_token("Alice", None, &operator).await;
    let issued = issued.unwrap();
    let text = issued.text.expose();
    let before = by_token(&house, text).await.unwrap();

    let demand = UserEdit::DemandFactor(true);
    let edited = house.vault.edit_user("Alice", &demand, &operator).await;
    edited.unwrap();
    assert!(!house.vault.holds(&before), "it is out at once");
    let shown = by_token(&house, text).await;
    assert_unknown(&house, shown, RefusalReason::NotEnrolled);
    assert!(!house.vault.is_live(&issued.text).await.unwrap());

    let demand = UserEdit::DemandFactor(false);
    let edited = house.vault.edit_user("Alice", &demand, &operator).await;
    edited.unwrap();
    let again = by_token(&house, text).await.unwrap();
    let secret = enrol(&house).await.unwrap();
    let now = house.clock.now();
    confirm(&house, &code_of(&secret, now, 0)).await.unwrap();
    assert!(!house.vault.holds(&again), "it is out at once");
    let shown = by_token(&house, text).await;
    assert_unknown(&house, shown, RefusalReason::CodeMissing);
}
