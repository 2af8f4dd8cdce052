//! A broker that refuses dead letters for long, alone or with the delay queues: good events beside more bad ones than there are
//! places are not kept waiting, each bad one is asked once and gets its letter once, and nothing goes back.
//!
//! Not here: the same on a real broker (`tests/broker/letters.rs`).

use std::time::Duration;

use crate::adversary::{Choices, Setting};
use crate::api::Act;
use crate::laws::Count;
use crate::requests::{Wall, WallScope};
use crate::stage::{self, Kind, SECOND};
use crate::world::World;

const PLACES: usize = 8;

/// The good ones are created within this.
const BAR: Duration = Duration::from_secs(10);

/// As long as is looked on.
const LONGEST: Duration = Duration::from_secs(3600);

/// So many bad events, then ten good ones, while letters are refused until then, and delays until then.
fn run(bad: usize, letters: Duration, delays: Duration, bar: Option<Duration>) {
    let (mut choices, mut count) = (Choices::quiet(), Count::default());
    let mut setup = stage::Setup { places: PLACES, ..stage::defaults() };
    setup.gate.rejections = 0;
    let mut world = World::new(Setting::QUIET, setup, &mut choices, &mut count);
    (world.refuses_letters_until, world.refuses_delays_until) = (letters, delays);
    world.walls.push(Wall { act: Act::Rejects, scope: WallScope::Keys(bad), until: Duration::MAX });
    for _ in 0..bad {
        world.produce(Kind::Lead, None, SECOND);
    }
    for _ in 0..10 {
        world.produce(Kind::Ticket, None, 2 * SECOND);
    }
    world.connects();
    while world.now < LONGEST && world.ledger.lines.iter().any(|line| line.done.is_none()) {
        assert!(world.step());
    }
    let done = |how| world.ledger.lines.iter().filter_map(|line| line.done).filter(move |done| done.1 == how);
    let last = done("acknowledged").map(|(at, _)| at).max().unwrap();
    let buried: Vec<_> = done("dead").map(|(at, _)| at).collect();
    println!(
        "{bad} bad ones, letters refused until {letters:?}, delays until {delays:?}: the last good one at {last:?}, the last letter at {:?}",
        buried.iter().max()
    );
    assert_eq!((done("acknowledged").count(), buried.len()), (10, bad));
    assert!(buried.iter().all(|at| *at >= letters && *at <= letters + 80 * SECOND), "{buried:?}");
    assert!(bar.is_none_or(|bar| last <= 2 * SECOND + bar), "{last:?}");
    let asked = world.asked.iter().filter(|(_, line)| *line < bad).count();
    assert_eq!(asked, bad, "each is asked once");
    assert!(world.ledger.accounts.iter().all(|account| account.returns == 0), "nothing goes back");
    assert!(world.count.is_clean(), "{:?}", world.count);
}

#[test]
fn good_events_beside_more_bad_ones_than_places_are_not_kept_waiting_while_letters_are_refused() {
    for bad in [PLACES + 1, 3 * PLACES, 20 * PLACES] {
        run(bad, 600 * SECOND, Duration::ZERO, Some(BAR));
    }
}

#[test]
fn where_delays_are_refused_too_the_places_are_doubled_and_beyond_that_it_stands_still_and_loses_nothing() {
    run(PLACES + 1, 600 * SECOND, 600 * SECOND, Some(BAR));
    run(3 * PLACES, 600 * SECOND, 600 * SECOND, None);
    run(3 * PLACES, 600 * SECOND, 60 * SECOND, None);
}
