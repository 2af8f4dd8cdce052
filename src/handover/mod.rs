//! What consumer, dispatcher and exporter hand to each other: what comes in, the duty to answer for it, spans, and the wanted
//! prefetch.
//!
//! Not here: AMQP (`amqp`), and what becomes of an event (`dispatch`).

pub mod inbound;
pub mod prefetch;
pub mod receipt;
pub mod spans;
