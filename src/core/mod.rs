//! The quiet rooms: everything that decides, as functions from values to values.
//!
//! Not here: async, sockets, clocks, randomness, log lines, metrics. Time and dice are arguments.

pub mod backoff;
pub mod case;
pub mod decode;
pub mod event;
pub mod gate;
pub mod journey;
pub mod judge;
pub mod look;
pub mod mapping;
pub mod message;
pub mod mistake;
pub mod parking;
pub mod policy;
pub mod process;
pub mod proof;
pub mod rate;
pub mod recent;
pub mod reply;
pub mod settlement;
pub mod travel;
pub mod words;
