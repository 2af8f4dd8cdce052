//! A producer that repeats itself: one event is one process, whenever its messages come.
//!
//! Not here: what is remembered (`core::recent`), and a producer that repeats under every trouble (`tests/model`).

use super::*;
use crate::core::progress::Progress;
use crate::core::put_back::PutBack;

pub(super) fn refused() -> Reply {
    json(422, Wrapper { is_api_word: true, ..Wrapper::default() })
}

pub(super) fn is_announced(done: &Done) -> bool {
    done.reports.iter().any(|report| matches!(report, Report::PossibleDuplicate { .. }))
}

/// What was told of the ends in these effects: results and processes.
pub(super) fn ends(done: &Done) -> Vec<(&'static str, Option<&str>)> {
    done.told.iter().map(|settled| (settled.result, settled.process.as_deref())).collect()
}

/// The same event, out of a delay queue.
fn delayed(kind: &str, id: &str, settled: &[(ReceiptId, Settlement)]) -> Message {
    let Some((_, Settlement::Delay(_, state))) = settled.first() else { panic!("{settled:?}") };
    let state = DelayedState { remaining: Duration::ZERO, ..DelayedState::clone(state) };
    Message { delayed_state: Some(state.encode()), ..event(kind, id) }
}

#[test]
fn an_event_that_is_published_again_is_acknowledged_and_told_with_its_process_and_the_rule_that_made_it() {
    for kind in ["lead", "found.lead"] {
        let mut bench = Bench::new(64);
        let (first, _) = bench.event(kind, "m1");
        drop(bench.replied(first, created()));
        drop(
            bench.on(Input::Command(Command::NewRules(Arc::new(rules(&RULES.replace("name = \"", "name = \"new-")))))),
        );
        for _ in 0..3 {
            let (again, done) = bench.event(kind, "m1");
            assert_eq!(done.settled, [(again, Settlement::Ack)], "{kind}");
            assert_eq!((done.creates.len(), done.lookups.len()), (0, 0), "{kind}: nothing is asked");
            assert_eq!(ends(&done), [("duplicate", Some("p1"))], "{kind}");
            let rule = done.told[0].rule.as_deref();
            assert_eq!(rule, Some(if kind == "lead" { "lead" } else { "found" }), "whatever rule maps it now");
        }
    }
}

#[test]
fn a_message_without_a_key_of_its_own_is_no_duplicate_of_its_equal_and_neither_is_another_body() {
    let mut bench = Bench::new(64);
    let unnamed = || Message { message_id: None, ..event("lead", "m1") };
    for _ in 0..2 {
        let (_, done) = bench.message(unnamed());
        assert_eq!(done.creates.len(), 1);
        drop(bench.replied(done.creates[0], created()));
    }
    for body in [&b"{\"of\":1}"[..], b"{\"of\":2}"] {
        let (_, done) = bench.message(Message { body: Arc::new(body.to_vec()), ..event("lead", "m1") });
        assert_eq!(done.creates.len(), 1, "a message id may restart at 1");
        drop(bench.replied(done.creates[0], created()));
    }
}

#[test]
fn a_message_of_an_event_that_is_under_way_follows_it() {
    for kind in ["lead", "found.lead"] {
        let mut bench = Bench::new(64);
        let (first, _) = bench.event(kind, "m1");
        let (second, done) = bench.event(kind, "m1");
        assert!(done.creates.is_empty() && done.settled.is_empty(), "{kind}: {done:?}");
        let (other, done) = bench.event(kind, "m2");
        assert_eq!(done.creates, [other], "{kind}: others go on");
        let done = bench.replied(first, created());
        assert_eq!(done.settled, [(first, Settlement::Ack), (second, Settlement::Ack)], "{kind}: at once");
        assert_eq!(ends(&done), [("created", Some("p1")), ("duplicate", Some("p1"))]);
    }
}

#[test]
fn of_many_messages_of_one_event_one_is_sent_whatever_order_the_answers_come_in() {
    let mut bench = Bench::new(64);
    let (first, done) = bench.event("lead", "m1");
    let mut creates = done.creates.len();
    for _ in 0..20 {
        creates += bench.event("lead", "m1").1.creates.len();
    }
    creates += bench.after(30 * SECOND).creates.len();
    let done = bench.replied(first, created());
    assert_eq!((creates + done.creates.len(), done.settled.len()), (1, 21));
}

#[test]
fn a_duplicate_is_acknowledged_while_the_gate_is_shut() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("lead", "m1");
    drop(bench.replied(first, created()));
    drop(bench.on(Input::Command(Command::Pause)));
    let (again, done) = bench.event("lead", "m1");
    assert_eq!(done.settled, [(again, Settlement::Ack)]);
}

#[test]
fn what_follows_a_dead_letter_is_one_too_and_is_not_asked_again() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("lead", "m1");
    let (second, _) = bench.event("lead", "m1");
    let done = bench.replied(first, refused());
    let letters: Vec<_> = done.settled.iter().map(|(id, _)| *id).collect();
    assert_eq!((letters, done.creates.len()), (vec![first, second], 0));
    assert!(done.told.iter().all(|settled| settled.reason() == "refused"), "each has its letter");
}

#[test]
fn what_follows_a_dead_letter_says_still_that_a_create_of_its_own_may_have_been_applied() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("lead", "m1");
    let progress = Progress { unsure_creates: 1, since_create: Some(SECOND), ..Progress::default() };
    let state = DelayedState { progress, first_seen_ms: 1, ..DelayedState::default() };
    let copy = Message { delayed_state: Some(state.encode()), ..event("lead", "m1") };
    let (second, done) = bench.message(copy);
    assert!(done.creates.is_empty(), "it follows");
    let done = bench.replied(first, refused());
    let letter = done.settled.iter().find(|(id, _)| *id == second).map(|(_, settlement)| settlement);
    assert!(matches!(letter, Some(Settlement::DeadLetter(letter)) if letter.may_exist), "{letter:?}");
}

