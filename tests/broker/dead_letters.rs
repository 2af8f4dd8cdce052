//! Dead letters stay where they were put, whatever the original carried.
//!
//! Not here: what they say (beside the code).

use std::time::Duration;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldArray, FieldTable};

use super::scene::Scene;
use crate::support::broker::shared;
use crate::support::daemon::result;
use crate::support::deadline::within;
use crate::support::standin::{Canned, Rule};

fn long(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

/// An event that carries everything that acts on its own, and 100 KB of headers.
fn loaded(user: &str) -> BasicProperties {
    let mut headers = FieldTable::default();
    let mut copies = FieldArray::default();
    copies.push(long("elsewhere"));
    headers.insert("CC".into(), AMQPValue::FieldArray(copies));
    let mut death = FieldTable::default();
    death.insert("queue".into(), long("old"));
    death.insert("count".into(), AMQPValue::LongLongInt(7));
    let mut deaths = FieldArray::default();
    deaths.push(AMQPValue::FieldTable(death));
    headers.insert("x-death".into(), AMQPValue::FieldArray(deaths));
    for number in 0..10 {
        headers.insert(format!("ballast-{number}").into(), long(&"y".repeat(10_000)));
    }
    BasicProperties::default()
        .with_message_id("loaded".into())
        .with_user_id(user.into())
        .with_expiration("600000".into())
        .with_headers(headers)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_stays_alone_and_readable_whatever_the_event_carried() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    scene.client.declare_classic("elsewhere", FieldTable::default()).await;
    scene.api.plan(vec![Rule::always(Canned::new(422)).attribute("event_key", "loaded")]);
    let mut daemon = scene.daemon();
    within(60, "consuming", daemon.consuming()).await;
    let url = reqwest::Url::parse(&scene.place.url).unwrap();
    scene.client.publish("", &scene.queue(), b"{}", loaded(url.username())).await;
    within(60, "its result", daemon.until(|line| result(line, "dead_lettered"))).await;
    scene.client.until_depth(&scene.dead(), 1, Duration::from_secs(60)).await;
    // The copy that CC asked for at publishing is the publisher's; the dead letter makes no second one.
    assert_eq!(scene.client.drain("elsewhere").await.len(), 1);

    scene.publish(1, 100).await;
    within(60, "the channel lives", scene.until_created(1)).await;
    scene.client.until_empty(&scene.queue(), Duration::from_secs(60)).await;

    let dead_letters = scene.client.drain(&scene.dead()).await;
    assert_eq!(dead_letters.len(), 1);
    let dead_letter = &dead_letters[0];
    assert_eq!(dead_letter.data, b"{}");
    assert_eq!(dead_letter.properties.message_id().as_ref().unwrap().as_str(), "loaded");
    assert_eq!((dead_letter.properties.expiration(), dead_letter.properties.user_id()), (&None, &None));
    let headers = dead_letter.properties.headers().as_ref().unwrap().inner();
    assert_eq!(headers["chakra-bridge-reason"], long("refused"));
    assert_eq!(headers["chakra-bridge-status"], AMQPValue::LongLongInt(422));
    assert!(headers.contains_key("chakra-bridge-cut"));
    assert_eq!(scene.client.drain("elsewhere").await.len(), 0);
    assert!(!daemon.log().iter().any(|line| crate::support::daemon::says(line, "broker lost")));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_a_clear_dead_letter_each_and_the_daemon_lives() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let rules = r#"
[[rule]]
name = "named"
procedure = "{{ event.procedure }}"
data = { event_key = "{{ key }}", name = "{{ event.name }}" }
"#;
    let mut daemon = crate::support::daemon::Daemon::start(&scene.setup().sections(rules));
    within(60, "consuming", daemon.consuming()).await;
    let bad: [(&str, Vec<u8>, &str); 7] = [
        ("not UTF-8", vec![b'{', 0xff, 0xfe, b'}'], "undecodable"),
        ("empty", Vec::new(), "undecodable"),
        ("null", b"null".to_vec(), "undecodable"),
        ("deep", "[".repeat(10_000).into_bytes(), "undecodable"),
        ("5 MB", format!(r#"{{"name": "{}"}}"#, "x".repeat(5 << 20)).into_bytes(), "too_large"),
        ("bad procedure", br#"{"procedure": "../admin", "name": "a"}"#.to_vec(), "unmappable"),
        ("missing field", br#"{"procedure": "lead"}"#.to_vec(), "unmappable"),
    ];
    for (number, (_, body, _)) in bad.iter().enumerate() {
        let properties = BasicProperties::default().with_message_id(format!("bad-{number}").into());
        scene.client.publish("", &scene.queue(), body, properties).await;
    }
    scene.client.until_depth(&scene.dead(), 7, Duration::from_secs(60)).await;
    let dead_letters = scene.client.drain(&scene.dead()).await;
    for (number, (what, body, reason)) in bad.iter().enumerate() {
        let id = format!("bad-{number}");
        let dead_letter = dead_letters
            .iter()
            .find(|dead_letter| dead_letter.properties.message_id().as_ref().unwrap().as_str() == id);
        let dead_letter = dead_letter.unwrap_or_else(|| panic!("{what}: no letter"));
        assert_eq!(&dead_letter.data, body, "{what}");
        let headers = dead_letter.properties.headers().as_ref().unwrap().inner();
        assert_eq!(headers["chakra-bridge-reason"], long(reason), "{what}");
        let AMQPValue::LongString(text) = &headers["chakra-bridge-text"] else { panic!("{what}: no text") };
        assert!(text.len() > 10, "{what}");
    }
    assert_eq!(scene.api.requests().len(), 0);
    let good = br#"{"procedure": "lead", "name": "Ted"}"#;
    let properties = BasicProperties::default().with_message_id("good".into());
    scene.client.publish("", &scene.queue(), good, properties).await;
    within(60, "the daemon lives", scene.until_created(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_dead_letter_queue_loses_nothing_and_is_told() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    scene.api.plan(vec![Rule::always(Canned::new(422))]);
    let mut daemon = scene.daemon();
    within(60, "consuming", daemon.consuming()).await;
    scene.client.delete(&scene.dead()).await;
    scene.publish(1, 100).await;
    let told = daemon.until(|line| crate::support::daemon::says(line, "publish refused"));
    within(60, "a word about it", told).await;
    scene.client.declare_quorum(&scene.dead(), FieldTable::default()).await;
    scene.client.until_depth(&scene.dead(), 1, Duration::from_secs(60)).await;
    scene.client.until_empty(&scene.queue(), Duration::from_secs(60)).await;
}
