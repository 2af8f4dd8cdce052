//! What is asked of the ledger by one event after another, and what follows from the row that it answers.
//!
//! Not here: whole walks of several replicas (`claims`), and a ledger that is away (`ledger_away`).

use serde_json::Value;

use super::claims::replica;
use super::others::{cloud_event, deals};
use super::repeats::{ends, is_announced};
use super::*;
use crate::core::delivery::Doubt;
use crate::core::delivery::event::Stage;
use crate::core::event::DIGEST_VERSION;
use crate::core::ledger::{Claimed, Hold, Left, Opens, Row as LedgerRow, RowEnd};
use crate::core::progress::{CREATES_MAX, Progress};
use crate::core::put_back::PutBack;

const HOUR: Duration = Duration::from_secs(3600);

/// The row of this claim, which ended so.
fn ended(claim: &Claim, end: RowEnd) -> Claimed {
    Claimed::Ended(Box::new(LedgerRow {
        key: claim.key.clone(),
        owner: "other".into(),
        epoch: 1,
        ticket: 1,
        hold: Hold::Free,
        unsure_creates: 0,
        sent_ms: 0,
        sent: None,
        end: Some(end),
        body: claim.body,
        request: claim.request,
        digest_version: DIGEST_VERSION,
        rule: claim.rule.clone(),
        procedure: claim.procedure.clone(),
        attempts: 1,
        first_ms: 1,
        ended_ms: 1,
    }))
}

/// Earlier owners sent one create, so long ago, and nobody has its answer.
fn left(since_sent: Duration) -> Claimed {
    let left = Left { unsure_creates: 1, since_sent: Some(since_sent), sent: None, digests: (0, 0) };
    Claimed::Mine { epoch: 2, may_send: false, left }
}

#[test]
fn each_event_claims_by_a_number_of_its_own_until_it_is_told_that_the_row_is_anothers() {
    let mut bench = replica(|_| {});
    let (first, done) = bench.event("lead", "m1");
    let number = done.claims[0].1.ticket;
    let (_, done) = bench.event("lead", "m2");
    assert!(number != 0 && done.claims[0].1.ticket > number, "{number} {:?}", done.claims);
    drop(bench.on(Input::Withheld { event: first, claimed: Claimed::Away }));
    let done = bench.after(SECOND);
    assert_eq!(done.claims[0].1.ticket, number, "it asks the same again");
    drop(bench.on(Input::Withheld { event: first, claimed: Claimed::Held { rest: SECOND } }));
    let done = bench.after(SECOND);
    assert!(done.claims[0].1.ticket > number + 1, "{:?}", done.claims);
}

#[test]
fn what_another_replica_has_is_asked_for_again_after_half_a_second_at_most_and_then_when_its_lease_may_be_over() {
    let mut bench = replica(|_| {});
    drop(bench.on(Input::Connected { can_delay: false }));
    let (event, _) = bench.event("lead", "m1");
    let held = |rest| Input::Withheld { event, claimed: Claimed::Held { rest } };
    drop(bench.on(held(40 * SECOND)));
    assert_eq!(bench.wake, bench.now + SECOND / 4 + SECOND / 8, "a quarter, and half of another by the dice");
    for (rest, wait) in [(SECOND / 100, SECOND / 2), (2 * SECOND, 2 * SECOND), (40 * SECOND, 5 * SECOND)] {
        bench.now += 5 * SECOND;
        assert_eq!(bench.on(Input::Timer).creates, [event]);
        drop(bench.on(held(rest)));
        let stage = bench.machine.held.get(event).map(|event| event.stage);
        assert_eq!(stage, Some(Stage::Waiting(bench.now + wait)), "{rest:?}");
    }
}

#[test]
fn a_row_that_an_earlier_owner_left_in_doubt_counts_its_windows_from_when_that_one_sent() {
    let mut bench = replica(|_| {});
    let (event, _) = bench.event("found.lead", "m1");
    let mut done = bench.on(Input::Withheld { event, claimed: left(70 * SECOND) });
    assert_eq!(done.lookups, [event]);
    let began = bench.now;
    while done.creates.is_empty() {
        done = if done.lookups.is_empty() { bench.after(SECOND / 4) } else { bench.replied(event, absent()) };
    }
    let waited = bench.now - began;
    assert!(waited >= 4 * SECOND && waited <= 6 * SECOND, "40 of 45 seconds were over: {waited:?}");
    let mut bench = replica(|_| {});
    let (event, _) = bench.event("lead", "m1");
    let done = bench.on(Input::Withheld { event, claimed: left(100 * SECOND) });
    assert!(done.lists.is_empty() && done.creates.is_empty(), "`resend_after` is not over: {done:?}");
    let mut bench = replica(|_| {});
    let (event, _) = bench.event("lead", "m1");
    assert_eq!(bench.on(Input::Withheld { event, claimed: left(640 * SECOND) }).lists.len(), 1, "it is");
}

