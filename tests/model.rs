//! A walk of the delivery machine itself against an adversary: an API that applies creates or loses them, applies them late,
//! shows them late, refuses and halts; a broker that refuses, forgets connections and delivers again; a daemon that is killed at
//! the worst moment, paused, reloaded and restarted. Exhaustive to a depth, and at random far beyond.
//!
//! Not here: sockets, a broker, real time, and any decision of the delivery: `core::delivery::Machine` makes them all.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail this way")]

#[path = "model/adversary.rs"]
mod adversary;
#[path = "model/api.rs"]
mod api;
#[path = "model/broker.rs"]
mod broker;
#[path = "model/claims.rs"]
mod claims;
#[path = "model/fleet.rs"]
mod fleet;
#[path = "model/hour.rs"]
mod hour;
#[path = "model/laws.rs"]
mod laws;
#[path = "model/ledger.rs"]
mod ledger;
#[path = "model/letters.rs"]
mod letters;
#[path = "model/neighbours.rs"]
mod neighbours;
#[path = "model/outcomes.rs"]
mod outcomes;
#[path = "model/photos.rs"]
mod photos;
#[path = "model/pictured.rs"]
mod pictured;
#[path = "model/requests.rs"]
mod requests;
#[path = "model/settling.rs"]
mod settling;
#[path = "model/shell.rs"]
mod shell;
#[path = "model/stage.rs"]
mod stage;
#[path = "model/strikes.rs"]
mod strikes;
#[path = "model/with_ledger.rs"]
mod with_ledger;
#[path = "model/with_replicas.rs"]
mod with_replicas;
#[path = "model/world.rs"]
mod world;

use chakra_bridge::core::policy::{OnAbsent, OnUnknown};

use adversary::{Choices, Sabotage, Setting};
use laws::Count;
use stage::Kind;
use world::World;

/// How many random walks each setting takes; more by `MODEL_WALKS=1000000 cargo test --release --test model`.
const WALKS: u64 = 16_000;

/// The same, beside a neighbour that never succeeds.
const NEIGHBOURS: u64 = 10_000;

/// Every walk of one event that can be looked up.
const WITH_LOOKUP: Setting = Setting {
    kinds: &[Kind::FoundLead],
    events: 1,
    places: 8,
    replicas: 1,
    on_unknown: OnUnknown::Resend,
    on_absent: OnAbsent::Create,
    creates: 2,
    lookups: 1,
    strikes: 1,
    pictures: 0,
    publishes: 0,
    episodes: 0,
    repeats: 0,
    has_ledger: false,
    writes: 0,
    tells: false,
    lag_varies: true,
    has_neighbour: false,
    sabotage: Sabotage::None,
};

/// Every walk of one that cannot.
const BLIND: Setting =
    Setting { kinds: &[Kind::Lead], creates: 3, lookups: 0, strikes: 2, lag_varies: false, ..WITH_LOOKUP };

/// What random walks may do: far more of everything.
const WILD: Setting = Setting {
    kinds: &[Kind::FoundLead, Kind::FoundTicket, Kind::FoundLead, Kind::Lead, Kind::Noise],
    events: 12,
    places: 4,
    creates: 6,
    lookups: 6,
    strikes: 5,
    publishes: 4,
    episodes: 4,
    ..WITH_LOOKUP
};

const WILD_BLIND: Setting = Setting { kinds: &[Kind::Lead, Kind::Ticket], ..WILD };

/// Every walk there is within the adversary's means.
fn exhaustive(setting: Setting) -> Count {
    until(setting, |_| false)
}

