//! What is known of procedures and hosts, and the shares of the places that follow from it.
//!
//! Not here: that these shares keep events going (`neighbours`, `photos`, `sources`).

use super::brake::refused;
use super::photos::bench;
use super::*;
use crate::core::delivery::Now;
use crate::core::delivery::places::{ALONE_FOR, Probed, Worked};
use crate::core::judge::Judgement;
use crate::core::lookup::Lookup;

fn lead() -> Procedure {
    Procedure::new("lead").unwrap()
}

fn ticket() -> Procedure {
    Procedure::new("ticket").unwrap()
}

/// A machine in which all events go to one procedure.
fn of_one_procedure(places: usize) -> Bench {
    let mut bench = Bench::new(places);
    let one = "[[rule]]\nname = \"lead\"\nprocedure = \"lead\"\n[rule.data]\nevent_key = \"{{ key }}\"";
    drop(bench.on(Input::Command(Command::NewRules(Arc::new(rules(one))))));
    bench
}

fn fill(bench: &mut Bench, count: usize) {
    (0..count).for_each(|id| drop(bench.event("lead", &format!("f{id}"))));
}

#[test]
fn each_procedure_is_remembered_by_its_last_probe_and_by_its_last_create() {
    let (mut probed, mut worked) = (Probed::default(), Worked::default());
    let created = Judgement::Created { process: None };
    for (event, procedure) in [(1, lead()), (2, ticket())] {
        probed.note(&procedure, event, false);
        worked.note(&procedure, &created, Now { moment: SECOND, epoch_ms: event }, SECOND);
    }
    worked.note(&lead(), &Judgement::Absent, Now { moment: SECOND, epoch_ms: 9 }, SECOND);
    assert_eq!(
        [lead(), ticket()].map(|procedure| probed.last_of(&procedure).map(|last| last.event)),
        [Some(1), Some(2)]
    );
    assert_eq!([lead(), ticket()].map(|procedure| probed.is_last(&procedure)), [false, true]);
    assert_eq!([lead(), ticket()].map(|procedure| worked.created_ms(&procedure)), [1, 2]);
    for number in 0..3000 {
        let procedure = Procedure::new(&format!("p{number}")).unwrap();
        probed.note(&procedure, 3, false);
        worked.note(&procedure, &created, Now { moment: SECOND, epoch_ms: 3 }, SECOND);
    }
    assert!(probed.last_of(&lead()).is_none() && worked.created_ms(&lead()) == 0, "they are bounded");
}

#[test]
fn requests_without_an_answer_are_minded_after_a_few_times_as_long_as_they_take() {
    let mut bench = Bench::new(64);
    drop(bench.event("lead", "waits"));
    let mut minded = |took: Option<u64>| {
        if let Some(took) = took {
            let (event, _) = bench.event("lead", &format!("m{took}"));
            drop(bench.on(Input::Replied { event, reply: created(), took: SECOND / 1000 * took as u32, epoch: None }));
        }
        bench.machine.minds_stall_at(&lead()).map(|at| (at - bench.now).as_millis())
    };
    assert_eq!(minded(None), Some(1000), "nothing is known yet");
    assert_eq!(minded(Some(500)), Some(2000));
    assert_eq!(minded(Some(1300)), Some(2400), "an eighth of the last");
    assert_eq!(minded(Some(60_000)), Some(5000), "at most");
    bench.now += 5 * SECOND;
    drop(bench.on(Input::Timer));
    assert_eq!(bench.machine.minds_stall_at(&lead()), None, "it is time");
}

#[test]
fn a_procedure_that_begins_no_more_is_minded_at_the_moment_that_the_machine_is_woken_for() {
    let mut bench = Bench::new(8);
    drop(bench.event("ticket", "t"));
    fill(&mut bench, 6);
    assert_eq!(bench.machine.running(), 5, "a quarter, four at least, and the other");
    assert_eq!(bench.wake, bench.now + SECOND);
    drop(bench.after(SECOND));
    assert!(bench.machine.held() < 7, "what is too much made room");
}

#[test]
fn others_may_be_there_where_they_came_within_a_minute_or_where_none_of_several_procedures_finds_a_place() {
    let mut bench = Bench::new(2);
    assert!(!bench.machine.may_have_others(&lead()));
    drop(bench.event("ticket", "t"));
    drop(bench.event("lead", "m"));
    drop(bench.after(60 * SECOND - SECOND / 1000));
    assert!(bench.machine.has_others(&lead()));
    drop(bench.after(SECOND / 1000));
    assert!(!bench.machine.has_others(&lead()), "a minute is over");
    assert!(bench.machine.may_have_others(&lead()), "every place is taken");
    let mut bench = of_one_procedure(2);
    fill(&mut bench, 2);
    assert!(!bench.machine.may_have_others(&lead()), "there is no other procedure");
}

