//! The bare loop that the daemon is measured against: consume, parse, make a request of eight fields, post it, acknowledge.
//! It has no promise to keep: nothing is retried, nothing is dead-lettered, an answer that is no 200 ends it.
//!
//! Kept honest: no line between the two marks below may be made slower. What is quicker and as simple may take its place.
//! It runs on one thread, since that was quicker than two here. Not here: what is measured (`runner`).

use std::process::ExitCode;

use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::tcp::OwnedTLSConfig;
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// The word by which the bench calls itself to be this.
pub const NAME: &str = "bare-loop";

/// `amqp-url queue api-url token authority in-flight group`; the authority is a file, or empty without TLS
pub fn main(arguments: &[String]) -> ExitCode {
    let [amqp, queue, api, token, authority, in_flight, group] = arguments else { panic!("seven arguments") };
    let (in_flight, group) = (in_flight.parse().expect("a number"), group.parse().expect("a number"));
    // The HTTP client is built without a provider of its own.
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (url, client) = (format!("{api}/v1/ext/procedure/ticket/process"), client(authority));
    runtime.block_on(async {
        let tokio = lapin::runtime::default_runtime().expect("the runtime of this program");
        let tls = OwnedTLSConfig { identity: None, cert_chain: std::fs::read_to_string(authority).ok() };
        let connecting = Connection::connect_with_config(amqp, ConnectionProperties::default(), tls, tokio);
        consume(&connecting.await.expect("a connection"), queue, client, &url, token, in_flight, group).await;
    });
    ExitCode::SUCCESS
}

/// With TLS, one that trusts the authority.
fn client(authority: &str) -> reqwest::Client {
    let Ok(pem) = std::fs::read(authority) else { return reqwest::Client::new() };
    let authority = reqwest::Certificate::from_pem(&pem).expect("a certificate");
    reqwest::Client::builder().tls_certs_only([authority]).build().expect("a client")
}

// ---- no line from here …
async fn consume(
    connection: &Connection,
    queue: &str,
    client: reqwest::Client,
    url: &str,
    token: &str,
    in_flight: u16,
    group: u64,
) {
    let channel = connection.create_channel().await.expect("a channel");
    channel.basic_qos(in_flight, BasicQosOptions::default()).await.expect("a prefetch");
    let (options, table) = (BasicConsumeOptions::default(), FieldTable::default());
    let mut consumer = channel.basic_consume(queue.into(), "bare".into(), options, table).await.expect("a consumer");
    let (mut posting, mut acks) = (JoinSet::new(), Acks { group, ..Acks::default() });
    loop {
        tokio::select! {
            Some(delivery) = consumer.next() => {
                let delivery = delivery.expect("a delivery");
                posting.spawn(post(client.clone(), url.to_owned(), token.to_owned(), delivery));
            }
            Some(done) = posting.join_next() => {
                let tag = done.expect("no panic");
                if let Some((tag, multiple)) = acks.next(tag, posting.is_empty()) {
                    channel.basic_ack(tag, BasicAckOptions { multiple }).await.expect("an acknowledgement");
                }
            }
        }
    }
}

async fn post(client: reqwest::Client, url: String, token: String, delivery: Delivery) -> u64 {
    let event: Value = serde_json::from_slice(&delivery.data).expect("JSON");
    let (case, customer) = (&event["data"]["case"], &event["data"]["customer"]);
    let key = format!("{}|{}", event["source"].as_str().unwrap_or(""), event["id"].as_str().unwrap_or(""));
    let request = json!({
        "data": { "event_key": key, "subject": case["subject"], "priority": case["priority"], "source": case["channel"] },
        "record": { "data": { "email": customer["email"], "phone_number": customer["phone"] } },
        "assignedTo": event["data"]["agent"],
    });
    let body = serde_json::to_vec(&request).expect("JSON");
    let posted = client.post(url).bearer_auth(token).header("content-type", "application/json").body(body).send().await;
    let response = posted.expect("an answer");
    assert_eq!(response.status(), 200);
    let answer: Value = serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON");
    assert!(answer["_errors"].as_array().is_none_or(Vec::is_empty));
    delivery.delivery_tag
}
// ---- … to here may be made slower.

/// Which tags are acknowledged when: each by itself, or the contiguous ones in groups.
#[derive(Default)]
struct Acks {
    group: u64,
    acked: u64,
    done: std::collections::BTreeSet<u64>,
}

impl Acks {
    fn next(&mut self, tag: u64, is_idle: bool) -> Option<(u64, bool)> {
        if self.group <= 1 {
            return Some((tag, false));
        }
        self.done.insert(tag);
        let mut upto = self.acked;
        while self.done.contains(&(upto + 1)) {
            upto += 1;
        }
        if upto == self.acked || (upto - self.acked < self.group && !is_idle) {
            return None;
        }
        self.done = self.done.split_off(&(upto + 1));
        self.acked = upto;
        Some((upto, true))
    }
}
