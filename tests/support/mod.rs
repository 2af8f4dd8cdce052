//! What the tests stand on.
//!
//! Not here: tests.

pub mod broker;
pub mod daemon;
pub mod deadline;
pub mod lines;
pub mod relay;
pub mod standin;
