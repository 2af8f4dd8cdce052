//! Creates that a message brought along in its state, beside those that its row counts.
//!
//! Not here: a row that one replica alone has (`same_run`).

use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::core::lookup::Lookup;
use crate::core::process::Procedure;

fn looks(procedure: &str) -> Sends {
    let (procedure, attribute) = (Procedure::new(procedure).unwrap(), "event_key".to_owned());
    Sends { lookup: Some(Arc::new(Lookup { procedure, attribute, value: Value::from("k") })) }
}

const BLIND: Sends = Sends { lookup: None };

/// A row whose only create was sent so, and is unknown.
fn unknown(sends: &Sends) -> Store {
    let (mut store, first) = (Store::default(), Claim { sends: Some(sends.clone()), ..claim(1) });
    let (epoch, _) = mine(&store.claim("a", &first));
    store.record("a", &record(&first, Some(epoch), None, 1));
    store
}

#[test]
fn as_many_creates_as_the_row_counts_are_news_where_one_of_them_can_be_looked_up() {
    for (sent, sends) in [
        (looks("lead"), looks("lead")),
        (looks("prospect"), looks("lead")),
        (looks("prospect"), BLIND),
        (BLIND, looks("lead")),
    ] {
        let (mut store, brings) = (unknown(&sent), Claim { unsure_creates: 1, sends: Some(sends), ..claim(1) });
        let answer = store.claim("b", &brings);
        let (epoch, may_send) = mine(&answer);
        assert!(!may_send, "it looked elsewhere, or before that create was sent");
        let left = left(answer);
        assert_eq!((left.unsure_creates, left.sent), (1, sent.lookup));
        assert!(mine(&store.claim("b", &Claim { epoch: Some(epoch), ..brings })).1, "it was told, and has looked");
        assert_eq!(store.unsure_creates(), 2);
    }
}

#[test]
fn as_many_creates_as_the_row_counts_are_no_news_where_nobody_can_look_or_none_was_sent() {
    let brings = Claim { unsure_creates: 1, sends: Some(BLIND), ..claim(1) };
    assert!(mine(&unknown(&BLIND).claim("b", &brings)).1);
    // Nor where nothing was sent under this row: those that it counts were brought along too.
    let mut store = Store::default();
    store.record("a", &record(&claim(1), None, None, 1));
    assert!(mine(&store.claim("b", &Claim { sends: Some(looks("lead")), ..brings })).1);
    let answer = unknown(&BLIND).claim("b", &claim(1));
    assert_eq!((mine(&answer).1, left(answer).unsure_creates), (false, 1), "one more is");
}
