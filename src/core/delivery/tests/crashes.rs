//! Requests that panic, and receipts that are settled once.
//!
//! Not here: a process that dies (`tests/kill`).

use super::*;
use crate::core::delivery::context::Context;
use crate::core::progress::Progress;
use crate::core::reason::Reason;

#[test]
fn an_event_whose_request_panics_is_delayed_with_a_count_and_dead_after_three() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.resend_after = Duration::ZERO;
    let mut delayed_state: Option<DelayedState> = None;
    for crashes in 1..=2 {
        let message =
            Message { delayed_state: delayed_state.as_ref().map(DelayedState::encode), ..event("lead", "m1") };
        let (receipt, done) = bench.message(message);
        assert_eq!(done.creates, [receipt]);
        let mut done = bench.on(Input::Panicked { event: receipt });
        let (settled, Settlement::Delay(_, state)) = done.settled.remove(0) else {
            panic!("expected it to be delayed")
        };
        assert_eq!((settled, state.progress.crashes), (receipt, crashes));
        assert!(state.progress.unsure_creates > 0, "its create may have been applied");
        delayed_state = Some(DelayedState { remaining: Duration::ZERO, ..*state });
    }
    let (receipt, _) = bench
        .message(Message { delayed_state: delayed_state.as_ref().map(DelayedState::encode), ..event("lead", "m1") });
    let mut done = bench.on(Input::Panicked { event: receipt });
    let (_, Settlement::DeadLetter(dead_letter)) = done.settled.remove(0) else { panic!("expected a dead letter") };
    assert_eq!(dead_letter.fault.reason, Reason::Crashing);
}

#[test]
fn the_receipt_of_one_whose_place_a_copy_took_is_named_once_and_the_copy_is_answered_by_its_request() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("lead", "m1");
    assert!(bench.on(Input::Disconnected).settled.is_empty(), "its request is under way");
    drop(bench.on(Input::Connected { can_delay: true }));
    let (second, done) = bench.message(again("lead", "m1"));
    assert_eq!((done.settled, done.creates), (vec![(first, Settlement::Release)], vec![]));
    let done = bench.replied(first, created());
    assert_eq!(done.settled, [(second, Settlement::Ack)]);
    assert_eq!(bench.machine.held(), 0);
}

#[test]
fn what_is_cut_off_is_given_back_and_its_late_reply_changes_nothing() {
    let mut bench = Bench::new(64);
    let (receipt, _) = bench.event("lead", "m1");
    let done = bench.on(Input::Command(Command::CutOff));
    assert!(matches!(done.settled[..], [(settled, Settlement::Delay(..))] if settled == receipt), "{done:?}");
    let done = bench.replied(receipt, created());
    assert!(done.settled.is_empty() && done.told.is_empty());
}

