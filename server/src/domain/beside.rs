//! An account keeps one secret. What else the same person of a machine has, its SSH key and its API
//! keys, are accounts beside it, with names that say so.

use crate::domain::{AccountName, NameError};

/// How many API keys an account may have beside it.
pub const MOST_API_KEYS: u8 = 16;

/// The name of the account that keeps the SSH key of the one called `name`.
///
/// # Errors
/// [`NameError`] when it would be too long.
pub fn ssh_key(name: &AccountName) -> Result<AccountName, NameError> {
    AccountName::parse(&format!("{name}{SSH_KEY}"))
}

/// The name of the account that keeps an API key of the one called `name`; they are counted from 1.
///
/// # Errors
/// [`NameError`] when it would be too long.
pub fn api_key(name: &AccountName, number: u8) -> Result<AccountName, NameError> {
    AccountName::parse(&format!("{name}{API_KEY}{number}]"))
}

/// The names of all that may stand beside the account called `name`: its SSH key, then its API keys
/// by their numbers.
pub fn all(name: &AccountName) -> impl Iterator<Item = AccountName> {
    let keys = (1..=MOST_API_KEYS).map(|number| api_key(name, number));
    std::iter::once(ssh_key(name)).chain(keys).flatten()
}

/// The name of the account that the one called `name` stands beside, if it does.
#[must_use]
pub fn base(name: &AccountName) -> Option<&str> {
    let text = name.as_str();
    if let Some(base) = text.strip_suffix(SSH_KEY) {
        return (!base.is_empty()).then_some(base);
    }
    let (base, number) = text.strip_suffix(']')?.rsplit_once(API_KEY)?;
    let counted = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    let known = counted && (1..=MOST_API_KEYS).contains(&number.parse().ok()?);
    (known && !base.is_empty()).then_some(base)
}

const SSH_KEY: &str = " [SSH key]";
const API_KEY: &str = " [API key ";

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> AccountName {
        AccountName::parse(text).unwrap()
    }

    #[test]
    fn what_stands_beside_an_account_leads_back_to_it_and_nothing_else_does() {
        let root = name("root");

        assert_eq!(base(&ssh_key(&root).unwrap()), Some("root"));
        for number in 1..=MOST_API_KEYS {
            assert_eq!(base(&api_key(&root, number).unwrap()), Some("root"));
        }
        for other in [
            "root",
            "root[SSH key]",
            "root [SSH key] ]",
            "root [API key 0]",
            "root [API key 01]",
            "root [API key +1]",
            "root [API key 17]",
            "root [API key 1",
            "[SSH key]",
        ] {
            assert_eq!(base(&name(other)), None, "{other}");
        }
        assert_eq!(all(&root).count(), 17);
        assert!(all(&root).all(|it| base(&it) == Some("root")));
        let long = name(&"x".repeat(250));
        assert!(ssh_key(&long).is_err());
        assert_eq!(all(&long).count(), 0);
    }
}
