//! What the broker does: its connections, its subscription, and what it does not take.
//!
//! Not here: how full its queues are (`queues`).

use super::Metrics;

impl Metrics {
    /// Whether deliveries can come in.
    pub fn broker_connected(&self, connected: bool) {
        self.broker_connected.set(connected.into());
    }

    /// A connection to the broker was made.
    pub fn broker_connections(&self) {
        self.broker_connections.inc();
    }

    /// Nothing arrived though the queue held events.
    pub fn consumer_stalled(&self) {
        self.stalls.inc();
    }

    /// The broker did not confirm a publish.
    pub fn publish_refused(&self) {
        self.publishes_refused.inc();
    }

    /// So many dead letters wait for a queue that takes them.
    pub fn dead_letters_waiting(&self, n: usize) {
        self.dead_letters_waiting.set(n as u64);
    }
}