#[test]
fn of_two_events_of_one_key_each_copy_takes_the_place_of_its_own_and_no_second_create_goes_out() {
    let mut bench = Bench::new(64);
    let body = |text: &str| Message { body: Arc::new(text.as_bytes().to_vec()), ..event("lead", "m1") };
    let (first, _) = bench.message(body(r#"{"of":1}"#));
    let (second, _) = bench.message(body(r#"{"of":2}"#));
    drop(bench.on(Input::Disconnected));
    drop(bench.on(Input::Connected { can_delay: true }));
    for (text, place) in [(r#"{"of":2}"#, second), (r#"{"of":1}"#, first)] {
        let (copy, done) = bench.message(Message { redelivered: true, ..body(text) });
        assert_eq!((done.creates, done.settled), (vec![], vec![(place, Settlement::Release)]));
        assert_eq!(bench.replied(place, created()).settled, [(copy, Settlement::Ack)]);
    }
}

#[test]
fn nothing_is_begun_for_a_message_whose_connection_is_gone() {
    let mut bench = Bench::new(64);
    let message = Box::new(event("lead", "m1"));
    let done = bench.on(Input::Message { receipt: 7, message, is_live: false });
    assert_eq!((done.creates, done.settled), (vec![], vec![(7, Settlement::Release)]));
}

#[test]
fn one_shut_procedure_does_not_stand_before_the_checks_of_other_rules() {
    let mut bench = Bench::new(64);
    let shut = rules(&format!(
        "{RULES}\n[[rule]]\nname = \"a\"\ntype = \"a\"\nprocedure = \"ticket\"\nreconcile_by = \"event_key\"\n[rule.data]\nevent_key = \"{{{{ key }}}}\""
    ));
    drop(bench.on(Input::Command(Command::NewRules(Arc::new(shut)))));
    let (lead, _) = bench.event("lead", "m0");
    drop(bench.replied(lead, created()));
    let (a, _) = bench.event("a", "m1");
    let (other, _) = bench.event("ticket", "m2");
    drop(bench.replied(other, status(429)));
    drop(bench.replied(a, created()));
    let (found, _) = bench.event("found.lead", "m3");
    let done = bench.replied(found, created());
    assert_eq!(done.checks.iter().map(|(rule, _)| &**rule).collect::<Vec<_>>(), ["found"]);
}

/// A message that the broker gave back so often.
fn returned(id: &str, returns: u32) -> Message {
    let body = Arc::new(format!(r#"{{"id": "{id}"}}"#).into_bytes());
    Message { redelivered: true, deliveries: Some(returns), body, ..event("lead", id) }
}

fn loses_its_connection(bench: &mut Bench) {
    drop(bench.on(Input::Disconnected));
    drop(bench.on(Input::Connected { can_delay: true }));
}

#[test]
fn connections_that_were_lost_before_say_nothing_of_a_message_that_took_other_processes_down() {
    let mut bench = Bench::new(64);
    for _ in 0..20 {
        drop(bench.message(returned("m0", 1)));
        loses_its_connection(&mut bench);
    }
    let (_, done) = bench.message(returned("m1", 5));
    assert_eq!(done.settled, [], "it may have been on its way at each loss of a moment ago");
    drop(bench.after(Duration::from_secs(3601)));
    let (_, done) = bench.message(returned("m2", 5));
    assert!(matches!(done.settled[..], [(_, Settlement::Delay(..))]), "five returns that none of these were: {done:?}");
    loses_its_connection(&mut bench);
    let (_, done) = bench.message(returned("m3", 6));
    assert!(matches!(done.settled[..], [(_, Settlement::Delay(..))]), "one that may be ours, and five: {done:?}");
}

#[test]
fn a_message_that_was_held_here_when_a_connection_was_lost_is_not_what_this_process_dies_of() {
    let mut bench = Bench::new(64);
    for returns in 1..=20 {
        let (_, done) = bench.message(returned("m1", returns - 1));
        let is_kept = |(_, settlement): &(_, Settlement)| *settlement == Settlement::Release;
        assert!(done.settled.iter().all(is_kept), "connections of this process alone gave it back: {done:?}");
        loses_its_connection(&mut bench);
        drop(bench.after(Duration::from_secs(3601)));
    }
}

#[test]
fn one_whose_create_is_under_way_is_taken_back_whatever_became_of_it_elsewhere_meanwhile() {
    let mut bench = Bench::new(64);
    let (first, done) = bench.message(Message { redelivered: false, deliveries: None, ..returned("m1", 0) });
    assert_eq!(done.creates, [first]);
    loses_its_connection(&mut bench);
    drop(bench.after(Duration::from_secs(3601)));
    let (copy, done) = bench.message(returned("m1", 9));
    assert_eq!((done.creates, done.settled), (vec![], vec![(first, Settlement::Release)]));
    assert_eq!(bench.replied(first, created()).settled, [(copy, Settlement::Ack)]);
}

#[test]
fn only_a_create_that_is_cut_off_counts_as_lost_and_a_lookup_never() {
    let messages = [event("found.lead", "m1"), again("found.lead", "m1")];
    for (is_panic, message) in [true, false].into_iter().flat_map(|is_panic| messages.clone().map(|it| (is_panic, it)))
    {
        let mut bench = Bench::new(64);
        let is_create = !message.redelivered;
        let (receipt, _) = bench.message(message);
        let end = if is_panic { Input::Panicked { event: receipt } } else { Input::Command(Command::CutOff) };
        let mut done = bench.on(end);
        let (_, Settlement::Delay(_, state)) = done.settled.remove(0) else { panic!("expected it to be delayed") };
        let lost = (state.progress.unsure_creates > 0, state.progress.unsure_ms > 0);
        assert_eq!(lost, (is_create, is_create));
    }
}

#[test]
fn without_delay_queues_an_event_whose_request_panics_waits_here_and_is_dead_after_three() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.resend_after = Duration::ZERO;
    drop(bench.on(Input::Connected { can_delay: false }));
    let (receipt, mut done) = bench.event("lead", "m1");
    for _ in 1..=2 {
        assert_eq!(done.creates, [receipt]);
        let crashed = bench.on(Input::Panicked { event: receipt });
        assert!(crashed.settled.is_empty(), "{crashed:?}");
        assert!(matches!(&crashed.reports[..], [Report::TryFailed(failed)] if failed.reason == "crashing"));
        assert!(bench.after(9 * SECOND).creates.is_empty());
        done = bench.after(62 * SECOND);
        let is_doubt = |report: &Report| matches!(report, Report::PossibleDuplicate { .. });
        assert!(done.reports.iter().any(is_doubt), "its create may have been applied");
    }
    let mut done = bench.on(Input::Panicked { event: receipt });
    let (_, Settlement::DeadLetter(dead_letter)) = done.settled.remove(0) else { panic!("expected a dead letter") };
    assert_eq!(dead_letter.fault.reason, Reason::Crashing);
}

#[test]
fn without_delay_queues_a_panic_after_the_connection_is_lost_is_no_verdict() {
    let mut bench = Bench::new(64);
    drop(bench.on(Input::Connected { can_delay: false }));
    let (receipt, _) = bench.event("found.lead", "m1");
    drop(bench.on(Input::Disconnected));
    let done = bench.on(Input::Panicked { event: receipt });
    assert_eq!(done.settled, [(receipt, Settlement::Release)]);
    drop(bench.on(Input::Connected { can_delay: false }));
    let (copy, done) = bench.message(again("found.lead", "m1"));
    assert_eq!((done.lookups, done.settled), (vec![copy], vec![]));
}

#[test]
fn without_delay_queues_an_event_that_can_be_looked_up_is_looked_up_after_a_panic() {
    let mut bench = Bench::new(64);
    drop(bench.on(Input::Connected { can_delay: false }));
    let (receipt, _) = bench.event("found.lead", "m1");
    drop(bench.on(Input::Panicked { event: receipt }));
    let done = bench.after(70 * SECOND);
    assert_eq!((done.lookups, done.creates), (vec![receipt], vec![]));
}

#[test]
fn without_delay_queues_a_message_whose_opening_panics_is_opened_again_and_dead_after_three() {
    let mut bench = Bench::new(64);
    drop(bench.on(Input::Connected { can_delay: false }));
    let crashed = |crashes: u32| {
        let progress = Progress { crashes, ..Progress::default() };
        let state = DelayedState { progress, ..DelayedState::default() };
        Message { delayed_state: Some(state.encode()), ..event("lead", &format!("m{crashes}")) }
    };
    for before in 0..2 {
        bench.machine.opening_crashed(7, crashed(before));
        let done = bench.on(Input::Timer);
        assert!(done.settled.is_empty() && done.creates.is_empty(), "{done:?}");
        let done = bench.after(71 * SECOND);
        assert_eq!(done.creates, [7], "it is opened again");
        assert_eq!(bench.machine.held.get(7).map(|event| event.progress.crashes), Some(before + 1));
        drop(bench.replied(7, created()));
    }
    bench.machine.opening_crashed(7, crashed(2));
    let mut done = bench.on(Input::Timer);
    let (_, Settlement::DeadLetter(dead_letter)) = done.settled.remove(0) else { panic!("expected a dead letter") };
    assert_eq!(dead_letter.fault.reason, Reason::Crashing);
}

#[test]
fn what_a_process_may_die_of_is_dead_after_the_returns_of_all_crashes_where_nothing_can_be_delayed() {
    let mut bench = Bench::new(64);
    drop(bench.on(Input::Connected { can_delay: false }));
    let message = Message { redelivered: true, deliveries: Some(15), ..event("lead", "m1") };
    let (_, mut done) = bench.message(message);
    let (_, Settlement::DeadLetter(dead_letter)) = done.settled.remove(0) else { panic!("expected a dead letter") };
    assert_eq!(dead_letter.fault.reason, Reason::Crashing);
}

#[test]
fn what_is_remembered_of_an_event_whose_handling_crashed_has_not_waited_with_it() {
    let mut bench = Bench::new(64);
    let (event, _) = bench.message(again("found.lead", "m1"));
    drop(bench.on(Input::Panicked { event }));
    // A producer repeats it: it goes on from there, and is looked for as long as the window lasts.
    let (other, done) = bench.event("found.lead", "m1");
    assert_eq!(done.lookups, [other]);
    assert_eq!(bench.machine.held.get(other).unwrap().progress.since_create, Some(Duration::ZERO));
}

impl Machine {
    /// What `opened` does where `open` says that it crashed.
    fn opening_crashed(&mut self, receipt: ReceiptId, message: Message) {
        let state =
            message.delayed_state.as_deref().map(|text| DelayedState::decode(text).unwrap()).unwrap_or_default();
        let context = Context {
            receipt,
            is_live: true,
            key: None,
            identity: None,
            is_new: false,
            is_retry: false,
            compares: super::super::compares::Compares::default(),
            rule: None,
            procedure: None,
            request: None,
            state,
            body: Arc::clone(&message.body),
            received: self.now.moment,
            kind: None,
            message_id: None,
            claim: super::super::ticket::Ticket::default(),
            made_ms: 0,
            is_outcome: false,
            waits_for_source: false,
            trace: None,
        };
        self.crashed_before(context, message);
    }
}
