//! A dead letter that somebody puts back: it opens as a lookup, by the rules for the route of its event.
//!
//! Not here: how its headers are read (`amqp::headers`), and the ways to put one back (`tests/broker/put_back.rs`).

use super::*;
use crate::core::lookup::Lookup;
use crate::core::put_back::PutBack;

/// The event of that id as somebody puts it back, over the default exchange, after it died for this reason.
fn put_back(reason: &str, id: &str, routing_key: &str) -> Message {
    let letter = PutBack {
        reason: reason.to_owned(),
        exchange: Some("crm".to_owned()),
        routing_key: Some(routing_key.to_owned()),
        first_seen_ms: 1_600_000_000_000,
        last_seen_ms: 1_600_000_060_000,
        ..PutBack::default()
    };
    Message { kind: None, put_back: Some(letter), routing_key: "work".to_owned(), ..event("", id) }
}

fn refused() -> Reply {
    json(422, Wrapper { is_api_word: true, ..Wrapper::default() })
}

/// The reasons of what certainly became no process, and of what may have.
const SURE: [&str; 9] = [
    "undecodable",
    "too_large",
    "no_rule",
    "unmappable",
    "schema",
    "refused",
    "exhausted",
    "key_reused",
    "of another release",
];
const DOUBTFUL: [&str; 2] = ["unknown", "crashing"];

#[test]
fn a_dead_letter_that_is_put_back_is_looked_up_before_anything_is_sent() {
    for reason in SURE.into_iter().chain(DOUBTFUL) {
        let mut bench = Bench::new(64);
        let (id, done) = bench.message(put_back(reason, "m1", "found.lead"));
        assert_eq!((done.lookups.as_slice(), done.creates.len()), ([id].as_slice(), 0), "{reason}");
        assert_eq!(bench.replied(id, found("m1")).told[0].result, "found", "{reason}: and makes no second process");
    }
}

#[test]
fn what_is_not_found_is_created_once_and_where_it_may_be_a_process_only_after_the_window_and_announced() {
    for reason in SURE.into_iter().chain(DOUBTFUL) {
        let mut bench = Bench::new(64);
        drop(bench.on(Input::Connected { can_delay: false }));
        let (id, _) = bench.message(put_back(reason, "m1", "found.lead"));
        let mut done = bench.replied(id, absent());
        let mut waited = Duration::ZERO;
        while done.creates.is_empty() && waited < 120 * SECOND {
            waited += SECOND;
            done = bench.after(SECOND);
            if !done.lookups.is_empty() {
                done = bench.replied(id, absent());
            }
        }
        let is_doubtful = DOUBTFUL.contains(&reason);
        assert_eq!(done.creates, [id], "{reason}");
        assert_eq!(waited >= 45 * SECOND, is_doubtful, "{reason}: {waited:?}");
        let announced = done.reports.iter().any(|report| matches!(report, Report::PossibleDuplicate { .. }));
        assert_eq!(announced, is_doubtful, "{reason}");
    }
}

#[test]
fn where_no_lookup_is_it_is_the_doubt_that_it_was() {
    for reason in SURE {
        let mut bench = Bench::new(64);
        let (id, done) = bench.message(put_back(reason, "m1", "lead"));
        assert_eq!((done.creates.as_slice(), done.lookups.len()), ([id].as_slice(), 0), "{reason}");
        assert!(!done.reports.iter().any(|report| matches!(report, Report::PossibleDuplicate { .. })), "{reason}");
    }
    for reason in DOUBTFUL {
        let mut bench = Bench::new(64);
        let (id, done) = bench.message(put_back(reason, "m1", "lead"));
        assert!(done.creates.is_empty() && done.lists.len() == 1, "{reason}: nothing shows that creates work");
        let (other, _) = bench.event("lead", "m2");
        let done = bench.replied(other, created());
        assert_eq!(done.creates, [id], "{reason}");
        let announced = |report: &Report| matches!(report, Report::PossibleDuplicate { .. });
        assert!(done.reports.iter().any(announced), "{reason}: a person asked for it, and it is said");
        let again = bench.replied(id, timed_out());
        assert_eq!(again.told[0].reason(), "unknown", "{reason}: no further one goes by itself");
    }
}

#[test]
fn rules_match_on_the_route_of_its_event_and_it_keeps_it_if_it_dies_again() {
    let mut bench = Bench::new(64);
    let (id, done) = bench.message(put_back("refused", "m1", "ticket"));
    assert_eq!(done.creates, [id], "by the rule for `ticket`, and not `no_rule` for `work`");
    let done = bench.replied(id, refused());
    let Settlement::DeadLetter(letter) = &done.settled[0].1 else { panic!("{:?}", done.settled) };
    assert_eq!(letter.origin, Some(("crm".to_owned(), "ticket".to_owned())));
    assert_eq!((letter.first_seen_ms, letter.rule.as_deref()), (1_600_000_000_000, Some("ticket")));
    let (_, done) = bench.message(put_back("no_rule", "m2", "unheard.of"));
    let Settlement::DeadLetter(letter) = &done.settled[0].1 else { panic!("{:?}", done.settled) };
    assert_eq!((letter.fault.reason.as_str(), &letter.origin), ("no_rule", &Some(("crm".into(), "unheard.of".into()))));
}

