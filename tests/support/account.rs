//! What became of every event that was published, counted from the outside: the API's books and the broker's queues.
//!
//! Not here: judging by anything that the daemon says of itself.
#![allow(dead_code, unreachable_pub, reason = "each test that includes it uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use lapin::BasicProperties;

use crate::support::scene::Scene;

/// The account of a run.
#[derive(Debug, Default)]
pub struct Account {
    attempted: usize,
    created: usize,
    dead: usize,
    queued: usize,
    /// Copies that were found to be a process already: what the daemon said, beside the counts, if anybody read it.
    already_created: Option<usize>,
    /// Dead letters of events that have one already: a copy left by a kill.
    letters_again: usize,
    lost: Vec<String>,
    doubled: Vec<String>,
    /// A process and a dead letter of one event, or a process of what was refused.
    unexpected: Vec<String>,
}

impl Account {
    /// Counts, and empties the queues.
    pub async fn of(scene: &Scene, published: &[String]) -> Self {
        let processes = scene.processes();
        let mut dead_letters: BTreeMap<String, usize> = BTreeMap::new();
        for dead_letter in scene.client.drain(&scene.dead()).await {
            *dead_letters.entry(id(&dead_letter.properties).unwrap_or_default()).or_default() += 1;
        }
        let mut queued = BTreeSet::new();
        let waits = ["10s", "1m", "10m", "1h"].map(|label| format!("{}.wait.{label}", scene.queue()));
        for queue in waits.iter().chain([&scene.queue()]) {
            queued.extend(scene.client.drain(queue).await.iter().filter_map(|left| id(&left.properties)));
        }
        let is_somewhere =
            |key: &&String| processes.contains_key(*key) || dead_letters.contains_key(*key) || queued.contains(*key);
        Self {
            attempted: published.len(),
            created: processes.len(),
            dead: dead_letters.len(),
            queued: queued.len(),
            already_created: None,
            letters_again: dead_letters.values().map(|times| times - 1).sum(),
            lost: published.iter().filter(|key| !is_somewhere(key)).cloned().collect(),
            doubled: processes.iter().filter(|(_, times)| **times > 1).map(|(key, _)| key.clone()).collect(),
            unexpected: processes.keys().filter(|key| dead_letters.contains_key(*key)).cloned().collect(),
        }
    }

    /// With so many recognised copies.
    pub fn already_created(self, already_created: usize) -> Self {
        Self { already_created: Some(already_created), ..self }
    }

    /// Both together.
    pub fn and(mut self, other: Self) -> Self {
        self.attempted += other.attempted;
        self.created += other.created;
        self.dead += other.dead;
        self.queued += other.queued;
        self.already_created =
            self.already_created.into_iter().chain(other.already_created).reduce(|one, two| one + two);
        self.letters_again += other.letters_again;
        self.lost.extend(other.lost);
        self.doubled.extend(other.doubled);
        self.unexpected.extend(other.unexpected);
        self
    }

    /// The events that the promise was not kept for.
    pub fn sins(&self) -> impl Iterator<Item = &String> {
        self.lost.iter().chain(&self.doubled).chain(&self.unexpected)
    }

    /// Whether each event is a process or a dead letter, once.
    pub fn is_whole(&self) -> bool {
        self.queued == 0 && self.created + self.dead == self.attempted
    }

    /// Whether the promise was kept.
    pub fn is_clean(&self) -> bool {
        self.sins().next().is_none()
    }
}

impl fmt::Display for Account {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "| attempted | created | dead | still queued | recognised copies | dead letters twice | lost | duplicated | unexpected |"
        )?;
        writeln!(out, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |")?;
        let Self { attempted, created, dead, queued, already_created, letters_again, lost, doubled, unexpected } = self;
        let already_created = already_created.map_or("not read".to_owned(), |count| count.to_string());
        let (gone, twice, odd) = (lost.len(), doubled.len(), unexpected.len());
        write!(out, "| {attempted} | {created} | {dead} | {queued} | {already_created} | {letters_again} ")?;
        writeln!(out, "| {gone} | {twice} | {odd} |")?;
        writeln!(out, "lost: {lost:?}\nduplicated: {doubled:?}\nunexpected: {unexpected:?}")
    }
}

fn id(properties: &BasicProperties) -> Option<String> {
    properties.message_id().as_ref().map(ToString::to_string)
}
