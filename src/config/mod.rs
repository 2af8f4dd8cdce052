//! What a person writes, turned into what the modules need. Every mistake is found in one go and printed
//! with its place in the file.
//!
//! Not here: any decision about events, and what an expression means (`core::mapping`).

use std::sync::Arc;

use tracing::level_filters::LevelFilter;

use crate::core::bounds::Bounds;
use crate::core::mapping::written::{Spot, WrittenRule};
use crate::core::outcome::OutcomePolicy;
use crate::core::policy::{GatePolicy, PhotoPolicy, Policy, RepeatPolicy, RequestLimitPolicy};
use crate::{admin, amqp, chakra, dispatch, management as management_api};

mod admin_token;
mod cases;
mod changes;
mod connections;
mod documents;
mod environment;
mod hidden;
mod hosts;
mod known;
mod layers;
mod ledger;
mod listen;
mod load;
mod management;
mod memory;
mod names;
mod outcomes;
mod photos;
mod reader;
mod renamed;
mod rules;
mod schemas;
mod sections;
mod shown;
mod source;
mod tables;
mod telemetry;
mod urls;
mod values;
mod warnings;

pub use admin_token::admin_token;
pub use changes::{RuleChanges, needs_restart, rule_changes};
pub use environment::ignored_proxies;
pub use known::{Kind, Known};
pub use listen::{Listening, admin_listen};
pub use load::{Reading, Use, known_keys, load, read, read_for, strange_variables};
pub use memory::Memory;
pub use shown::{keys_in_force, rule_texts};
pub use source::{Mistakes, Source};
pub use telemetry::Telemetry;

/// The whole configuration: the product of what the modules need.
#[derive(Clone, Debug)]
pub struct Config {
    /// The consumer.
    pub broker: amqp::Config,
    /// The management API of the broker, where one is named.
    pub management: Option<management_api::Config>,
    /// The ledger of events, where one is named.
    pub ledger: Option<crate::ledger::Config>,
    /// Which outcomes are told to producers, where any is; `broker` says where.
    pub outcomes: Option<OutcomePolicy>,
    /// The API client.
    pub api: chakra::Config,
    /// How pictures are fetched.
    pub photos: crate::photos::Config,
    /// How many are at a time.
    pub photo_policy: PhotoPolicy,
    /// The dispatcher.
    pub dispatch: dispatch::Config,
    /// How one event is tried again.
    pub policy: Policy,
    /// When the gate shuts by itself.
    pub gate: GatePolicy,
    /// What is made of a producer that repeats itself.
    pub repeats: RepeatPolicy,
    /// How much may be sent.
    pub request_limits: RequestLimitPolicy,
    /// The admin server.
    pub admin: admin::Config,
    /// What is logged, and how.
    pub log: Log,
    /// Where spans go, if they are made.
    pub telemetry: Option<Telemetry>,
    /// How large an event may be, and the request made of it.
    pub bounds: Bounds,
    /// The expression that gives an event its key where its envelope carries none.
    pub event_key: Option<Spot<String>>,
    /// The rules in the order they were written, not yet compiled. At least one.
    pub rules: Arc<[WrittenRule]>,
}

/// What is logged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// The form of a line.
    pub format: Format,
    /// The least serious lines that are still printed.
    pub level: LevelFilter,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// For eyes.
    Human,
    /// One JSON object a line.
    Json,
}
