//! Events that wait for the window of their lookup are told, with their number and the end.
//!
//! Not here: how long a window is (`progress`).

use super::*;

/// What was told of events that wait: how many, for how long, and whether it is worth a line.
fn windows(done: &Done) -> Vec<(usize, u64, bool)> {
    let told = done.reports.iter().filter_map(|report| match report {
        Report::Windows { events, left, is_news } => Some((*events, left.as_secs(), *is_news)),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_backlog_that_waits_for_its_lookups_is_told_with_its_number_and_the_end_and_its_end_is_told() {
    let mut bench = Bench::new(64);
    let window = bench.machine.setup.policy.lookup_window.as_secs();
    for number in 0..30 {
        let (receipt, done) = bench.message(again("found.lead", &format!("m{number}")));
        assert_eq!(done.lookups, [receipt], "looked up first");
        drop(bench.replied(receipt, absent()));
    }
    let told = windows(&bench.after(6 * SECOND));
    let [(events, left, is_news)] = told[..] else { panic!("{told:?}") };
    assert!(events == 30 && is_news && left <= window && left + 10 >= window, "{told:?} of {window}");
    let mut ended = Vec::new();
    for _ in 0..window / 5 + 3 {
        ended.extend(windows(&bench.after(5 * SECOND)));
    }
    assert!(ended.contains(&(0, 0, true)), "{ended:?}");
    let lines = ended.iter().filter(|(.., is_news)| *is_news).count();
    assert_eq!(lines, 1, "told once, and its end: {ended:?}");
}

#[test]
fn an_event_that_is_found_or_was_never_delivered_before_is_not_counted() {
    let mut bench = Bench::new(64);
    let (receipt, _) = bench.message(again("found.lead", "m1"));
    drop(bench.replied(receipt, found("m1")));
    let (receipt, _) = bench.event("found.lead", "m2");
    drop(bench.replied(receipt, created()));
    assert_eq!(windows(&bench.after(6 * SECOND)), []);
}

#[test]
fn each_window_is_told_on_the_tick_until_its_second_is_over_and_one_more_is_no_news() {
    let mut bench = Bench::new(64);
    for number in 0..4 {
        let (receipt, _) = bench.message(again("found.lead", &format!("m{number}")));
        drop(bench.replied(receipt, absent()));
    }
    assert_eq!(windows(&bench.after(5 * SECOND)), [(4, 40, true)]);
    bench.machine.setup.policy.lookup_window = 40 * SECOND;
    let (receipt, _) = bench.message(again("found.lead", "late"));
    drop(bench.replied(receipt, absent()));
    assert_eq!(windows(&bench.after(5 * SECOND)), [(5, 35, false)], "one more is no news");
    assert_eq!(windows(&bench.after(35 * SECOND)), [], "its last second");
    assert_eq!(windows(&bench.after(5 * SECOND)), [(0, 0, true)]);
}
