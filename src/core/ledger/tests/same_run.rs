//! Laws of several messages of one event in one run.
//!
//! Not here: several replicas.

use super::*;

#[test]
fn a_dead_letter_of_one_message_ends_no_row_that_another_of_its_event_has_in_the_same_run() {
    let mut store = Store::default();
    let (epoch, _) = mine(&store.claim("a", &claim(2)));
    let dead = Some(RowEnd::Dead("refused".into()));
    assert_eq!(store.record("a", &record(&claim(1), None, dead, 0)), Recorded::Superseded);
    // What was asked for in vain is asked for again, and without a doubt.
    let again = store.claim("a", &Claim { epoch: Some(epoch), ..claim(2) });
    assert_eq!((mine(&again).1, left(again).unsure_creates), (true, 0));
}

#[test]
fn a_claim_that_is_applied_after_its_event_gave_the_row_back_takes_no_row_that_an_earlier_one_of_the_run_gave_back() {
    let mut store = Store::default();
    let (epoch, _) = mine(&store.claim("a", &claim(1)));
    store.record("a", &record(&claim(1), Some(epoch), None, 0));
    // The answer to the claim of 2 is lost; its event leaves, and only then the claim is applied.
    assert_eq!(store.record("a", &record(&claim(2), None, None, 0)), Recorded::Yes);
    assert!(matches!(store.claim("a", &claim(2)), Claimed::Held { .. }));
    let again = store.claim("a", &claim(3));
    assert_eq!((mine(&again).1, left(again).unsure_creates), (true, 0));
}

#[test]
fn a_claim_that_sends_nothing_and_is_applied_behind_the_create_hides_no_create() {
    let mut store = Store::default();
    let photo = Claim { sends: None, ..claim(1) };
    let (epoch, _) = mine(&store.claim("a", &photo));
    assert!(mine(&store.claim("a", &Claim { epoch: Some(epoch), ..claim(1) })).1);
    store.claim("a", &photo);
    assert_eq!(store.unsure_creates(), 1);
    store.dead = vec!["a"];
    assert_eq!(left(store.claim("b", &claim(1))).unsure_creates, 1);
}
