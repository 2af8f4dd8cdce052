//! What the broker's side of the daemon does with what is settled: publishes first, and acknowledges what is confirmed.
//!
//! Not here: who loses its connection meanwhile (`strikes`).

use chakra_bridge::core::delivery::{Input, ReceiptId};
use chakra_bridge::core::settlement::Settlement;

use crate::adversary::Sabotage;
use crate::broker::Later;
use crate::stage::SECOND;
use crate::strikes::Strike;
use crate::world::World;

impl World<'_> {
    pub(crate) fn settle(&mut self, receipt: ReceiptId, settlement: Settlement) {
        let slot = self.shell.receipts.get(&receipt);
        let Some(copy) = slot.filter(|slot| self.shell.is_live(slot)).map(|slot| slot.copy.clone()) else { return };
        let line = copy.line;
        match settlement {
            Settlement::Ack if self.setting.sabotage == Sabotage::DropsAcks => {}
            Settlement::Ack => {
                self.acknowledged(&copy);
                self.minds_outcomes(copy.line);
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
            told @ Settlement::Tell(_) if self.setting.sabotage == Sabotage::TellsNothing => {
                self.is_kept(receipt, &told);
                self.agenda.add(self.now, Later::Kept(receipt, false));
            }
            publish => self.publish(receipt, publish),
        }
    }

    fn publish(&mut self, receipt: ReceiptId, settlement: Settlement) {
        self.verdict_stands(receipt, &settlement);
        if self.refuses(&settlement) {
            return self.agenda.add(self.now, Later::Refused(receipt));
        }
        if matches!(settlement, Settlement::Tell(_)) && self.choices.spends(&mut self.setting.publishes, 8) {
            // It is there, and the daemon hears that it is not.
            self.keeps(receipt, &settlement, true);
            return self.agenda.add(self.now, Later::Refused(receipt));
        }
        if self.choices.spends(&mut self.setting.publishes, 4) {
            // Confirmed late.
            let at = self.now + SECOND;
            self.reason(at);
            self.broker.publishing.insert(receipt, settlement);
            self.agenda.add(at, Later::Confirm(receipt));
            return;
        }
        self.publish_now(receipt, settlement);
    }

    fn refuses(&self, settlement: &Settlement) -> bool {
        self.now
            < match settlement {
                Settlement::DeadLetter(_) => self.refuses_letters_until,
                Settlement::Tell(_) => self.refuses_outcomes_until,
                _ => self.refuses_delays_until,
            }
    }

    /// The publish that was not confirmed yet goes through now.
    pub(crate) fn confirmed(&mut self, receipt: ReceiptId) {
        if let Some(settlement) = self.broker.publishing.remove(&receipt) {
            self.publish_now(receipt, settlement);
        }
    }

    /// The word of a confirm comes to the daemon, perhaps after the connection is lost.
    pub(crate) fn hears_kept(&mut self, receipt: ReceiptId, is_letter: bool) {
        if is_letter {
            self.hears_of_letter(receipt);
        }
        self.on(Input::Kept { receipt });
    }

    /// The word that a letter is kept: the receipt may be named again.
    pub(crate) fn hears_kept_first(&mut self, receipt: ReceiptId) {
        self.hears_of_letter(receipt);
        if let Some(slot) = self.shell.receipts.get_mut(&receipt) {
            slot.is_settled = false;
        }
        self.on(Input::KeptFirst { receipt });
    }

    /// The word of a refusal: the receipt may be named again.
    pub(crate) fn hears_refused(&mut self, receipt: ReceiptId) {
        if let Some(slot) = self.shell.receipts.get_mut(&receipt) {
            slot.is_settled = false;
        }
        self.on(Input::Refused { receipt });
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
        let is_heard = strike.is_none_or(|strike| strike == Strike::Disconnect && self.choices.happens(2));
        let is_first = matches!(&settlement, Settlement::DeadLetter(letter) if letter.outcome.is_some());
        if is_heard {
            let is_letter = matches!(settlement, Settlement::DeadLetter(_));
            self.agenda
                .add(self.now, if is_first { Later::KeptFirst(receipt) } else { Later::Kept(receipt, is_letter) });
        }
        match strike {
            Some(strike) => self.strike(strike),
            None if is_first => {}
            None => self.is_kept(receipt, &settlement),
        }
    }

    /// The broker keeps what was published; beside the message itself, if that is not acknowledged.
    pub(crate) fn keeps(&mut self, receipt: ReceiptId, settlement: &Settlement, is_copy: bool) {
        let Some(copy) = self.shell.receipts.get(&receipt).map(|slot| slot.copy.clone()) else { return };
        match settlement {
            Settlement::DeadLetter(dead_letter) => self.buried(&copy, dead_letter.fault.reason),
            Settlement::Delay(queue, state) => {
                let state = (self.setting.sabotage != Sabotage::ForgetsState).then(|| state.encode());
                self.count.copied += u64::from(is_copy);
                self.is_delayed(copy.id);
                let key = self.ledger.lines[copy.line].key;
                self.ledger.accounts[key].is_copied |= is_copy;
                let delayed = self.broker.copy((!is_copy).then_some(copy.id), copy.line, state);
                let unsure = self.ledger.unsure_creates.get(&copy.id).copied().unwrap_or(0);
                self.ledger.unsure_creates.insert(delayed.id, unsure);
                self.ledger.brought.insert(delayed.id, unsure);
                if let Some(looked) = self.ledger.looked.get(&copy.id).cloned() {
                    self.ledger.looked.insert(delayed.id, looked);
                }
                self.agenda.add(self.now + queue.wait, Later::Expired(delayed));
            }
            Settlement::Tell(outcome) => self.is_told(&copy, outcome),
            Settlement::Ack | Settlement::Release => {}
        }
    }
}
