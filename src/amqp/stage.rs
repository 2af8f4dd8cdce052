//! A configuration for the laws of this room.
//!
//! Not here: the laws.

use std::time::Duration;

use super::{Config, QueueType, Topology};
use crate::secret::{Secret, SecretSource};
use crate::tls;

pub(super) fn config(topology: Topology, queue_type: QueueType) -> Config {
    Config {
        url: "amqp://bridge@rabbit/crm".into(),
        addresses: Vec::new(),
        password: SecretSource::Given(Secret::new("")),
        queue: "work".into(),
        dead_letter_queue: "dead".into(),
        outcomes: None,
        prefetch: 5,
        topology,
        queue_type,
        heartbeat: Duration::ZERO,
        call_timeout: Duration::ZERO,
        stall_timeout: Duration::ZERO,
        reconnect: (Duration::ZERO, Duration::ZERO),
        tls: tls::Files { section: "broker", authorities: None, identity: None },
    }
}
