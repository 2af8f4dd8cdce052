//! Laws of claims and records, over a row that is kept by them alone.
//!
//! Not here: stores, and the machine that asks.

mod brought;
mod opened;
mod same_run;

use std::time::Duration;

use super::*;
use crate::core::event::DIGEST_VERSION;

const LEASE: Duration = Duration::from_secs(40);

/// A store of one row, and the leases of those that ask.
#[derive(Clone, Default)]
struct Store {
    row: Option<Row>,
    now_ms: i64,
    dead: Vec<&'static str>,
}

impl Store {
    fn asker(&self, owner: &'static str) -> Asker<'static> {
        let holds = self.row.as_ref().is_some_and(|row| !self.dead.contains(&&*row.owner));
        Asker { owner, now_ms: self.now_ms, lease: if holds { LEASE } else { Duration::ZERO } }
    }

    fn claim(&mut self, owner: &'static str, claim: &Claim) -> Claimed {
        self.now_ms += 1_000;
        let (row, answer) = claimed(self.row.clone(), claim, &self.asker(owner));
        self.row = row.or(self.row.take());
        answer
    }

    fn record(&mut self, owner: &'static str, record: &Record) -> Recorded {
        self.now_ms += 1_000;
        let (row, answer) = recorded(self.row.clone(), record, &self.asker(owner));
        self.row = row.or(self.row.take());
        answer
    }

    fn unsure_creates(&self) -> u32 {
        self.row.as_ref().map_or(0, |row| row.unsure_creates)
    }
}

fn claim(ticket: u64) -> Claim {
    Claim {
        id: RowId { key: [1; 16], slot: 0 },
        key: "k".into(),
        body: 7,
        request: 8,
        rule: "lead".into(),
        procedure: "lead".into(),
        ticket,
        epoch: None,
        unsure_creates: 0,
        attempts: 0,
        sends: Some(Sends { lookup: None }),
        opens: Opens::Nothing,
    }
}

fn record(claim: &Claim, epoch: Option<i64>, end: Option<RowEnd>, unsure_creates: u32) -> Record {
    Record { claim: Box::new(Claim { epoch, unsure_creates, attempts: 1, ..claim.clone() }), end }
}

fn created() -> Option<RowEnd> {
    Some(RowEnd::Created(Some("p1".into())))
}

/// Whether it is the asker's, and may be sent.
fn mine(answer: &Claimed) -> (i64, bool) {
    match answer {
        Claimed::Mine { epoch, may_send, .. } => (*epoch, *may_send),
        other => panic!("{other:?}"),
    }
}

fn left(answer: Claimed) -> Left {
    match answer {
        Claimed::Mine { left, .. } => left,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_claim_is_granted_and_counts_its_create_before_it_is_sent() {
    let mut store = Store::default();
    assert_eq!(mine(&store.claim("a", &claim(1))), (1, true));
    let row = store.row.unwrap();
    assert_eq!((&*row.owner, row.unsure_creates, row.hold, row.sent_ms), ("a", 1, Hold::Sends, 1_000));
    assert_eq!((row.body, row.request, row.digest_version), (7, 8, DIGEST_VERSION));
}

#[test]
fn a_row_of_a_living_replica_is_held_and_one_of_a_dead_goes_on_in_doubt() {
    let mut store = Store::default();
    store.claim("a", &claim(1));
    assert_eq!(store.claim("b", &claim(1)), Claimed::Held { rest: LEASE });
    store.dead.push("a");
    let answer = store.claim("b", &claim(1));
    assert_eq!(mine(&answer), (2, false), "it may be a process");
    let left = left(answer);
    assert_eq!((left.unsure_creates, left.since_sent), (1, Some(Duration::from_secs(2))));
    assert_eq!((store.unsure_creates(), store.row.clone().unwrap().hold), (1, Hold::Claimed));
    // It knows of that create now, has looked, and sends the second.
    let knows = Claim { epoch: Some(2), unsure_creates: 1, ..claim(1) };
    assert_eq!(mine(&store.claim("b", &knows)), (3, true));
    assert_eq!(store.unsure_creates(), 2, "no third is sent unknown to whoever comes");
}

#[test]
fn what_was_answered_is_no_doubt_for_the_event_that_asks_again_and_for_none_after_it_gave_back() {
    let mut store = Store::default();
    let (epoch, _) = mine(&store.claim("a", &claim(1)));
    let again = Claim { epoch: Some(epoch), attempts: 1, ..claim(1) };
    let (epoch, may_send) = mine(&store.claim("a", &again));
    assert!(may_send && store.unsure_creates() == 1);
    assert_eq!(store.record("a", &record(&claim(1), Some(epoch), None, 0)), Recorded::Yes);
    assert_eq!(mine(&store.claim("b", &claim(1))), (3, true), "and b needs not wait for the lease");
}

#[test]
fn an_answerless_create_stays_in_doubt_when_it_is_given_back() {
    let mut store = Store::default();
    let (epoch, _) = mine(&store.claim("a", &claim(1)));
    store.record("a", &record(&claim(1), Some(epoch), None, 1));
    let answer = store.claim("b", &claim(1));
    assert_eq!((mine(&answer).1, left(answer).unsure_creates), (false, 1));
}

#[test]
fn a_claim_whose_answer_was_lost_is_asked_again_without_a_doubt_and_another_events_is_not() {
    let mut store = Store::default();
    store.claim("a", &claim(1));
    assert_eq!(mine(&store.clone().claim("a", &claim(1))), (2, true), "nothing was sent under the first");
    assert_eq!(mine(&store.clone().claim("a", &claim(2))), (2, false), "another event of this run may have sent one");
    store.dead.push("a");
    // What an earlier owner left is not forgotten where the answer that told of it was lost.
    assert_eq!(mine(&store.claim("b", &claim(5))), (2, false));
    assert_eq!(mine(&store.claim("b", &claim(5))), (3, false));
}

#[test]
fn a_claim_that_is_applied_late_takes_nothing_back_and_hides_no_create() {
    let mut store = Store::default();
    let (epoch, _) = mine(&store.claim("a", &claim(1)));
    let second = Claim { epoch: Some(epoch), unsure_creates: 1, ..claim(1) };
    let (epoch, _) = mine(&store.claim("a", &second));
    store.claim("a", &claim(1));
    assert_eq!(store.unsure_creates(), 2, "the first claim, once more and late");
    assert_eq!(store.record("a", &record(&second, Some(epoch), created(), 0)), Recorded::Yes, "it is still its own");
    assert!(matches!(store.claim("a", &claim(1)), Claimed::Ended(_)));

    let mut store = Store::default();
    let (epoch, _) = mine(&store.claim("a", &claim(1)));
    store.record("a", &record(&claim(1), Some(epoch), None, 0));
    store.claim("a", &claim(1));
    assert!(mine(&store.claim("b", &claim(1))).1, "what was given back stays so");
}

#[test]
fn a_late_claim_of_an_earlier_event_takes_nothing_from_a_later_one_and_opens_nothing_again() {
    let mut store = Store::default();
    let (epoch, _) = mine(&store.claim("a", &claim(5)));
    for late in [1, 4] {
        assert_eq!(store.claim("a", &claim(late)), Claimed::Held { rest: Duration::ZERO });
    }
    assert_eq!(store.record("a", &record(&claim(5), Some(epoch), created(), 0)), Recorded::Yes);
    let again = Claim { opens: Opens::Created, ..claim(5) };
    assert!(matches!(store.claim("a", &again), Claimed::Ended(_)), "it was opened once");
    assert!(matches!(store.claim("a", &Claim { ticket: 6, ..again }), Claimed::Mine { .. }));
}

#[test]
fn a_claim_that_is_applied_after_its_event_gave_back_takes_no_row() {
    let mut store = Store::default();
    assert_eq!(store.record("a", &record(&claim(1), None, None, 0)), Recorded::Yes);
    store.claim("a", &claim(1));
    assert!(mine(&store.claim("a", &claim(2))).1, "nothing was sent");
    let mut store = Store::default();
    let (epoch, _) = mine(&store.claim("a", &claim(1)));
    store.record("a", &record(&claim(1), Some(epoch), None, 0));
    assert_eq!(store.record("b", &record(&claim(7), None, None, 0)), Recorded::Yes);
    store.claim("b", &claim(7));
    assert!(mine(&store.claim("c", &claim(1))).1, "nor one that another gave back before");
}

#[test]
fn a_frozen_owner_that_wakes_records_nothing() {
    let mut store = Store::default();
    let (epoch, _) = mine(&store.claim("a", &claim(1)));
    store.dead.push("a");
    store.claim("b", &claim(1));
    let before = store.row.clone();
    for end in [created(), Some(RowEnd::Dead("refused".into())), None] {
        assert_eq!(store.record("a", &record(&claim(1), Some(epoch), end, 0)), Recorded::Superseded);
    }
    assert_eq!(store.row, before);
}

#[test]
fn a_record_told_twice_is_one() {
    for end in [created(), Some(RowEnd::Dead("refused".into())), None] {
        let mut store = Store::default();
        let (epoch, _) = mine(&store.claim("a", &claim(1)));
        let told = record(&claim(1), Some(epoch), end, 0);
        assert_eq!(store.record("a", &told), Recorded::Yes);
        let once = store.row.clone();
        assert_eq!(store.record("a", &told), Recorded::Yes);
        assert_eq!(store.row, once);
    }
}

#[test]
fn a_record_of_a_claim_whose_answer_was_lost_is_taken() {
    let mut store = Store::default();
    store.claim("a", &claim(1));
    assert_eq!(store.record("a", &record(&claim(1), None, None, 0)), Recorded::Yes);
    assert_eq!((store.unsure_creates(), store.row.unwrap().hold), (0, Hold::Free));
    let mut store = Store::default();
    store.claim("a", &claim(1));
    store.dead.push("a");
    store.claim("b", &claim(5));
    store.record("b", &record(&claim(5), None, None, 0));
    assert_eq!(store.unsure_creates(), 1, "what the earlier owner left stays in doubt");
}

#[test]
fn what_was_never_claimed_is_recorded_a_dead_letter_only_where_no_living_replica_has_it() {
    let dead = Some(RowEnd::Dead("refused".into()));
    let mut store = Store::default();
    assert_eq!(store.record("a", &record(&claim(1), None, created(), 0)), Recorded::Yes);
    assert!(matches!(store.claim("b", &claim(1)), Claimed::Ended(row) if row.end == created()));
    let mut store = Store::default();
    store.claim("a", &claim(1));
    assert_eq!(store.record("b", &record(&claim(1), None, dead.clone(), 0)), Recorded::Superseded);
    assert_eq!(store.clone().record("b", &record(&claim(1), None, created(), 0)), Recorded::Yes, "a lookup found it");
    store.dead.push("a");
    assert_eq!(store.record("b", &record(&claim(1), None, dead, 0)), Recorded::Yes);
    assert_eq!(store.record("b", &record(&claim(1), None, None, 0)), Recorded::Yes, "nothing to give back");
}

#[test]
fn a_dead_letter_of_whoever_did_not_claim_hides_no_create() {
    let mut store = Store::default();
    let (epoch, _) = mine(&store.claim("a", &claim(1)));
    store.record("a", &record(&claim(1), Some(epoch), None, 1));
    store.record("b", &record(&claim(1), None, Some(RowEnd::Dead("refused".into())), 0));
    let answer = store.claim("b", &Claim { opens: Opens::Created, ..claim(2) });
    assert_eq!(left(answer).unsure_creates, 1);
}

#[test]
fn a_process_is_never_forgotten_for_a_dead_letter_or_for_a_lost_id() {
    let mut store = Store::default();
    let dead = Some(RowEnd::Dead("refused".into()));
    store.record("a", &record(&claim(1), None, dead.clone(), 0));
    assert_eq!(store.record("a", &record(&claim(1), None, Some(RowEnd::Created(None)), 0)), Recorded::Yes);
    assert_eq!(store.record("a", &record(&claim(1), None, dead, 0)), Recorded::Superseded);
    assert_eq!(store.record("a", &record(&claim(1), None, created(), 0)), Recorded::Yes);
    assert_eq!(store.record("a", &record(&claim(1), None, Some(RowEnd::Created(None)), 0)), Recorded::Yes);
    assert_eq!(store.row.unwrap().end, created());
}

#[test]
fn clocks_that_go_back_make_no_time_negative() {
    let mut store = Store { now_ms: 60_000, ..Store::default() };
    store.claim("a", &claim(1));
    (store.now_ms, store.dead) = (0, vec!["a"]);
    assert_eq!(left(store.claim("b", &claim(1))).since_sent, Some(Duration::ZERO));
}
