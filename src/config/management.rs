//! The section of the management API: `[broker.management]`.
//!
//! Not here: asking it (`management`), and the rest of `[broker]` (`connections`).

use super::reader::Reader;
use super::sections::{hours, seconds};
use super::urls;
use super::values::{self, wrong};
use crate::amqp::{self, address, topology};
use crate::core::delay_queue::DELAY_QUEUES;
use crate::management::{Config, Role};
use crate::tls;

const SECTION: &str = "broker.management";
const URL: &str = "broker.management.url";
const USER: &str = "broker.management.user";
const PASSWORD: [&str; 2] = ["broker.management.password", "broker.management.password_file"];
const AUTHORITIES: &str = "broker.management.ca_file";
const INTERVAL: &str = "broker.management.interval";

/// None where it names no URL.
pub(super) fn management(reader: &mut Reader<'_>, broker: &amqp::Config) -> Option<Config> {
    let url = reader.optional(URL, None, urls::management);
    let user = reader.optional(USER, None, values::text);
    let password = reader.optional_secret(PASSWORD[0], PASSWORD[1]);
    let authorities = reader.file(AUTHORITIES);
    let interval = reader.duration(INTERVAL, "1m", seconds(1)..=hours(1));
    let tls = tls::Files { section: SECTION, authorities, identity: None };
    if let Err(wrong) = tls.read_now()
        && !reader.is_dry_run()
    {
        reader.mistake(&wrong.key, values::wrong(wrong.what, "a PEM file of certificates"));
    }
    for key in [USER, PASSWORD[0], PASSWORD[1], AUTHORITIES, INTERVAL] {
        if reader.is_set(key) && !reader.is_set(URL) {
            reader.mistake(key, wrong(format!("stands without {URL}"), "both, or neither"));
        }
    }
    if reader.is_set(USER) && !PASSWORD.iter().any(|key| reader.is_set(key)) {
        let what = format!("stands without {}", PASSWORD[1]);
        reader.mistake(USER, wrong(what, "the password of this user"));
    }
    let (broker_user, vhost) = address::user_and_vhost(&broker.url);
    Some(Config {
        url: url?,
        user: user.unwrap_or(broker_user),
        password: password.unwrap_or_else(|| broker.password.clone()),
        tls,
        timeout: broker.call_timeout,
        interval,
        vhost,
        queues: queues(broker),
    })
}

fn queues(broker: &amqp::Config) -> Vec<(String, Role)> {
    let own = [(broker.queue.clone(), Role::Work), (broker.dead_letter_queue.clone(), Role::DeadLetters)];
    let delays = DELAY_QUEUES.map(|delay| (topology::delay_queue_name(&broker.queue, delay), Role::Delay(delay.wait)));
    own.into_iter().chain(delays).collect()
}