#[test]
fn a_failing_procedure_alone_leaves_a_quarter_of_the_places_once_all_are_taken_for_long_and_others_may_exist() {
    let mut bench = Bench::new(64);
    assert_eq!((bench.machine.quarter(), bench.machine.most_alone()), (16, 48));
    assert_eq!(bench.machine.limit(&lead(), ALONE_FOR), usize::MAX, "there is room");
    assert_eq!(bench.machine.limit_of_source(&lead(), true), usize::MAX, "there is room");
    fill(&mut bench, 64);
    assert_eq!(bench.machine.limit(&lead(), ALONE_FOR - SECOND), usize::MAX, "the first probes may open it");
    assert_eq!(bench.machine.limit(&lead(), ALONE_FOR), 48);
    assert_eq!([true, false].map(|is_minded| bench.machine.limit_of_source(&lead(), is_minded)), [48, usize::MAX]);
    let mut bench = of_one_procedure(64);
    fill(&mut bench, 64);
    assert_eq!(bench.machine.limit(&lead(), ALONE_FOR), usize::MAX, "nobody else can come");
    assert_eq!(Bench::new(3).machine.quarter(), 1);
}

#[test]
fn how_many_are_held_and_wait_is_counted_for_each_procedure() {
    let mut bench = Bench::new(8);
    let receipts: Vec<_> = (0..3).map(|id| bench.event("lead", &format!("m{id}")).0).collect();
    assert_eq!(bench.machine.held.load(&lead()).map(|load| (load.held, load.running())), Some((3, 3)));
    drop(bench.replied(receipts[0], created()));
    assert_eq!(bench.machine.held.load(&lead()).map(|load| (load.held, load.running())), Some((2, 2)));
    drop(bench.replied(receipts[1], created()));
    drop(bench.replied(receipts[2], created()));
    assert!(bench.machine.held.load(&lead()).is_none() && bench.machine.held.lanes.iter().next().is_none());
    for id in 0..4 {
        let (receipt, _) = bench.event("lead", &format!("n{id}"));
        let settled = bench.replied(receipt, status(423)).settled;
        assert_eq!(settled.len(), usize::from(id >= 2), "a quarter waits here, the others in a delay queue");
    }
    let mut of_photos = self::bench(8);
    let (visit, _) = of_photos.event("visit", "v");
    let procedure = Procedure::new("fieldVisit").unwrap();
    let load = of_photos.machine.held.load(&procedure).map(|load| (load.held, load.running()));
    assert_eq!(load, Some((1, 0)), "what a photo waits for says nothing of its procedure: {visit}");
}

#[test]
fn what_was_never_tried_has_its_own_turn_and_what_was_refused_goes_after_all_others() {
    let mut bench = Bench::new(8);
    let (tried, _) = bench.event("lead", "tried");
    drop(bench.replied(tried, status(423)));
    drop(bench.on(Input::Command(Command::Pause)));
    drop(bench.after(5 * SECOND));
    let (first, _) = bench.event("lead", "first");
    drop(bench.event("lead", "second"));
    let lane = bench.machine.held.lanes.iter().next().unwrap().1;
    assert_eq!(lane.oldest().collect::<Vec<_>>(), [(first, true), (tried, false)]);
}

#[test]
fn the_events_of_a_rule_that_is_held_wait_as_long_as_it_has_been_and_that_is_told_once() {
    let mut bench = Bench::new(64);
    bench.machine.setup.gate.rejections = 2;
    let mut told = 0;
    let receipts: Vec<_> = (0..3).map(|id| bench.event("lead", &format!("m{id}")).0).collect();
    for id in &receipts[..2] {
        let done = bench.replied(*id, refused());
        told += done.reports.iter().filter(|report| matches!(report, Report::RuleHeld { .. })).count();
    }
    assert_eq!((told, bench.machine.brakes.held_for("lead", bench.now)), (1, Some(Duration::ZERO)));
    drop(bench.after(70 * SECOND));
    assert_eq!(bench.machine.brakes.held_for("lead", bench.now), Some(70 * SECOND));
    let done = bench.replied(receipts[2], refused());
    assert!(matches!(&done.settled[..], [(_, Settlement::Delay(queue, _))] if queue.label == "1m"), "{done:?}");
    assert!(!done.reports.iter().any(|report| matches!(report, Report::RuleHeld { .. })));
}

