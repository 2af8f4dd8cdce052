//! What the daemon shows of itself: its phase, how it stands with the broker, the ledger and dead letters, and which rules are in force.
//!
//! Not here: who sets them, and who asks (`admin`).

pub mod broker;
pub mod dead_letters;
pub mod gates;
pub mod in_force;
pub mod ledger;
pub mod log_level;
pub mod lookups;
pub mod phase;
pub mod queues;
pub mod rules;
