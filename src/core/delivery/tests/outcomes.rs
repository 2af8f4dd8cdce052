//! Outcomes: an event is settled once its producer is told and not before, and what cannot be told waits or is passed over, and
//! stops nothing else.
//!
//! Not here: what travels or goes back (`untold`), the same on a real broker (`tests/outcomes`), and against an adversary (`tests/model`).

use super::*;
use crate::core::delivery::OutcomeTold;
use crate::core::outcome::{EventOutcome, OutcomeKind, OutcomeKinds, OutcomePolicy};
use crate::core::put_back::PutBack;

/// A rule of which nothing is told.
const QUIET: &str = "\n[[rule]]\nname = \"quiet\"\ntype = \"quiet\"\noutcomes = []\nprocedure = \"lead\"\n\
                     data = { event_key = \"{{ key }}\" }\n";

/// A machine that tells all outcomes; the broker keeps what it is told to.
pub(super) fn telling(places: usize, required: bool) -> Bench {
    let mut bench = Bench::new(places);
    let mut setup = setup(places);
    setup.rules = Arc::new(rules(&format!("{RULES}{QUIET}")));
    setup.outcomes = Some(OutcomePolicy { tells: OutcomeKinds::ALL, required });
    setup.gate.rejections = 0;
    bench.machine = Machine::new(setup);
    drop(bench.on(Input::Connected { can_delay: true }));
    bench.keeps = false;
    bench
}

pub(super) fn keep(bench: &mut Bench, receipt: ReceiptId) -> Done {
    bench.on(Input::Kept { receipt })
}

pub(super) fn refuse(bench: &mut Bench, receipt: ReceiptId) -> Done {
    bench.on(Input::Refused { receipt })
}

/// What is to be told, if nothing else is settled.
pub(super) fn outcomes(done: &Done) -> Vec<(ReceiptId, EventOutcome)> {
    let outcome = |(receipt, settlement): &(ReceiptId, Settlement)| match settlement {
        Settlement::Tell(outcome) => (*receipt, (**outcome).clone()),
        _ => panic!("{done:?}"),
    };
    done.settled.iter().map(outcome).collect()
}

/// The one that is to be told.
pub(super) fn outcome(done: &Done) -> EventOutcome {
    let mut all = outcomes(done);
    assert_eq!(all.len(), 1, "{done:?}");
    all.remove(0).1
}

fn told(done: &Done) -> Vec<(OutcomeKind, OutcomeTold)> {
    let told = |report: &Report| match report {
        Report::Outcome(kind, told) => Some((*kind, *told)),
        _ => None,
    };
    done.reports.iter().filter_map(told).collect()
}

/// An event that the API made a process of: its receipt, and what is to be told.
pub(super) fn processed(bench: &mut Bench, kind: &str, id: &str) -> (ReceiptId, EventOutcome) {
    let (receipt, done) = bench.event(kind, id);
    assert_eq!(done.creates, [receipt]);
    let done = bench.replied(receipt, created());
    assert!(done.told.is_empty(), "told as settled before its producer is: {done:?}");
    (receipt, outcome(&done))
}

fn rejected() -> Reply {
    json(422, Wrapper { is_api_word: true, ..Wrapper::default() })
}

#[test]
fn an_event_whose_outcome_is_not_confirmed_is_not_settled() {
    let mut bench = telling(8, true);
    let (receipt, outcome) = processed(&mut bench, "lead", "m1");
    assert_eq!((outcome.kind, outcome.process.as_deref()), (OutcomeKind::Created, Some("p1")));
    for _ in 0..20 {
        let done = bench.after(30 * SECOND);
        assert!(done.settled.is_empty() && done.told.is_empty() && done.creates.is_empty(), "{done:?}");
        assert_eq!(bench.machine.held(), 1, "it is unacknowledged until then");
    }
    let done = keep(&mut bench, receipt);
    assert_eq!(told(&done), [(OutcomeKind::Created, OutcomeTold::Told)]);
    assert_eq!((done.told[0].result, done.told[0].process.as_deref()), ("created", Some("p1")));
    assert!(done.settled.is_empty(), "whoever keeps it acknowledges: {done:?}");
    assert!(bench.machine.is_idle());
}

