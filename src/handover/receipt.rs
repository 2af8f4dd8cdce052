//! The Receipt: the duty to answer once for a message, as a type.
//!
//! Not here: AMQP. The consumer keeps the delivery tag and the connection; a receipt knows only a number.
//!
//! A receipt holds a reserved place in the channel of its connection generation, so answering is synchronous and
//! cannot fail, not even in `Drop`. Dropping one unanswered is an answer too: abandoned.

use tokio::sync::mpsc;

use crate::core::settlement::Settlement;

/// One answer on its way to the consumer.
#[derive(Debug, PartialEq)]
pub struct Answer {
    /// The number the receipt was made with.
    pub number: u64,
    /// How the message is settled; none if its receipt was dropped unanswered.
    pub settlement: Option<Settlement>,
}

/// The duty to answer once. Not cloneable; consumed by [`Receipt::settle`].
#[derive(Debug)]
#[must_use = "a message is answered exactly once"]
pub struct Receipt {
    number: u64,
    place: Option<mpsc::OwnedPermit<Answer>>,
    line: mpsc::Sender<Answer>,
}

/// A connection to the broker, as far as it can be known to be lost.
#[derive(Clone, Debug)]
pub struct Connection(mpsc::WeakSender<Answer>);

impl Connection {
    /// Whether it is lost while receipts of it are about.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.0.upgrade().is_some_and(|line| line.is_closed())
    }
}

impl Receipt {
    /// A receipt for message `number`; none if every place of `line` is taken or its near end is gone.
    pub fn new(number: u64, line: &mpsc::Sender<Answer>) -> Option<Self> {
        let place = line.clone().try_reserve_owned().ok()?;
        Some(Self { number, place: Some(place), line: line.clone() })
    }

    /// The number it was made with.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Answers.
    pub fn settle(mut self, settlement: Settlement) {
        self.answer(Some(settlement));
    }

    /// Whether the connection that the message came by still stands. A dead one sends the message again by itself.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.line.is_closed()
    }

    /// The connection that the message came by.
    #[must_use]
    pub fn connection(&self) -> Connection {
        Connection(self.line.downgrade())
    }

    fn answer(&mut self, settlement: Option<Settlement>) {
        if let Some(place) = self.place.take() {
            place.send(Answer { number: self.number, settlement });
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.answer(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_answers_once_with_what_it_was_settled_with() {
        let (line, mut answers) = mpsc::channel(1);
        Receipt::new(7, &line).unwrap().settle(Settlement::Ack);
        assert_eq!(answers.try_recv(), Ok(Answer { number: 7, settlement: Some(Settlement::Ack) }));
        assert!(answers.try_recv().is_err());
    }

    #[test]
    fn a_dropped_receipt_is_an_answer_too() {
        let (line, mut answers) = mpsc::channel(1);
        drop(Receipt::new(8, &line).unwrap());
        assert_eq!(answers.try_recv(), Ok(Answer { number: 8, settlement: None }));
    }

    #[test]
    fn a_panic_answers_for_its_own_message_and_no_other() {
        let (line, mut answers) = mpsc::channel(2);
        let neighbour = Receipt::new(1, &line).unwrap();
        let own = Receipt::new(2, &line).unwrap();
        let thread = std::thread::spawn(move || {
            let _held = own;
            panic!("on purpose");
        });
        assert!(thread.join().is_err());
        assert_eq!(answers.try_recv().map(|answer| answer.number), Ok(2));
        assert!(answers.try_recv().is_err());
        neighbour.settle(Settlement::Release);
    }

    #[test]
    fn a_receipt_knows_when_its_connection_is_gone_and_answering_it_then_harms_nobody() {
        let (line, answers) = mpsc::channel(1);
        let receipt = Receipt::new(9, &line).unwrap();
        assert!(receipt.is_live());
        drop(answers);
        assert!(!receipt.is_live());
        receipt.settle(Settlement::Ack);
    }

    #[test]
    fn there_are_no_more_receipts_than_places() {
        let (line, _answers) = mpsc::channel(1);
        let held = Receipt::new(1, &line);
        assert!(held.is_some());
        assert!(Receipt::new(2, &line).is_none());
    }
}
