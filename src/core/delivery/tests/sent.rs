//! Where an event was sent: what may have been created for it is looked for there, by every message of it and by whoever retries its
//! dead letter.
//!
//! Not here: rows of a ledger, which tell it too (`claimed`).

use super::brake::refused;
use super::turns::procedure;
use super::*;
use crate::core::event::Identity;
use crate::core::progress::{Next, Progress};
use crate::core::recent::Known;

/// Where other rules sent the event `m1`.
pub(super) fn before() -> Lookup {
    Lookup { procedure: procedure("ticket"), attribute: "old".to_owned(), value: "m1".into() }
}

/// A message out of a delay queue, of an event that other rules sent elsewhere.
fn delayed() -> Message {
    let progress = Progress { next: Next::Lookup, ..Progress::default() };
    let state = DelayedState { progress, sent: Some(before()), ..DelayedState::default() };
    Message { delayed_state: Some(state.encode()), ..event("found.lead", "m1") }
}

fn identity(bench: &Bench, id: EventId) -> Identity {
    bench.machine.held.get(id).and_then(|event| event.context.identity).unwrap()
}

/// One that lost the answer of its create, and comes to an end by the dead letter that another message of its event had before; and
/// the letter that it has then.
fn ended_in_doubt(bench: &mut Bench) -> (ReceiptId, Settlement) {
    bench.machine.setup.policy.lookup_window = Duration::ZERO;
    let (refusal, _) = bench.event("found.lead", "m1");
    let same = identity(bench, refusal);
    drop(bench.replied(refusal, refused()));
    bench.keeps = false;
    drop(bench.after(SECOND));
    let (lost, done) = bench.message(delayed());
    assert_eq!(done.lookups, [lost], "where it was sent before");
    assert_eq!(bench.replied(lost, absent()).creates, [lost], "by the rules of now");
    bench.machine.setup.policy.lookup_window = 45 * SECOND;
    let mut done = bench.replied(lost, timed_out());
    // A third one is heard of.
    bench.machine.recent.remember(same, Known::Underway(Box::default(), None), None, None);
    while done.settled.is_empty() {
        let looked = std::mem::take(&mut done.lookups);
        looked.into_iter().for_each(|id| drop(bench.replied(id, absent())));
        done = bench.after(SECOND);
    }
    done.settled.remove(0)
}

#[test]
fn a_dead_letter_by_the_verdict_on_another_message_says_where_its_own_create_may_have_been_applied() {
    let (_, settlement) = ended_in_doubt(&mut Bench::new(64));
    let Settlement::DeadLetter(letter) = settlement else { panic!("{settlement:?}") };
    assert_eq!((letter.may_exist, letter.sent.map(|sent| sent.procedure)), (true, Some(procedure("lead"))));
}

#[test]
fn after_such_a_letter_another_message_of_the_event_looks_there() {
    let mut bench = Bench::new(64);
    drop(ended_in_doubt(&mut bench));
    let (third, done) = bench.message(delayed());
    assert_eq!(done.lookups, [third]);
    let event = bench.machine.held.get(third).unwrap();
    let looks = event.lookup.as_ref().map(|lookup| lookup.procedure.clone());
    assert_eq!((event.progress.unsure_creates, looks), (1, Some(procedure("lead"))));
}

#[test]
fn a_message_that_comes_again_has_the_letter_of_its_event_as_it_stands_by_now() {
    let mut bench = Bench::new(64);
    drop(ended_in_doubt(&mut bench));
    let done = bench.message(again("found.lead", "m1")).1;
    let [(_, Settlement::DeadLetter(letter))] = &done.settled[..] else { panic!("{done:?}") };
    let sent = letter.sent.as_ref().map(|sent| sent.procedure.clone());
    assert_eq!((letter.may_exist, sent), (true, Some(procedure("lead"))));
}

#[test]
fn a_letter_that_is_delayed_with_its_verdict_takes_along_where_it_may_have_been_created() {
    let mut bench = Bench::new(64);
    let (receipt, _) = ended_in_doubt(&mut bench);
    drop(bench.on(Input::Refused { receipt }));
    let done = bench.on(Input::Command(Command::Drain));
    let delays = done.settled.iter().filter_map(|(_, settlement)| match settlement {
        Settlement::Delay(_, state) if state.verdict.is_some() => state.sent.as_ref().map(|sent| &sent.procedure),
        _ => None,
    });
    assert_eq!(delays.collect::<Vec<_>>(), [&procedure("lead")], "{done:?}");
}
