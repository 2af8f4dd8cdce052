//! What the broker delivers to one subscription. Each delivery is split, and its headers packed, by the client library's own thread
//! as soon as it has read them: at most one tree of headers exists at a time, however busy the daemon is.
//!
//! Not here: what a delivery becomes (`intake`), and what is done with it (`session`).

use std::future::ready;

use futures_util::StreamExt as _;
use lapin::Consumer;
use lapin::message::DeliveryResult;
use lapin::types::ShortString;
use tokio::sync::mpsc;

use super::error::BrokerError;
use super::intake::{Arrived, arrived};
use super::limit::Limit;

/// Besides the deliveries: an error, the end, and that there were too many.
const MORE: usize = 3;

pub(super) const TOO_MANY: &str = "the broker sent more messages than the prefetch allows";

/// What comes to a subscription: a delivery, why no more come, or its end.
type Arrival = Option<Result<Arrived, BrokerError>>;

/// A subscription's deliveries, in their order.
pub(super) struct Deliveries {
    /// Dropped, it would be cancelled.
    consumer: Consumer,
    arrivals: mpsc::Receiver<Arrival>,
}

impl Deliveries {
    /// Of a consumer that holds at most so many unacknowledged at a time. Each prolongs the calls `beside` it.
    pub(super) fn of(consumer: Consumer, places: u16, beside: Limit) -> Self {
        let (line, arrivals) = line(places);
        // What was delivered meanwhile is handed over first, under the lock that deliveries take (lapin 4.12.3).
        consumer.set_delegate(move |delivery| {
            hand_over(&line, delivery);
            beside.prolong();
            ready(())
        });
        Self { consumer, arrivals }
    }

    pub(super) fn tag(&self) -> ShortString {
        self.consumer.tag()
    }

    /// Whether more has been handed over.
    pub(super) fn has_more(&self) -> bool {
        !self.arrivals.is_empty()
    }

    /// None at the end of the subscription. After that it must not be called again.
    pub(super) async fn next(&mut self) -> Option<Result<Arrived, BrokerError>> {
        match self.arrivals.recv().await {
            Some(arrival) => arrival,
            // Once it is to be cancelled, what comes until the broker says that it is goes the other way (lapin 4.12.3).
            None => read(self.consumer.next().await.transpose()),
        }
    }
}

/// What comes to a subscription of so many places, in its order.
fn line(places: u16) -> (mpsc::Sender<Arrival>, mpsc::Receiver<Arrival>) {
    mpsc::channel(usize::from(places) + MORE)
}

fn read(delivery: DeliveryResult) -> Arrival {
    match delivery {
        Ok(Some(delivery)) => Some(Ok(arrived(delivery))),
        Ok(None) => None,
        Err(error) => Some(Err(BrokerError::during("consuming", &error))),
    }
}

/// Hands over what the client library has read. Its thread calls this for one delivery after another, and must not wait.
fn hand_over(line: &mpsc::Sender<Arrival>, delivery: DeliveryResult) {
    let arrival = read(delivery);
    // The last place says that there is none. A session that is gone hears nothing.
    let has_room = line.capacity() > 1;
    drop(line.try_send(if has_room { arrival } else { Some(Err(BrokerError::new(TOO_MANY))) }));
}

#[cfg(test)]
mod tests {
    use lapin::message::Delivery;

    use super::*;

    #[test]
    fn a_full_prefetch_an_error_and_the_end_have_room_and_what_is_more_is_an_error_and_not_dropped_in_silence() {
        let delivery = |tag| Delivery::mock(tag, "".into(), "work".into(), false, b"{}".to_vec());
        let (line, mut arrivals) = line(2);
        let gone = std::io::Error::other("gone").into();
        for came in [Ok(Some(delivery(1))), Ok(Some(delivery(2))), Err(gone), Ok(None), Ok(Some(delivery(3)))] {
            hand_over(&line, came);
        }
        let mut next = || arrivals.try_recv().unwrap().map(|arrived| arrived.map(|arrived| arrived.tag));
        assert_eq!([next(), next()], [Some(Ok(1)), Some(Ok(2))]);
        assert!(next().unwrap().unwrap_err().to_string().contains("gone"));
        assert_eq!([next(), next()], [None, Some(Err(BrokerError::new(TOO_MANY)))]);
    }
}