#[test]
fn an_event_that_is_published_anew_after_its_dead_letter_is_no_duplicate() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("lead", "m1");
    drop(bench.replied(first, refused()));
    let (again, done) = bench.event("lead", "m1");
    assert_eq!(done.creates, [again]);
    assert!(!is_announced(&done), "it was refused, and is no process");
}

#[test]
fn what_may_be_a_process_is_never_acknowledged_as_a_duplicate_and_its_next_create_is_announced() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.on_unknown = OnUnknown::DeadLetter;
    bench.machine.setup.policy.resend_after = Duration::ZERO;
    let (first, _) = bench.event("lead", "m1");
    let done = bench.replied(first, timed_out());
    assert_eq!(done.told[0].reason(), "unknown");
    let (again, done) = bench.event("lead", "m1");
    assert_eq!((done.creates.as_slice(), is_announced(&done)), ([again].as_slice(), true));
}

#[test]
fn a_message_that_went_to_a_delay_queue_after_a_lost_answer_leaves_its_doubt_and_its_creates_behind() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.max_local_delay = Duration::ZERO;
    bench.machine.setup.policy.resend_after = Duration::ZERO;
    let (first, _) = bench.event("lead", "m1");
    let (second, _) = bench.event("lead", "m1");
    let done = bench.replied(first, timed_out());
    let copy = delayed("lead", "m1", &done.settled);
    let done = bench.after(SECOND);
    assert_eq!((done.creates.as_slice(), is_announced(&done)), ([second].as_slice(), true), "{done:?}");
    let done = bench.replied(second, timed_out());
    assert_eq!(done.told[0].reason(), "unknown", "two creates, and no third");
    let (_, done) = bench.message(copy);
    assert_eq!((done.creates.len(), done.told[0].reason()), (0, "unknown"));
}

#[test]
fn a_message_that_comes_out_of_a_delay_queue_after_the_other_was_created_is_acknowledged() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.max_local_delay = Duration::ZERO;
    let (first, _) = bench.event("lead", "m1");
    let throttled = Reply::Response(Response { retry_after: Some(60 * SECOND), ..Response::new(429, Body::Empty) });
    let done = bench.replied(first, throttled);
    let copy = delayed("lead", "m1", &done.settled);
    drop(bench.after(70 * SECOND));
    let (again, done) = bench.event("lead", "m1");
    assert_eq!((done.creates.as_slice(), is_announced(&done)), ([again].as_slice(), false), "none was applied");
    drop(bench.replied(again, created()));
    let (copied, done) = bench.message(copy);
    assert_eq!(
        (done.settled.as_slice(), ends(&done)),
        ([(copied, Settlement::Ack)].as_slice(), vec![("already_created", Some("p1"))])
    );
}

#[test]
fn a_message_of_a_lost_connection_is_followed_and_recognised_too() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("lead", "m1");
    drop(bench.on(Input::Disconnected));
    drop(bench.on(Input::Connected { can_delay: true }));
    let (second, done) = bench.event("lead", "m1");
    assert!(done.creates.is_empty(), "the other's request is under way");
    let done = bench.replied(first, created());
    assert!(done.settled.contains(&(second, Settlement::Ack)), "{done:?}");
}

#[test]
fn a_dead_letter_that_is_put_back_is_no_duplicate_though_another_message_of_its_event_is_a_process() {
    for (kind, looks) in [("lead", false), ("found.lead", true)] {
        let mut bench = Bench::new(64);
        bench.machine.setup.policy.resend_after = Duration::ZERO;
        let (first, _) = bench.event(kind, "m1");
        drop(bench.replied(first, created()));
        let letter = PutBack { reason: "refused".to_owned(), ..PutBack::default() };
        let (again, done) =
            bench.message(Message { put_back: Some(letter), routing_key: kind.to_owned(), ..event(kind, "m1") });
        if looks {
            assert_eq!((done.lookups.as_slice(), done.creates.len()), ([again].as_slice(), 0));
        } else {
            assert_eq!((done.creates.as_slice(), is_announced(&done)), ([again].as_slice(), true));
        }
    }
}

#[test]
fn what_was_forgotten_is_an_event_like_any_other() {
    let mut bench = Bench::new(64);
    bench.machine = Machine::new(Setup { repeats: RepeatPolicy { memory: 0, ..RepeatPolicy::default() }, ..setup(64) });
    drop(bench.on(Input::Connected { can_delay: true }));
    let (first, _) = bench.event("lead", "m1");
    drop(bench.replied(first, created()));
    assert_eq!(bench.event("lead", "m1").1.creates.len(), 1);
}

#[test]
fn what_may_be_a_process_stays_in_doubt_though_its_verdict_went_through_a_delay_queue() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.on_unknown = OnUnknown::DeadLetter;
    bench.machine.setup.policy.resend_after = Duration::ZERO;
    let (first, _) = bench.event("lead", "m1");
    let mut done = bench.replied(first, timed_out());
    let Settlement::DeadLetter(letter) = done.settled.remove(0).1 else { panic!("a dead letter") };
    let verdict = Some(Box::new(crate::core::dead_letter::Verdict::of(&letter)));
    let state = DelayedState { verdict, first_seen_ms: 1, ..DelayedState::default() };
    drop(bench.message(Message { delayed_state: Some(state.encode()), ..event("lead", "m1") }));
    let (again, done) = bench.event("lead", "m1");
    assert_eq!((done.creates.as_slice(), is_announced(&done)), ([again].as_slice(), true));
}
