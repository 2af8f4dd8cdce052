//! Rows that have ended, and claims that open them: each opens only what it was told of.
//!
//! Not here: what is asked and told in one run (`same_run`).

use super::*;

#[test]
fn whoever_was_told_of_a_dead_letter_opens_no_row_that_became_a_process_since() {
    let mut store = Store::default();
    store.record("a", &record(&claim(1), None, Some(RowEnd::Dead("refused".into())), 0));
    // Two repeats of the event come to two replicas, and both are told so.
    for who in ["b", "c"] {
        assert!(matches!(store.claim(who, &claim(1)), Claimed::Ended(_)), "{who}");
    }
    let again = Claim { opens: Opens::Dead, ..claim(1) };
    let (epoch, _) = mine(&store.claim("b", &again));
    assert_eq!(store.record("b", &record(&claim(1), Some(epoch), created(), 0)), Recorded::Yes);
    assert!(matches!(store.claim("c", &again), Claimed::Ended(row) if row.end == created()));
    assert!(matches!(store.claim("c", &Claim { opens: Opens::Created, ..again }), Claimed::Mine { .. }));
}
