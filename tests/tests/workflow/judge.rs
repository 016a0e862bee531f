//! What a history must not show, whatever of it is unclear.

use std::collections::HashMap;
use std::path::Path;

/// What somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    Raise,
    Approve,
    CheckOut,
    Retrieve,
    CheckIn,
}

impl Deed {
    /// The trail's word for it.
    fn operation(self) -> &'static str {
        match self {
            Self::Raise => "request",
            Self::Approve => "approve",
            Self::CheckOut => "check-out",
            Self::Retrieve => "retrieve",
            Self::CheckIn => "check-in",
        }
    }
}

/// What was asked, in the order of one counter for all.
#[derive(Clone, Debug)]
pub struct Event {
    /// Whom it concerned: the one who holds, asks or reads.
    pub user: usize,
    pub deed: Deed,
    pub begun: u64,
    /// When it was answered, or else when the server had been killed.
    pub over: u64,
    /// `None` when it was not answered.
    pub answer: Option<Answered>,
}

/// How it was answered.
#[derive(Clone, Debug)]
pub struct Answered {
    pub yes: bool,
    /// By which the trail knows it.
    pub request: String,
}

impl Event {
    /// When it was answered with yes.
    pub fn done(&self) -> Option<u64> {
        let answer = self.answer.as_ref()?;
        answer.yes.then_some(self.over)
    }

    /// Whether it may have been done: it was answered with yes, or not at all.
    fn perhaps(&self) -> bool {
        self.answer.as_ref().is_none_or(|answer| answer.yes)
    }
}

fn of(events: &[Event], user: usize, deed: Deed) -> impl Iterator<Item = &Event> {
    let wanted = move |event: &&Event| event.user == user && event.deed == deed;
    events.iter().filter(wanted)
}

/// From when until when each user surely held it.
fn held(events: &[Event], users: usize) -> Vec<(u64, u64, usize)> {
    let mut held = Vec::new();
    for user in 0..users {
        for taken in of(events, user, Deed::CheckOut) {
            let Some(since) = taken.done() else { continue };
            let given_back = of(events, user, Deed::CheckIn)
                .filter(|back| back.perhaps() && back.over > taken.begun)
                .map(|back| back.begun)
                .min();
            held.push((since, given_back.unwrap_or(u64::MAX), user));
        }
    }
    held
}

/// Never two holders. Returns who surely holds it at the end.
#[track_caller]
pub fn assert_one_holder(events: &[Event], users: usize) -> Option<usize> {
    let held = held(events, users);
    for (since, until, user) in &held {
        for (other_since, other_until, other) in &held {
            let together = user != other && since.max(other_since) < until.min(other_until);
            assert!(
                !together,
                "{user} and {other} hold it at {since} and {other_since}"
            );
        }
    }
    let last = held.iter().find(|(_, until, _)| *until == u64::MAX);
    last.map(|(_, _, user)| *user)
}

/// Never a read without a check-out, so no check-in is lost either.
#[track_caller]
pub fn assert_held_while_read(events: &[Event], users: usize) {
    for user in 0..users {
        for read in of(events, user, Deed::Retrieve) {
            let Some(answered) = read.done() else {
                continue;
            };
            let held = of(events, user, Deed::CheckOut)
                .filter(|taken| taken.perhaps() && taken.begun < answered)
                .any(|taken| !surely_given_back(events, taken, read.begun));
            assert!(held, "{read:?} without a check-out");
        }
    }
}

/// Whether what was `taken` had been given back before `moment`, whatever was unclear.
fn surely_given_back(events: &[Event], taken: &Event, moment: u64) -> bool {
    of(events, taken.user, Deed::CheckIn)
        .any(|back| back.begun > taken.over && back.done().is_some_and(|done| done < moment))
}

/// Never a check-out without a request and an approval of its own.
#[track_caller]
pub fn assert_approved(events: &[Event], users: usize) {
    for user in 0..users {
        for answered in of(events, user, Deed::CheckOut).filter_map(Event::done) {
            let before = |deed| {
                let perhaps = |event: &&Event| event.perhaps() && event.begun < answered;
                of(events, user, deed).filter(perhaps).count()
            };
            let used = of(events, user, Deed::CheckOut)
                .filter(|event| event.done().is_some_and(|at| at <= answered))
                .count();
            let (asked, approved) = (before(Deed::Raise), before(Deed::Approve));
            assert!(
                used <= approved && used <= asked,
                "{user} took it {used} times by {approved} approvals of {asked} requests"
            );
        }
    }
}

/// Every answer has its record, and the record says what the answer said.
#[track_caller]
pub fn assert_recorded(events: &[Event], trail: &Path) {
    let trail = std::fs::read_to_string(trail).unwrap();
    let mut told: HashMap<(String, String), String> = HashMap::new();
    for line in trail.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |member: &str| record[member].as_str().unwrap().to_owned();
        // The last word on a request counts.
        told.insert((text("request"), text("operation")), text("outcome"));
    }
    for event in events {
        let Some(answer) = &event.answer else {
            continue;
        };
        let key = (answer.request.clone(), event.deed.operation().to_owned());
        let outcome = told.get(&key);
        let fits = outcome.is_some_and(|outcome| (outcome == "allowed") == answer.yes);
        assert!(fits, "{event:?}: {outcome:?}");
    }
}

/// How often a deed was done.
pub fn done(events: &[Event], deed: Deed) -> usize {
    let of = events.iter().filter(|event| event.deed == deed);
    of.filter(|event| event.done().is_some()).count()
}

fn event(user: usize, deed: Deed, begun: u64, yes: Option<bool>) -> Event {
    let answered = |yes| Answered {
        yes,
        request: String::new(),
    };
    Event {
        user,
        deed,
        begun,
        over: begun + 1,
        answer: yes.map(answered),
    }
}

#[test]
fn the_judge_sees_two_holders_and_a_read_after_a_check_in() {
    let (taken, back) = (Deed::CheckOut, Deed::CheckIn);
    let good = [
        event(0, taken, 1, Some(true)),
        event(0, Deed::Retrieve, 3, Some(true)),
        event(0, back, 5, None),
        event(1, taken, 6, Some(true)),
    ];
    assert_eq!(assert_one_holder(&good, 2), Some(1));
    assert_held_while_read(&good, 2);

    let both = [
        event(0, taken, 1, Some(true)),
        event(1, taken, 3, Some(true)),
    ];
    assert!(std::panic::catch_unwind(|| assert_one_holder(&both, 2)).is_err());
    let late = [
        event(0, taken, 1, Some(true)),
        event(0, back, 3, Some(true)),
        event(0, Deed::Retrieve, 5, Some(true)),
    ];
    assert!(std::panic::catch_unwind(|| assert_held_while_read(&late, 1)).is_err());
    let unapproved = [
        event(0, Deed::Raise, 1, Some(true)),
        event(0, taken, 3, Some(true)),
    ];
    assert!(std::panic::catch_unwind(|| assert_approved(&unapproved, 1)).is_err());
}
