//! Publishes a lead, a ticket and a field visit again and again, each with an id of its own: what compose shows moving.
//!
//! Not here: the events of every result (`events.rs`), and what becomes of them.

use std::time::Duration;

use clap::Parser;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use tokio::signal::unix::{SignalKind, signal};

/// Type, and body: a plain JSON document, whose id is that of its message.
const SAMPLES: [(&str, &str); 3] = [
    ("lead.created", r#"{"first": "Robin", "phone": "7701214823"}"#),
    ("case.opened", r#"{"subject": "Printer", "state": "NEW", "priority": 2, "phone": "7701214824"}"#),
    (
        "visit.planned",
        r#"{"data": {"site": "Pune 4", "photos": ["R0lGODlhAQABAIAAACCAwP///ywAAAAAAQABAAACAkQBADs="]}}"#,
    ),
];

/// A stream of sample events.
#[derive(Parser)]
struct Arguments {
    /// The broker, with user and password.
    #[arg(long, env = "SAMPLE_EVENTS_AMQP", hide_env_values = true)]
    amqp: String,
    /// The exchange they are published to; their type is the routing key.
    #[arg(long, default_value = "domain-events")]
    exchange: String,
    /// Milliseconds between two events.
    #[arg(long, default_value = "1000")]
    every_ms: u64,
}

#[tokio::main]
async fn main() -> lapin::Result<()> {
    let arguments = Arguments::parse();
    let properties = ConnectionProperties::default().with_connection_name("sample-events".into());
    let connection = Connection::connect(&arguments.amqp, properties).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let mut terminate = signal(SignalKind::terminate()).map_err(lapin::Error::from)?;
    tokio::select! {
        ended = stream(&channel, &arguments) => ended,
        _ = terminate.recv() => Ok(()),
    }
}

async fn stream(channel: &Channel, arguments: &Arguments) -> lapin::Result<()> {
    let mut beat = tokio::time::interval(Duration::from_millis(arguments.every_ms.max(1)));
    for (kind, body) in SAMPLES.iter().cycle() {
        beat.tick().await;
        let id = format!("sample-{:016x}", fastrand::u64(..));
        let properties =
            BasicProperties::default().with_message_id(id.into()).with_type((*kind).into()).with_delivery_mode(2);
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let exchange = arguments.exchange.as_str();
        let publish = channel.basic_publish(exchange.into(), (*kind).into(), options, body.as_bytes(), properties);
        if publish.await?.await? != Confirmation::Ack(None) {
            eprintln!("no queue took an event of type {kind}: is the exchange {exchange} bound?");
        }
    }
    Ok(())
}
