//! chakra-bridge: RabbitMQ domain events become ChakraHQ processes.
//!
//! Every event ends as **a process**, as **a dead letter that says why**, or is **still queued**
//! (or was skipped because a rule says so): never nowhere. `ARCHITECTURE.md` is the map of the modules
//! below and lists what each of them must not know; `tests/tidy.rs` holds them to it.
//!
//! Not here: anything but the list of modules.

pub mod admin;
pub mod amqp;
pub mod chakra;
pub mod cli;
pub(crate) mod clock;
pub mod config;
pub mod core;
pub mod daemon;
pub mod dispatch;
pub mod files;
pub mod handover;
pub(crate) mod http_client;
pub mod ledger;
pub mod management;
pub mod metrics;
pub mod photos;
pub mod ready;
pub mod reload;
pub mod secret;
pub mod states;
pub mod telemetry;
pub mod tls;
