//! The connection to the broker: it stands, or it is lost, and with it every receipt from before.
//!
//! Not here: making it (`amqp`), and how often one was lost lately (`survived`).

use super::Machine;
use super::report::Ended;
use crate::core::gate::Moment;

/// What is known of the connection to the broker.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Connection {
    pub(super) is_up: bool,
    pub(super) can_delay: bool,
    /// When the last was lost.
    pub(super) lost_at: Option<Moment>,
}

impl Machine {
    pub(super) fn connected(&mut self, can_delay: bool) {
        self.publishes_connected();
        self.outcomes_connected();
        (self.connection.is_up, self.connection.can_delay) = (true, can_delay);
        self.redeliveries.begin(self.now.moment);
    }

    /// Lets go of what no request is under way for; the rest ends with its request.
    pub(super) fn disconnected(&mut self) {
        // A connection that never stood gave nothing back.
        let stood = std::mem::take(&mut self.connection.is_up);
        if stood {
            self.connection.lost_at = Some(self.now.moment);
            self.survived.lose(self.now.moment);
        }
        let bodies = self.held.live_bodies().chain(self.publishes.live_bodies()).chain(self.outcomes.live_bodies());
        bodies.for_each(|body| self.survived.note(body));
        self.publishes_disconnected();
        self.outcomes_disconnected();
        self.records_disconnected();
        self.give_waiting_back(|| Ended::ConnectionLost);
        for event in self.held.disconnected() {
            self.end(event, Ended::ConnectionLost);
        }
    }
}
