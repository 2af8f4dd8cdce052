//! The fixed words, and what is told of answers and of what came back.
//!
//! Not here: tries that failed (`tries`).

use super::outcomes::{keep, outcome, telling};
use super::tries::{came_back, failed};
use super::*;
use crate::core::delivery::{Doubt, OutcomeTold, Place};
use crate::core::outcome::OutcomeKind;
use crate::core::progress::Next;

#[test]
fn each_place_each_doubt_and_each_outcome_has_its_word() {
    let places = [Place::Memory, Place::Gate, Place::Rule, Place::Doubt, Place::DelayQueue("1m"), Place::WorkQueue];
    assert_eq!(places.map(Place::as_str), Place::WORDS);
    assert_eq!(places.map(Place::delay_queue), [None, None, None, None, Some("1m"), None]);
    let doubts = [Doubt::Resent, Doubt::Absent, Doubt::Redelivered, Doubt::HandedBack];
    assert_eq!(doubts.map(Doubt::as_str), ["resent", "absent", "redelivered", "handed_back"]);
    let told = [OutcomeTold::Told, OutcomeTold::Refused, OutcomeTold::PassedOver];
    assert_eq!(told.map(OutcomeTold::as_str), ["told", "refused", "passed_over"]);
}

/// A lookup that finds so many.
fn found(copies: usize) -> Reply {
    let row = Row { process: Some("p1".to_owned()), value: Some("m1".into()) };
    json(200, Wrapper { has_data: true, rows: Some(vec![row; copies]), ..Wrapper::default() })
}

#[test]
fn each_answer_is_told_and_that_a_lookup_found_more_than_one() {
    for (copies, told) in [(1, None), (2, Some(2)), (3, Some(3))] {
        let mut bench = Bench::new(8);
        let (event, _) = bench.message(again("found.lead", "m1"));
        let done = bench.replied(event, found(copies));
        assert!(matches!(done.reports[0], Report::Answered { outcome: "found", status: Some(200), .. }), "{done:?}");
        let duplicates = done.reports.iter().find_map(|report| match report {
            Report::Duplicates { copies, .. } => Some(*copies),
            _ => None,
        });
        assert_eq!(duplicates, told);
    }
}

#[test]
fn a_lookup_that_was_never_allowed_is_told_and_leaves_its_doubt_and_one_that_was_is_waited_for() {
    for was_verified in [false, true] {
        let mut bench = Bench::new(8);
        bench.machine.setup.policy.resend_after = Duration::ZERO;
        if was_verified {
            let (first, _) = bench.event("found.lead", "m1");
            let (rule, lookup) = bench.replied(first, created()).checks.remove(0);
            drop(bench.on(Input::Checked { rule, lookup, reply: Some(found(1)) }));
        }
        let (event, _) = bench.message(again("found.lead", "m2"));
        let done = bench.replied(event, status(403));
        let is_told = done.reports.iter().any(|report| matches!(report, Report::LookupRefused { status: 403, .. }));
        assert_eq!((is_told, done.creates.is_empty()), (!was_verified, was_verified), "{done:?}");
        assert_eq!(super::repeats::is_announced(&done), !was_verified, "its create may be the second");
        if was_verified {
            assert_eq!(failed(&done)[0].reason, "lookup_refused");
        }
    }
}

#[test]
fn what_can_be_looked_up_is_told_to_look_when_it_comes_out_of_its_delay_queue() {
    for (kind, next) in [("found.lead", Next::Lookup), ("lead", Next::Create)] {
        let mut bench = Bench::new(8);
        let (event, _) = bench.event(kind, "m1");
        assert_eq!(failed(&bench.replied(event, busy()))[0].next, next, "{kind}");
        let (event, _) = bench.event(kind, "m2");
        assert_eq!(failed(&bench.replied(event, status(423)))[0].next, Next::Create, "{kind}: it waits here");
        let done = bench.after(SECOND);
        assert_eq!(
            (done.creates.as_slice(), bench.machine.held.get(event).map(|event| event.progress.attempts)),
            (&[event][..], Some(1))
        );
    }
}

