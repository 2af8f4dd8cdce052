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

#[test]
fn an_ended_row_is_opened_again_only_by_a_retry_and_what_may_have_been_created_stays_in_doubt() {
    for (end, unsure, doubt) in
        [(created(), 0, 1), (Some(RowEnd::Dead("refused".into())), 0, 0), (Some(RowEnd::Dead("unknown".into())), 2, 1)]
    {
        let mut store = Store::default();
        let (epoch, _) = mine(&store.claim("a", &claim(1)));
        store.record("a", &record(&claim(1), Some(epoch), end.clone(), unsure));
        assert!(matches!(store.claim("b", &claim(1)), Claimed::Ended(row) if row.end == end));
        let answer = store.claim("b", &Claim { opens: Opens::Created, ..claim(1) });
        assert_eq!((mine(&answer).1, left(answer).unsure_creates), (doubt == 0, doubt), "{end:?}");
        let row = store.row.unwrap();
        assert_eq!((row.end, row.ended_ms, &*row.owner), (None, 0, "b"));
    }
}
