//! Laws of a ledger that does not answer, or not in time.
//!
//! Not here: one that does (`claims`).

use super::claims::{Rows, replica};
use super::repeats::{ends, is_announced};
use super::*;
use crate::core::ledger::{Claimed, Recorded};

#[test]
fn while_the_ledger_is_away_nothing_is_sent_and_one_event_asks_at_a_time_until_all_go_on() {
    let mut bench = replica(|_| {});
    let ids: Vec<EventId> = (0..4).map(|number| bench.event("lead", &format!("m{number}")).0).collect();
    for event in &ids {
        let done = bench.on(Input::Withheld { event: *event, claimed: Claimed::Away });
        assert!(done.creates.is_empty() && done.settled.is_empty(), "{done:?}");
    }
    let mut asked = 0;
    for _ in 0..600 {
        let done = bench.after(SECOND / 10);
        assert!(done.creates.len() <= 1, "{done:?}");
        for event in done.creates {
            asked += 1;
            drop(bench.on(Input::Withheld { event, claimed: Claimed::Away }));
        }
    }
    assert!((15..60).contains(&asked), "{asked} questions in a minute");
    let (mut created, mut waiting) = (0, Vec::new());
    for _ in 0..100 {
        let done = bench.after(SECOND / 10);
        waiting.extend(done.creates);
        while let Some(event) = waiting.pop() {
            created += 1;
            waiting.extend(
                bench.on(Input::Replied { event, reply: self::created(), took: SECOND, epoch: Some(1) }).creates,
            );
        }
    }
    assert_eq!(created, 4, "within ten seconds");
}

#[test]
fn questions_that_fail_together_are_one_failure_and_what_waits_goes_on_with_the_first_answer() {
    let mut bench = replica(|_| {});
    let ids: Vec<EventId> = (0..8).map(|number| bench.event("lead", &format!("m{number}")).0).collect();
    for event in &ids {
        assert!(bench.on(Input::Withheld { event: *event, claimed: Claimed::Away }).creates.is_empty());
    }
    let asked = bench.after(SECOND / 4).creates;
    assert_eq!(asked.len(), 1, "one asks, after the first wait");
    let done = bench.on(Input::Replied { event: asked[0], reply: created(), took: SECOND, epoch: Some(1) });
    assert_eq!(done.creates.len(), 7, "{done:?}");
}

#[test]
fn at_the_end_what_is_a_process_is_acknowledged_although_the_ledger_is_away_and_that_is_told() {
    let mut bench = replica(|_| {});
    let (event, _) = bench.event("lead", "m1");
    let done = bench.on(Input::Replied { event, reply: created(), took: SECOND, epoch: Some(1) });
    drop(bench.on(Input::Recorded { record: done.records[0].0, recorded: Recorded::Away }));
    drop(bench.on(Input::Command(Command::Drain)));
    assert_eq!(bench.after(5 * SECOND).records.len(), 1, "it tries until then");
    let done = bench.on(Input::Command(Command::CutOff));
    assert!(done.reports.iter().any(|report| matches!(report, Report::Unrecorded { .. })));
    assert_eq!((&done.settled[..], bench.machine.is_idle()), (&[(event, Settlement::Ack)][..], true));
}

#[test]
fn a_create_that_was_allowed_too_late_was_not_sent_and_leaves_no_doubt() {
    let (mut rows, mut bench) = (Rows::default(), replica(|_| {}));
    let (event, done) = bench.event("lead", "m1");
    let claimed = rows.claim("a", &done);
    assert!(matches!(claimed, Claimed::Mine { may_send: true, .. }));
    drop(bench.on(Input::Withheld { event, claimed }));
    let done = bench.after(5 * SECOND);
    assert!(!is_announced(&done));
    assert_eq!(ends(&rows.goes_on("a", &mut bench, &done, created())), [("created", Some("p1"))]);
}

#[test]
fn a_second_create_is_announced_once_however_often_the_ledger_does_not_answer() {
    let mut bench = replica(|setup| setup.policy.resend_after = Duration::ZERO);
    let (event, _) = bench.event("lead", "m1");
    let mut announced = 0;
    let mut done = bench.on(Input::Replied { event, reply: timed_out(), took: SECOND, epoch: Some(1) });
    for _ in 0..5 {
        done.add(bench.after(10 * SECOND));
        announced += done.reports.iter().filter(|report| matches!(report, Report::PossibleDuplicate { .. })).count();
        done = if done.creates.is_empty() {
            Done::default()
        } else {
            bench.on(Input::Withheld { event, claimed: Claimed::Away })
        };
    }
    assert_eq!(announced, 1);
}

#[test]
fn a_create_is_asked_for_again_at_the_moment_that_the_machine_is_woken_for_and_a_lookup_waits_for_no_ledger() {
    let mut bench = replica(|_| {});
    let (looked_up, _) = bench.event("found.lead", "m1");
    let (asked, _) = bench.event("lead", "m2");
    drop(bench.on(Input::Withheld { event: asked, claimed: Claimed::Away }));
    assert_eq!(bench.replied(looked_up, timed_out()).lookups, [looked_up], "nobody has answered yet");
    bench.now = bench.wake;
    assert_eq!(bench.on(Input::Timer).creates, [asked]);
}

#[test]
fn what_the_ledger_did_not_answer_for_is_given_up_with_its_connection_and_given_back_at_the_end() {
    for (end, result) in [(Input::Disconnected, "connection_lost"), (Input::Command(Command::Drain), "requeued")] {
        let mut bench = replica(|_| {});
        let (event, _) = bench.event("lead", "m1");
        drop(bench.on(end));
        let done = bench.on(Input::Withheld { event, claimed: Claimed::Away });
        assert_eq!((&done.settled[..], ends(&done)), (&[(event, Settlement::Release)][..], vec![(result, None)]));
        assert_eq!(bench.machine.held(), 0);
    }
}
