//! The image as an orchestrator runs it: what is in it, the main job on RabbitMQ 3.10, 4.0 and 4.3, a rolling update.
//!
//! Not here: the daemon outside of a container, and the files of a cluster (`deploy.rs`). Without a Docker engine the
//! tests say that they are skipped; where `CHAKRA_BRIDGE_CI` is set, that is a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

mod image {
    pub mod contents;
    pub mod docker;
    pub mod main_job;
    pub mod replica;
    pub mod rolls;
    pub mod stage;
    pub mod takes_over;
}
