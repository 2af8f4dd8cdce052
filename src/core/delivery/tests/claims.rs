//! Laws of the ledger within the machine: what is asked before a create, what is told after it, and what waits for it.
//!
//! Not here: what follows from a row (`core::ledger`), and troubles of every kind (`tests/model`).

use std::collections::BTreeMap;

use super::others::{cloud_event, deals};
use super::repeats::{ends, is_announced, refused};
use super::*;
use crate::core::ledger::{Asker, Claimed, Hold, LedgerPolicy, Recorded, Row, RowEnd, RowId, claimed, recorded};
use crate::core::put_back::PutBack;

const LEASE: Duration = Duration::from_secs(40);

/// A replica with a ledger.
pub(super) fn replica(with: impl FnOnce(&mut Setup)) -> Bench {
    let mut bench = Bench::new(8);
    let mut setup = Setup { ledger: Some(LedgerPolicy { timeout: 30 * SECOND }), ..setup(8) };
    with(&mut setup);
    bench.machine = Machine::new(setup);
    drop(bench.on(Input::Connected { can_delay: true }));
    bench
}

/// The ledger of all replicas.
#[derive(Default)]
pub(super) struct Rows {
    rows: BTreeMap<RowId, Row>,
    dead: Vec<&'static str>,
    now_ms: i64,
}

impl Rows {
    fn lease(&self, row: Option<&Row>) -> Duration {
        row.filter(|row| !self.dead.contains(&&*row.owner)).map_or(Duration::ZERO, |_| LEASE)
    }

    pub(super) fn claim(&mut self, owner: &'static str, done: &Done) -> Claimed {
        let claim = &done.claims.first().expect("a claim").1;
        let row = self.rows.get(&claim.id).cloned();
        let asker = Asker { owner, now_ms: self.now_ms, lease: self.lease(row.as_ref()) };
        let (row, answer) = claimed(row, claim, &asker);
        self.rows.extend(row.map(|row| (claim.id, row)));
        answer
    }

    fn record(&mut self, owner: &'static str, record: &Record) -> Recorded {
        let row = self.rows.get(&record.claim.id).cloned();
        let asker = Asker { owner, now_ms: self.now_ms, lease: self.lease(row.as_ref()) };
        let (row, answer) = recorded(row, record, &asker);
        self.rows.extend(row.map(|row| (record.claim.id, row)));
        answer
    }

    /// Carries out what a replica asked for: the create is answered so if it may go. Answers all that followed.
    pub(super) fn goes_on(&mut self, owner: &'static str, bench: &mut Bench, done: &Done, reply: Reply) -> Done {
        let event = done.claims.first().expect("a claim").0;
        let mut later = match self.claim(owner, done) {
            Claimed::Mine { epoch, may_send: true, .. } => {
                bench.on(Input::Replied { event, reply, took: Duration::ZERO, epoch: Some(epoch) })
            }
            claimed => bench.on(Input::Withheld { event, claimed }),
        };
        for (record, told) in std::mem::take(&mut later.records) {
            let recorded = self.record(owner, &told);
            let settled = bench.on(Input::Recorded { record, recorded });
            later.add(settled);
        }
        later
    }
}

#[test]
fn without_a_ledger_nothing_is_asked_of_it_and_nothing_told() {
    let mut bench = Bench::new(8);
    let (id, done) = bench.event("lead", "m1");
    let replied = bench.replied(id, created());
    assert!(done.claims.is_empty() && replied.records.is_empty() && replied.settled == [(id, Settlement::Ack)]);
}

#[test]
fn what_is_a_process_is_acknowledged_once_that_is_recorded_and_not_before() {
    let mut bench = replica(|_| {});
    let (event, done) = bench.event("lead", "m1");
    assert!(done.claims[0].1.sends.is_some() && done.claims[0].1.key == "m1".into());
    let done = bench.on(Input::Replied { event, reply: created(), took: SECOND, epoch: Some(1) });
    assert!(done.settled.is_empty() && bench.machine.held() == 1, "{done:?}");
    let (mut record, told) = done.records[0].clone();
    assert_eq!((told.end, told.claim.epoch), (Some(RowEnd::Created(Some("p1".into()))), Some(1)));
    // It is told again until it is answered, and at least each ten seconds.
    for _ in 0..20 {
        let away = bench.on(Input::Recorded { record, recorded: Recorded::Away });
        assert!(away.settled.is_empty() && away.records.is_empty());
        let again = bench.after(5 * SECOND);
        assert_eq!(again.records.len(), 1);
        record = again.records[0].0;
    }
    let done = bench.on(Input::Recorded { record, recorded: Recorded::Yes });
    assert_eq!((&done.settled[..], ends(&done)), (&[(event, Settlement::Ack)][..], vec![("created", Some("p1"))]));
    assert!(bench.machine.is_idle());
}

