//! Two replicas, one of which is killed with -9 again and again, at each step between a create and its acknowledgement: each key has an
//! outcome, what has one id is one outcome, and there are as many ids as keys.
//!
//! `OUTCOMES_KILLS=200 cargo test --test outcomes killed -- --nocapture` is the long form. Not here: exchanges that refuse (`refused`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::stage::{Stage, Told};
use crate::support::daemon::Daemon;
use crate::support::deadline::within;
use crate::support::scene::id;

/// Kills in CI.
const KILLS: usize = 6;
/// Events of each round.
const EVENTS: usize = 24;

const LOOKED_UP: &str = "[[rule]]\nname = \"any\"\nprocedure = \"lead\"\nreconcile_by = \"event_key\"\n\
                         data = { event_key = \"{{ key }}\" }\n";

/// When a replica is killed: once the API has created some more, once some more outcomes are there, or at any moment.
async fn moment(stage: &Stage, round: usize, before: usize) {
    let some = 1 + fastrand::usize(..EVENTS / 2);
    match round % 3 {
        0 => stage.scene.api.until(|books| books.created.len() >= before + some).await,
        1 => {
            let queue = stage.queue();
            let wanted = u32::try_from(some).unwrap();
            let are_there =
                async || stage.scene.client.depth(&queue).await.is_some_and(|depth| depth.messages >= wanted);
            crate::support::broker::eventually(Duration::from_secs(60), "outcomes", are_there).await;
        }
        _ => tokio::time::sleep(Duration::from_millis(fastrand::u64(..300))).await, // tidy: allow sleep, any moment will do
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_are_killed_at_each_step_tell_every_key_and_say_one_thing_of_it() {
    let kills = std::env::var("OUTCOMES_KILLS").map_or(KILLS, |text| text.parse().expect("a number of kills"));
    let stage = Stage::new(LOOKED_UP, "prefetch = 12").await;
    let mut replicas = [stage.daemon().await, stage.daemon().await];
    let mut told: Vec<Told> = Vec::new();
    for round in 0..kills {
        let before = stage.scene.api.created().len();
        let numbers = round * EVENTS..(round + 1) * EVENTS;
        within(60, "publishing", stage.scene.publish_those(numbers, 50)).await;
        within(90, "its moment", moment(&stage, round, before)).await;
        replicas[round % 2].signal("KILL");
        let next = Daemon::start(&stage.setup);
        within(20, "its end", std::mem::replace(&mut replicas[round % 2], next).ended()).await;
        within(60, "consuming", replicas[round % 2].consuming()).await;
        told.extend(stage.scene.client.drain(&stage.queue()).await.iter().map(Told::of));
    }
    within(300, "all created", stage.scene.until_created(kills * EVENTS)).await;
    stage.at_rest().await;
    told.extend(stage.scene.client.drain(&stage.queue()).await.iter().map(Told::of));
    let keys: BTreeSet<String> = told.iter().map(Told::subject).collect();
    assert_eq!(keys, (0..kills * EVENTS).map(id).collect(), "each key has an outcome");
    let mut ids: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for told in &told {
        let says = format!("{} {} {}", told.routing_key, told.subject(), told.data["process_id"]);
        ids.entry(told.id()).or_default().insert(says);
    }
    let divided: Vec<_> = ids.values().filter(|says| says.len() > 1).collect();
    assert!(divided.is_empty(), "one id says one thing: {divided:?}");
    assert_eq!(ids.len(), keys.len());
    let again = told.len() - ids.len();
    println!("| replicas | killed | keys | untold | ids | told again |\n| --- | --- | --- | --- | --- | --- |");
    println!("| 2 | {kills} times | {} | 0 | {} | {again} |", keys.len(), ids.len());
}
