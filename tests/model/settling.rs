//! What the broker's side of the daemon does with what is settled: publishes first, and acknowledges what is confirmed.
//!
//! Not here: who loses its connection meanwhile (`strikes`).

use chakra_bridge::core::delivery::ReceiptId;
use chakra_bridge::core::settlement::Settlement;

use crate::adversary::Sabotage;
use crate::broker::Later;
use crate::stage::SECOND;
use crate::world::World;

impl World<'_> {
    pub(crate) fn settle(&mut self, receipt: ReceiptId, settlement: Settlement) {
        let slot = self.shell.receipts.get(&receipt);
        let Some(line) = slot.filter(|slot| self.shell.is_live(slot)).map(|slot| slot.copy.line) else { return };
        match settlement {
            Settlement::Ack if self.setting.sabotage == Sabotage::DropsAcks => {}
            Settlement::Ack => {
                self.acknowledged(line);
                if !self.strikes_now() {
                    drop(self.broker.acknowledge(receipt));
                }
            }
            Settlement::Release if self.setting.sabotage == Sabotage::AcksReleases => {
                drop(self.broker.acknowledge(receipt));
            }
            Settlement::Release => {
                self.returned(line);
                self.broker.give_back(receipt);
            }
            publish => self.publish(receipt, publish),
        }
    }

    fn publish(&mut self, receipt: ReceiptId, settlement: Settlement) {
        if self.now < self.refuses_until || self.choices.spends(&mut self.setting.publishes, 4) {
            // Refused for a while, or confirmed late: the same to the daemon, which waits.
            let at = self.refuses_until.max(self.now + SECOND);
            self.reason(at);
            self.broker.publishing.insert(receipt, settlement);
            self.agenda.add(at, Later::Confirm(receipt));
            return;
        }
        self.publish_now(receipt, settlement);
    }

    /// The publish that was refused, or not confirmed yet, goes through now.
    pub(crate) fn confirmed(&mut self, receipt: ReceiptId) {
        if self.now < self.refuses_until {
            return self.agenda.add(self.refuses_until, Later::Confirm(receipt));
        }
        if let Some(settlement) = self.broker.publishing.remove(&receipt) {
            self.publish_now(receipt, settlement);
        }
    }

    fn publish_now(&mut self, receipt: ReceiptId, settlement: Settlement) {
        if self.setting.sabotage == Sabotage::AcksFirst && self.setting.strikes > 0 {
            drop(self.broker.acknowledge(receipt));
        }
        // Before the publish comes there.
        if self.strikes_now() {
            return;
        }
        // Before the acknowledgement comes there.
        let strike = self.next_strike();
        self.keeps(receipt, &settlement, strike.is_some());
        match strike {
            Some(strike) => self.strike(strike),
            None => drop(self.broker.acknowledge(receipt)),
        }
    }

    /// The broker keeps what was published; beside the message itself, if that is not acknowledged.
    pub(crate) fn keeps(&mut self, receipt: ReceiptId, settlement: &Settlement, is_copy: bool) {
        let Some(copy) = self.shell.receipts.get(&receipt).map(|slot| slot.copy.clone()) else { return };
        match settlement {
            Settlement::DeadLetter(dead_letter) => self.buried(copy.line, dead_letter.fault.reason),
            Settlement::Delay(queue, state) => {
                let state = (self.setting.sabotage != Sabotage::ForgetsState).then(|| state.encode());
                self.count.copied += u64::from(is_copy);
                let delayed = self.broker.copy((!is_copy).then_some(copy.id), copy.line, state);
                let unsure = self.ledger.unsure_creates.get(&copy.id).copied().unwrap_or(0);
                self.ledger.unsure_creates.insert(delayed.id, unsure);
                self.ledger.brought.insert(delayed.id, unsure);
                if let Some(looked) = self.ledger.looked.get(&copy.id).cloned() {
                    self.ledger.looked.insert(delayed.id, looked);
                }
                self.agenda.add(self.now + queue.wait, Later::Expired(delayed));
            }
            Settlement::Ack | Settlement::Release => {}
        }
    }
}
