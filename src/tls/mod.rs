//! TLS, the same for the broker and the API: the files of certificates, and what a failed handshake means for a person.
//!
//! Not here: connecting, and any way around a check. Chains and host names are verified by the client libraries, always.

pub mod expiry;
mod explain;
mod files;

pub use explain::{Handshake, complaint, find, is_about_certificates};
pub use files::{Files, Held, Wrong};
