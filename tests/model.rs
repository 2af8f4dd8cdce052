//! A walk of the delivery logic against an adversary that applies creates or loses them, applies them late, delays
//! their visibility, answers or does not, refuses, halts, loses the connection, kills the process at the worst moment
//! and delivers again, so that several copies of one event are under way. Exhaustive to a depth, and at random far
//! beyond.
//!
//! Not here: sockets, a broker, real time. The walk uses `judge`, `judge_lookup`, `Progress`, `DelayedState` and `Recent` as
//! they are, and plays the shell: a doubt is announced before a create that follows a lost answer or a redelivery.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail this way")]

#[path = "model/adversary.rs"]
mod adversary;
#[path = "model/api.rs"]
mod api;
#[path = "model/hour.rs"]
mod hour;
#[path = "model/laws.rs"]
mod laws;
#[path = "model/settling.rs"]
mod settling;
#[path = "model/world.rs"]
mod world;

use chakra_bridge::core::policy::{OnAbsent, OnUnknown};

use adversary::Choices;
use laws::Count;
use world::{Setting, World};

/// How many random walks each setting takes; more by `MODEL_WALKS=1000000 cargo test --release --test model`.
const WALKS: u64 = 50_000;

const WITH_LOOKUP: Setting = Setting {
    can_look_up: true,
    on_unknown: OnUnknown::Resend,
    on_absent: OnAbsent::Create,
    creates: 2,
    strikes: 1,
    reasons: 1,
    delays: 2,
    sins: world::Sins::NONE,
};

const BLIND: Setting = Setting { can_look_up: false, creates: 3, strikes: 2, ..WITH_LOOKUP };

/// Every walk there is within the adversary's means.
fn exhaustive(setting: Setting) -> Count {
    until(setting, |_| false)
}

/// Every walk there is, or those up to the first of which `is_enough`.
fn until(setting: Setting, is_enough: fn(&Count) -> bool) -> Count {
    let mut count = Count::default();
    let mut choices = Choices::exhaustive();
    loop {
        World::walk(setting, &mut choices, &mut count);
        if is_enough(&count) || !choices.next_walk() {
            break;
        }
    }
    println!("every walk of {setting:?}: {count:?}");
    count
}

fn at_random(setting: Setting, walks: u64) -> Count {
    let walks = std::env::var("MODEL_WALKS").ok().and_then(|text| text.parse().ok()).unwrap_or(walks);
    let seed: u64 =
        std::env::var("MODEL_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    // Printed before the walk, so that it stands in the output of a failure.
    println!("MODEL_SEED={seed} repeats these walks");
    let mut count = Count::default();
    for walk in 0..walks {
        let mut choices = Choices::at_random(seed.wrapping_add(walk));
        World::walk(setting, &mut choices, &mut count);
        assert!(count.is_clean(), "walk {walk} of MODEL_SEED={seed} breaks the promise: {count:?}");
    }
    println!("at random, {setting:?}: {count:?}");
    count
}

/// What random walks may do: far more of everything.
fn wild(setting: Setting) -> Setting {
    Setting { creates: 8, strikes: 8, reasons: 12, delays: 40, ..setting }
}

#[test]
fn with_a_lookup_no_event_is_lost_or_doubled_whatever_happens() {
    // Twice of one trouble and once of another, in turn: all of them together are for the random walks.
    for (creates, strikes, reasons) in [(2, 1, 0), (1, 2, 0), (1, 1, 1), (1, 0, 2)] {
        let count = exhaustive(Setting { creates, strikes, reasons, ..WITH_LOOKUP });
        assert!(count.walks > 1000 && count.created + count.found > 1000 && count.dead > 0, "too tame: {count:?}");
        assert!(count.is_clean(), "{count:?}");
    }
}

#[test]
fn without_a_lookup_no_event_is_lost_or_doubled_without_a_word() {
    for on_unknown in [OnUnknown::Resend, OnUnknown::DeadLetter] {
        let count = exhaustive(Setting { on_unknown, ..BLIND });
        assert!(
            count.walks > 10_000 && count.is_not_tame() && count.doubled > 0,
            "the adversary is too tame: {count:?}"
        );
        assert!(count.is_clean(), "{count:?}");
    }
}

#[test]
fn long_random_walks_keep_the_promise_with_a_lookup() {
    let count = at_random(wild(WITH_LOOKUP), WALKS);
    assert!(count.is_not_tame() && count.found > 0, "{count:?}");
    at_random(wild(Setting { on_absent: OnAbsent::DeadLetter, ..WITH_LOOKUP }), WALKS);
}

#[test]
fn long_random_walks_keep_the_promise_without_a_lookup() {
    assert!(at_random(wild(BLIND), WALKS).doubled > 0);
    at_random(wild(Setting { on_unknown: OnUnknown::DeadLetter, ..BLIND }), WALKS);
}

#[test]
fn the_walk_notices_a_daemon_that_keeps_its_doubts_to_itself() {
    let sins = world::Sins { is_mute: true, ..world::Sins::NONE };
    assert!(until(Setting { sins, ..BLIND }, |count| count.doubled_without_a_word > 0).doubled_without_a_word > 0);
}

#[test]
fn the_walk_notices_a_daemon_that_creates_again_without_looking() {
    let sins = world::Sins { lookups_never: true, ..world::Sins::NONE };
    assert!(until(Setting { sins, ..WITH_LOOKUP }, |count| count.doubled_by_one_copy > 0).doubled_by_one_copy > 0);
}

#[test]
fn the_walk_notices_a_window_that_is_too_short() {
    let sins = world::Sins { window_is_short: true, ..world::Sins::NONE };
    assert!(until(Setting { sins, ..WITH_LOOKUP }, |count| count.doubled_by_one_copy > 0).doubled_by_one_copy > 0);
}

#[test]
fn the_walk_notices_a_shell_that_acknowledges_before_the_confirm() {
    let sins = world::Sins { acks_first: true, ..world::Sins::NONE };
    assert!(until(Setting { sins, ..WITH_LOOKUP }, |count| count.lost > 0).lost > 0);
}
