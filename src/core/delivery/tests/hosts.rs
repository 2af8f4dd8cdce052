//! Hosts of pictures: when one that fails is asked again, and what is known of each.
//!
//! Not here: how large a share of the places one has (`shares`, `sources`).

use super::brake::refused;
use super::photos::{asked, bench, failed, names, up};
use super::repeats::is_announced;
use super::*;
use crate::core::delivery::PhotoReport;
use crate::core::delivery::event::Stage;
use crate::core::photo::{Missed, PhotoReply};
use crate::core::progress::Progress;
use crate::core::reason::Cause;

/// The source of `visit` is shut by its first failure, of this event.
fn shut(places: usize) -> (Bench, EventId) {
    let mut bench = bench(places);
    bench.machine.setup.gate.failures = 1;
    let (first, _) = bench.event("visit", "v0");
    drop(bench.brought(first, failed(Cause::ServerError)));
    (bench, first)
}

#[test]
fn a_source_that_fails_is_asked_after_its_wait_by_one_and_the_machine_is_woken_for_that() {
    let mut bench = bench(64);
    bench.machine.setup.gate.failures = 1;
    let (first, _) = bench.event("visit", "v0");
    let done = bench.brought(first, failed(Cause::ServerError));
    let waits = done.reports.iter().filter_map(|report| match report {
        Report::Photos(PhotoReport::SourceShut { wait, .. }) => Some(*wait),
        _ => None,
    });
    let waits: Vec<_> = waits.collect();
    (1..6).for_each(|id| drop(bench.event("visit", &format!("v{id}"))));
    assert_eq!(waits, [SECOND / 2 + SECOND / 4], "half of it certain, half by the dice");
    let until = bench.now + waits[0];
    while bench.wake < until {
        bench.now = bench.wake;
        assert!(bench.on(Input::Timer).photos.is_empty(), "it waits");
    }
    assert_eq!(bench.wake, until);
    bench.now = until;
    let done = bench.on(Input::Timer);
    assert_eq!(names(&done), ["site"], "one asks");
    assert!(bench.after(SECOND / 2).photos.is_empty(), "while it is asked nobody else does");
    let (beside, others) = bench.event("visit", "late");
    assert!(others.photos.is_empty(), "{beside} waits too");
    let done = bench.brought(done.photos[0].0, up());
    assert_eq!(names(&done).iter().filter(|name| **name == "site").count(), 2, "as many as one host may have");
}

#[test]
fn where_the_one_that_waited_longest_may_not_go_the_next_asks_in_the_same_turn() {
    let (mut bench, first) = shut(64);
    drop(bench.on(Input::CanDelay(false)));
    bench.machine.setup.gate.rejections = 1;
    let (lead, _) = bench.event("lead", "refused");
    drop(bench.replied(lead, refused()));
    let (next, _) = bench.event("visit", "v1");
    bench.machine.held.get_mut(first).unwrap().context.rule = Some("lead".into());
    while bench.wake < bench.machine.sources.next_due(bench.now, 64, PhotoPolicy::default()).unwrap() {
        bench.now = bench.wake;
        assert!(bench.on(Input::Timer).photos.is_empty(), "it waits");
    }
    bench.now = bench.wake;
    let asked: Vec<_> = bench.on(Input::Timer).photos.iter().map(|(id, _)| *id).collect();
    assert_eq!((asked, bench.wake > bench.now), (vec![next], true), "{first} is held by its rule");
}

#[test]
fn a_source_whose_wait_is_over_while_the_gate_is_shut_wakes_the_machine_once() {
    let (mut bench, _) = shut(64);
    (1..6).for_each(|id| drop(bench.event("visit", &format!("v{id}"))));
    drop(bench.on(Input::Command(Command::Pause)));
    let due = bench.machine.sources.next_due(bench.now, 64, PhotoPolicy::default()).unwrap();
    while bench.now <= due {
        bench.now = bench.wake;
        assert!(bench.on(Input::Timer).photos.is_empty(), "paused");
        assert!(bench.wake > bench.now, "woken again at once");
    }
    assert_eq!(names(&bench.on(Input::Command(Command::Resume))), ["site"], "one asks");
}

