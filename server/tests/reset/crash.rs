//! The server is killed, or whoever asked goes away, at every step.

use std::time::Duration;

use crate::fake::{Change, Login};
use crate::scene::{NEW, OLD, scene};

/// Breaks a reset that goes so off after every step.
async fn everywhere(change: Change) {
    for logins in [&[][..], &[Login::Cut, Login::Cut]] {
        for polls in 1.. {
            if broken_off_after(polls, change, logins).await {
                break;
            }
            assert!(polls < 200, "it never came to an end");
        }
    }
}

#[tokio::test]
async fn a_change_that_is_made_is_known_wherever_it_is_broken_off() {
    everywhere(Change::Made).await;
}

#[tokio::test]
async fn a_change_that_is_not_told_is_known_wherever_it_is_broken_off() {
    everywhere(Change::NotReached).await;
}

#[tokio::test]
async fn a_change_that_is_refused_is_known_wherever_it_is_broken_off() {
    everywhere(Change::Refused).await;
}

#[tokio::test]
async fn a_line_that_is_cut_before_the_change_is_known_wherever_it_is_broken_off() {
    everywhere(Change::CutBefore).await;
}

#[tokio::test]
async fn a_line_that_is_cut_after_the_change_is_known_wherever_it_is_broken_off() {
    everywhere(Change::CutAfter).await;
}

#[tokio::test]
async fn a_change_that_is_a_lie_is_known_wherever_it_is_broken_off() {
    everywhere(Change::Lied).await;
}

#[tokio::test]
async fn a_change_that_is_truncated_loses_nothing_wherever_it_is_broken_off() {
    everywhere(Change::Truncated).await;
}

/// Breaks a reset off after so many polls, starts again, and looks; whether it had come to its
/// end.
async fn broken_off_after(polls: usize, change: Change, logins: &[Login]) -> bool {
    let scene = scene().await;
    scene.fake.changes(&[change]);
    scene.fake.logins(logins);
    let finished = broken_off(polls, scene.change(NEW)).await;
    let scene = scene.restarted().await;
    scene.fake.calm();
    let at = format!("{change:?} {logins:?} after {polls}");

    let pending = scene.pending().await;
    assert!(pending <= 1, "{at}");
    scene.house.clock.pass(Duration::from_secs(600));
    scene.house.vault.heal(true).await.unwrap();

    let has = scene.fake.password();
    if change == Change::Truncated && has != OLD {
        // Nobody knows it; both that were known are still there.
        assert_eq!(
            (scene.stored().await.as_str(), scene.pending().await),
            (OLD, 1),
            "{at}"
        );
        return finished;
    }
    assert_eq!(scene.stored().await, has, "{at}");
    // What the target has said that it took is kept.
    let most = usize::from(change == Change::Lied);
    assert!(scene.pending().await <= most, "{at}");
    finished
}

/// Polls `step` so many times and drops it; whether it came to its end.
async fn broken_off<T>(polls: usize, step: impl Future<Output = T>) -> bool {
    let mut step = std::pin::pin!(step);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(false);
        }
        left -= 1;
        step.as_mut().poll(context).map(|_| true)
    })
    .await
}
