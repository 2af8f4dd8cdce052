//! A delayed event: the original message, and its delayed state.
//!
//! Not here: publishing it (`publisher`), and what the state holds (`core::delayed_state`).

use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::types::AMQPValue;

use super::headers::{self, PROGRESS};
use super::intake::Held;
use crate::core::delayed_state::DelayedState;

/// All headers together, in bytes: more than a dead letter has, since rules match on them and nobody reads them, and
/// still below one frame of 128 KiB.
const HEADERS_MAX: usize = 100 * 1024;

/// The properties of `held` in a delay queue.
pub(super) fn properties(held: &Held, delayed_state: &DelayedState) -> BasicProperties {
    let progress = AMQPValue::LongString(delayed_state.encode().into());
    headers::joined(&held.properties.whole(), BTreeMap::from([(PROGRESS.into(), progress)]), HEADERS_MAX)
}

#[cfg(test)]
mod tests {
    use lapin::message::Delivery;
    use lapin::types::{FieldTable, ShortString};

    use super::super::intake::{Arrived, arrived};
    use super::*;
    use crate::core::message::Message;

    fn long(text: &str) -> AMQPValue {
        AMQPValue::LongString(text.into())
    }

    fn delivered(properties: BasicProperties) -> (Message, Held) {
        let mut delivery = Delivery::mock(1, "".into(), "work".into(), false, b"{}".to_vec());
        delivery.properties = properties;
        let Arrived { message, held, .. } = arrived(delivery);
        (message, held)
    }

    fn with(headers: &[(&str, AMQPValue)]) -> BasicProperties {
        let headers = headers.iter().map(|(key, value)| (ShortString::from(*key), value.clone()));
        BasicProperties::default().with_headers(FieldTable::from(headers.collect::<BTreeMap<_, _>>()))
    }

    fn delayed_state() -> DelayedState {
        DelayedState { exchange: "crm".into(), routing_key: "case.opened".into(), ..DelayedState::default() }
    }

    #[test]
    fn what_travels_comes_back_with_the_event_and_is_no_header_of_it() {
        let half = long(&"x".repeat(50 * 1024));
        let count = AMQPValue::LongLongInt(3);
        let (_, held) = delivered(with(&[("ce-type", long("lead")), ("half", half), ("x-delivery-count", count)]));
        let (message, _) = delivered(properties(&held, &delayed_state()));
        assert_eq!(message.delayed_state.as_deref().map(DelayedState::decode), Some(Ok(delayed_state())));
        assert_eq!(message.headers.open().keys().collect::<Vec<_>>(), ["ce-type", "half"]);
        assert_eq!(message.deliveries, None, "the count of another message");
    }

    #[test]
    fn what_acts_lies_aside_on_every_further_way_and_the_ladders_own_notes_are_left() {
        let original = with(&[("CC", long("elsewhere")), ("x-death", long("theirs"))]).with_expiration("5".into());
        let (_, first) = delivered(original);
        let delayed = properties(&first, &delayed_state());
        let mut headers = delayed.headers().clone().unwrap().inner().clone();
        headers.insert("x-death".into(), long("the delay queues'"));
        let (_, second) = delivered(delayed.with_headers(FieldTable::from(headers)));
        let again = properties(&second, &delayed_state());
        let headers = again.headers().as_ref().unwrap().inner();
        assert_eq!(headers["chakra-bridge-original-cc"], long("elsewhere"));
        assert_eq!(headers["chakra-bridge-original-x-death"], long("theirs"));
        assert_eq!(headers["chakra-bridge-original-expiration"], long("5"));
        assert!(!headers.contains_key("x-death") && !headers.contains_key("CC"));
        assert_eq!(*again.expiration(), None);
    }

    #[test]
    fn a_header_of_ours_that_is_no_text_is_broken_and_not_missing() {
        let (message, _) = delivered(with(&[(PROGRESS, AMQPValue::Boolean(true))]));
        assert_eq!(message.delayed_state.as_deref(), Some(""));
    }
}
