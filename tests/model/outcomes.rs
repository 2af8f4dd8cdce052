//! The walks in which producers are told: every event that is acknowledged has an outcome, whatever is refused, lost, late or applied
//! though it failed; and what has one id says one thing.
//!
//! Not here: a broker (`tests/outcomes.rs`).

use chakra_bridge::core::delivery::ReceiptId;
use chakra_bridge::core::outcome::{EventOutcome, OutcomeKind};
use chakra_bridge::core::settlement::Settlement;

use crate::adversary::{Sabotage, Setting};
use crate::broker::Copy;
use crate::world::World;
use crate::{REPEATED, WILD, WILD_BLIND, WITH_LOOKUP, at_random, exhaustive, notices};

/// Walks of each setting.
const WALKS: u64 = 250;

const TOLD: Setting = Setting { tells: true, ..WILD };

impl World<'_> {
    /// The broker keeps an outcome. What has one id says one thing, and one event that ends one way by one rule has one id.
    pub(crate) fn is_told(&mut self, copy: &Copy, outcome: &EventOutcome) {
        self.count.told += 1;
        let key = self.ledger.lines[copy.line].key;
        let is_doubled = self.api.of(key).count() > 1;
        let account = &mut self.ledger.accounts[key];
        let says = |outcome: &EventOutcome| (outcome.kind, outcome.key.clone(), outcome.rule.clone(), outcome.retries);
        let is_amiss = account.outcomes.iter().any(|other| {
            let is_same = says(other) == says(outcome);
            // An API need not tell the id of what it creates, and may tell it of what it lists.
            let processes = other.process.as_ref().zip(outcome.process.as_ref());
            let has_process = is_doubled || processes.is_none_or(|(one, other)| one == other);
            (other.id == outcome.id) != is_same || (is_same && !has_process)
        });
        self.count.sins.told_otherwise += u64::from(is_amiss);
        account.outcomes.push(outcome.clone());
    }

    /// What was published for a message is kept, and the message acknowledged.
    pub(crate) fn is_kept(&mut self, receipt: ReceiptId, settlement: &Settlement) {
        let Some(copy) = self.shell.receipts.get(&receipt).map(|slot| slot.copy.clone()) else { return };
        drop(self.broker.acknowledge(receipt));
        match settlement {
            Settlement::Tell(outcome) if outcome.kind == OutcomeKind::DeadLettered => {
                let key = self.ledger.lines[copy.line].key;
                self.count.sins.told_otherwise += u64::from(!self.ledger.accounts[key].is_buried);
                self.done(copy.line, "dead");
            }
            Settlement::Tell(_) => self.acknowledged(&copy),
            Settlement::Delay(..) => return,
            Settlement::DeadLetter(_) | Settlement::Ack | Settlement::Release => {}
        }
        self.minds_outcomes(copy.line);
    }

    /// Where producers are told, none is acknowledged that was not.
    pub(crate) fn minds_outcomes(&mut self, line: usize) {
        let account = &self.ledger.accounts[self.ledger.lines[line].key];
        self.count.sins.untold += u64::from(self.setting.tells && account.outcomes.is_empty());
    }
}

#[test]
fn every_walk_of_one_event_tells_its_producer_before_it_is_acknowledged() {
    for (creates, strikes, publishes) in [(1, 1, 1), (0, 1, 2)] {
        let setting = Setting { tells: true, creates, strikes, lookups: 0, publishes, ..WITH_LOOKUP };
        let count = exhaustive(setting);
        assert!(count.walks > 100 && count.told > 100, "too tame: {count:?}");
    }
}

#[test]
fn long_random_walks_tell_every_producer_what_its_event_became() {
    let count = at_random(TOLD, WALKS);
    assert!(count.is_not_tame() && count.told > 0 && count.skipped > 0, "{count:?}");
    at_random(Setting { tells: true, ..WILD_BLIND }, WALKS);
}

#[test]
fn long_random_walks_beside_producers_that_repeat_themselves_and_with_a_ledger_tell_all() {
    let count = at_random(Setting { tells: true, ..REPEATED }, WALKS);
    assert!(count.is_not_tame() && count.duplicates > 0, "{count:?}");
    at_random(Setting { tells: true, has_ledger: true, writes: 4, ..REPEATED }, WALKS);
}

#[test]
fn the_walk_notices_a_shell_that_tells_nobody() {
    notices(TOLD, Sabotage::TellsNothing, |count| count.sins.untold > 0);
}
