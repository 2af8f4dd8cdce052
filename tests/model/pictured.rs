//! The walks in which events have pictures: no process names a photo that is not up, a picture has one id, and a host that never serves
//! keeps no healthy event waiting.
//!
//! Not here: what becomes of fetches and uploads (`photos`), and the same on the wire (`tests/photos.rs`).

use crate::adversary::{Sabotage, Setting};
use crate::laws::Count;
use crate::stage::Kind;
use crate::{REPEATED, WILD, WITH_LOOKUP, at_random, exhaustive, notices};

/// Walks of each setting.
const WALKS: u64 = 400;

/// Random walks of events with one picture and with two, beside others without.
const PICTURED: Setting = Setting {
    kinds: &[Kind::FoundPictured, Kind::Pictured, Kind::FoundPictured, Kind::Lead, Kind::FoundTicket],
    pictures: 6,
    creates: 3,
    lookups: 3,
    ..WILD
};

#[test]
fn every_walk_of_one_event_with_two_pictures_creates_it_once_its_photos_are_up() {
    let setting = Setting { kinds: &[Kind::FoundPictured], lookups: 0, lag_varies: false, ..WITH_LOOKUP };
    for (pictures, creates, strikes) in [(2, 1, 0), (1, 0, 1)] {
        let count = exhaustive(Setting { pictures, creates, strikes, ..setting });
        let Count { walks, photos, left_out, created, dead, .. } = count;
        assert!(walks > 100 && photos > 100 && left_out > 0 && created > 100 && dead > 0, "too tame: {count:?}");
    }
}

#[test]
fn long_random_walks_of_events_with_pictures_name_no_photo_that_is_not_up() {
    let count = at_random(PICTURED, WALKS);
    assert!(count.is_not_tame() && count.photos > 0 && count.left_out > 0 && count.found > 0, "{count:?}");
}

#[test]
fn long_random_walks_of_events_with_pictures_and_a_ledger_or_producers_that_repeat_keep_the_promise() {
    let count = at_random(Setting { repeats: REPEATED.repeats, ..PICTURED }, WALKS / 2);
    assert!(count.is_not_tame() && count.duplicates > 0, "{count:?}");
    let count = at_random(Setting { has_ledger: true, writes: 4, ..PICTURED }, WALKS / 2);
    assert!(count.is_not_tame() && count.withheld > 0 && count.photos > 0, "{count:?}");
}

#[test]
fn long_random_walks_beside_a_host_that_never_serves_starve_no_event_of_another() {
    let count = at_random(Setting { has_neighbour: true, ..PICTURED }, WALKS);
    assert!(count.is_not_tame() && count.photos > 0, "{count:?}");
}

#[test]
fn the_walk_notices_a_shell_that_uploads_nothing() {
    notices(PICTURED, Sabotage::UploadsNothing, |count| count.sins.named_unseen > 0);
}
