//! A message that is to be published in place of a delivery, and the answer that may follow it.
//!
//! Not here: what they carry (`dead_letter`, `delay`, `outcomes`), and publishing them (`publisher`, `reply`).

use std::sync::Arc;

use lapin::types::ShortString;

use super::packed::Packed;

/// A message that waits for a channel.
pub(super) struct Publish {
    /// The delivery that it stands for.
    pub(super) tag: u64,
    /// Empty for what goes to a queue by its name.
    pub(super) exchange: ShortString,
    /// The routing key: the name of a queue, or what the exchange routes by.
    pub(super) queue: ShortString,
    pub(super) properties: Packed,
    pub(super) body: Arc<Vec<u8>>,
    /// What follows once the broker keeps it, and holds nothing up.
    pub(super) reply: Option<Reply>,
}

impl Publish {
    /// Where it goes, as it is told.
    pub(super) fn told_as(&self) -> String {
        match self.exchange.as_str() {
            "" => self.queue.to_string(),
            exchange => format!("exchange {exchange}, routing key {}", self.queue),
        }
    }
}

/// The answer to one event.
pub(super) enum Reply {
    /// To this queue.
    To {
        /// Its name.
        queue: ShortString,
        /// Those of the outcome, and what the event says that its answer is known by.
        properties: Box<Packed>,
    },
    /// To none: it names one of ours.
    Refused,
    /// To none: the broker said nothing of an answer there a moment ago.
    Silent,
}

#[cfg(test)]
mod tests {
    use lapin::BasicProperties;

    use super::*;

    #[test]
    fn a_publish_is_told_by_its_queue_or_by_its_exchange_and_key() {
        let to = |exchange: &str, queue: &str| {
            let properties = Packed::of(BasicProperties::default());
            let (exchange, queue) = (exchange.into(), queue.into());
            Publish { tag: 1, exchange, queue, properties, body: Arc::default(), reply: None }.told_as()
        };
        assert_eq!(to("", "work.dead"), "work.dead");
        assert_eq!(to("outcomes", "lead.created"), "exchange outcomes, routing key lead.created");
    }
}
