//! Laws of the broker that other files here try on the broker that is at hand, on the other versions that are supported: one
//! container of each version, and all laws at once in it.
//!
//! Not here: the laws. Queues, rights and policies (`queues.rs`, `existing.rs`, `policies.rs`), faults (`tests/faults`) and
//! TLS (`tests/tls`) have their own on each version.

use super::night::{self, LOOKS};
use super::{addresses, letters, lookups, queues, returns};
use crate::support::broker::{Broker, IMAGES, START_DEADLINE};
use crate::support::deadline::within;

async fn laws(image: &str) {
    let Some(broker) = within(START_DEADLINE.as_secs(), "a broker", Broker::image(image)).await else { return };
    println!("RabbitMQ {}", broker.version());
    let laws = async {
        tokio::join!(
            addresses::at_ipv6(&broker),
            addresses::the_next(&broker),
            queues::held_by_another(&broker),
            letters::full(&broker),
            letters::deleted(&broker),
            letters::no_right_to_publish(&broker),
            returns::lost_connections(&broker),
            returns::killed_processes(&broker),
            returns::of_a_newer_daemon(&broker),
            night::looks(&broker, LOOKS),
            night::a_limit(&broker),
        );
        // It crashes the broker.
        lookups::backlog_of_a_classic_queue(&broker).await;
    };
    within(400, "the laws", Box::pin(laws)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_holders_letters_returns_and_backlogs_are_treated_the_same_on_rabbitmq_4_0() {
    laws(IMAGES[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_holders_letters_returns_and_backlogs_are_treated_the_same_on_rabbitmq_4_3() {
    laws(IMAGES[1]).await;
}
