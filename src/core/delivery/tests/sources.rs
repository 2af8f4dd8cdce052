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
