//! The daemon on a real broker: delivers, survives, dead-letters.
//!
//! Not here: brokers of other versions (`containers.rs`), stopping (`shutdown.rs`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[path = "broker/addresses.rs"]
mod addresses;
#[path = "broker/alerted.rs"]
mod alerted;
#[path = "broker/commands.rs"]
mod commands;
#[path = "broker/dead_letters.rs"]
mod dead_letters;
#[path = "broker/delays.rs"]
mod delays;
#[path = "broker/delivers.rs"]
mod delivers;
#[path = "broker/existing.rs"]
mod existing;
#[path = "broker/first_process.rs"]
mod first_process;
#[path = "broker/hangs.rs"]
mod hangs;
#[path = "broker/letters.rs"]
mod letters;
#[path = "broker/lookups.rs"]
mod lookups;
#[path = "broker/managed.rs"]
mod managed;
#[path = "broker/many_letters.rs"]
mod many_letters;
#[path = "broker/memory.rs"]
mod memory;
#[path = "broker/nested.rs"]
mod nested;
#[path = "broker/night.rs"]
mod night;
#[path = "broker/night_killed.rs"]
mod night_killed;
#[path = "broker/online.rs"]
mod online;
#[path = "broker/policies.rs"]
mod policies;
#[path = "broker/printed.rs"]
mod printed;
#[path = "broker/put_back.rs"]
mod put_back;
#[path = "broker/queues.rs"]
mod queues;
#[path = "broker/repeats.rs"]
mod repeats;
#[path = "broker/returns.rs"]
mod returns;
#[path = "broker/storied.rs"]
mod storied;
#[path = "broker/survives.rs"]
mod survives;
#[path = "broker/topology.rs"]
mod topology;
#[path = "broker/traced.rs"]
mod traced;
#[path = "broker/versions.rs"]
mod versions;

use support::scene;
