//! Two replicas, killed with -9 again and again, at each step between a create and its acknowledgement: each key has an outcome, what
//! has one id is one outcome, and there are as many ids as keys.
//!
//! Kills come in bursts shorter than the shortest delay queue, and one daemon finishes everything after each: two copies left by a
//! kill between a confirm and its acknowledgement must not meet on two replicas while neither's process shows, which no client can
//! exclude (`docs/delivery.md`, limits). On one daemon they know of each other.
//!
//! `OUTCOMES_KILLS=200 cargo test --test outcomes killed -- --nocapture` is the long form. Not here: exchanges that refuse (`refused`).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::stage::{Stage, Told};
use crate::support::daemon::Daemon;
use crate::support::deadline::within;
use crate::support::scene::id;
use crate::support::setup::LOOKED_UP;

/// Kills in CI.
const KILLS: usize = 6;
/// Kills in a row before everything comes to rest, and the longest that they may take: the shortest delay queue is one of 10 s.
const BURST: usize = 6;
const BURST_MAX: Duration = Duration::from_secs(7);
/// Events before each kill.
const EVENTS: usize = 24;
/// Scenes side by side in the long form, each with its own queues, replicas and API.
const SCENES: usize = 4;

/// One scene, and what was told in it so far.
struct Night {
    stage: Stage,
    published: usize,
    told: Vec<Told>,
}

impl Night {
    async fn new() -> Self {
        let stage = Stage::new(LOOKED_UP, "prefetch = 12").await;
        // It makes the queues.
        killed(stage.daemon().await).await;
        Self { stage, published: 0, told: Vec::new() }
    }

    /// The numbers of the next events.
    fn next(&mut self) -> Range<usize> {
        self.published += EVENTS;
        self.published - EVENTS..self.published
    }

    /// Kills two replicas in turn; answers how often. At the end of it both are dead.
    async fn burst(&mut self, most: usize) -> usize {
        let mut replicas = [Daemon::start(&self.stage.setup), Daemon::start(&self.stage.setup)];
        let (mut kills, mut began) = (0, None);
        while kills + 2 < most && began.is_none_or(|began: Instant| began.elapsed() < BURST_MAX) {
            self.moment(kills).await;
            let next = Daemon::start(&self.stage.setup);
            killed(std::mem::replace(&mut replicas[kills % 2], next)).await;
            began.get_or_insert_with(Instant::now);
            kills += 1;
        }
        let [one, other] = replicas;
        self.moment(kills).await;
        tokio::join!(killed(one), killed(other));
        kills + 2
    }

    /// Publishes, and waits until a replica is to be killed: once the API has created some more, once some more outcomes are there, or
    /// at any moment.
    async fn moment(&mut self, round: usize) {
        let before = self.stage.scene.api.created().len();
        let told = self.depth().await;
        let numbers = self.next();
        within(60, "publishing", self.stage.scene.publish_those(numbers, 50)).await;
        let some = 1 + fastrand::usize(..EVENTS / 2);
        let reached = async {
            match round % 3 {
                0 => self.stage.scene.api.until(|books| books.created.len() >= before + some).await,
                1 => while self.depth().await < told + some {},
                _ => tokio::time::sleep(Duration::from_millis(fastrand::u64(..300))).await, // tidy: allow sleep, any moment will do
            }
        };
        within(90, "its moment", reached).await;
    }

    /// How many outcomes are in their queue.
    async fn depth(&self) -> usize {
        let depth = self.stage.scene.client.depth(&self.stage.queue()).await;
        depth.map_or(0, |depth| depth.messages as usize)
    }

    /// One daemon finishes everything, and is killed when nothing is left.
    async fn rest(&mut self) {
        let daemon = self.stage.daemon().await;
        within(300, "all created", self.stage.scene.until_created(self.published)).await;
        self.stage.at_rest().await;
        self.told.extend(self.stage.scene.client.drain(&self.stage.queue()).await.iter().map(Told::of));
        killed(daemon).await;
    }

    /// That each key has an outcome, and what has one id says one thing; answers how many keys there are, and how often one was told.
    fn judged(&self) -> (usize, usize) {
        let keys: BTreeSet<String> = self.told.iter().map(Told::subject).collect();
        assert_eq!(keys, (0..self.published).map(id).collect(), "each key has an outcome");
        let mut ids: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for told in &self.told {
            let says = format!("{} {} {}", told.routing_key, told.subject(), told.data["process_id"]);
            ids.entry(told.id()).or_default().insert(says);
        }
        let divided: Vec<_> = ids.values().filter(|says| says.len() > 1).collect();
        assert!(divided.is_empty(), "one id says one thing: {divided:?}");
        assert_eq!(ids.len(), keys.len(), "as many ids as keys");
        (keys.len(), self.told.len())
    }
}

async fn killed(daemon: Daemon) {
    daemon.signal("KILL");
    within(20, "its end", daemon.ended()).await;
}

/// So many kills, in bursts; answers how many they were, the keys, and how often one was told.
async fn killed_so_often(least: usize) -> (usize, usize, usize) {
    let mut night = Night::new().await;
    let mut kills = 0;
    while kills < least {
        kills += night.burst(BURST).await;
        night.rest().await;
    }
    let (keys, told) = night.judged();
    (kills, keys, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_are_killed_at_each_step_tell_every_key_and_say_one_thing_of_it() {
    let least = std::env::var("OUTCOMES_KILLS").map_or(KILLS, |text| text.parse().expect("a number of kills"));
    let scenes = least.div_ceil(KILLS).min(SCENES);
    let nights = (0..scenes).map(|_| killed_so_often(least.div_ceil(scenes)));
    let (mut kills, mut keys, mut told) = (0, 0, 0);
    for night in futures_util::future::join_all(nights).await {
        (kills, keys, told) = (kills + night.0, keys + night.1, told + night.2);
    }
    println!("| replicas | killed | keys | untold | ids | told again |\n| --- | --- | --- | --- | --- | --- |");
    println!("| 2 | {kills} times | {keys} | 0 | {keys} | {} |", told - keys);
}
