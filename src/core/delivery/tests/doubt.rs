//! The repeat of a create that lost its answer, where no lookup can tell what became of it.
//!
//! Not here: events that can be looked up (`core::progress`).

use super::*;

fn listed(bench: &mut Bench, status: u16) -> Done {
    let reply = Reply::Response(Response::new(status, Body::Json(Wrapper { has_data: true, ..Wrapper::default() })));
    let procedure = Procedure::new("lead").unwrap();
    bench.on(Input::Listed { procedure, reply: Some(reply) })
}

#[test]
fn its_repeat_goes_as_soon_as_another_create_of_its_procedure_has_worked() {
    let mut bench = Bench::new(64);
    let (lost, _) = bench.event("lead", "m1");
    drop(bench.replied(lost, timed_out()));
    assert!(bench.after(5 * SECOND).creates.is_empty(), "nothing shows that creates work");
    let (other, _) = bench.event("ticket", "m2");
    assert!(bench.replied(other, created()).creates.is_empty(), "another procedure says nothing");
    let (other, _) = bench.event("lead", "m3");
    let done = bench.replied(other, created());
    assert_eq!(done.creates, [lost]);
    assert!(done.reports.iter().any(|report| matches!(report, Report::PossibleDuplicate { .. })), "announced before");
}

#[test]
fn a_long_run_of_failing_creates_makes_no_dead_letter_of_what_cannot_be_looked_up() {
    let mut bench = Bench::new(64);
    drop(bench.on(Input::Connected { can_delay: false }));
    let mut begun: Vec<_> = (0..40).flat_map(|id| bench.event("lead", &format!("m{id}")).1.creates).collect();
    let mut creates = 0;
    for _ in 0..9 * 60 {
        while let Some(event) = begun.pop() {
            creates += 1;
            let done = bench.replied(event, status(503));
            assert!(done.settled.is_empty(), "{:?}", done.settled);
            begun.extend(done.creates);
        }
        let done = bench.after(SECOND);
        assert!(done.settled.is_empty(), "{:?}", done.settled);
        begun = done.creates;
    }
    assert!(creates <= 60, "{creates}");
}

#[test]
fn where_no_create_comes_the_repeat_waits_for_resend_after_and_for_a_list_that_is_answered() {
    let mut bench = Bench::new(64);
    drop(bench.on(Input::Connected { can_delay: false }));
    let (lost, _) = bench.event("lead", "m1");
    drop(bench.replied(lost, timed_out()));
    let mut asked = 0;
    for _ in 0..700 {
        let done = bench.after(SECOND);
        assert!(done.creates.is_empty());
        asked += done.lists.len();
        if !done.lists.is_empty() {
            assert!(bench.now >= 600 * SECOND);
            assert!(listed(&mut bench, 503).creates.is_empty(), "it was not answered");
        }
    }
    assert!((2..=25).contains(&asked), "{asked}");
    while bench.after(SECOND).lists.is_empty() {}
    assert_eq!(listed(&mut bench, 200).creates, [lost]);
}

#[test]
fn a_list_that_nobody_answers_is_asked_for_again_after_five_seconds_and_no_sooner() {
    let mut bench = Bench::new(64);
    drop(bench.on(Input::Connected { can_delay: false }));
    let (lost, _) = bench.event("lead", "m1");
    drop(bench.replied(lost, timed_out()));
    while bench.after(SECOND).lists.is_empty() {}
    let first = bench.now;
    drop(listed(&mut bench, 503));
    while bench.after(SECOND).lists.is_empty() {}
    assert_eq!(bench.now - first, 5 * SECOND);
}

#[test]
fn what_is_in_doubt_is_no_probe_while_another_event_is_there() {
    let mut bench = Bench::new(64);
    let lost: Vec<_> = (0..10).map(|id| bench.event("lead", &format!("m{id}")).0).collect();
    for event in &lost {
        drop(bench.replied(*event, status(503)));
    }
    let (fresh, done) = bench.event("lead", "fresh");
    assert!(done.creates.is_empty(), "the gate is shut");
    assert_eq!(bench.after(2 * SECOND).creates, [fresh]);
}

