//! Many users request, approve, check out, retrieve and check in at random, over a store that is
//! dropped in the middle and opened again; afterwards the history is judged.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use claviger::domain::{Level, Operation, Outcome, RequestId, Role, Scope};
use claviger::ledger::{Query, Word};
use claviger::vault::{Caller, VaultError};

use crate::fixture::{House, credential, house, house_in, wanted};
use crate::scene::{control, dropped, login};

/// What one task did, in the order of one counter for all.
#[derive(Clone, Debug)]
struct Event {
    /// Whom it concerned: the one who holds, asks or reads.
    user: usize,
    operation: Operation,
    request: RequestId,
    begun: u64,
    /// When it was answered, and whether with yes; `None` when it was broken off.
    ended: Option<(u64, bool)>,
}

#[derive(Default)]
struct History {
    counter: AtomicU64,
    events: Mutex<Vec<Event>>,
}

impl History {
    fn tick(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::SeqCst)
    }

    fn begin(&self, user: usize, operation: Operation, request: RequestId) -> usize {
        let begun = self.tick();
        let mut events = self.events.lock().unwrap();
        events.push(Event {
            user,
            operation,
            request,
            begun,
            ended: None,
        });
        events.len() - 1
    }

    fn end(&self, index: usize, yes: bool) {
        let ended = self.tick();
        let mut events = self.events.lock().unwrap();
        events.get_mut(index).unwrap().ended = Some((ended, yes));
    }
}

const USERS: usize = 4;
const ROUNDS: usize = 4;

fn name(user: usize) -> String {
    format!("user{user}")
}

/// One step of `user`, chosen by `dice`.
async fn act(house: &House, callers: &[Caller], history: &History, (user, dice): (usize, u64)) {
    let (place, vault) = (wanted("db1", "root"), &house.vault);
    let other = (user + 1 + (dice >> 8) as usize % (USERS - 1)) % USERS;
    let (concerned, operation) = match dice % 7 {
        0 => (user, Operation::Request),
        1 | 2 => (other, Operation::Approve),
        3 => (user, Operation::CheckOut),
        4 => (user, Operation::Retrieve),
        5 => (user, Operation::CheckIn),
        _ => (other, Operation::CheckIn),
    };
    let request = vault.next_request();
    let caller = callers.get(user).unwrap().again(request);
    let index = history.begin(concerned, operation, request);
    let done: Result<(), VaultError> = match (operation, concerned == user) {
        (Operation::Request, _) => vault.request(&place, None, &caller).await.map(drop),
        (Operation::Approve, _) => {
            let asker = login(&name(other));
            vault.approve(&place, &asker, &caller).await.map(drop)
        }
        (Operation::CheckOut, _) => vault.check_out(&place, None, &caller).await.map(drop),
        (Operation::Retrieve, _) => vault.retrieve(&place, &caller).await.map(drop),
        (_, true) => vault.check_in(&place, &caller).await.map(drop),
        (_, false) => {
            let holder = login(&name(other));
            vault.check_in_for(&place, &holder, &caller).await
        }
    };
    if let Err(VaultError::Unavailable(outage)) = &done {
        panic!("{outage}");
    }
    history.end(index, done.is_ok());
}

async fn callers(house: &House) -> Vec<Caller> {
    let mut callers = Vec::new();
    for user in 0..USERS {
        let shown = credential(&name(user), 10 + user as u8);
        callers.push(house.enter(&shown, "10.0.0.1").await.unwrap());
    }
    callers
}