#[test]
fn a_try_to_bring_a_photo_up_is_told_with_its_name() {
    let mut bench = super::photos::bench(8);
    let (event, _) = bench.event("visit", "v1");
    let done = bench.brought(event, super::photos::failed(crate::core::reason::Cause::ServerError));
    assert_eq!(failed(&done)[0].photo.as_deref(), Some("site"));
    let photos = done.reports.iter().filter(|report| matches!(report, Report::Photos(_)));
    assert_eq!(photos.count(), 1, "{done:?}");
}

#[test]
fn what_came_back_is_told_two_seconds_after_the_connection_with_what_went_to_delay_queues_meanwhile() {
    let mut bench = Bench::new(64);
    assert_eq!(bench.wake, bench.now + 2 * SECOND, "it is woken for that");
    bench.machine.setup.policy.max_local_delay = Duration::ZERO;
    for id in 0..3 {
        let (event, _) = bench.message(again("found.lead", &format!("m{id}")));
        let done = bench.replied(event, absent());
        assert!(matches!(done.settled[..], [(_, Settlement::Delay(..))]));
    }
    let (event, _) = bench.message(again("lead", "no lookup"));
    assert!(matches!(bench.replied(event, status(423)).settled[..], [(_, Settlement::Delay(..))]));
    let told = came_back(&bench.after(2 * SECOND)).unwrap();
    assert_eq!((told.events, told.waiting), (3, 3), "{told:?}");
    assert!(told.longest >= 10 * SECOND, "{told:?}");
}

#[test]
fn duplicates_and_what_is_skipped_are_told_as_such_with_the_rule() {
    let mut bench = telling(8, true);
    let (first, _) = bench.event("lead", "m1");
    drop(bench.replied(first, created()));
    drop(keep(&mut bench, first));
    let (second, done) = bench.event("lead", "m1");
    let told = outcome(&done);
    assert_eq!((told.kind, told.process.as_deref()), (OutcomeKind::Duplicate, Some("p1")));
    assert_eq!(keep(&mut bench, second).told[0].result, "duplicate");
    let skips = format!("[[rule]]\nname = 'noise'\ntype = 'noise'\naction = 'skip'\n{RULES}");
    drop(bench.on(Input::Command(Command::NewRules(Arc::new(rules(&skips))))));
    let (third, done) = bench.event("noise", "m2");
    assert_eq!(outcome(&done).kind, OutcomeKind::Skipped);
    let settled = keep(&mut bench, third).told.remove(0);
    assert_eq!((settled.result, settled.rule.as_deref()), ("skipped", Some("noise")));
}

#[test]
fn the_outcome_of_a_message_without_an_id_is_known_by_its_process_and_of_any_other_by_its_key() {
    let id = |message_id: Option<&str>, process: &str| {
        let mut bench = telling(8, true);
        let message = Message { message_id: message_id.map(str::to_owned), ..event("lead", "m1") };
        let (receipt, _) = bench.message(message);
        let created = json(200, Wrapper { has_data: true, process: Some(process.to_owned()), ..Wrapper::default() });
        outcome(&bench.replied(receipt, created)).id
    };
    assert_ne!(id(None, "p1"), id(None, "p2"));
    assert_eq!(id(Some("m1"), "p1"), id(Some("m1"), "p2"));
}

#[test]
fn what_cannot_be_decoded_and_says_that_it_is_an_outcome_has_a_letter_of_which_none_is_told() {
    for (kind, is_told) in [("lead", true), ("com.chakrahq.bridge.process.created", false)] {
        let by_header: serde_json::Map<String, serde_json::Value> =
            [("cloudEvents:type".to_owned(), kind.into())].into_iter().collect();
        for message in [
            Message { body: Arc::new(b"{".to_vec()), ..event(kind, "m1") },
            Message { body: Arc::new(b"{".to_vec()), kind: None, headers: by_header.into(), ..event("", "m1") },
        ] {
            let (_, done) = telling(8, true).message(message);
            let [(_, Settlement::DeadLetter(letter))] = &done.settled[..] else { panic!("{done:?}") };
            assert_eq!((letter.fault.reason.as_str(), letter.outcome.is_some()), ("undecodable", is_told), "{kind}");
        }
    }
}
