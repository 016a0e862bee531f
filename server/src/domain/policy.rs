//! Password policies: checked when somebody chooses a password, used to generate one.

use std::time::Duration;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::domain::{AccountName, Folded, Password, PolicyId, PolicyName};

/// What a password must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// Its id.
    pub id: PolicyId,
    /// Its name.
    pub name: PolicyName,
    /// The fewest characters.
    pub min_length: u16,
    /// The most characters.
    pub max_length: u16,
    /// Whether a capital letter must be in it.
    pub upper: bool,
    /// Whether a small letter must be in it.
    pub lower: bool,
    /// Whether a digit must be in it.
    pub digit: bool,
    /// How many characters that are neither letter nor digit must be in it.
    pub special: u16,
    /// Whether it must begin with a letter.
    pub starts_with_letter: bool,
    /// Whether the account's name may be in it, in whatever case.
    pub may_hold_account_name: bool,
    /// How many passwords back none may be used again.
    pub no_reuse: u16,
    /// How long a password may be in force.
    pub max_age: Option<Duration>,
}

/// Which rule a password breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PolicyViolation {
    /// Too few characters.
    #[error("it must have at least {0} characters")]
    TooShort(u16),
    /// Too many characters.
    #[error("it must have at most {0} characters")]
    TooLong(u16),
    /// No capital letter.
    #[error("it must have a capital letter")]
    NoUpper,
    /// No small letter.
    #[error("it must have a small letter")]
    NoLower,
    /// No digit.
    #[error("it must have a digit")]
    NoDigit,
    /// Too few other characters.
    #[error("it must have at least {0} characters that are neither letters nor digits")]
    TooFewSpecial(u16),
    /// It begins with something else.
    #[error("it must begin with a letter")]
    NoLetterFirst,
    /// It holds the account's name.
    #[error("it must not hold the account's name")]
    HoldsAccountName,
    /// It was in force before.
    #[error("it must differ from the last {0} passwords")]
    Reused(u16),
}

/// Why a policy makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// The shortest is longer than the longest, or nothing at all.
    #[error("the least length must be between 1 and the greatest, and that at most 1024")]
    Length,
    /// The demanded classes do not fit into the greatest length.
    #[error("a password of the greatest length cannot hold all that is demanded")]
    Classes,
    /// More old passwords are compared than are ever kept.
    #[error("at most {0} old passwords can be compared")]
    Reuse(u16),
}

impl PasswordPolicy {
    /// The most old passwords that a policy can compare with.
    pub const REUSE_LIMIT: u16 = 100;

    const UPPER: &'static str = "ABCDEFGHJKLMNPQRSTUVWXYZ";
    const LOWER: &'static str = "abcdefghijkmnopqrstuvwxyz";
    const DIGIT: &'static str = "23456789";
    /// None that a shell, SQL, XML or a URL would read as its own in the usual places.
    const SPECIAL: &'static str = "-_.+=@#%^*:,~";

    /// Checks that the rules can be kept together.
    ///
    /// # Errors
    /// [`PolicyError`] when no password could keep them.
    pub fn validate(&self) -> Result<(), PolicyError> {
        if self.min_length == 0 || self.min_length > self.max_length || self.max_length > 1024 {
            return Err(PolicyError::Length);
        }
        let letters_first = self.starts_with_letter && !self.upper && !self.lower;
        let classes = [self.upper, self.lower, self.digit, letters_first];
        let demanded = classes.iter().filter(|&&on| on).count() + usize::from(self.special);
        if demanded > usize::from(self.max_length) {
            return Err(PolicyError::Classes);
        }
        if self.no_reuse > Self::REUSE_LIMIT {
            return Err(PolicyError::Reuse(Self::REUSE_LIMIT));
        }
        Ok(())
    }

    /// Whether `password` keeps the rules that need no history.
    ///
    /// # Errors
    /// The first [`PolicyViolation`], in the order of the fields.
    pub fn check(&self, password: &Password, account: &AccountName) -> Result<(), PolicyViolation> {
        let text = password.expose();
        let length = text.chars().count();
        if length < usize::from(self.min_length) {
            return Err(PolicyViolation::TooShort(self.min_length));
        }
        if length > usize::from(self.max_length) {
            return Err(PolicyViolation::TooLong(self.max_length));
        }
        if self.upper && !text.chars().any(char::is_uppercase) {
            return Err(PolicyViolation::NoUpper);
        }
        if self.lower && !text.chars().any(char::is_lowercase) {
            return Err(PolicyViolation::NoLower);
        }
        if self.digit && !text.chars().any(|c| c.is_ascii_digit()) {
            return Err(PolicyViolation::NoDigit);
        }
        let special = text.chars().filter(|c| !c.is_alphanumeric()).count();
        if special < usize::from(self.special) {
            return Err(PolicyViolation::TooFewSpecial(self.special));
        }
        if self.starts_with_letter && !text.chars().next().is_some_and(char::is_alphabetic) {
            return Err(PolicyViolation::NoLetterFirst);
        }
        let name = account.folded();
        // A name of one or two letters is in every second password by chance.
        let long_enough = name.as_str().chars().count() > 2;
        let folded = Zeroizing::new(Folded::new(text).as_str().to_owned());
        if !self.may_hold_account_name && long_enough && folded.contains(name.as_str()) {
            return Err(PolicyViolation::HoldsAccountName);
        }
        Ok(())
    }

