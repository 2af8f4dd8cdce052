//! The walks of several replicas over one queue and one ledger: killed, frozen until their leases run out, and woken again.
//!
//! Not here: one replica with a ledger (`with_ledger`), and the same with real processes (`tests/repeats.rs`).

use chakra_bridge::core::policy::OnUnknown;

use crate::adversary::{Sabotage, Setting};
use crate::laws::Count;
use crate::stage::Kind;
use crate::{REPEATED, at_random, notices};

/// Walks of each setting.
const WALKS: u64 = 250;

/// Three replicas whose producers repeat themselves, and whose every event can be looked up where it was sent, by all rules.
const FOUND: Setting = Setting {
    kinds: &[Kind::FoundTicket],
    replicas: 3,
    has_ledger: true,
    writes: 4,
    lookups: 0,
    strikes: 8,
    ..REPEATED
};

/// The same, with nothing to look up.
const BLIND: Setting = Setting { kinds: &[Kind::Lead, Kind::Ticket], replicas: 2, ..FOUND };

/// Whether replicas were killed and frozen, and took over what others had.
fn is_not_tame(count: &Count) -> bool {
    count.is_not_tame() && count.frozen > 0 && count.withheld > 0 && count.duplicates > 0
}

#[test]
fn long_random_walks_of_replicas_over_one_ledger_make_one_process_of_each_key_that_can_be_looked_up() {
    for replicas in [2, 3] {
        let count = at_random(Setting { replicas, ..FOUND }, WALKS);
        assert!(is_not_tame(&count) && count.found > 0, "{count:?}");
        let doubled = count.doubled + count.doubled_by_copies + count.doubled_by_producers;
        assert_eq!(doubled + count.doubled_by_other_rules, 0, "{count:?}");
    }
}

#[test]
fn long_random_walks_of_replicas_over_one_ledger_announce_every_double() {
    let count = at_random(BLIND, WALKS);
    assert!(is_not_tame(&count) && count.doubled > 0, "{count:?}");
}

#[test]
fn long_random_walks_of_replicas_over_one_ledger_where_what_is_unknown_is_dead_announce_every_double() {
    at_random(Setting { on_unknown: OnUnknown::DeadLetter, ..BLIND }, WALKS);
}

/// Lookups are refused or lie, and a reload moves them.
#[test]
fn long_random_walks_of_replicas_over_one_ledger_whose_lookups_fail_announce_every_double() {
    at_random(Setting { kinds: &[Kind::FoundLead, Kind::Lead], lookups: 6, ..FOUND }, WALKS);
}

#[test]
fn the_walk_notices_replicas_that_ignore_their_claims() {
    notices(BLIND, Sabotage::IgnoresClaims, |count| count.sins.doubled_with_a_ledger > 0);
}

#[test]
fn the_walk_notices_replicas_that_record_after_they_acknowledged() {
    notices(FOUND, Sabotage::RecordsLate, |count| count.sins.acknowledged_unrecorded > 0);
}

#[test]
fn the_walk_notices_a_frozen_replica_that_sends_when_it_wakes() {
    notices(FOUND, Sabotage::SendsWhenItWakes, |count| count.sins.doubled_with_a_ledger > 0);
}