#[test]
fn a_source_whose_wait_is_over_while_as_many_are_fetched_as_may_be_waits_for_the_end_of_one() {
    let (mut bench, _) = shut(64);
    bench.machine.setup.photos.at_once = 1;
    let (beside, done) = bench.event("beside", "b0");
    assert_eq!(done.photos.len(), 1);
    for _ in 0..10 {
        bench.now = bench.wake;
        assert!(bench.on(Input::Timer).photos.is_empty(), "one at a time");
        assert!(bench.wake > bench.now, "woken again at once");
    }
    assert_eq!(names(&bench.brought(beside, up())), ["site"]);
}

#[test]
fn hosts_are_remembered_up_to_a_bound_and_those_that_something_waits_for_beyond_it() {
    let mut bench = bench(64);
    bench.machine.setup.gate.failures = 1;
    bench.machine.setup.photos.at_once = 9999;
    let (shut, _) = bench.event("beside", "b0");
    drop(bench.brought(shut, failed(Cause::ServerError)));
    for number in 0..1022 {
        bench.machine.sources.begun(&format!("h{number}"), 1_000_000 + number, bench.now);
    }
    let (good, _) = bench.event("visit", "v0");
    drop(bench.brought(good, up()));
    assert_eq!(bench.machine.sources.len(), 1024, "as many as are remembered");
    bench.machine.sources.begun("one more", 2_000_000, bench.now);
    let (late, _) = bench.event("visit", "v1");
    assert_eq!(bench.machine.sources.len(), 1025);
    drop(bench.brought(late, up()));
    assert_eq!(bench.machine.sources.len(), 1024, "the one that is idle is forgotten, and none that runs or is shut");
}

/// One photo, without which the process is created too.
const ONE: &str = r#"
[[rule]]
name = "visit"
type = "visit"
procedure = "fieldVisit"
reconcile_by = "event_key"
[rule.data]
event_key = "{{ key }}"
site = "{{ photo.site }}"
[rule.photo.site]
url = "https://slow.example/{{ event.of }}.jpg"
on_missing = "without"
"#;

/// A machine that maps by these rules.
fn bench_of(rule: &str) -> Bench {
    let mut bench = Bench::new(8);
    bench.machine = Machine::new(Setup { rules: Arc::new(rules(rule)), ..setup(8) });
    drop(bench.on(Input::Connected { can_delay: true }));
    bench
}

#[test]
fn the_only_photo_that_cannot_be_had_is_left_out_too() {
    let mut bench = bench_of(ONE);
    let (event, done) = bench.event("visit", "v1");
    let site = done.photos[0].1.id.to_string();
    let done = bench.brought(event, PhotoReply::Missed(Missed::Gone(404)));
    assert_eq!(done.creates, [event]);
    assert!(!String::from_utf8_lossy(&done.bodies[0]).contains(&site));
}

#[test]
fn a_lookup_that_is_refused_after_one_that_was_not_leaves_the_doubt_that_one_had_cleared() {
    let mut bench = bench_of(ONE);
    let state = DelayedState { first_seen_ms: 1, ..DelayedState::default() };
    let (event, done) = bench.message(Message { delayed_state: Some(state.encode()), ..event("visit", "v1") });
    assert_eq!(done.lookups, [event]);
    assert_eq!(names(&bench.replied(event, absent())), ["site"]);
    assert_eq!(bench.brought(event, up()).lookups, [event]);
    let done = bench.replied(event, status(403));
    assert_eq!((done.creates.as_slice(), is_announced(&done)), (&[event][..], true), "{done:?}");
}

#[test]
fn an_upload_for_which_no_descriptor_is_left_costs_time_alone() {
    let mut bench = bench(8);
    let (event, _) = bench.event("visit", "v1");
    let none_left = Reply::NotSent { why: NotSent::NoDescriptors, detail: String::new() };
    let done = bench.brought(event, asked(none_left));
    assert!(done.reports.iter().any(|report| matches!(report, Report::NoDescriptors)), "{done:?}");
    let held = bench.machine.held.get(event).unwrap();
    assert_eq!((held.shortages, held.progress.photos.tries), (1, 0));
    assert_eq!(names(&bench.after(SECOND)), ["site"]);
}