#[test]
fn a_dead_letter_is_kept_first_and_told_then_and_its_event_is_held_until_both_are() {
    let mut bench = telling(8, true);
    let (receipt, _) = bench.event("lead", "m1");
    let done = bench.replied(receipt, rejected());
    let [(_, Settlement::DeadLetter(letter))] = &done.settled[..] else { panic!("told before it is kept: {done:?}") };
    let named = letter.outcome.clone();
    let done = bench.on(Input::KeptFirst { receipt });
    assert_eq!(done.told[0].result, "dead_lettered");
    let outcome = outcome(&done);
    assert_eq!((outcome.kind, Some(outcome.id)), (OutcomeKind::DeadLettered, named), "the letter names it");
    assert_eq!(outcome.letter.map(|letter| (letter.reason, letter.status)), Some(("refused".to_owned(), Some(422))));
    assert_eq!(bench.machine.held(), 1);
    let done = keep(&mut bench, receipt);
    assert!(done.told.is_empty() && bench.machine.is_idle(), "it is counted once: {done:?}");
}

#[test]
fn a_refusal_waits_and_stops_no_other_route_and_no_event_of_a_rule_that_tells_nothing() {
    let mut bench = telling(8, true);
    let (receipt, _) = processed(&mut bench, "lead", "m1");
    let done = refuse(&mut bench, receipt);
    assert!(done.settled.is_empty() && done.told.is_empty(), "{done:?}");
    assert_eq!(told(&done), [(OutcomeKind::Created, OutcomeTold::Refused)]);
    assert_eq!(bench.machine.outcomes_waiting(), 1);
    let (other, _) = processed(&mut bench, "ticket", "m2");
    assert_eq!(keep(&mut bench, other).told[0].result, "created", "another route");
    let (dead, _) = bench.event("lead", "m3");
    drop(bench.replied(dead, rejected()));
    let done = bench.on(Input::KeptFirst { receipt: dead });
    assert_eq!(outcome(&done).routing_key(), "lead.dead-lettered", "of the same rule, another route");
    drop(keep(&mut bench, dead));
    let (quiet, _) = bench.event("quiet", "m4");
    let done = bench.replied(quiet, created());
    assert_eq!(done.settled, [(quiet, Settlement::Ack)], "a rule of which nothing is told");
    assert_eq!(bench.machine.held(), 1, "the first waits");
}

#[test]
fn one_at_a_time_tries_a_route_that_refuses_after_growing_waits_and_all_go_once_it_takes_one() {
    let mut bench = telling(64, true);
    let waiting: Vec<_> = (0..6).map(|id| processed(&mut bench, "lead", &format!("m{id}")).0).collect();
    waiting.iter().for_each(|receipt| drop(refuse(&mut bench, *receipt)));
    let mut waits = Vec::new();
    for _ in 0..7 {
        let began = bench.now;
        let tried = loop {
            let tried = outcomes(&bench.after(SECOND / 4));
            if !tried.is_empty() {
                break tried;
            }
        };
        assert_eq!(tried.len(), 1, "{tried:?}");
        assert!(outcomes(&bench.after(SECOND / 8)).is_empty(), "no other while it is on its way");
        assert!(outcomes(&refuse(&mut bench, tried[0].0)).is_empty());
        waits.push((bench.now - began).as_secs());
    }
    assert_eq!(waits, [0, 1, 2, 4, 8, 10, 10]);
    let tried = outcomes(&bench.after(10 * SECOND));
    let (late, again) = processed_while_refused(&mut bench);
    assert!(again.is_empty(), "what comes meanwhile waits too: {again:?}");
    let mut all: Vec<_> = outcomes(&keep(&mut bench, tried[0].0)).into_iter().map(|(receipt, _)| receipt).collect();
    all.push(tried[0].0);
    all.sort_unstable();
    assert_eq!(all, [&waiting[..], &[late]].concat());
    assert_eq!(bench.machine.outcomes_waiting(), 0);
}

/// One more event of the route that refuses, and what is to be told.
fn processed_while_refused(bench: &mut Bench) -> (ReceiptId, Vec<(ReceiptId, EventOutcome)>) {
    let (receipt, _) = bench.event("lead", "late");
    (receipt, outcomes(&bench.replied(receipt, created())))
}

