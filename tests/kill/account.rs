//! What became of every event that was published, counted from the outside: the API's books and the broker's queues.
//!
//! Not here: judging by anything that the daemon says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::points::{POINTS, Point};
use super::scene::Scene;

/// The account of a run.
#[derive(Debug, Default)]
pub struct Account {
    kills: Vec<Point>,
    attempted: usize,
    created: usize,
    dead: usize,
    queued: usize,
    /// Copies that were found to be a process already: what the daemon said, beside the counts.
    already_created: usize,
    /// Dead letters of events that have one already: a copy left by a kill.
    letters_again: usize,
    lost: Vec<String>,
    doubled: Vec<String>,
    /// A process and a dead letter of one event, or a process of what was refused.
    unexpected: Vec<String>,
}

impl Account {
    /// Counts, and empties the dead-letter queue.
    pub async fn of(scene: &Scene, published: &[String], kills: Vec<Point>) -> Self {
        let processes = scene.processes();
        let mut dead_letters: BTreeMap<String, usize> = BTreeMap::new();
        for dead_letter in scene.client.drain(&scene.dead()).await {
            let id = dead_letter.properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default();
            *dead_letters.entry(id).or_default() += 1;
        }
        let mut queued = BTreeSet::new();
        let waits = ["10s", "1m", "10m", "1h"].map(|label| format!("{}.wait.{label}", scene.queue()));
        for queue in waits.iter().chain([&scene.queue()]) {
            let left = scene.client.drain(queue).await;
            queued
                .extend(left.iter().filter_map(|left| left.properties.message_id().as_ref().map(ToString::to_string)));
        }
        let is_somewhere =
            |key: &&String| processes.contains_key(*key) || dead_letters.contains_key(*key) || queued.contains(*key);
        Self {
            kills,
            attempted: published.len(),
            created: processes.len(),
            dead: dead_letters.len(),
            queued: queued.len(),
            already_created: 0,
            letters_again: dead_letters.values().map(|times| times - 1).sum(),
            lost: published.iter().filter(|key| !is_somewhere(key)).cloned().collect(),
            doubled: processes.iter().filter(|(_, times)| **times > 1).map(|(key, _)| key.clone()).collect(),
            unexpected: processes.keys().filter(|key| dead_letters.contains_key(*key)).cloned().collect(),
        }
    }

    /// With so many recognised copies.
    pub fn already_created(self, already_created: usize) -> Self {
        Self { already_created, ..self }
    }

    /// Both together.
    pub fn and(mut self, other: Self) -> Self {
        self.kills.extend(other.kills);
        self.attempted += other.attempted;
        self.created += other.created;
        self.dead += other.dead;
        self.queued += other.queued;
        self.already_created += other.already_created;
        self.letters_again += other.letters_again;
        self.lost.extend(other.lost);
        self.doubled.extend(other.doubled);
        self.unexpected.extend(other.unexpected);
        self
    }

    /// How often the daemon was killed at this point.
    pub fn reached(&self, point: Point) -> usize {
        self.kills.iter().filter(|kill| **kill == point).count()
    }

    /// The events that the promise was not kept for.
    pub fn sins(&self) -> impl Iterator<Item = &String> {
        self.lost.iter().chain(&self.doubled).chain(&self.unexpected)
    }

    /// Whether the promise was kept.
    pub fn is_clean(&self) -> bool {
        self.sins().next().is_none()
    }
}

impl fmt::Display for Account {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "| killed at | times |\n| --- | --- |")?;
        for point in POINTS {
            writeln!(out, "| {point:?} | {} |", self.reached(point))?;
        }
        writeln!(
            out,
            "\n| attempted | created | dead | still queued | recognised copies | dead letters twice | lost | duplicated | unexpected |"
        )?;
        writeln!(out, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |")?;
        let Self {
            attempted, created, dead, queued, already_created, letters_again, lost, doubled, unexpected, ..
        } = self;
        let (gone, twice, odd) = (lost.len(), doubled.len(), unexpected.len());
        write!(out, "| {attempted} | {created} | {dead} | {queued} | {already_created} | {letters_again} ")?;
        writeln!(out, "| {gone} | {twice} | {odd} |")?;
        writeln!(out, "lost: {lost:?}\nduplicated: {doubled:?}\nunexpected: {unexpected:?}")
    }
}
