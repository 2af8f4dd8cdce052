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
    /// Of a consumer that holds at most so many unacknowledged at a time.
    pub(super) fn of(consumer: Consumer, places: u16) -> Self {
        let (line, arrivals) = mpsc::channel(usize::from(places) + MORE);
        // What was delivered meanwhile is handed over first, under the lock that deliveries take (lapin 4.12.3).
        consumer.set_delegate(move |delivery| {
            hand_over(&line, delivery);
            ready(())
        });
        Self { consumer, arrivals }
    }

    pub(super) fn tag(&self) -> ShortString {
        self.consumer.tag()
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
    fn more_deliveries_than_places_are_an_error_and_none_is_dropped_in_silence() {
        let (line, mut arrivals) = mpsc::channel(2 + 1);
        for tag in 1..=5 {
            let delivery = Delivery::mock(tag, "".into(), "work".into(), false, b"{}".to_vec());
            hand_over(&line, Ok(Some(delivery)));
        }
        let mut tag = || arrivals.try_recv().ok().flatten().map(|arrived| arrived.map(|arrived| arrived.tag));
        assert_eq!([tag(), tag()], [Some(Ok(1)), Some(Ok(2))]);
        assert_eq!(tag(), Some(Err(BrokerError::new(TOO_MANY))));
    }
}