/// Every walk there is, or those up to the first of which `is_enough`.
fn until(setting: Setting, is_enough: fn(&Count) -> bool) -> Count {
    let mut count = Count::default();
    let mut choices = Choices::exhaustive();
    loop {
        World::walk(setting, &mut choices, &mut count, false);
        if setting.sabotage == Sabotage::None && !count.is_clean() {
            World::walk(setting, &mut choices.again(), &mut Count::default(), true);
            panic!("the last walk breaks the promise: {count:?}");
        }
        if is_enough(&count) || !choices.next_walk() {
            break;
        }
    }
    println!("every walk of {setting:?}: {count:?}");
    count
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn at_random(setting: Setting, walks: u64) -> Count {
    let walks = number("MODEL_WALKS").unwrap_or(walks);
    let seed = number("MODEL_SEED").unwrap_or_else(|| fastrand::u64(..));
    // Printed before the walk, so that it stands in the output of a failure.
    println!("MODEL_SEED={seed} repeats these walks");
    let mut count = Count::default();
    for walk in 0..walks {
        let seed = seed.wrapping_add(walk);
        World::walk(setting, &mut Choices::at_random(seed), &mut count, false);
        if !count.is_clean() {
            World::walk(setting, &mut Choices::at_random(seed), &mut Count::default(), true);
            panic!("MODEL_SEED={seed} MODEL_WALKS=1 breaks the promise in its first walk: {count:?}");
        }
    }
    println!("at random, {setting:?}: {count:?}");
    print_row(&count);
    count
}

/// A row of the evidence, under the name of the law. What breaks a promise has ended the walk before.
fn print_row(count: &Count) {
    let law = std::thread::current().name().unwrap_or_default().to_owned();
    let Count { walks, events, created, delayed, killed, announced, .. } = count;
    println!(
        "| law | walks | events | created | delayed | killed | announced | promises broken |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n\
         | `{law}` | {walks} | {events} | {created} | {delayed} | {killed} | {announced} | 0 |"
    );
}

#[test]
fn with_a_lookup_no_event_is_lost_or_doubled_whatever_happens() {
    // Twice of one trouble and once of another, in turn: all of them together are for the random walks.
    for (creates, strikes, lookups) in [(2, 1, 0), (1, 2, 0), (1, 1, 1), (1, 0, 2)] {
        let count = exhaustive(Setting { creates, strikes, lookups, ..WITH_LOOKUP });
        assert!(count.walks > 100 && count.created + count.found > 100 && count.dead > 0, "too tame: {count:?}");
    }
}

#[test]
fn without_a_lookup_no_event_is_lost_or_doubled_without_a_word() {
    for on_unknown in [OnUnknown::Resend, OnUnknown::DeadLetter] {
        let count = exhaustive(Setting { on_unknown, creates: 2, ..BLIND });
        assert!(count.walks > 1000 && count.doubled > 0, "the adversary is too tame: {count:?}");
    }
}

#[test]
fn long_random_walks_keep_the_promise_with_a_lookup() {
    let count = at_random(WILD, WALKS);
    assert!(count.is_not_tame() && count.found > 0 && count.already_created > 0, "{count:?}");
}

#[test]
fn long_random_walks_keep_the_promise_where_what_is_absent_is_dead() {
    at_random(Setting { on_absent: OnAbsent::DeadLetter, ..WILD }, WALKS);
}

#[test]
fn long_random_walks_keep_the_promise_without_a_lookup() {
    assert!(at_random(WILD_BLIND, WALKS).doubled > 0);
}

#[test]
fn long_random_walks_keep_the_promise_where_what_is_unknown_is_dead() {
    at_random(Setting { on_unknown: OnUnknown::DeadLetter, ..WILD_BLIND }, WALKS);
}

#[test]
fn long_random_walks_beside_an_event_or_a_procedure_that_never_succeeds_starve_no_healthy_one() {
    let kinds = &[Kind::Lead, Kind::Ticket, Kind::FoundLead, Kind::FoundTicket, Kind::Ticket];
    let count = at_random(Setting { kinds, has_neighbour: true, ..WILD }, NEIGHBOURS);
    assert!(count.is_not_tame(), "{count:?}");
}

/// Producers that publish each event one to three times.
const REPEATED: Setting =
    Setting { kinds: &[Kind::FoundLead, Kind::Lead, Kind::FoundTicket, Kind::Ticket], repeats: 2, ..WILD };

#[test]
fn long_random_walks_beside_producers_that_repeat_themselves_make_one_process_of_an_event() {
    let count = at_random(REPEATED, WALKS);
    assert!(count.is_not_tame() && count.duplicates > 0 && count.doubled_by_producers > 0, "{count:?}");
    let unkilled = at_random(Setting { strikes: 0, ..REPEATED }, NEIGHBOURS);
    assert!(unkilled.duplicates > 0 && unkilled.doubled_by_producers == 0, "one life remembers: {unkilled:?}");
}

#[test]
fn the_walk_notices_a_shell_that_acknowledges_a_repeat_of_what_was_never_created() {
    notices(REPEATED, Sabotage::SwallowsRepeats, |count| count.sins.acknowledged_without_a_process > 0);
}

#[test]
fn the_walk_notices_a_shell_that_takes_a_repeat_for_another_event() {
    notices(REPEATED, Sabotage::ForgetsRepeats, |count| count.sins.doubled_without_a_word > 0);
    notices(REPEATED, Sabotage::ForgetsRepeats, |count| count.sins.doubled_in_one_life > 0);
}

/// The first walk of a bad daemon that shows it, at random.
fn notices(setting: Setting, sabotage: Sabotage, is_seen: fn(&Count) -> bool) {
    let seed = number("MODEL_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("MODEL_SEED={seed} repeats these walks");
    let mut count = Count::default();
    let setting = Setting { sabotage, ..setting };
    let walks = (0..WALKS).map(|walk| seed.wrapping_add(walk));
    let noticed = walks.into_iter().position(|seed| {
        World::walk(setting, &mut Choices::at_random(seed), &mut count, false);
        is_seen(&count)
    });
    println!("{sabotage:?} noticed in walk {noticed:?}");
    assert!(noticed.is_some(), "{sabotage:?} is not noticed: {count:?}");
}

#[test]
fn the_walk_notices_a_daemon_that_keeps_its_doubts_to_itself() {
    let is_seen = |count: &Count| count.sins.doubled_without_a_word > 0;
    assert!(is_seen(&until(Setting { sabotage: Sabotage::Mute, ..BLIND }, is_seen)));
}

#[test]
fn the_walk_notices_a_daemon_that_creates_again_without_looking() {
    let is_seen = |count: &Count| count.sins.doubled_by_one_copy > 0;
    assert!(is_seen(&until(Setting { sabotage: Sabotage::LooksNever, ..WITH_LOOKUP }, is_seen)));
}

#[test]
fn the_walk_notices_a_window_that_is_too_short() {
    let is_seen = |count: &Count| count.sins.doubled_by_one_copy > 0;
    assert!(is_seen(&until(Setting { sabotage: Sabotage::ShortWindow, ..WITH_LOOKUP }, is_seen)));
}

#[test]
fn the_walk_notices_a_shell_that_acknowledges_before_the_confirm() {
    let is_seen = |count: &Count| count.sins.lost > 0;
    assert!(is_seen(&until(Setting { sabotage: Sabotage::AcksFirst, ..WITH_LOOKUP }, is_seen)));
}

#[test]
fn the_walk_notices_a_shell_that_delays_an_event_without_its_state() {
    notices(WILD_BLIND, Sabotage::ForgetsState, |count| count.sins.doubled_without_a_word > 0);
}

#[test]
fn the_walk_notices_a_shell_that_acknowledges_what_is_to_go_back() {
    notices(WILD, Sabotage::AcksReleases, |count| count.sins.lost > 0);
}

#[test]
fn the_walk_notices_a_shell_that_never_acknowledges() {
    notices(WILD, Sabotage::DropsAcks, |count| count.sins.starved > 0);
}

#[test]
fn the_walk_notices_a_shell_that_sends_a_create_twice() {
    notices(WILD, Sabotage::SendsTwice, |count| count.sins.doubled_by_one_copy > 0);
}

#[test]
fn the_walk_notices_a_shell_that_never_wakes_the_machine() {
    notices(WILD, Sabotage::NeverWakes, |count| count.sins.starved > 0);
}
