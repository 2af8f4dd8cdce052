//! A source of photos is a host at a port, and it holds up no other.
//!
//! Not here: what becomes of the events of one source (`photos`).

use super::photos::{bench, failed, up};
use super::*;
use crate::core::delivery::PhotoReport;
use crate::core::photo::{Missed, PhotoReply};
use crate::core::reason::Cause;

#[test]
fn a_host_at_another_port_is_another_source_and_goes_on_while_the_first_is_shut() {
    let mut bench = bench(64);
    let mut fetching: Vec<EventId> = Vec::new();
    for n in 0..setup(64).gate.failures {
        fetching.extend(bench.event("visit", &format!("v{n}")).1.photos.iter().map(|(id, _)| *id));
    }
    let mut shut = Vec::new();
    while let Some(id) = fetching.pop() {
        let done = bench.brought(id, failed(Cause::ServerError));
        fetching.extend(done.photos.iter().map(|(id, _)| *id));
        shut.extend(done.reports.into_iter().filter_map(|report| match report {
            Report::Photos(PhotoReport::SourceShut { host, .. }) => Some(host),
            _ => None,
        }));
    }
    assert_eq!(shut.iter().map(|host| &**host).collect::<Vec<_>>(), ["slow.example"]);
    assert_eq!(bench.event("visit", "v99").1.photos.len(), 0, "it waits");
    let (id, done) = bench.event("beside", "b1");
    assert_eq!(done.photos.len(), 1, "another port");
    assert_eq!(bench.brought(id, up()).creates, [id]);
}

#[test]
fn a_source_that_shuts_says_why_and_when_it_is_asked_again_and_so_does_each_try() {
    let refused = || {
        PhotoReply::Missed(Missed::Failed {
            cause: Cause::Unreachable,
            status: None,
            after: None,
            detail: Some("tcp connect error".to_owned()),
        })
    };
    let throttled = || {
        PhotoReply::Missed(Missed::Failed {
            cause: Cause::Throttled,
            status: Some(429),
            after: Some(20 * SECOND),
            detail: None,
        })
    };
    for (reply, failures, expected) in [
        (refused(), setup(64).gate.failures, ("unreachable", None, Some("tcp connect error"))),
        (throttled(), 1, ("throttled", Some(429), None)),
    ] {
        let mut bench = bench(64);
        let mut fetching: Vec<EventId> = Vec::new();
        for n in 0..failures {
            fetching.extend(bench.event("visit", &format!("v{n}")).1.photos.iter().map(|(id, _)| *id));
        }
        let (mut told, mut tries) = (Vec::new(), 0);
        while let Some(id) = fetching.pop() {
            let done = bench.brought(id, reply.clone());
            fetching.extend(done.photos.iter().map(|(id, _)| *id));
            for report in done.reports {
                match report {
                    Report::Photos(PhotoReport::SourceShut { why, status, detail, wait, .. }) => {
                        assert!(wait > Duration::ZERO);
                        told.push((why, status, detail));
                    }
                    Report::TryFailed(failed) => {
                        assert_eq!((failed.status, failed.detail.as_deref()), (expected.1, expected.2));
                        tries += 1;
                    }
                    _ => {}
                }
            }
        }
        let (why, status, detail) = expected;
        assert_eq!((told, tries), (vec![(why, status, detail.map(str::to_owned))], failures));
    }
}

fn delayed(done: &Done) -> usize {
    done.settled.iter().filter(|(_, how)| matches!(how, Settlement::Delay(..))).count()
}

/// So many events with a picture of the slow source come; answers those that are fetched.
fn visits(bench: &mut Bench, name: &str, count: usize) -> Vec<EventId> {
    let mut fetching = Vec::new();
    for n in 0..count {
        let (_, done) = bench.event("visit", &format!("{name}{n}"));
        assert_eq!(delayed(&done), 0);
        fetching.extend(done.photos.iter().map(|(id, _)| *id));
    }
    fetching
}

#[test]
fn a_source_that_lets_fetches_wait_holds_up_what_comes_behind_its_events_for_a_second_at_most() {
    let mut bench = bench(64);
    let began = bench.now;
    assert_eq!(visits(&mut bench, "v", 64).len(), 2);
    assert_eq!(bench.wake, began + SECOND, "nobody else can come that would wake it");
    let done = bench.after(SECOND - SECOND / 100);
    assert_eq!(delayed(&done), 0, "an answer within a second slows nobody");
    let done = bench.after(SECOND / 100);
    assert_eq!((delayed(&done), bench.machine.held()), (16, 48), "a quarter is free");
    assert!(done.told.iter().all(|told| told.delayed.as_ref().is_none_or(|delayed| delayed.why == "photo_source")));
    // Those behind them are of the same source: they come in, and go out again.
    let mut passed = 0;
    for n in 64..150 {
        passed += delayed(&bench.event("visit", &format!("v{n}")).1);
    }
    assert!(passed >= 70 && bench.machine.held() < 64, "{passed}");
    let (id, done) = bench.event("lead", "l0");
    assert_eq!(done.creates, [id]);
    assert_eq!(bench.machine.held(), 17, "a quarter while others come, and itself");
    for state in done.settled {
        let (_, Settlement::Delay(_, state)) = state else { panic!("{state:?}") };
        assert_eq!((state.progress.attempts, state.progress.photos.tries), (0, 0), "nothing is spent");
    }
}

/// `count` fetches of the slow source take so long each; answers how many events were delayed meanwhile.
fn fetched(bench: &mut Bench, fetching: &mut Vec<EventId>, count: usize, took: Duration) -> usize {
    let mut sum = 0;
    for _ in 0..count / 2 {
        for _ in 0..10 {
            sum += delayed(&bench.after(took / 10));
        }
        for id in std::mem::take(fetching) {
            let done = bench.brought(id, up());
            sum += delayed(&done);
            let (of_source, tiles): (Vec<_>, Vec<_>) =
                done.photos.into_iter().partition(|(_, photo)| photo.source.host().is_some());
            fetching.extend(of_source.into_iter().map(|(id, _)| id));
            for (id, _) in tiles {
                drop(bench.brought(id, up()));
                drop(bench.replied(id, created()));
            }
        }
    }
    sum
}

#[test]
fn a_source_that_answers_within_a_second_or_as_it_always_does_delays_none_of_its_events_where_it_is_alone() {
    for took in [SECOND / 100, SECOND * 9 / 10] {
        let mut bench = bench(64);
        let mut fetching = visits(&mut bench, "v", 64);
        assert_eq!(fetched(&mut bench, &mut fetching, 40, took), 0, "{took:?}");
        assert!(bench.machine.held() <= 30, "{took:?}: {}", bench.machine.held());
    }
    let mut bench = bench(64);
    let mut fetching = visits(&mut bench, "v", 12);
    assert_eq!(fetched(&mut bench, &mut fetching, 8, 2 * SECOND), 0);
    fetching.extend(visits(&mut bench, "w", 60));
    assert_eq!(fetched(&mut bench, &mut fetching, 40, 2 * SECOND), 0, "it always takes two seconds");
}