async fn furnished() -> House {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    house.create("db1", "root", "s3cret", &owner).await;
    let names: Vec<_> = (0..USERS).map(name).collect();
    for (user, name) in names.iter().enumerate() {
        house.plain_user(name, 10 + user as u8).await;
        house.share("db1", None, &login(name), Level::View).await;
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut all = control(&names);
    all.longest = Duration::from_hours(24);
    let vault = &house.vault;
    vault
        .set_access_control(("db1", None), &all, &owner)
        .await
        .unwrap();
    house
}

/// xorshift: which steps, not when they meet.
fn rolled(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// Runs many tasks, breaks them off after some steps, and drops the house under them.
async fn round(house: House, history: &Arc<History>, seed: u64) -> House {
    let callers = Arc::new(callers(&house).await);
    let house = Arc::new(house);
    let tasks: Vec<_> = (0..USERS * 2)
        .map(|task| {
            let (house, callers, history) = (house.clone(), callers.clone(), history.clone());
            let mut seed = seed.wrapping_mul(task as u64 * 2 + 3) | 1;
            tokio::spawn(async move {
                for _ in 0..60 {
                    let dice = rolled(&mut seed) >> 11;
                    act(&house, &callers, &history, (task % USERS, dice)).await;
                }
            })
        })
        .collect();
    let enough = history.counter.load(Ordering::SeqCst) + 700;
    while history.counter.load(Ordering::SeqCst) < enough && !tasks.iter().all(|t| t.is_finished())
    {
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.abort();
        match task.await {
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            _ => {}
        }
    }
    house_in(dropped(Arc::into_inner(house).unwrap()), false).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_history_has_two_holders_an_unapproved_read_a_lost_check_in_or_an_answer_without_record()
{
    let history = Arc::new(History::default());
    let mut house = furnished().await;
    for turn in 0..ROUNDS {
        house = round(house, &history, 0x5EED + turn as u64).await;
    }

    let events = history.events.lock().unwrap().clone();
    let won = |operation| {
        let of = events.iter().filter(|event| event.operation == operation);
        of.filter(|event| matches!(event.ended, Some((_, true))))
            .count()
    };
    for operation in [Operation::CheckOut, Operation::Retrieve, Operation::CheckIn] {
        assert!(won(operation) > 3, "the history is too poor: {operation:?}");
    }
    assert_one_holder(&events);
    assert_held_while_read(&events);
    assert_approved(&events);
    assert_recorded(&events, &house);
}

fn of(events: &[Event], user: usize, operation: Operation) -> impl Iterator<Item = &Event> {
    let wanted = move |event: &&Event| event.user == user && event.operation == operation;
    events.iter().filter(wanted)
}

fn yes(event: &Event) -> Option<u64> {
    event.ended.and_then(|(at, yes)| yes.then_some(at))
}

/// Whether it may have been done: it was answered with yes, or with nothing.
fn perhaps(event: &Event) -> bool {
    event.ended.is_none_or(|(_, yes)| yes)
}

fn assert_one_holder(events: &[Event]) {
    let mut held: Vec<(u64, u64, usize)> = Vec::new();
    for user in 0..USERS {
        for taken in of(events, user, Operation::CheckOut) {
            let Some(since) = yes(taken) else { continue };
            let given_back = of(events, user, Operation::CheckIn)
                .filter(|event| perhaps(event))
                // It may have been given back, too, by a step that began before this one's answer.
                .filter(|event| event.ended.is_none_or(|(at, _)| at > taken.begun))
                .map(|event| event.begun)
                .min();
            held.push((since, given_back.unwrap_or(u64::MAX), user));
        }
    }
    for (since, until, user) in &held {
        for (other_since, other_until, other) in &held {
            let together = user != other && since.max(other_since) < until.min(other_until);
            assert!(
                !together,
                "{user} and {other} hold it at {since} and {other_since}"
            );
        }
    }
}

fn assert_held_while_read(events: &[Event]) {
    for user in 0..USERS {
        for read in of(events, user, Operation::Retrieve) {
            let Some(answered) = yes(read) else { continue };
            let held = of(events, user, Operation::CheckOut)
                .filter(|taken| perhaps(taken) && taken.begun < answered)
                .any(|taken| !surely_given_back(events, user, taken, read.begun));
            assert!(held, "{read:?} without a check-out");
        }
    }
}

/// Whether what was `taken` had been given back before `at`, whatever was unclear.
fn surely_given_back(events: &[Event], user: usize, taken: &Event, at: u64) -> bool {
    let Some((since, _)) = taken.ended else {
        // Broken off: a check-in that was answered with yes after it ends it, too.
        return of(events, user, Operation::CheckIn)
            .any(|back| back.begun > taken.begun && yes(back).is_some_and(|done| done < at));
    };
    of(events, user, Operation::CheckIn)
        .any(|back| back.begun > since && yes(back).is_some_and(|done| done < at))
}

fn assert_approved(events: &[Event]) {
    for user in 0..USERS {
        let taken = of(events, user, Operation::CheckOut).filter(|event| yes(event).is_some());
        for taken in taken {
            let answered = yes(taken).unwrap();
            // As many approvals as check-outs, up to here: each is for one.
            let asked = of(events, user, Operation::Request)
                .filter(|event| perhaps(event) && event.begun < answered)
                .count();
            let approved = of(events, user, Operation::Approve)
                .filter(|event| perhaps(event) && event.begun < answered)
                .count();
            let used = of(events, user, Operation::CheckOut)
                .filter(|event| yes(event).is_some_and(|at| at <= answered))
                .count();
            assert!(
                used <= approved && used <= asked,
                "{taken:?}: {used} of {approved}"
            );
        }
    }
}

fn assert_recorded(events: &[Event], house: &House) {
    let mut told: HashMap<(RequestId, Operation), Outcome> = HashMap::new();
    let mut query = Query {
        limit: 1_000,
        ..Query::default()
    };
    loop {
        let page = house.ledger.read(&query).unwrap();
        for entry in &page.entries {
            let (Word::Known(operation), Word::Known(outcome)) = (&entry.operation, &entry.outcome)
            else {
                panic!("{entry:?}");
            };
            // Newest first: the last word on a request counts.
            told.entry((entry.request, *operation)).or_insert(*outcome);
        }
        match page.next {
            Some(next) => query.before = Some(next),
            None => break,
        }
    }
    for event in events {
        let Some((_, yes)) = event.ended else {
            continue;
        };
        let outcome = told.get(&(event.request, event.operation));
        let fits = match outcome {
            Some(Outcome::Allowed) => yes,
            Some(Outcome::Refused(_) | Outcome::Failed) => !yes,
            None => false,
        };
        assert!(fits, "{event:?}: {outcome:?}");
    }
}
