//! What the producers are told: a queue behind the exchange of outcomes, and what came into it.
//!
//! Not here: what became of each event by the log (`results`).

use std::collections::BTreeMap;

use lapin::message::Delivery;
use lapin::options::{ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use serde_json::Value;

use super::support::broker::Client;

/// A queue that takes every outcome. The daemon has made the exchange.
pub async fn listen(client: &Client, exchange: &str, queue: &str) {
    let channel = client.connection().create_channel().await.expect("a channel");
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), durable, FieldTable::default()).await.expect("a queue of outcomes");
    let bound = channel.queue_bind(
        queue.into(),
        exchange.into(),
        "#".into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    bound.await.expect("the queue bound to the exchange");
}

/// Prints how many of each kind came, and what one of a process says.
pub fn print(outcomes: &[Delivery]) {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in outcomes {
        *kinds.entry(outcome.routing_key.as_str().rsplit('.').next().unwrap_or_default()).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, times)| format!("{kind} {times}")).collect();
    println!("   {} outcomes: {}", outcomes.len(), kinds.join(", "));
    let of_a_ticket = outcomes.iter().find(|outcome| outcome.routing_key.as_str() == "ticket.created");
    let Some(shown) = of_a_ticket.and_then(|outcome| serde_json::from_slice::<Value>(&outcome.data).ok()) else {
        return;
    };
    println!("   one of a ticket says {shown}");
}

/// The exchange is taken away again.
pub async fn forget(client: &Client, exchange: &str) {
    let channel = client.connection().create_channel().await.expect("a channel");
    drop(channel.exchange_delete(exchange.into(), ExchangeDeleteOptions::default()).await);
}