#[test]
fn pictures_that_cannot_be_had_hold_their_rule_as_other_rejections_do() {
    let mut bench = bench(64);
    bench.machine.setup.gate.rejections = 2;
    for id in 0..2 {
        let (event, _) = bench.event("visit", &format!("v{id}"));
        drop(bench.brought(event, PhotoReply::Missed(Missed::Gone(404))));
    }
    assert!(bench.machine.holds_rule("visit"));
}

#[test]
fn without_delay_queues_what_waits_for_a_slow_source_goes_on_as_its_fetches_end() {
    let mut bench = bench(8);
    drop(bench.on(Input::CanDelay(false)));
    let first = bench.event("visit", "v0").0;
    (1..6).for_each(|id| drop(bench.event("visit", &format!("v{id}"))));
    drop(bench.event("lead", "other"));
    drop(bench.after(5 * SECOND));
    let done = bench.brought(first, up());
    assert_eq!(names(&done).iter().filter(|name| **name == "site").count(), 1, "{done:?}");
}

#[test]
fn an_upload_that_fails_counts_as_a_try_unless_it_probed() {
    let mut bench = bench(8);
    let (event, _) = bench.event("visit", "v1");
    drop(bench.brought(event, asked(Reply::NotSent { why: NotSent::Unreachable, detail: String::new() })));
    assert_eq!(bench.machine.held.get(event).unwrap().progress.photos.tries, 1);
}

#[test]
fn a_link_that_may_not_be_followed_says_nothing_of_its_source() {
    let (mut bench, first) = shut(8);
    let done = bench.after(SECOND);
    assert_eq!(names(&done), ["site"]);
    let done = bench.brought(first, PhotoReply::Missed(Missed::NotAllowed("x".into())));
    let opened = done.reports.iter().any(|report| matches!(report, Report::Photos(PhotoReport::SourceOpened { .. })));
    assert!(!opened, "{done:?}");
}

#[test]
fn a_source_is_slow_where_its_queue_would_take_a_second_by_how_long_its_fetches_take() {
    let mut bench = bench(8);
    let (first, _) = bench.event("visit", "v0");
    drop(bench.after(2 * SECOND));
    drop(bench.brought(first, up()));
    drop(bench.event("lead", "other"));
    let mut settled = Vec::new();
    for id in 1..7 {
        drop(bench.event("visit", &format!("v{id}")));
        settled.push(bench.on(Input::Timer).settled.len());
    }
    assert_eq!(settled, [0, 0, 0, 0, 0, 4], "two at once, half a second each, and four that wait");
}

#[test]
fn what_waits_for_something_else_by_now_is_neither_woken_nor_delayed_for_the_source_that_it_waited_for() {
    let mut bench = bench(8);
    let first = bench.event("visit", "v0").0;
    (1..5).for_each(|id| drop(bench.event("visit", &format!("v{id}"))));
    for id in [2, 4] {
        let event = bench.machine.held.get_mut(id).unwrap();
        let site = event.request.photos.iter().find(|photo| &*photo.name == "site").unwrap().id;
        let mut other = Progress::default();
        other.photos.goes_without(site);
        event.goes_on_from(&other, None);
        bench.machine.held.stage(id, Stage::Waiting(bench.now + 60 * SECOND));
    }
    let done = bench.brought(first, up());
    assert_eq!(
        done.photos.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        [first, 3],
        "its next, and the next that waits"
    );
    drop(bench.event("lead", "other"));
    (5..7).for_each(|id| drop(bench.event("visit", &format!("v{id}"))));
    let settled = bench.after(2 * SECOND).settled;
    assert!(!settled.is_empty() && settled.iter().all(|(id, _)| ![2, 4].contains(id)), "{settled:?}");
}
