//! Rules: which event becomes which request.
//!
//! Not here: reading the file (`config`), sending the request (`chakra`).

pub mod condition;
pub mod considered;
pub mod content;
pub mod fields;
pub mod key;
mod rule;
pub mod rules;
pub mod schemas;
pub mod written;

mod answer;
mod arguments;
mod chain;
mod checks;
mod compile;
mod each;
mod engine_value;
mod expression;
mod filters;
mod follow;
mod grammar;
mod leaf;
mod lone_path;
mod mapped;
mod mixed;
mod names;
mod order;
mod path;
mod photos;
mod place;
mod references;
mod repeats;
mod request;
mod scan;
mod scope;
mod strict;
mod tells;

#[cfg(test)]
pub(super) mod tests;
