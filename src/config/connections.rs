//! The sections of the two connections: `[broker]` and `[api]`.
//!
//! Not here: the other sections (`sections`), and what a single value means (`values`, `urls`).

use std::time::Duration;

use super::reader::{Reader, WHOLE};
use super::sections::{hours, in_order, millis, seconds};
use super::values::{self, Given, NAME_BYTES_MAX, Wrong, format_duration, wrong};
use super::{hosts, urls};
use crate::amqp::address::Address;
use crate::amqp::{self, QueueType, Topology, wanted_queues};
use crate::chakra;
use crate::core::policy::NotProcessed;
use crate::secret::SecretSource;
use crate::tls;

const BROKER_FILES: [&str; 3] = ["broker.ca_file", "broker.client_cert_file", "broker.client_key_file"];
/// The longest that one request may take.
const TIMEOUT_MAX: Duration = Duration::from_secs(600);

const API_FILES: [&str; 3] = ["api.ca_file", "api.client_cert_file", "api.client_key_file"];

/// `[broker]`
pub(super) fn broker(reader: &mut Reader<'_>) -> amqp::Config {
    let (url, address) = reader.required("broker.url", "amqps://user@host/vhost", urls::broker).unzip();
    let addresses = addresses(reader, address);
    let password = reader.secret("broker.password", "broker.password_file");
    let queue = reader.required("broker.queue", "the name of the queue of events", values::name).unwrap_or_default();
    let room = NAME_BYTES_MAX - wanted_queues::NOWHERE.len();
    if queue.len() > room {
        let what = format!("is {} bytes long, and the names of the delay queues are longer", queue.len());
        reader.mistake("broker.queue", wrong(what, format!("at most {room} bytes")));
    }
    amqp::Config {
        url: url.unwrap_or_default(),
        addresses,
        password,
        dead_letter_queue: dead_letter_queue(reader, &queue),
        queue,
        outcomes: None,
        prefetch: reader.number("broker.prefetch", Some("64"), &(1..=1000), WHOLE).unwrap_or_default(),
        topology: reader.word("broker.topology", &[("verify", Topology::Verify), ("declare", Topology::Declare)]),
        queue_type: reader.word("broker.queue_type", &[("quorum", QueueType::Quorum), ("classic", QueueType::Classic)]),
        heartbeat: heartbeat(reader),
        call_timeout: reader.duration("broker.call_timeout", "10s", millis(1)..=seconds(300)),
        stall_timeout: reader.duration("broker.stall_timeout", "30s", seconds(1)..=hours(1)),
        reconnect: reconnect(reader),
        tls: tls_files(reader, "broker", BROKER_FILES),
    }
}

/// That of the URL, and the further ones of the same cluster, each once.
fn addresses(reader: &mut Reader<'_>, first: Option<Address>) -> Vec<Address> {
    let port = first.as_ref().map_or(0, |address| address.port);
    let further = reader.list("broker.hosts", |given| hosts::list(given, port)).unwrap_or_default();
    let mut all: Vec<Address> = first.into_iter().collect();
    for address in further {
        if !all.contains(&address) {
            all.push(address);
        }
    }
    all
}

/// `[api]`; none where the URL cannot be read.
pub(super) fn api(reader: &mut Reader<'_>) -> Option<chakra::Config> {
    let base_url = reader.required("api.base_url", "https://host", urls::api);
    let token = reader.token("api.token", "api.token_file");
    let (timeout, connect_timeout) = timeouts(reader);
    let max_reply = reader.size("api.max_reply", "5MiB", 1..=16 << 20);
    let tls = tls_files(reader, "api", API_FILES);
    let proxy = reader.optional("api.proxy", None, urls::proxy);
    let proxy_login = proxy_login(reader, proxy.is_some());
    Some(chakra::Config { base_url: base_url?, token, timeout, connect_timeout, max_reply, tls, proxy, proxy_login })
}

/// `api.proxy_user` and its password: both, beside a proxy, or none.
fn proxy_login(reader: &mut Reader<'_>, has_proxy: bool) -> Option<(String, SecretSource)> {
    let [user_key, key, key_file] = ["api.proxy_user", "api.proxy_password", "api.proxy_password_file"];
    let user = reader.optional(user_key, None, |given| {
        let user = values::text(given)?;
        // Basic authentication ends the user at the first colon.
        if user.contains(':') { Err(wrong("holds a colon", "a user without one")) } else { Ok(user) }
    });
    let password = reader.optional_secret(key, key_file);
    let [is_user, is_password] = [reader.is_set(user_key), reader.is_set(key) || reader.is_set(key_file)];
    let written = if is_user {
        user_key
    } else if reader.is_set(key_file) {
        key_file
    } else {
        key
    };
    match (is_user, is_password) {
        (false, false) => return None,
        _ if !has_proxy => reader.mistake(written, wrong("is for a proxy, and there is none", "api.proxy beside it")),
        (true, false) => reader.mistake(user_key, wrong("has no password", format!("{key_file} beside it"))),
        (false, true) => reader.mistake(written, wrong("is of no user", format!("{user_key} beside it"))),
        (true, true) => {}
    }
    user.zip(password)
}

