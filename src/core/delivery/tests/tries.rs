//! What is told of tries that failed, of waits, and of dead letters: nothing that happens to an event is invisible.
//!
//! Not here: which lines of a storm are left out (`core::thinning`), and the words (`dispatch::report`).

use super::*;
use crate::core::delivery::{CameBack, FailedTry, Place};
use crate::core::progress::Next;

pub(super) fn failed(done: &Done) -> Vec<FailedTry> {
    let failed = done.reports.iter().filter_map(|report| match report {
        Report::TryFailed(failed) => Some(FailedTry::clone(failed)),
        _ => None,
    });
    failed.collect()
}

pub(super) fn came_back(done: &Done) -> Option<CameBack> {
    done.reports.iter().find_map(|report| match report {
        Report::CameBack(returns) => Some(*returns),
        _ => None,
    })
}

/// Every kind of answer that there is, as far as the walk goes.
fn replies() -> Vec<Reply> {
    let words = |status| json(status, Wrapper { is_api_word: true, has_errors: true, ..Wrapper::default() });
    let statuses = (200..600).flat_map(|code| [status(code), page(code), words(code)]);
    let why = [NotSent::Unreachable, NotSent::Certificate, NotSent::Proxy, NotSent::Token];
    let unsent = why.map(|why| Reply::NotSent { why, detail: "why".to_owned() });
    let lost = [Lost::Timeout, Lost::Reset].map(|why| Reply::Lost { why, detail: "why".to_owned() });
    statuses.chain(unsent).chain(lost).chain([created()]).collect()
}

#[test]
fn every_answer_is_an_end_or_a_line_that_says_what_comes_next() {
    for kind in ["lead", "found.lead"] {
        for can_delay in [true, false] {
            for reply in replies() {
                let mut bench = Bench::new(64);
                drop(bench.on(Input::Connected { can_delay }));
                let (id, _) = bench.event(kind, "m1");
                let done = bench.replied(id, reply.clone());
                let ends = done.told.iter().filter(|settled| settled.delayed.is_none()).count();
                let failed = failed(&done);
                assert_eq!(ends + failed.len(), 1, "{kind} {reply:?}");
                if let [failed] = failed.as_slice() {
                    assert_eq!(
                        (failed.attempt, failed.asked, failed.status),
                        (1, Next::Create, reply.status()),
                        "{reply:?}"
                    );
                    assert!(!failed.reason.is_empty() && failed.key.is_some() && failed.rule.is_some(), "{reply:?}");
                }
            }
        }
    }
}

#[test]
fn a_try_that_failed_tells_which_it_was_and_when_the_next_goes() {
    let mut bench = Bench::new(64);
    let (id, _) = bench.event("lead", "m1");
    let first = failed(&bench.replied(id, status(423))).remove(0);
    assert_eq!((first.attempt, first.reason, first.status), (1, "locked", Some(423)));
    assert_eq!((first.next, first.place), (Next::Create, Place::Memory));
    assert_eq!(bench.after(first.wait).creates, [id], "it goes when it was told");
    let second = failed(&bench.replied(id, status(423))).remove(0);
    assert_eq!(second.attempt, 2);
    assert!(second.wait > first.wait, "{second:?}");
}

#[test]
fn a_wait_in_a_delay_queue_is_told_with_the_queue_and_its_end() {
    let mut bench = Bench::new(64);
    let (id, _) = bench.event("lead", "m1");
    let throttled = Reply::Response(Response { retry_after: Some(60 * SECOND), ..Response::new(429, Body::Empty) });
    let done = bench.replied(id, throttled);
    let failed = failed(&done).remove(0);
    assert_eq!((failed.place, failed.reason), (Place::DelayQueue("1m"), "throttled"));
    let delayed = done.told[0].delayed.unwrap();
    assert_eq!((delayed.queue, done.told[0].result, delayed.wait), ("1m", "delayed", failed.wait));
    assert!(delayed.wait >= 60 * SECOND);
    let now_ms = 1_700_000_000_000 + 1_000;
    assert_eq!(u128::from(delayed.until_ms), now_ms + delayed.wait.as_millis());
}

