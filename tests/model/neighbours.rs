//! Neighbours: an event, or a procedure, that never succeeds must not keep healthy ones waiting. Liveness, with the settings a file
//! gets by itself.
//!
//! Not here: the same on a real broker.

use std::time::Duration;

use chakra_bridge::core::process::Procedure;

use crate::adversary::{Choices, Setting};
use crate::api::Act;
use crate::laws::Count;
use crate::requests::{Wall, WallScope};
use crate::stage::{self, Kind, SECOND};
use crate::world::World;

/// Whether the gate keeps the laws below: what it does not keep yet only prints what was measured.
const IS_PROMISED: bool = true;

/// The same of a procedure that is throttled while no other has events.
const IS_PROMISED_OF_THROTTLING: bool = true;

/// The healthy ones are created within this, counted from the first refusal.
const BAR: Duration = Duration::from_secs(10);

/// As long as is looked on.
const LONGEST: Duration = Duration::from_secs(11 * 60);

/// What was seen of one run.
struct Seen {
    /// From the first refusal to the last create of a healthy event; none if one was not created while it was looked on.
    took: Option<Duration>,
    healthy: usize,
    created: usize,
    /// Creates that were sent for those that fail.
    refused: usize,
}

/// `failing` events behind this wall for ever, then `healthy` others.
fn run(wall: Wall, failing: &[Kind], healthy: &[Kind], later: Duration) -> Seen {
    let (mut choices, mut count) = (Choices::quiet(), Count::default());
    let mut world = World::new(Setting::QUIET, stage::defaults(), &mut choices, &mut count);
    let answered = wall.act.took();
    world.walls.push(wall);
    for kind in failing {
        world.produce(*kind, None, SECOND);
    }
    for kind in healthy {
        world.produce(*kind, None, SECOND + later);
    }
    world.connects();
    let is_healthy = |line: usize| line >= failing.len();
    while world.now < LONGEST && world.ledger.lines.iter().skip(failing.len()).any(|line| line.done.is_none()) {
        assert!(world.step());
    }
    let endpoints = world.ledger.lines.iter().skip(failing.len()).filter_map(|line| line.done);
    let done: Vec<_> = endpoints.filter(|(_, how)| *how == "acknowledged").collect();
    let refused: Vec<_> = world.asked.iter().filter(|(_, line)| !is_healthy(*line)).map(|(at, _)| *at).collect();
    let first = refused.first().copied().unwrap_or_default() + answered;
    let last = done.iter().map(|(at, _)| *at).max().filter(|_| done.len() == healthy.len());
    let took = last.map(|last| last.saturating_sub(first));
    assert!(world.count.is_clean(), "{:?}", world.count);
    Seen { took, healthy: healthy.len(), created: done.len(), refused: refused.len() }
}

/// Prints what was seen, and holds it to the bar where that is promised.
fn judge(what: &str, seen: &Seen, is_promised: bool) {
    let Seen { took, healthy, created, refused } = seen;
    println!(
        "{what}: {created} of {healthy} healthy ones created, the last after {took:?}; {refused} creates of the failing"
    );
    let is_kept = took.is_some_and(|took| took <= BAR);
    assert!(is_kept || !is_promised, "{what}: later than {BAR:?} after the first refusal");
}

fn for_ever(act: Act, scope: WallScope) -> Wall {
    Wall { act, scope, until: Duration::MAX }
}

#[test]
fn an_event_that_a_firewall_always_answers_does_not_stop_the_others() {
    let acts = [Act::Page, Act::Payment, Act::NotAcceptable, Act::Redirects, Act::Forbids];
    for act in acts {
        for healthy in [[Kind::Lead; 3], [Kind::Ticket; 3]] {
            let seen = run(for_ever(act, WallScope::Keys(1)), &[Kind::Lead], &healthy, SECOND);
            judge(
                &format!("one event of `lead` by {act:?}, then three of `{}`", healthy[0].as_str()),
                &seen,
                IS_PROMISED,
            );
        }
    }
}

#[test]
fn two_such_events_do_not_stop_thirty_that_come_after_them() {
    for act in [Act::Page, Act::Payment, Act::Redirects, Act::Forbids] {
        let seen = run(for_ever(act, WallScope::Keys(2)), &[Kind::Lead; 2], &[Kind::Lead; 30], SECOND);
        judge(&format!("two events by {act:?}, then thirty"), &seen, IS_PROMISED);
    }
}

#[test]
fn a_procedure_whose_creates_fail_does_not_starve_a_healthy_one() {
    for act in [Act::Fails, Act::LosesRequest, Act::Forbids, Act::NoProcedure, Act::Page, Act::Throttles] {
        for (failing, what) in [(Kind::FoundLead, "with lookups"), (Kind::Lead, "without")] {
            let is_promised = if act == Act::Throttles { IS_PROMISED_OF_THROTTLING } else { IS_PROMISED };
            let lead = WallScope::Creates(Procedure::new("lead").unwrap());
            let seen = run(for_ever(act, lead), &[failing; 300], &[Kind::Ticket; 20], SECOND);
            judge(&format!("300 events of `lead` {what} by {act:?}, then 20 of `ticket`"), &seen, is_promised);
        }
    }
}