#[test]
fn what_is_not_required_is_passed_over_and_counted_and_its_event_is_settled() {
    let mut bench = telling(8, false);
    let (receipt, _) = processed(&mut bench, "lead", "m1");
    let done = refuse(&mut bench, receipt);
    assert_eq!(told(&done), [(OutcomeKind::Created, OutcomeTold::PassedOver)]);
    assert_eq!((&done.settled[..], done.told[0].result), (&[(receipt, Settlement::Ack)][..], "created"));
    let (dead, _) = bench.event("lead", "m2");
    drop(bench.replied(dead, rejected()));
    drop(bench.on(Input::KeptFirst { receipt: dead }));
    let done = refuse(&mut bench, dead);
    assert_eq!(told(&done), [(OutcomeKind::DeadLettered, OutcomeTold::PassedOver)]);
    assert_eq!(done.settled, [(dead, Settlement::Ack)]);
    assert!(done.told.is_empty(), "that it is dead was told when its letter was kept: {done:?}");
    assert!(bench.machine.is_idle());
    let (next, _) = processed(&mut bench, "lead", "m3");
    assert_eq!(told(&keep(&mut bench, next)), [(OutcomeKind::Created, OutcomeTold::Told)], "each is tried");
}

#[test]
fn an_event_that_is_delivered_again_and_found_tells_again_under_the_same_id() {
    let (_, first) = processed(&mut telling(8, true), "found.lead", "m1");
    let mut another = telling(8, true);
    let (receipt, done) = another.message(again("found.lead", "m1"));
    assert_eq!(done.lookups, [receipt]);
    let second = outcome(&another.replied(receipt, found("m1")));
    assert_eq!((second.id, second.kind, second.process), (first.id, OutcomeKind::Created, first.process));
    assert_eq!(keep(&mut another, receipt).told[0].result, "found");
}

#[test]
fn the_outcome_of_a_dead_letter_that_is_retried_has_another_id_and_names_the_earlier() {
    let mut bench = telling(8, true);
    let (receipt, _) = bench.event("lead", "m1");
    let done = bench.replied(receipt, rejected());
    let [(_, Settlement::DeadLetter(letter))] = &done.settled[..] else { panic!("{done:?}") };
    let (earlier, retries) = (letter.outcome.clone(), letter.retries);
    drop(bench.on(Input::KeptFirst { receipt }));
    drop(keep(&mut bench, receipt));
    let mut ids = vec![earlier.clone()];
    for (retries, reply) in [(retries, rejected()), (retries + 1, created())] {
        let put_back =
            PutBack { outcome: earlier.clone(), retries, reason: "refused".to_owned(), ..PutBack::default() };
        let (receipt, done) = bench.message(Message { put_back: Some(put_back), ..event("lead", "m1") });
        assert_eq!(done.creates, [receipt]);
        let mut done = bench.replied(receipt, reply);
        if matches!(done.settled[..], [(_, Settlement::DeadLetter(_))]) {
            done = bench.on(Input::KeptFirst { receipt });
        }
        let outcome = outcome(&done);
        assert_eq!((&outcome.earlier, outcome.retries), (&earlier, retries + 1));
        drop(keep(&mut bench, receipt));
        ids.push(Some(outcome.id));
    }
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
}

#[test]
fn of_a_message_whose_type_is_ours_none_is_told_whatever_becomes_of_it() {
    let mut setup = setup(8);
    setup.rules =
        Arc::new(rules("[[rule]]\nname = \"all\"\nprocedure = \"lead\"\ndata = { event_key = \"{{ key }}\" }\n"));
    setup.outcomes = Some(OutcomePolicy { tells: OutcomeKinds::ALL, required: true });
    let mut bench = telling(8, true);
    bench.machine = Machine::new(setup);
    drop(bench.on(Input::Connected { can_delay: true }));
    for (number, kind) in OutcomeKind::WORDS.iter().enumerate() {
        let kind = format!("com.chakrahq.bridge.process.{kind}");
        let (receipt, done) = bench.event(&kind, &format!("m{number}"));
        assert_eq!(done.creates, [receipt]);
        assert_eq!(bench.replied(receipt, created()).settled, [(receipt, Settlement::Ack)]);
        let (receipt, _) = bench.event(&kind, &format!("n{number}"));
        let done = bench.replied(receipt, rejected());
        let [(_, Settlement::DeadLetter(letter))] = &done.settled[..] else { panic!("{done:?}") };
        assert_eq!(letter.outcome, None, "so its message is acknowledged with it");
        assert!(keep(&mut bench, receipt).settled.is_empty());
    }
    let body =
        Arc::new(br#"{"specversion":"1.0","id":"1","source":"/a","type":"com.chakrahq.bridge.process.x"}"#.to_vec());
    let (receipt, _) = bench.message(Message { body, kind: None, ..event("", "m9") });
    assert_eq!(bench.replied(receipt, created()).settled, [(receipt, Settlement::Ack)], "by its body alone");
    assert!(bench.machine.is_idle());
}
