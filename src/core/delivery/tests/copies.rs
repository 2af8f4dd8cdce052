//! Copies of one event: what one of them sent, the others know.
//!
//! Not here: two events of one key (`crashes`), and copies in two processes.

use super::*;
use crate::core::progress::{Next, Progress};

/// A copy whose own create lost its answer this long ago.
fn delayed(since: Duration) -> Message {
    let progress = Progress { next: Next::Lookup, unsure_creates: 1, since_create: Some(since), ..Progress::default() };
    let state = DelayedState { progress, first_seen_ms: 1, ..DelayedState::default() };
    Message { delayed_state: Some(state.encode()), ..event("found.lead", "m1") }
}

/// When the next create goes out, in seconds from now, if no lookup finds anything.
fn next_create(bench: &mut Bench, mut lookups: Vec<EventId>) -> u32 {
    for seconds in 0..120 {
        let mut creates = 0;
        for id in std::mem::take(&mut lookups) {
            let done = bench.replied(id, absent());
            creates += done.creates.len();
            lookups.extend(done.lookups);
        }
        let done = bench.after(SECOND);
        lookups.extend(done.lookups);
        if creates + done.creates.len() > 0 {
            return seconds;
        }
    }
    panic!("no create in two minutes")
}

#[test]
fn a_copy_waits_for_the_window_of_the_create_that_another_lost() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.max_local_delay = 60 * SECOND;
    let (first, done) = bench.event("found.lead", "m1");
    assert_eq!(done.creates, [first]);
    let (copy, done) = bench.message(delayed(40 * SECOND));
    assert_eq!(done.lookups, [copy]);
    let mut lookups = bench.replied(first, timed_out()).lookups;
    lookups.push(copy);
    let after = next_create(&mut bench, lookups);
    assert!((44..60).contains(&after), "{after} s after the answer was lost");
}

#[test]
fn a_copy_that_waited_for_a_limit_since_it_was_looked_up_is_looked_up_once_more_before_its_create() {
    for (rate, lookups) in [(50.0, 1), (0.8, 2)] {
        let mut bench = Bench::new(64);
        let request_limits = RequestLimitPolicy { max_requests_per_second: Some(rate), budget: 1.0 };
        bench.machine = Machine::new(Setup { request_limits, ..setup(64) });
        drop(bench.on(Input::Connected { can_delay: true }));
        let state = DelayedState { first_seen_ms: 1, ..DelayedState::default() };
        let (copy, mut done) =
            bench.message(Message { delayed_state: Some(state.encode()), ..event("found.lead", "m1") });
        let mut seen = 0;
        for _ in 0..1_000 {
            seen += done.lookups.len();
            if done.creates == [copy] {
                break;
            }
            done = if done.lookups == [copy] { bench.replied(copy, absent()) } else { bench.after(SECOND / 100) };
        }
        assert_eq!((seen, done.creates.len()), (lookups, 1), "at {rate} requests a second");
    }
}
