//! The daemon on a real broker: delivers, survives, dead-letters.
//!
//! Not here: brokers of other versions (`containers.rs`), stopping (`shutdown.rs`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[path = "broker/delivers.rs"]
mod delivers;
#[path = "broker/letters.rs"]
mod letters;
#[path = "broker/looks.rs"]
mod looks;
#[path = "broker/online.rs"]
mod online;
#[path = "broker/parks.rs"]
mod parks;
#[path = "broker/scene.rs"]
mod scene;
#[path = "broker/survives.rs"]
mod survives;
#[path = "broker/topology.rs"]
mod topology;
#[path = "broker/wishes.rs"]
mod wishes;
