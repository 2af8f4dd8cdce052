//! The stand-in of the API keeps its own laws: what it says on the wire is what the plan says.
//!
//! Not here: the daemon.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail this way")]

mod support;

#[path = "standin/client.rs"]
mod client;
#[path = "standin/control.rs"]
mod control;
#[path = "standin/creates.rs"]
mod creates;
#[path = "standin/faults.rs"]
mod faults;
#[path = "standin/lists.rs"]
mod lists;
#[path = "standin/plan.rs"]
mod plan;