#[test]
fn it_keeps_its_route_through_a_delay_queue_too() {
    let mut bench = Bench::new(64);
    let (id, _) = bench.message(put_back("refused", "m1", "ticket"));
    let throttled = Reply::Response(Response { retry_after: Some(60 * SECOND), ..Response::new(429, Body::Empty) });
    let done = bench.replied(id, throttled);
    let Settlement::Delay(_, state) = &done.settled[0].1 else { panic!("{:?}", done.settled) };
    assert_eq!((state.exchange.as_str(), state.routing_key.as_str()), ("crm", "ticket"));
}

#[test]
fn what_died_in_this_process_before_is_opened_all_the_same() {
    for is_redelivered in [false, true] {
        let mut bench = Bench::new(64);
        let (id, _) = bench.event("found.lead", "m1");
        drop(bench.replied(id, refused()));
        let message = Message { redelivered: is_redelivered, ..put_back("refused", "m1", "found.lead") };
        let (id, done) = bench.message(message);
        assert_eq!(
            (done.lookups.as_slice(), done.settled.len()),
            ([id].as_slice(), 0),
            "redelivered: {is_redelivered}"
        );
    }
}

#[test]
fn what_another_replica_delayed_is_opened_after_its_letter_only_if_it_was_put_back_since() {
    for (retries, redelivered) in [(0, false), (1, false), (1, true)] {
        let mut bench = Bench::new(64);
        bench.machine.setup.policy.on_unknown = OnUnknown::DeadLetter;
        bench.machine.setup.policy.resend_after = Duration::ZERO;
        let (id, _) = bench.event("lead", "m1");
        assert_eq!(bench.replied(id, timed_out()).told[0].reason(), "unknown");
        let state = DelayedState { retries, is_retry: retries > 0, first_seen_ms: 1, ..DelayedState::default() };
        let delayed = Message { delayed_state: Some(state.encode()), redelivered, ..event("lead", "m1") };
        let (id, done) = bench.message(delayed);
        match retries {
            0 => assert_eq!((done.creates.len(), done.told[0].reason()), (0, "unknown"), "{done:?}"),
            _ => assert_eq!((done.creates, done.settled.len()), (vec![id], 0), "redelivered: {redelivered}"),
        }
    }
}

#[test]
fn of_two_copies_of_a_dead_letter_one_creates() {
    let mut bench = Bench::new(64);
    let (one, _) = bench.message(put_back("refused", "m1", "found.lead"));
    let (other, _) = bench.message(put_back("refused", "m1", "found.lead"));
    let mut creates = bench.replied(one, absent()).creates;
    creates.extend(bench.replied(other, absent()).creates);
    assert_eq!(creates.len(), 1);
    let first = creates.remove(0);
    creates.extend(bench.replied(first, created()).creates);
    creates.extend((0..20).flat_map(|_| bench.after(SECOND / 4).creates));
    assert!(creates.is_empty(), "a second process: {creates:?}");
}

#[test]
fn a_letter_that_may_be_a_process_says_where_it_was_sent_and_its_retry_is_looked_for_there_whatever_the_rules_say() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.on_absent = OnAbsent::DeadLetter;
    drop(bench.on(Input::Connected { can_delay: false }));
    let (id, _) = bench.event("found.lead", "m1");
    let mut done = bench.replied(id, timed_out());
    for _ in 0..300 {
        if !done.settled.is_empty() {
            break;
        }
        done = if done.lookups.is_empty() { bench.after(SECOND) } else { bench.replied(id, absent()) };
    }
    let Some((_, Settlement::DeadLetter(letter))) = done.settled.pop() else { panic!("no letter: {done:?}") };
    let sent = letter.sent.clone().expect("it may be a process");
    assert_eq!((sent.attribute.as_str(), sent.procedure.as_str()), ("event_key", "lead"));
    for (reason, wanted) in [("unknown", "before"), ("refused", "event_key")] {
        let mut message = put_back(reason, "m1", "found.lead");
        let before = Lookup { attribute: "before".to_owned(), ..sent.clone() };
        message.put_back = message.put_back.map(|letter| PutBack { sent: Some(before), ..letter });
        let mut bench = Bench::new(64);
        let (id, done) = bench.message(message);
        let lookup = bench.machine.held.get(id).and_then(|event| event.lookup.clone()).expect("it is looked up");
        assert_eq!((lookup.attribute.as_str(), done.lookups.len()), (wanted, 1), "{reason}");
    }
}