#[test]
fn what_comes_back_is_not_in_doubt_unless_its_row_says_that_a_create_was_sent() {
    for kind in ["lead", "found.lead"] {
        let mut bench = replica(|_| {});
        let mut rows = Rows::default();
        let (event, done) = bench.message(again(kind, "m1"));
        assert_eq!((done.creates.as_slice(), done.lookups.len()), (&[event][..], 0), "{kind}");
        assert!(!is_announced(&done), "{kind}: nothing was sent before");
        let done = rows.goes_on("a", &mut bench, &done, created());
        assert_eq!(ends(&done), [("created", Some("p1"))], "{kind}");
    }
}

#[test]
fn what_a_dead_replica_may_have_created_is_looked_for_or_announced_and_sent_once_more() {
    for kind in ["lead", "found.lead"] {
        let mut rows = Rows { now_ms: 1_000, ..Rows::default() };
        let (_, done) = replica(|_| {}).event(kind, "m1");
        assert!(matches!(rows.claim("a", &done), Claimed::Mine { may_send: true, .. }));
        (rows.dead, rows.now_ms) = (vec!["a"], 61_000);
        let mut bench = replica(|setup| setup.policy.resend_after = Duration::ZERO);
        let (event, done) = bench.message(again(kind, "m1"));
        let done = rows.goes_on("b", &mut bench, &done, created());
        if kind == "lead" {
            assert!(is_announced(&done) && done.creates == [event], "{done:?}");
            assert!(matches!(rows.claim("b", &done), Claimed::Mine { may_send: true, .. }));
            // Nobody may send a third.
            rows.dead.push("b");
            let mut bench = replica(|_| {});
            let (_, done) = bench.message(again(kind, "m1"));
            let done = rows.goes_on("c", &mut bench, &done, created());
            assert_eq!(done.told[0].reason(), "unknown", "{done:?}");
        } else {
            assert_eq!((done.lookups.as_slice(), done.creates.len()), (&[event][..], 0), "{done:?}");
        }
    }
}

#[test]
fn what_a_dead_replica_may_have_created_is_dead_where_the_rules_say_so() {
    let mut rows = Rows::default();
    let (_, done) = replica(|_| {}).event("lead", "m1");
    rows.claim("a", &done);
    rows.dead.push("a");
    let mut bench = replica(|setup| setup.policy.on_unknown = OnUnknown::DeadLetter);
    let (_, done) = bench.message(again("lead", "m1"));
    let done = rows.goes_on("b", &mut bench, &done, created());
    assert_eq!(done.told[0].reason(), "unknown");
    assert!(
        matches!(rows.rows.values().next().map(|row| &row.end), Some(Some(RowEnd::Dead(word))) if word == "unknown")
    );
}

#[test]
fn what_a_living_replica_has_waits_uncounted_and_holds_no_place_for_long() {
    let (mut rows, mut bench) = (Rows::default(), replica(|_| {}));
    let (_, done) = replica(|_| {}).event("lead", "m1");
    rows.claim("a", &done);
    let (event, done) = bench.event("lead", "m1");
    let done = rows.goes_on("b", &mut bench, &done, created());
    assert!(done.settled.is_empty(), "a moment here: {done:?}");
    let done = bench.after(SECOND);
    let done = rows.goes_on("b", &mut bench, &done, created());
    let [(receipt, Settlement::Delay(queue, state))] = &done.settled[..] else { panic!("{done:?}") };
    assert_eq!(
        (*receipt, queue.wait, state.progress.attempts),
        (event, crate::core::delay_queue::DELAY_QUEUES[0].wait, 0)
    );
    assert_eq!(
        (state.age, done.told[0].delayed.map(|delayed| delayed.why)),
        (Duration::ZERO, Some("claimed_elsewhere"))
    );
    assert!(bench.machine.is_idle(), "the row is the other's, and not given back");
}

#[test]
fn what_another_replica_created_is_acknowledged_as_a_duplicate_or_as_a_copy() {
    let (mut rows, mut bench) = (Rows::default(), replica(|_| {}));
    let (_, done) = bench.event("lead", "m1");
    rows.goes_on("a", &mut bench, &done, created());
    for (message, result) in [(event("lead", "m1"), "duplicate"), (again("lead", "m1"), "already_created")] {
        let mut other = replica(|_| {});
        let (_, done) = other.message(message);
        let done = rows.goes_on("b", &mut other, &done, created());
        assert_eq!(ends(&done), [(result, Some("p1"))]);
        assert_eq!(done.settled[0].1, Settlement::Ack);
    }
}

