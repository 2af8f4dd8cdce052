//! Where an event stands that comes again, by its header and by what is known here of its other messages.
//!
//! Not here: what follows from where it stands (`walks`, `repeats`).

use super::others::plain;
use super::outcomes::{keep, outcome, refuse, telling};
use super::repeats::{ends, is_announced, refused};
use super::*;
use crate::core::progress::Progress;

/// `m1` of this type out of a delay queue, where it stood so.
fn travelled(kind: &str, progress: Progress) -> Message {
    let state = DelayedState { progress, first_seen_ms: 1, ..DelayedState::default() };
    Message { delayed_state: Some(state.encode()), ..event(kind, "m1") }
}

/// Where this message stands as it comes in, and whether it is announced that its create may be the second.
fn stands(bench: &mut Bench, message: Message) -> (Progress, bool) {
    let (id, done) = bench.message(message);
    (bench.machine.held.get(id).unwrap().progress.clone(), is_announced(&done))
}

#[test]
fn what_comes_out_of_a_delay_queue_stands_where_its_header_says_and_what_is_delivered_again_where_more_is_known() {
    for (redelivered, attempts) in [(false, 0), (true, 1)] {
        let mut bench = Bench::new(64);
        let (first, _) = bench.event("lead", "m1");
        assert_eq!(bench.replied(first, busy()).settled.len(), 1);
        let message = Message { redelivered, ..travelled("lead", Progress::default()) };
        assert_eq!(stands(&mut bench, message).0.attempts, attempts, "{redelivered}");
    }
    // What is remembered of it has not waited with it.
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.max_local_delay = Duration::ZERO;
    let (first, _) = bench.event("found.lead", "m1");
    drop(bench.replied(first, timed_out()));
    let done = bench.replied(first, absent());
    let [(_, Settlement::Delay(_, state))] = &done.settled[..] else { panic!("{done:?}") };
    let since = state.progress.since_create;
    assert!(since >= Some(10 * SECOND));
    assert_eq!(stands(&mut bench, travelled("found.lead", state.progress.clone())).0.since_create, since);
}

#[test]
fn what_died_by_another_message_leaves_nothing_of_it_where_no_create_is_in_doubt() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("lead", "m1");
    drop(bench.replied(first, refused()));
    assert_eq!(stands(&mut bench, event("lead", "m1")).0.attempts, 0, "it is published anew");
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("lead", "m1");
    drop(bench.replied(first, refused()));
    assert_eq!(stands(&mut bench, travelled("lead", Progress::default())).0.attempts, 0, "its header says so");
}

#[test]
fn what_has_an_unknown_create_behind_it_is_sent_for_no_message_of_its_event_out_of_a_delay_queue() {
    let knows = Progress { unsure_creates: 1, since_create: Some(50 * SECOND), ..Progress::default() };
    for progress in [Progress::default(), knows] {
        let mut bench = Bench::new(64);
        bench.machine.setup.policy.on_unknown = OnUnknown::DeadLetter;
        bench.machine.setup.policy.resend_after = Duration::ZERO;
        let (first, _) = bench.event("lead", "m1");
        assert_eq!(bench.replied(first, timed_out()).told[0].reason(), "unknown");
        let (_, done) = bench.message(travelled("lead", progress));
        assert_eq!((done.creates.len(), done.told[0].reason()), (0, "unknown"), "{done:?}");
    }
}

#[test]
fn what_was_refused_and_is_published_anew_is_created_without_a_lookup() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("found.lead", "m1");
    drop(bench.replied(first, refused()));
    let (again, done) = bench.event("found.lead", "m1");
    assert_eq!((done.creates, done.lookups.len()), (vec![again], 0));
}

#[test]
fn what_another_event_of_its_key_left_in_doubt_is_no_doubt_of_this_one() {
    for is_dead in [true, false] {
        let mut bench = Bench::new(64);
        let on_unknown = if is_dead { OnUnknown::DeadLetter } else { OnUnknown::Resend };
        let policy = Policy { on_unknown, resend_after: Duration::ZERO, ..setup(64).policy };
        let mut setup = Setup { policy, ..setup(64) };
        super::others::deals(&mut setup);
        bench.machine = Machine::new(setup);
        drop(bench.on(Input::Connected { can_delay: true }));
        let (first, _) = bench.message(plain("1", "t1", "one"));
        let mut done = bench.replied(first, timed_out());
        if !is_dead {
            drop(bench.after(SECOND));
            done = bench.replied(first, busy());
        }
        assert_eq!(done.settled.len(), 1, "{done:?}");
        let (second, done) = bench.message(plain("1", "t2", "two"));
        assert_eq!((done.creates.as_slice(), is_announced(&done)), (&[second][..], false), "{is_dead}");
    }
}

#[test]
fn that_a_key_was_used_again_is_told_once_of_each_event_however_often_it_is_sent() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("lead", "m1");
    drop(bench.replied(first, created()));
    let (second, mut done) = bench.message(Message { body: Arc::new(b"{\"of\":2}".to_vec()), ..event("lead", "m1") });
    done.add(bench.replied(second, status(423)));
    done.add(bench.after(SECOND));
    assert_eq!(done.creates, [second, second]);
    assert_eq!(done.reports.iter().filter(|report| matches!(report, Report::KeyReused { .. })).count(), 1);
}

