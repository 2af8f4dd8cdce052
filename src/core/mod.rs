//! Everything that decides, as functions from values to values.
//!
//! Not here: async, sockets, clocks, randomness, log lines, metrics. Time and dice are arguments.

pub mod backoff;
pub mod bounds;
pub mod case;
pub mod content_encoding;
pub mod dead_letter;
pub mod decode;
pub mod delay_queue;
pub mod delayed_state;
pub mod delivery;
pub mod event;
pub mod gate;
pub mod headers;
pub mod json;
pub mod judge;
pub mod ledger;
pub mod letters;
pub mod lookup;
pub mod lookup_check;
pub mod mapping;
pub mod message;
pub mod mistake;
pub mod next_step;
pub mod outcome;
pub mod photo;
pub mod policy;
pub mod procedure;
pub mod process;
pub mod process_id;
pub mod progress;
pub mod put_back;
pub mod queue;
pub mod reason;
pub mod recent;
pub mod redaction;
pub mod reply;
pub mod request_limits;
pub mod settlement;
pub mod span;
pub mod team_config;
pub mod thinning;
pub mod trace_context;
