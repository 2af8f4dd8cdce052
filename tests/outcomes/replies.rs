//! Answers to the queue that an event names in `reply_to`: given where there is one, and nothing held up where there is none.
//!
//! Not here: the outcome that goes to the exchange beside it.

use lapin::BasicProperties;
use lapin::options::QueueDeclareOptions;
use lapin::types::{FieldTable, ShortString};

use crate::stage::{Stage, Told};
use crate::support::broker::Client;
use crate::support::deadline::within;

fn asks(queue: &str) -> BasicProperties {
    BasicProperties::default().with_reply_to(queue.into()).with_correlation_id("request-7".into())
}

/// The name of a queue of a connection that is gone.
async fn of_a_connection_that_is_gone(url: &str) -> String {
    let client = Client::connect(url).await;
    let channel = client.connection().create_channel().await.unwrap();
    let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    let made = within(30, "a queue", channel.queue_declare("".into(), options, FieldTable::default())).await.unwrap();
    let name = made.name().to_string();
    client.close().await;
    assert!(name.starts_with("amq.gen-"), "{name}");
    name
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_asks_is_answered_and_one_whose_queue_is_gone_is_held_up_by_nothing() {
    let stage = Stage::new("reply_to = true", "").await;
    let answers = stage.scene.place.name_of("answers");
    stage.scene.client.declare_quorum(&answers, FieldTable::default()).await;
    let gone = of_a_connection_that_is_gone(&stage.scene.place.url).await;
    assert!(ShortString::try_new("q".repeat(300)).is_err(), "AMQP carries no name of 300 characters");
    let names = [answers.clone(), gone, "q".repeat(255), "no.such.queue".to_owned(), String::new()];
    let ours = [stage.scene.queue(), stage.scene.dead(), format!("{}.wait.1h", stage.scene.queue())];
    let mut daemon = stage.daemon().await;
    for (number, name) in names.iter().chain(&ours).enumerate() {
        stage.publish(&format!("e{number}"), b"{}", asks(name)).await;
    }
    let told = stage.told(8).await;
    stage.scene.client.until_depth(&answers, 1, std::time::Duration::from_secs(30)).await;
    let answer = stage.scene.client.drain(&answers).await.remove(0);
    let correlation = answer.properties.correlation_id().as_ref().map(ToString::to_string);
    assert_eq!(correlation.as_deref(), Some("request-7"));
    let answer = Told::of(&answer);
    let same = told.iter().find(|told| told.subject() == "e0").unwrap();
    assert_eq!((answer.id(), &answer.data), (same.id(), &same.data));
    for (result, count) in [("told", 1.0), ("gone", 3.0), ("refused", 3.0)] {
        let line = format!("chakra_bridge_outcome_replies_total{{result=\"{result}\"}}");
        stage.until_metric(&mut daemon, &line, count).await;
    }
    stage.at_rest().await;
    assert_eq!(stage.scene.api.created().len(), 8);
    assert_eq!(stage.scene.client.depth(&stage.scene.dead()).await.unwrap().messages, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_setting_nobody_is_answered() {
    let stage = Stage::new("", "").await;
    let answers = stage.scene.place.name_of("answers");
    stage.scene.client.declare_quorum(&answers, FieldTable::default()).await;
    let _daemon = stage.daemon().await;
    stage.publish("e1", b"{}", asks(&answers)).await;
    drop(within(60, "an outcome", stage.told(1)).await);
    stage.at_rest().await;
    assert_eq!(stage.scene.client.depth(&answers).await.unwrap().messages, 0);
}
