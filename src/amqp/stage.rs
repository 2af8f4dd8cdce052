//! Configurations for the laws of this room.
//!
//! Not here: the laws.

use std::time::Duration;

use super::{Config, Outlet, QueueType, Topology};
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

pub(super) fn outlet() -> Outlet {
    Outlet {
        exchange: "crm.outcomes".into(),
        channels: 1,
        required: true,
        reply_to: true,
        source: "/here".into(),
        link: Some("https://crm.example/{procedure}/{process}".into()),
    }
}
