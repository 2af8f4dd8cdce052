//! What an event brings with it counts, and what it takes along is whole.
//!
//! Not here: how it is written as a header (`core::delayed_state`).

use super::*;
use crate::core::progress::Progress;

const EVENTS: usize = 200;

/// How many events that bring this progress are looked up at once, where no budget pays for repeats.
fn looked_up_at_once(progress: &Progress) -> usize {
    let mut bench = Bench::new(2 * EVENTS);
    let request_limits = RequestLimitPolicy { max_requests_per_second: None, budget: 0.0 };
    bench.machine = Machine::new(Setup { request_limits, ..setup(2 * EVENTS) });
    drop(bench.on(Input::Connected { can_delay: true }));
    let state = DelayedState { progress: progress.clone(), ..DelayedState::default() }.encode();
    let mut begun = 0;
    for number in 0..EVENTS {
        let message = Message { delayed_state: Some(state.clone()), ..event("found.lead", &format!("m{number}")) };
        begun += bench.message(message).1.lookups.len();
    }
    begun
}

#[test]
fn what_was_never_sent_is_looked_up_outside_of_the_budget_of_repeats_and_what_may_have_been_within_it() {
    assert_eq!(looked_up_at_once(&Progress::default()), EVENTS);
    let tried = [
        Progress { attempts: 1, ..Progress::default() },
        Progress { unsure_creates: 1, ..Progress::default() },
        Progress { lookups: 1, ..Progress::default() },
        Progress { since_create: Some(SECOND), ..Progress::default() },
    ];
    for progress in tried {
        let begun = looked_up_at_once(&progress);
        assert!(begun < EVENTS, "{begun} of {progress:?}");
    }
}

#[test]
fn what_is_delayed_takes_along_where_it_was_sent() {
    let mut bench = Bench::new(64);
    let (receipt, _) = bench.event("found.lead", "m1");
    let done = bench.replied(receipt, busy());
    let [(_, Settlement::Delay(_, state))] = &done.settled[..] else { panic!("{:?}", done.settled) };
    let sent = state.sent.as_ref().expect("where it was sent");
    assert_eq!((sent.procedure.to_string().as_str(), sent.attribute.as_str()), ("lead", "event_key"));
    assert_eq!(sent.value, "m1");
    assert_eq!(state.progress.attempts, 1);
}