#[test]
fn what_a_message_brought_is_no_word_of_another_create_of_its_row_and_that_one_is_looked_for_where_it_went() {
    let lookup = |procedure: &str| {
        let (procedure, attribute) = (Procedure::new(procedure).unwrap(), "event_key".to_owned());
        Arc::new(Lookup { procedure, attribute, value: Value::from("m1") })
    };
    let mut bench = replica(|setup| setup.policy.resend_after = Duration::ZERO);
    let progress = Progress { unsure_creates: 1, since_create: Some(HOUR), ..Progress::default() };
    let sent = Some(Lookup::clone(&lookup("lead")));
    let state = DelayedState { progress, sent, first_seen_ms: 1, ..DelayedState::default() };
    let (event, done) = bench.message(Message { delayed_state: Some(state.encode()), ..event("found.lead", "m1") });
    assert_eq!((done.lookups.as_slice(), done.claims.len()), (&[event][..], 0));
    let done = bench.replied(event, absent());
    assert!(doubts(&done) == [Doubt::Absent] && done.claims[0].1.unsure_creates == 1, "{done:?}");
    let left = Left { unsure_creates: 1, since_sent: Some(HOUR), sent: Some(lookup("prospect")), digests: (0, 0) };
    let claimed = Claimed::Mine { epoch: 2, may_send: false, left };
    let done = bench.on(Input::Withheld { event, claimed });
    let seeks = bench.machine.held.get(event).and_then(|event| event.seeks().cloned());
    assert_eq!((done.lookups.as_slice(), seeks), (&[event][..], Some(lookup("prospect"))));
    // There it may not look: that is another doubt, and said.
    let mut done = bench.replied(event, status(403));
    done.add(bench.after(60 * SECOND));
    assert_eq!((doubts(&done), done.claims[0].1.epoch), (vec![Doubt::Resent], Some(2)));
}

fn doubts(done: &Done) -> Vec<Doubt> {
    let doubts = done.reports.iter().filter_map(|report| match report {
        Report::PossibleDuplicate { doubt, .. } => Some(*doubt),
        _ => None,
    });
    doubts.collect()
}

#[test]
fn what_has_spent_its_creates_over_all_replicas_asks_for_none_more() {
    let mut bench = replica(|setup| setup.policy.resend_after = Duration::ZERO);
    let progress = Progress { unsure_creates: CREATES_MAX, ..Progress::default() };
    let state = DelayedState { progress, first_seen_ms: 1, ..DelayedState::default() };
    let (_, done) = bench.message(Message { delayed_state: Some(state.encode()), ..event("lead", "m1") });
    assert_eq!((done.claims.len(), done.told.first().map(Settled::reason)), (0, Some("unknown")), "{done:?}");
}

#[test]
fn what_is_put_back_and_is_a_process_is_created_once_more_and_announced_unless_it_became_one_since_its_letter() {
    let put_back = || Message { put_back: Some(PutBack::default()), ..event("lead", "m1") };
    let process = || RowEnd::Created(Some("p1".to_owned()));
    let mut bench = replica(|_| {});
    let (event, done) = bench.message(put_back());
    let done = bench.on(Input::Withheld { event, claimed: ended(&done.claims[0].1, process()) });
    assert_eq!((done.creates.as_slice(), done.claims[0].1.opens), (&[event][..], Opens::Created));
    assert!(!done.reports.iter().any(|report| matches!(report, Report::KeyReused { .. })), "it is the same event");
    let mut bench = replica(|_| {});
    let (event, done) = bench.message(put_back());
    let done = bench.on(Input::Withheld { event, claimed: ended(&done.claims[0].1, RowEnd::Dead("refused".into())) });
    assert_eq!((done.creates.as_slice(), done.claims[0].1.opens), (&[event][..], Opens::Dead));
    let done = bench.on(Input::Withheld { event, claimed: ended(&done.claims[0].1, process()) });
    assert_eq!((ends(&done), done.creates.len()), (vec![("duplicate", Some("p1"))], 0));
}

#[test]
fn the_letter_of_another_event_under_the_same_key_says_nothing_of_this_one() {
    let mut bench = replica(deals);
    let (event, done) = bench.message(Message { redelivered: true, ..cloud_event("1", "t1", "one") });
    let other = Claim { body: 1, request: 2, ..done.claims[0].1.clone() };
    let done = bench.on(Input::Withheld { event, claimed: ended(&other, RowEnd::Dead("refused".into())) });
    assert_eq!((done.creates.as_slice(), is_announced(&done)), (&[event][..], false), "{done:?}");
}