#[test]
fn the_letter_that_is_kept_late_does_not_take_the_doubt_away_that_another_message_left_meanwhile() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.resend_after = Duration::ZERO;
    bench.keeps = false;
    let (first, _) = bench.event("lead", "m1");
    drop(bench.replied(first, refused()));
    let (second, done) = bench.event("lead", "m1");
    assert_eq!(done.creates, [second]);
    drop(bench.replied(second, timed_out()));
    drop(bench.after(SECOND));
    assert_eq!(bench.replied(second, busy()).settled.len(), 1, "it is delayed");
    drop(bench.on(Input::Kept { receipt: first }));
    assert!(stands(&mut bench, event("lead", "m1")).1);
}

#[test]
fn what_says_nothing_of_an_event_does_not_count_as_a_refusal_of_it() {
    for (reply, is_refused) in [(status(401), false), (page(200), true)] {
        let mut bench = Bench::new(64);
        let (event, _) = bench.event("lead", "m1");
        drop(bench.replied(event, reply));
        assert_eq!(bench.machine.held.get(event).unwrap().progress.refused_ms > 0, is_refused);
    }
}

#[test]
fn a_letter_whose_outcome_is_not_told_yet_is_unacknowledged_until_its_connection_is_lost() {
    let mut bench = telling(8, true);
    let (receipt, _) = bench.event("lead", "m1");
    drop(bench.replied(receipt, refused()));
    drop(bench.on(Input::KeptFirst { receipt }));
    drop(bench.after(400 * SECOND));
    drop(bench.on(Input::Disconnected));
    let done = refuse(&mut bench, receipt);
    assert_eq!(
        (&done.settled[..], ends(&done)),
        (&[(receipt, Settlement::Release)][..], vec![("connection_lost", None)])
    );
    drop(bench.on(Input::Connected { can_delay: true }));
    let (copy, done) = bench.message(again("lead", "m1"));
    let told = outcome(&done);
    assert_eq!(
        (told.procedure.as_deref(), told.letter.map(|letter| letter.reason)),
        (Some("lead"), Some("refused".into()))
    );
    assert_eq!(keep(&mut bench, copy).told[0].result, "already_dead_lettered");
}

#[test]
fn a_letter_that_is_kept_after_its_connection_was_lost_is_told_of_nobody() {
    let mut bench = telling(8, true);
    let (receipt, _) = bench.event("lead", "m1");
    drop(bench.replied(receipt, refused()));
    drop(bench.on(Input::Disconnected));
    assert_eq!(bench.on(Input::KeptFirst { receipt }).settled, [(receipt, Settlement::Release)]);
}

#[test]
fn what_comes_back_for_its_outcome_where_none_is_told_any_more_ends_with_its_rule_and_its_requests() {
    let mut bench = telling(8, true);
    let (receipt, _) = bench.event("lead", "m1");
    drop(bench.replied(receipt, created()));
    drop(refuse(&mut bench, receipt));
    let done = bench.on(Input::Command(Command::Drain));
    let [(_, Settlement::Delay(_, state))] = &done.settled[..] else { panic!("{done:?}") };
    let mut silent = Bench::new(8);
    let (_, done) = silent.message(Message { delayed_state: Some(state.encode()), ..event("lead", "m1") });
    assert_eq!((done.told[0].rule.as_deref(), done.told[0].attempts), (Some("lead"), 1));
}

#[test]
fn the_outcome_of_what_follows_a_letter_says_when_that_ones_event_was_first_seen() {
    let mut bench = telling(8, true);
    let (first, _) = bench.event("lead", "m1");
    drop(bench.after(SECOND));
    let (second, _) = bench.event("lead", "m1");
    drop(bench.replied(first, refused()));
    let seen = [first, second].map(|receipt| outcome(&bench.on(Input::KeptFirst { receipt })).first_seen_ms);
    assert_eq!(seen[0], seen[1]);
}

#[test]
fn what_waited_for_the_broker_as_a_connection_was_lost_is_not_suspected_of_what_the_process_died_of() {
    for is_letter in [true, false] {
        let mut bench = telling(8, true);
        let (receipt, _) = bench.event("lead", "m1");
        drop(bench.replied(receipt, if is_letter { refused() } else { created() }));
        drop(bench.on(Input::Disconnected));
        let (survived, later) = (&bench.machine.survived, bench.now + 7200 * SECOND);
        assert_eq!(survived.suspicious(&event("lead", "m1").body, 9, later), 0, "{is_letter}");
        assert_eq!(survived.suspicious(&event("lead", "m2").body, 9, later), 9, "another");
    }
}

#[test]
fn what_was_sent_for_nothing_by_another_message_of_one_request_is_no_doubt_of_this_one() {
    let mut bench = Bench::new(64);
    let mut setup = setup(64);
    super::others::deals(&mut setup);
    bench.machine = Machine::new(setup);
    drop(bench.on(Input::Connected { can_delay: true }));
    let deal = |time: &str| super::others::cloud_event("1", time, "one");
    let (first, _) = bench.message(Message { redelivered: true, ..deal("t1") });
    assert_eq!(bench.replied(first, busy()).settled.len(), 1);
    assert!(!stands(&mut bench, deal("t2")).1);
}
