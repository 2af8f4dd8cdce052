//! TLS, the same for both shores: the files of certificates, and what a failed handshake means for a person.
//!
//! Not here: connecting, and any way around a check. Chains and host names are verified by the client libraries, always.

mod files;
mod words;

pub use files::{Files, Held, Wrong};
pub use words::{Handshake, complaint, find};
