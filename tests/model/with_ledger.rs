//! The walks with a ledger: what one life was allowed, the next ones know.
//!
//! Not here: the ledger itself (`claims`).

use chakra_bridge::core::policy::OnUnknown;

use crate::adversary::{Sabotage, Setting};
use crate::stage::Kind;
use crate::{BLIND, REPEATED, WITH_LOOKUP, at_random, exhaustive, notices};

/// The same, with a ledger.
const WITH_LEDGER_WALKS: u64 = 5_000;

/// With a ledger, and producers that repeat themselves: with lookups and without.
const WITH_LEDGER: Setting = Setting { has_ledger: true, writes: 4, ..REPEATED };

const BLIND_WITH_LEDGER: Setting = Setting { kinds: &[Kind::Lead, Kind::Ticket], ..WITH_LEDGER };

#[test]
fn long_random_walks_with_a_ledger_double_nothing_unannounced_over_lives_and_repeats() {
    let count = at_random(WITH_LEDGER, WITH_LEDGER_WALKS);
    assert!(count.is_not_tame() && count.withheld > 0 && count.duplicates > 0 && count.found > 0, "{count:?}");
}

#[test]
fn long_random_walks_with_a_ledger_and_no_lookup_double_nothing_unannounced() {
    let count = at_random(BLIND_WITH_LEDGER, WITH_LEDGER_WALKS);
    assert!(count.is_not_tame() && count.withheld > 0 && count.doubled > 0, "{count:?}");
    at_random(Setting { on_unknown: OnUnknown::DeadLetter, ..BLIND_WITH_LEDGER }, WITH_LEDGER_WALKS);
}

#[test]
fn where_no_answer_is_lost_a_ledger_makes_one_process_of_each_event_over_all_lives() {
    let quiet = Setting { creates: 0, lookups: 0, strikes: 3, episodes: 0, ..WITH_LEDGER };
    let count = at_random(quiet, WITH_LEDGER_WALKS);
    assert!(count.killed > 0 && count.found > 0, "{count:?}");
}

#[test]
fn every_walk_with_a_ledger_of_one_event_keeps_the_promise() {
    for setting in [WITH_LOOKUP, Setting { creates: 2, strikes: 1, ..BLIND }] {
        let count = exhaustive(Setting { has_ledger: true, writes: 1, creates: 1, lookups: 0, ..setting });
        assert!(count.walks > 100 && count.withheld > 0, "too tame: {count:?}");
    }
}

#[test]
fn the_walk_notices_a_shell_that_ignores_its_claims() {
    notices(BLIND_WITH_LEDGER, Sabotage::IgnoresClaims, |count| count.sins.doubled_with_a_ledger > 0);
}

#[test]
fn the_walk_notices_a_shell_that_acknowledges_what_it_did_not_record() {
    notices(WITH_LEDGER, Sabotage::RecordsNothing, |count| count.sins.acknowledged_unrecorded > 0);
}