#[test]
fn what_waits_for_a_shut_gate_or_in_doubt_says_so() {
    let mut bench = Bench::new(64);
    let (id, _) = bench.event("lead", "m1");
    let failed_by_token = failed(&bench.replied(id, status(401))).remove(0);
    assert_eq!((failed_by_token.place, failed_by_token.reason), (Place::Gate, "unauthorized"));
    let mut bench = Bench::new(64);
    let (id, _) = bench.event("lead", "m1");
    let lost = failed(&bench.replied(id, timed_out())).remove(0);
    assert_eq!((lost.place, lost.reason, lost.next), (Place::Doubt, "timeout", Next::Create));
    let mut bench = Bench::new(64);
    let (id, _) = bench.event("found.lead", "m1");
    let lost = failed(&bench.replied(id, timed_out())).remove(0);
    assert_eq!((lost.place, lost.next), (Place::Memory, Next::Lookup));
}

#[test]
fn what_a_held_rule_delays_says_so() {
    let mut bench = Bench::new(64);
    let refused = || json(422, Wrapper { is_api_word: true, ..Wrapper::default() });
    let ids: Vec<_> = (0..21).map(|id| bench.event("lead", &format!("m{id}")).0).collect();
    let done: Vec<_> = ids.iter().map(|id| bench.replied(*id, refused())).collect();
    let held = done.last().unwrap();
    assert_eq!(held.told[0].delayed.unwrap().why, "rule_held");
    assert_eq!(failed(held).remove(0).reason, "refused");
}

#[test]
fn events_that_came_back_are_counted_once_with_the_longest_that_their_lookups_may_take() {
    let mut bench = Bench::new(64);
    for id in 0..5 {
        drop(bench.message(again("found.lead", &format!("m{id}"))));
    }
    let (_, done) = bench.event("found.lead", "fresh");
    assert_eq!(done.creates.len(), 1);
    assert!(came_back(&bench.after(SECOND)).is_none(), "they are not all here");
    let returns = came_back(&bench.after(SECOND)).unwrap();
    assert_eq!((returns.events, returns.waiting), (5, 5));
    assert!(returns.longest <= 45 * SECOND && returns.longest >= 42 * SECOND, "{returns:?}");
    assert!(came_back(&bench.after(60 * SECOND)).is_none(), "told once");
    drop(bench.on(Input::Connected { can_delay: true }));
    assert!(came_back(&bench.after(5 * SECOND)).is_none(), "nothing came back");
}

#[test]
fn the_words_of_a_refusal_are_told_without_what_was_sent() {
    let mut bench = Bench::new(64);
    let (id, _) = bench.event("lead", "swordfish-1");
    let text = Some("event_key SWORDFISH-1 is taken".to_owned());
    let refused = json(422, Wrapper { is_api_word: true, error_text: text, ..Wrapper::default() });
    let settled = bench.replied(id, refused).told.remove(0);
    let why = settled.why.unwrap();
    assert!(why.contains("event_key … is taken") && why.contains("422"), "{why}");
    assert!(settled.fault.unwrap().text.contains("SWORDFISH-1"), "the dead letter has its words as they were");
}

#[test]
fn a_dead_letter_that_cannot_be_decoded_names_its_message_and_its_route() {
    let mut bench = Bench::new(64);
    let message = Message {
        body: Arc::new(b"{".to_vec()),
        exchange: "crm".to_owned(),
        routing_key: "lead.new".to_owned(),
        ..event("lead", "m1")
    };
    let settled = bench.message(message).1.told.remove(0);
    assert_eq!((settled.reason(), &settled.key), ("undecodable", &None));
    let named = settled.came_in;
    assert_eq!((named.message_id.as_deref(), named.kind.as_deref()), (Some("m1"), Some("lead")));
    assert_eq!((named.exchange.as_str(), named.routing_key.as_str()), ("crm", "lead.new"));
}
