//! An hour of a bad token with a thousand events held, on a hand-wound clock and with the settings a file gets by itself.
//!
//! Not here: the same on a real broker (`tests/outage.rs`).

use std::time::Duration;

use crate::adversary::{Choices, Setting};
use crate::api::Act;
use crate::laws::{Count, Sins};
use crate::requests::{Wall, WallScope};
use crate::stage::{self, Kind, SECOND};
use crate::world::World;

const EVENTS: usize = 1_000;
const HOUR: Duration = Duration::from_secs(3_600);

/// Walks the hour; answers the times of the creates, and when the last event was settled.
fn hour(can_delay: bool) -> (Vec<Duration>, Duration, Count) {
    let (mut choices, mut count) = (Choices::quiet(), Count::default());
    let setup = stage::Setup { places: EVENTS, ..stage::defaults() };
    let mut world = World::new(Setting::QUIET, setup, &mut choices, &mut count);
    world.can_delay = can_delay;
    world.walls.push(Wall { act: Act::RefusesToken, scope: WallScope::Everything, until: SECOND + HOUR });
    for _ in 0..EVENTS {
        world.produce(Kind::Lead, None, SECOND);
    }
    world.connects();
    world.run(2 * HOUR);
    world.close();
    let asked = world.asked.iter().map(|(at, _)| *at).collect();
    let last = world.ledger.lines.iter().filter_map(|line| line.done).map(|(at, _)| at).max();
    (asked, last.unwrap(), count)
}

#[test]
fn an_hour_of_a_bad_token_costs_a_thousand_events_only_time() {
    for can_delay in [false, true] {
        let (asked, last, count) = hour(can_delay);
        assert_eq!(count.sins, Sins::default());
        assert_eq!(
            (count.created, count.dead, count.announced),
            (EVENTS as u64, 0, 0),
            "nothing of the events' own is spent"
        );
        let (refused, created): (Vec<_>, Vec<_>) = asked.into_iter().partition(|at| *at < SECOND + HOUR);
        // All that were under way when the first was refused, and then one at a time.
        let probes = &refused[refused.partition_point(|at| *at < 2 * SECOND)..];
        assert!(probes.len() as u64 <= HOUR.as_secs() / 5, "{} requests", probes.len());
        let late = probes.windows(2).filter(|pair| pair[0] > 60 * SECOND).map(|pair| pair[1] - pair[0]);
        assert!(late.clone().count() > 100 && late.min() >= Some(5 * SECOND));
        let took = last - (SECOND + HOUR);
        println!(
            "delays {can_delay}: {} probes in the hour, {} creates after it; all created within {took:?}",
            probes.len(),
            created.len()
        );
        assert_eq!(created.len(), EVENTS);
        assert!(took <= Duration::from_secs(30 + 20), "{took:?}");
    }
}