/// `api.timeout` and `api.connect_timeout`. Of a key that is not written, the default gives way to those that are: to connect
/// takes less than the whole, and `lookup.window` holds a whole request.
fn timeouts(reader: &mut Reader<'_>) -> (Duration, Duration) {
    let [whole, part] = ["api.timeout", "api.connect_timeout"];
    let mut timeout = reader.duration(whole, "30s", millis(1)..=TIMEOUT_MAX);
    let mut connect_timeout = reader.duration(part, "5s", millis(1)..=TIMEOUT_MAX);
    if !reader.is_set(whole) {
        let connects = if reader.is_set(part) { connect_timeout } else { Duration::ZERO };
        timeout = timeout.max(connects.saturating_mul(2)).min(TIMEOUT_MAX);
        let room = room(reader, connects).filter(|room| *room > connects);
        timeout = room.map_or(timeout, |room| timeout.min(room));
    }
    if !reader.is_set(part) {
        connect_timeout = connect_timeout.min(timeout / 2);
    }
    if !timeout.is_zero() && connect_timeout >= timeout {
        let (connect, all) = (format_duration(connect_timeout), format_duration(timeout));
        let what = format!("leaves {part} ({connect}) no shorter than {whole} ({all})");
        reader.mistake(part, wrong(what, "time to connect and time to answer"));
    }
    (timeout, connect_timeout)
}

/// What a window of lookups that is written leaves for one request: what its lag leaves, or half of what connecting does.
fn room(reader: &Reader<'_>, connects: Duration) -> Option<Duration> {
    let window = reader.written("lookup.window")?;
    match reader.written("lookup.lag") {
        Some(lag) => Some(window.saturating_sub(lag)),
        None => Some(connects + window.saturating_sub(connects) / 2),
    }
}

/// The files of certificates for one server, each of which must hold what it should.
fn tls_files(reader: &mut Reader<'_>, section: &'static str, keys: [&'static str; 3]) -> tls::Files {
    let [authorities, cert, key] = keys.map(|key| reader.file(key));
    for (one, other) in [(keys[1], keys[2]), (keys[2], keys[1])] {
        if reader.is_set(one) && !reader.is_set(other) {
            reader.mistake(one, wrong(format!("stands without {other}"), "both, or neither"));
        }
    }
    let files = tls::Files { section, authorities, identity: cert.zip(key) };
    if let Err(wrong) = files.read_now()
        && !reader.is_dry_run()
    {
        reader.mistake(&wrong.key, values::wrong(wrong.what, "PEM files that go together"));
    }
    files
}

/// `api.max_request`: the largest request that is made, in bytes. At most what the texts in it are bounded by.
pub(super) fn max_request(reader: &mut Reader<'_>) -> usize {
    reader.size("api.max_request", "4MiB", 1024..=4 << 20)
}

/// `[api]`: requests a second, if that is limited.
pub(super) fn max_requests_per_second(reader: &mut Reader<'_>) -> Option<f64> {
    reader.number("api.max_requests_per_second", None, &(0.01..=10_000.0), "a number")
}

/// `[api]`: statuses that mean "nothing was done" where they answer a create.
pub(super) fn not_processed(reader: &mut Reader<'_>) -> NotProcessed {
    reader.list("api.not_processed", statuses).unwrap_or_default()
}

fn statuses(given: &Given) -> Result<NotProcessed, Wrong> {
    let expected =
        "a list of 408, 499 and statuses from 500 to 599, without 501, 505 and 511, which never leave a doubt";
    given.as_list(expected)?.into_iter().try_fold(NotProcessed::default(), |known, entry| {
        let status = entry.parse().ok();
        status.and_then(|status| known.with(status)).ok_or_else(|| wrong(format!("names {entry}"), expected))
    })
}

fn dead_letter_queue(reader: &mut Reader<'_>, queue: &str) -> String {
    let key = "broker.dead_letter_queue";
    let written = reader.optional(key, Some("{queue}.dead"), values::name).unwrap_or_default();
    let name = written.replace("{queue}", queue);
    if name == queue && !queue.is_empty() {
        reader.mistake(key, wrong("is broker.queue itself", "another queue"));
    }
    if name.len() > NAME_BYTES_MAX {
        let place = if reader.is_set(key) { key } else { "broker.queue" };
        let what = format!("makes the dead letter queue's name {} bytes long", name.len());
        reader.mistake(place, wrong(what, format!("at most {NAME_BYTES_MAX} bytes")));
    }
    name
}

fn heartbeat(reader: &mut Reader<'_>) -> Duration {
    let heartbeat = reader.duration("broker.heartbeat", "10s", seconds(1)..=seconds(300));
    if heartbeat.subsec_nanos() != 0 {
        reader.mistake("broker.heartbeat", wrong("is not a whole number of seconds", "one such as \"10s\""));
    }
    heartbeat
}

fn reconnect(reader: &mut Reader<'_>) -> (Duration, Duration) {
    let initial = reader.duration("broker.reconnect_initial", "500ms", millis(1)..=hours(1));
    let max = reader.duration("broker.reconnect_max", "30s", millis(1)..=hours(1));
    in_order(reader, ("broker.reconnect_initial", initial), ("broker.reconnect_max", max))
}