#[test]
fn an_answer_that_is_known_to_mean_nothing_was_done_leaves_no_doubt_and_is_tried_again() {
    let mut setup = setup(64);
    setup.policy.not_processed = NotProcessed::default().with(503).unwrap();
    for on_unknown in [OnUnknown::Resend, OnUnknown::DeadLetter] {
        setup.policy.on_unknown = on_unknown;
        let mut bench = Bench::new(64);
        bench.machine = Machine::new(setup.clone());
        drop(bench.on(Input::Connected { can_delay: false }));
        let (event, mut done) = bench.event("lead", "m");
        let mut creates = 0;
        while creates < 6 {
            if done.creates.contains(&event) {
                creates += 1;
                done = bench.replied(event, status(503));
            } else {
                done = bench.after(SECOND);
            }
            assert!(done.settled.is_empty(), "no create of it is unsure: {:?}", done.settled);
            let is_announced = |report: &Report| matches!(report, Report::PossibleDuplicate { .. });
            assert!(!done.reports.iter().any(is_announced), "nothing was done, so nothing can be doubled");
        }
        assert_eq!(bench.machine.held.get(event).map(|event| event.progress.unsure_creates), Some(0));
    }
}

#[test]
fn a_run_of_such_answers_shuts_the_gate_as_any_failure_does_and_another_status_keeps_its_doubt() {
    let mut setup = setup(64);
    setup.policy.not_processed = NotProcessed::default().with(503).unwrap();
    setup.policy.on_unknown = OnUnknown::DeadLetter;
    let mut bench = Bench::new(64);
    bench.machine = Machine::new(setup);
    drop(bench.on(Input::Connected { can_delay: false }));
    let events: Vec<_> = (0..10).map(|id| bench.event("lead", &format!("m{id}")).0).collect();
    let mut is_shut = false;
    for event in events {
        let reports = bench.replied(event, status(503)).reports;
        is_shut |= reports.iter().any(|report| matches!(report, Report::Gate(_)));
    }
    assert!(is_shut);
    let (other, _) = bench.event("ticket", "other");
    let done = bench.replied(other, status(500));
    let [(_, Settlement::DeadLetter(letter))] = &done.settled[..] else { panic!("{done:?}") };
    assert_eq!(letter.fault.reason.as_str(), "unknown");
}

#[test]
fn what_is_remembered_of_procedures_and_repeats_is_bounded() {
    let mut bench = Bench::new(4);
    for id in 0..5000_u64 {
        let procedure = Procedure::new(&format!("p{id}")).unwrap();
        drop(bench.on(Input::Connected { can_delay: true }));
        bench.machine.doubts.asks(&procedure, bench.now);
        let (lost, _) = bench.event("lead", &format!("m{id}"));
        drop(bench.replied(lost, timed_out()));
        drop(bench.after(2 * SECOND));
        drop(bench.on(Input::Disconnected));
        assert!(bench.machine.doubts.sizes() <= (9, 1024), "{:?}", bench.machine.doubts.sizes());
    }
    assert!(bench.machine.doubts.sizes().0 > 1, "the law saw some");
}

#[test]
fn a_list_that_was_answered_in_the_very_millisecond_of_a_loss_says_nothing_of_it() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.resend_after = 10 * SECOND;
    drop(bench.on(Input::Connected { can_delay: false }));
    let (first, _) = bench.event("lead", "m1");
    drop(bench.replied(first, timed_out()));
    let (second, _) = bench.event("lead", "m2");
    while bench.after(SECOND).lists.is_empty() {}
    drop(bench.replied(second, timed_out()));
    assert_eq!(listed(&mut bench, 200).creates, [first]);
    let mut done = bench.after(SECOND);
    while done.lists.is_empty() && done.creates.is_empty() {
        done = bench.after(SECOND);
    }
    assert_eq!((done.lists.len(), done.creates.len()), (1, 0), "it is asked for again");
}
