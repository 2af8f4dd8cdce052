//! Keys that several messages have here are minded, as long as it matters.
//!
//! Not here: what follows where a letter may be another's (`letters`).

use super::outcomes::{keep, processed, telling};
use super::repeats::refused;
use super::*;
use crate::core::event::Key;

/// Another body under the key of `m1`.
fn other() -> Message {
    Message { body: Arc::new(br#"{"of":"other"}"#.to_vec()), ..event("lead", "m1") }
}

/// A machine that tells outcomes, the key of `m1`, and the receipt of its first message, which is under way.
fn under_way() -> (Bench, Key, ReceiptId) {
    let mut bench = telling(8, true);
    let (receipt, _) = bench.event("lead", "m1");
    let key = bench.machine.held.get(receipt).and_then(|event| event.context.key.clone()).unwrap();
    (bench, key, receipt)
}

#[test]
fn a_message_beside_another_of_its_key_is_minded_whether_that_is_asked_for_published_or_told() {
    let (mut bench, key, _) = under_way();
    drop(bench.message(other()));
    assert!(bench.machine.company.has(&key), "under way");
    let (mut bench, key, receipt) = under_way();
    drop(bench.replied(receipt, refused()));
    drop(bench.message(other()));
    assert!(bench.machine.company.has(&key), "its letter is published");
    let (mut bench, key, receipt) = under_way();
    drop(bench.replied(receipt, created()));
    drop(bench.message(other()));
    assert!(bench.machine.company.has(&key), "its producer is told");
}

#[test]
fn a_message_after_the_end_of_another_of_its_key_is_not_minded() {
    let (mut bench, key, receipt) = under_way();
    drop(bench.replied(receipt, created()));
    drop(keep(&mut bench, receipt));
    drop(bench.message(other()));
    assert!(!bench.machine.company.has(&key), "told");
    let (mut bench, key, receipt) = under_way();
    drop(bench.replied(receipt, refused()));
    drop(keep(&mut bench, receipt));
    drop(bench.message(other()));
    assert!(!bench.machine.company.has(&key), "published");
    let (mut bench, key, _) = under_way();
    drop(bench.on(Input::Disconnected));
    drop(bench.on(Input::Connected { can_delay: true }));
    drop(bench.message(again("lead", "m1")));
    assert!(!bench.machine.company.has(&key), "the same message, which came again");
}

#[test]
fn of_several_of_one_key_that_are_published_or_told_the_last_is_minded_too() {
    let mut bench = telling(8, true);
    let (first, _) = processed(&mut bench, "lead", "m1");
    let (second, _) = bench.message(other());
    drop(bench.replied(second, created()));
    let key = bench.machine.outcomes.get(first).and_then(|telling| telling.context.key.clone()).unwrap();
    drop(keep(&mut bench, first));
    assert!(bench.machine.outcomes.has_key(&key));
    drop(keep(&mut bench, second));
    assert!(!bench.machine.outcomes.has_key(&key));
    let (first, _) = bench.event("lead", "n1");
    let key = bench.machine.held.get(first).and_then(|event| event.context.key.clone()).unwrap();
    let (second, _) = bench.message(Message { message_id: Some("n1".to_owned()), ..other() });
    for (receipt, is_one_there) in [(first, true), (second, true)] {
        drop(bench.replied(receipt, refused()));
        assert_eq!(bench.machine.publishes.has(&key), is_one_there);
    }
    drop(keep(&mut bench, first));
    assert!(bench.machine.publishes.has(&key));
    drop(keep(&mut bench, second));
    assert!(!bench.machine.publishes.has(&key));
}

#[test]
fn what_comes_out_of_a_delay_queue_leaves_the_letter_of_its_event_known() {
    let mut bench = Bench::new(8);
    let (first, _) = bench.event("lead", "m1");
    drop(bench.replied(first, refused()));
    let state = DelayedState { first_seen_ms: 1, ..DelayedState::default() }.encode();
    let (second, done) = bench.message(Message { delayed_state: Some(state), ..event("lead", "m1") });
    assert_eq!(done.creates, [second]);
    let (_, done) = bench.message(again("lead", "m1"));
    assert!(matches!(done.settled[..], [(_, Settlement::DeadLetter(_))]), "{done:?}");
}
