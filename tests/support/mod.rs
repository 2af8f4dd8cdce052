//! What the tests stand on.
//!
//! Not here: tests.

#[cfg(test)]
pub mod account;
pub mod broker;
pub mod daemon;
pub mod deadline;
pub mod lines;
pub mod postgres;
pub mod relay;
#[cfg(test)]
pub mod results;
#[cfg(test)]
pub mod scene;
pub mod setup;
pub mod standin;
#[cfg(test)]
pub mod unread;