#[test]
fn a_cloud_event_under_a_key_of_another_replicas_process_is_compared_as_in_one_process() {
    let (mut rows, mut bench) = (Rows::default(), replica(deals));
    let (_, done) = bench.message(cloud_event("1", "t1", "one"));
    rows.goes_on("a", &mut bench, &done, created());
    for (time, title, result) in [("t2", "one", "duplicate"), ("t3", "two", "dead_lettered")] {
        let mut other = replica(deals);
        let (_, done) = other.message(cloud_event("1", time, title));
        let done = rows.goes_on("b", &mut other, &done, created());
        assert_eq!(done.told[0].result, result, "{done:?}");
    }
    assert!(rows.rows.values().all(|row| matches!(row.end, Some(RowEnd::Created(_)))), "that one's row stands");
}

#[test]
fn another_event_of_a_key_is_a_process_of_its_own_where_that_is_wanted() {
    let creates = |setup: &mut Setup| {
        deals(setup);
        setup.repeats.cloud_events = crate::core::policy::OnReusedKey::Create;
    };
    let (mut rows, mut bench) = (Rows::default(), replica(creates));
    let (_, done) = bench.message(cloud_event("1", "t1", "one"));
    rows.goes_on("a", &mut bench, &done, created());
    let mut other = replica(creates);
    let (_, done) = other.message(cloud_event("1", "t2", "two"));
    let done = rows.goes_on("b", &mut other, &done, created());
    assert!(done.reports.iter().any(|report| matches!(report, Report::KeyReused { is_first: true, .. })));
    let done = rows.goes_on("b", &mut other, &done, created());
    assert_eq!((ends(&done), rows.rows.len()), (vec![("created", Some("p1"))], 2));
}

#[test]
fn a_dead_letter_is_recorded_when_the_broker_keeps_it_and_asked_for_again_it_is_tried_again() {
    let (mut rows, mut bench) = (Rows::default(), replica(|_| {}));
    let (event, done) = bench.event("lead", "m1");
    bench.keeps = false;
    let done = rows.goes_on("a", &mut bench, &done, refused());
    assert!(matches!(done.settled[0].1, Settlement::DeadLetter(_)));
    assert!(rows.rows.values().all(|row| row.hold == Hold::Free && row.end.is_none()), "nothing more is sent here");
    let kept = bench.on(Input::Kept { receipt: event });
    assert_eq!(kept.records[0].1.end, Some(RowEnd::Dead("refused".into())), "{kept:?}");
    rows.record("a", &kept.records[0].1);
    let retry = Message { put_back: Some(PutBack::default()), ..super::event("lead", "m1") };
    for (message, is_tried) in [(retry, true), (super::event("lead", "m1"), true), (again("lead", "m1"), false)] {
        let mut other = replica(|_| {});
        let before = rows.rows.clone();
        let (_, done) = other.message(message);
        let done = rows.goes_on("b", &mut other, &done, created());
        assert_eq!(done.creates.len(), usize::from(is_tried), "{done:?}");
        if is_tried {
            assert!(matches!(rows.claim("b", &done), Claimed::Mine { may_send: true, .. }), "nothing was created");
        } else {
            assert_eq!(done.told[0].reason(), "refused", "a copy of it");
        }
        rows.rows = before;
    }
}

#[test]
fn an_event_that_leaves_gives_its_row_back() {
    let (mut rows, mut bench) = (Rows::default(), replica(|_| {}));
    let (_, done) = bench.event("lead", "m1");
    let throttled = status(429);
    let done = rows.goes_on("a", &mut bench, &done, throttled);
    assert!(done.settled.is_empty(), "it waits here: {done:?}");
    let done = bench.on(Input::Command(Command::Drain));
    let (record, told) = &done.records[0];
    assert_eq!((&told.end, told.claim.unsure_creates), (&None, 0));
    assert!(!bench.machine.is_idle());
    let recorded = rows.record("a", told);
    drop(bench.on(Input::Recorded { record: *record, recorded }));
    assert!(bench.machine.is_idle());
    let mut other = replica(|_| {});
    let (_, done) = other.message(again("lead", "m1"));
    assert!(
        matches!(rows.claim("b", &done), Claimed::Mine { may_send: true, .. }),
        "without the lease, and without a doubt"
    );
}