    /// A password that keeps every rule; `random(n)` must give an unpredictable, even number
    /// below `n`.
    ///
    /// Characters that people mix up (`0O1Il`) and those that shells and SQL read as their own are
    /// not used. The length is the least allowed, but not below 16 where the policy admits that.
    pub fn generate(
        &self,
        account: &AccountName,
        random: &mut dyn FnMut(usize) -> usize,
    ) -> Password {
        loop {
            let password = Password::parse(self.draw(random));
            if let Ok(password) = password
                && self.check(&password, account).is_ok()
            {
                return password;
            }
        }
    }

    fn draw(&self, random: &mut dyn FnMut(usize) -> usize) -> Zeroizing<String> {
        let mut pick = |alphabet: &str| {
            let at = random(alphabet.len());
            alphabet.as_bytes().get(at).map_or('x', |&b| char::from(b))
        };
        let length = usize::from(self.min_length.max(self.max_length.min(16)));
        let everything = [Self::UPPER, Self::LOWER, Self::DIGIT].concat();
        let letters = [Self::UPPER, Self::LOWER].concat();
        let mut rest = Zeroizing::new(Vec::with_capacity(length));
        let wanted = [
            (self.upper, Self::UPPER),
            (self.lower, Self::LOWER),
            (self.digit, Self::DIGIT),
        ];
        rest.extend(
            wanted
                .iter()
                .filter(|(on, _)| *on)
                .map(|(_, alphabet)| pick(alphabet)),
        );
        rest.extend((0..self.special).map(|_| pick(Self::SPECIAL)));
        let first = self.starts_with_letter.then(|| pick(&letters));
        while rest.len() + usize::from(first.is_some()) < length {
            rest.push(pick(&everything));
        }
        // Fisher and Yates: every order is as likely as every other.
        for last in (1..rest.len()).rev() {
            rest.swap(last, random(last + 1));
        }
        let mut text = Zeroizing::new(String::with_capacity(length));
        text.extend(first);
        text.extend(rest.iter());
        text
    }

    /// The policies that are there from the first start: Low, Medium and Strong.
    #[must_use]
    pub fn shipped() -> [Self; 3] {
        let policy = |id, name: &str, min_length, special| Self {
            id: PolicyId(id),
            name: PolicyName::parse(name).unwrap_or_else(|_| unreachable!("a fixed, valid name")),
            min_length,
            max_length: 128,
            upper: id >= 2,
            lower: id >= 2,
            digit: id >= 2,
            special,
            starts_with_letter: false,
            may_hold_account_name: id == 1,
            no_reuse: if id == 3 { 3 } else { 0 },
            max_age: None,
        };
        [
            policy(1, "Low", 4, 0),
            policy(2, "Medium", 8, 0),
            policy(3, "Strong", 12, 1),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> AccountName {
        AccountName::parse("root").unwrap()
    }

    fn strong() -> PasswordPolicy {
        PasswordPolicy {
            starts_with_letter: true,
            ..PasswordPolicy::shipped()[2].clone()
        }
    }

    fn check(policy: &PasswordPolicy, text: &str) -> Result<(), PolicyViolation> {
        let password = Password::parse(Zeroizing::new(text.to_owned())).unwrap();
        policy.check(&password, &account())
    }

    #[test]
    fn each_rule_refuses_with_its_own_name() {
        let cases = [
            ("Aa1-", PolicyViolation::TooShort(12)),
            ("aaaaaaaaaa1-", PolicyViolation::NoUpper),
            ("AAAAAAAAAA1-", PolicyViolation::NoLower),
            ("Aaaaaaaaaaa-", PolicyViolation::NoDigit),
            ("Aaaaaaaaaaa1", PolicyViolation::TooFewSpecial(1)),
            ("1aaaaaaaaaA-", PolicyViolation::NoLetterFirst),
            ("Aaaa1-xRoOtx", PolicyViolation::HoldsAccountName),
        ];

        for (text, violation) in cases {
            assert_eq!(check(&strong(), text), Err(violation), "{text}");
        }
        assert_eq!(
            check(&strong(), &"Aa1-".repeat(33)),
            Err(PolicyViolation::TooLong(128))
        );
        assert_eq!(check(&strong(), "Aaaa1-xyzzyx"), Ok(()));
    }

    #[test]
    fn what_is_generated_keeps_the_policy_and_differs_every_time() {
        let mut state = 7_u64;
        let mut random = |n: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % n
        };
        let mut seen = std::collections::HashSet::new();

        for policy in PasswordPolicy::shipped().into_iter().chain([strong()]) {
            for _ in 0..200 {
                let password = policy.generate(&account(), &mut random);
                assert_eq!(
                    policy.check(&password, &account()),
                    Ok(()),
                    "{}",
                    policy.name
                );
                assert!(password.expose().len() >= 16);
                assert!(seen.insert(password.expose().to_owned()));
            }
        }
    }

    #[test]
    fn a_policy_that_nothing_can_keep_is_refused() {
        let shortest = PasswordPolicy {
            min_length: 0,
            ..strong()
        };
        let crossed = PasswordPolicy {
            min_length: 9,
            max_length: 8,
            ..strong()
        };
        let crowded = PasswordPolicy {
            min_length: 2,
            max_length: 4,
            special: 2,
            ..strong()
        };
        let elephant = PasswordPolicy {
            no_reuse: 101,
            ..strong()
        };

        assert_eq!(shortest.validate(), Err(PolicyError::Length));
        assert_eq!(crossed.validate(), Err(PolicyError::Length));
        assert_eq!(crowded.validate(), Err(PolicyError::Classes));
        assert_eq!(elephant.validate(), Err(PolicyError::Reuse(100)));
        for policy in PasswordPolicy::shipped() {
            assert_eq!(policy.validate(), Ok(()));
        }
    }
}
