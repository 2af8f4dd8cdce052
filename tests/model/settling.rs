//! What becomes of a copy when it waits, is delayed, acknowledged or buried, and what may strike meanwhile.
//!
//! Not here: what is asked of the API (`world`).

use std::time::Duration;

use chakra_bridge::core::delay_queue::delay_queue_for;
use chakra_bridge::core::delayed_state::DelayedState;
use chakra_bridge::core::reason::{Fault, Reason};
use chakra_bridge::core::recent::{Known, Recent};

use crate::world::{Copy, Held, Place, World, key};

/// What may become of an event that is to wait.
#[derive(Clone, Copy)]
pub(super) enum Way {
    InHand,
    Delayed,
    Struck,
}

/// What may happen to what is being settled.
#[derive(Clone, Copy)]
pub(super) enum Strike {
    None,
    BeforeThePublish,
    BeforeTheAck,
}

impl World<'_> {
    /// Unacknowledged, delayed, or its connection is lost meanwhile.
    pub(super) fn wait(&mut self, line: usize, held: Held, wait: Duration) {
        let due = held.told + wait;
        let ways =
            [(true, Way::InHand), (self.setting.delays > 0, Way::Delayed), (self.setting.strikes > 0, Way::Struck)];
        let open: Vec<_> = ways.into_iter().filter_map(|(is_open, way)| is_open.then_some(way)).collect();
        match self.choices.one(&open) {
            Way::InHand => self.copies.push(Copy { line, due, place: Place::Hand(held) }),
            Way::Delayed => self.delay(line, held, wait),
            Way::Struck => self.strike(line, held),
        }
    }

    pub(super) fn delay(&mut self, line: usize, held: Held, wait: Duration) {
        self.count.delayed += 1;
        self.setting.delays = self.setting.delays.saturating_sub(1);
        let (delay_queue, rest) = delay_queue_for(wait);
        let mut progress = held.progress.clone();
        progress.passed(delay_queue.wait);
        let due = held.told + delay_queue.wait;
        let delayed_state = DelayedState { progress, remaining: rest, ..DelayedState::default() };
        let place = Place::Queue { delayed_state: Some(delayed_state.encode()), redelivered: false };
        match self.strike_while_settling() {
            Strike::None => self.copies.push(Copy { line, due, place }),
            Strike::BeforeThePublish => self.redeliver(line, held.told),
            Strike::BeforeTheAck => {
                let copy = self.lines;
                self.lines += 1;
                self.copies.push(Copy { line: copy, due, place });
                self.redeliver(line, held.told);
            }
        }
    }

    pub(super) fn acknowledge(&mut self, line: usize, found: bool) {
        let counted = if found { &mut self.count.found } else { &mut self.count.created };
        *counted += 1;
        if !matches!(self.strike_while_settling(), Strike::None) {
            self.redeliver(line, self.now);
        }
    }

    pub(super) fn bury(&mut self, line: usize, fault: &Fault) {
        self.count.dead += 1;
        self.count.dead_for_our_fault += u64::from(!matches!(fault.reason, Reason::Refused | Reason::Unknown));
        match self.strike_while_settling() {
            Strike::None => self.dead_letters += 1,
            Strike::BeforeThePublish => self.redeliver(line, self.now),
            Strike::BeforeTheAck => {
                self.dead_letters += 1;
                self.redeliver(line, self.now);
            }
        }
    }

    pub(super) fn strike_while_settling(&mut self) -> Strike {
        if self.setting.strikes == 0 {
            return Strike::None;
        }
        let strike = self.choices.one(&[Strike::None, Strike::BeforeThePublish, Strike::BeforeTheAck]);
        if !matches!(strike, Strike::None) {
            self.setting.strikes -= 1;
            self.kill();
        }
        strike
    }

    /// The message of this line comes again; a daemon that acknowledged it before the confirm has none.
    pub(super) fn redeliver(&mut self, line: usize, due: Duration) {
        if !self.setting.sins.acks_first {
            let place = Place::Queue { delayed_state: None, redelivered: true };
            self.copies.push(Copy { line, due, place });
        }
    }

    /// The process is killed, or its connection is lost and it remembers where the event stood.
    pub(super) fn strike(&mut self, line: usize, held: Held) {
        self.setting.strikes = self.setting.strikes.saturating_sub(1);
        let is_killed = self.choices.of(2) == 0;
        let due = held.told.max(self.now);
        if is_killed {
            self.kill();
        } else {
            self.recent.remember(&key(), Known::Underway(Box::new(held.progress), None));
        }
        let place = Place::Queue { delayed_state: None, redelivered: true };
        self.copies.push(Copy { line, due, place });
    }

    /// All that is unacknowledged goes back, and nothing is remembered.
    pub(super) fn kill(&mut self) {
        self.count.killed += 1;
        self.recent = Recent::default();
        for copy in &mut self.copies {
            let Place::Hand(held) = &copy.place else { continue };
            // Not before its request can have been cut off: the server's time to apply it late counts from there.
            copy.due = held.told.max(self.now);
            copy.place = Place::Queue { delayed_state: None, redelivered: true };
        }
    }
}