/// So many events of each kind, of procedures that both refuse them; answers which are still held after a moment.
fn left_of(places: usize, leads: usize, tickets: usize) -> Vec<&'static str> {
    let mut bench = Bench::new(places);
    let forbidden = || json(403, Wrapper { is_api_word: true, ..Wrapper::default() });
    let mut all = ["lead", "ticket"].map(|kind| (bench.event(kind, &format!("{kind}0")).0, kind)).to_vec();
    all.iter().for_each(|(receipt, _)| drop(bench.replied(*receipt, forbidden())));
    drop(bench.after(SECOND / 2));
    for (kind, count) in [("lead", leads), ("ticket", tickets)] {
        all.extend((1..count).map(|id| (bench.event(kind, &format!("{kind}{id}")).0, kind)));
    }
    let left = all.iter().filter(|(receipt, _)| bench.machine.held.get(*receipt).is_some());
    let mut kinds: Vec<_> = left.map(|(_, kind)| *kind).collect();
    kinds.sort_unstable();
    kinds
}

#[test]
fn each_procedure_that_is_shut_keeps_one_to_probe_with_as_long_as_those_leave_room() {
    assert_eq!(left_of(8, 3, 1), ["lead", "ticket"]);
    assert_eq!(left_of(8, 1, 3), ["lead", "ticket"]);
    assert_eq!(left_of(4, 2, 2), ["lead"], "of four places one");
}

#[test]
fn what_has_the_only_place_leaves_it_where_it_fails_for_long() {
    let mut bench = Bench::new(1);
    let (event, _) = bench.event("lead", "m1");
    let mut done = bench.replied(event, status(403));
    for _ in 0..20 {
        if !done.settled.is_empty() {
            break;
        }
        done = bench.after(SECOND / 2);
        if done.creates == [event] {
            done = bench.replied(event, status(403));
        }
    }
    assert!(matches!(done.settled[..], [(_, Settlement::Delay(..))]), "{done:?}");
}

#[test]
fn where_the_probe_of_a_full_machine_is_refused_half_of_the_places_change_hands_and_by_no_other_answer() {
    let mut bench = of_one_procedure(8);
    fill(&mut bench, 8);
    let done = bench.replied(0, page(200));
    assert_eq!(done.settled.len(), 0, "it was no probe");
    drop(bench.after(SECOND / 2));
    assert_eq!(bench.replied(1, page(200)).settled.len(), 0, "it began before");
    (2..8).for_each(|event| drop(bench.replied(event, page(200))));
    let missing = 8 - bench.machine.held();
    (0..missing).for_each(|id| drop(bench.event("lead", &format!("n{id}"))));
    let probe = bench.after(2 * SECOND).creates;
    assert_eq!(probe.len(), 1);
    assert_eq!(bench.replied(probe[0], page(200)).settled.len(), 4);
}

#[test]
fn photos_that_cannot_be_uploaded_make_room_for_others() {
    let mut bench = bench(8);
    let (first, _) = bench.event("visit", "v0");
    let (second, done) = bench.event("visit", "v1");
    assert_eq!(done.photos.len(), 1);
    let word = || super::photos::asked(json(403, Wrapper { is_api_word: true, ..Wrapper::default() }));
    drop(bench.brought(first, word()));
    let mut settled = bench.brought(second, word()).settled.len();
    for id in 2..6 {
        settled += bench.event("visit", &format!("v{id}")).1.settled.len();
    }
    assert_eq!((settled, bench.machine.held()), (4, 2), "a quarter of the places");
}

#[test]
fn lookups_in_a_procedure_where_nothing_is_created_make_no_room() {
    let mut bench = Bench::new(8);
    let (first, _) = bench.event("ticket", "t");
    drop(bench.replied(first, json(403, Wrapper { is_api_word: true, ..Wrapper::default() })));
    drop(bench.on(Input::Disconnected));
    drop(bench.on(Input::Connected { can_delay: true }));
    drop(bench.event("lead", "other"));
    let sent = Lookup { procedure: ticket(), attribute: "key".to_owned(), value: 1.into() };
    let state = DelayedState { sent: Some(sent), first_seen_ms: 1, ..DelayedState::default() }.encode();
    for id in 0..5 {
        let message = Message { delayed_state: Some(state.clone()), ..event("found.lead", &format!("m{id}")) };
        let (_, done) = bench.message(message);
        assert_eq!((done.lookups.len(), done.settled.len()), (0, 0), "it waits for the procedure");
    }
    assert_eq!(bench.machine.held(), 6);
}
