//! The other sections: `[event]`, `[retry]`, `[duplicates]`, `[gate]`, `[shutdown]`, `[admin]` and `[log]`.
//!
//! Not here: the two connections (`connections`), rules (`rules`), and what a single value means (`values`).

use std::net::SocketAddr;
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use super::reader::{Reader, WHOLE};
use super::values::{self, format_duration, wrong};
use super::{Format, Log, listen};
use crate::core::mapping::written::Spot;
use crate::core::policy::{GatePolicy, NotProcessed, OnAbsent, OnReusedKey, OnUnknown, Policy, RepeatPolicy};
use crate::{admin, dispatch};

/// The largest body that may be allowed, in bytes: what brokers take since version 4.
const EVENT_BYTES_MAX: u64 = 16 << 20;

/// `[event]`: the largest body in bytes, the most values in it, and the expression of the key.
pub(super) fn event(reader: &mut Reader<'_>) -> (usize, usize, Option<Spot<String>>) {
    let max_size = reader.size("event.max_size", "1MiB", 1..=EVENT_BYTES_MAX);
    let max_values =
        reader.number("event.max_values", Some("100000"), &(1_000..=10_000_000), WHOLE).unwrap_or_default();
    (max_size, max_values, reader.expression("event.key"))
}

/// `[retry]`
pub(super) fn retry(reader: &mut Reader<'_>) -> Policy {
    let policy = Policy {
        initial: reader.duration("retry.initial", "500ms", millis(1)..=hours(1)),
        multiplier: reader.number("retry.multiplier", Some("2.0"), &(1.0..=10.0), "a number").unwrap_or_default(),
        max_interval: reader.duration("retry.max_interval", "10m", millis(1)..=hours(24)),
        max_local_delay: reader.duration("retry.max_local_delay", "10s", millis(1)..=seconds(600)),
        resend_after: reader.duration("retry.resend_after", "10m", Duration::ZERO..=hours(24)),
        give_up_after: reader.duration("retry.give_up_after", "24h", millis(1)..=hours(30 * 24)),
        retry_after_max: reader.duration("retry.retry_after_max", "1h", millis(1)..=hours(24)),
        not_processed: NotProcessed::default(),
        on_unknown: reader
            .word("retry.on_unknown", &[("resend", OnUnknown::Resend), ("dead-letter", OnUnknown::DeadLetter)]),
        lookup_window: Duration::ZERO,
        on_absent: OnAbsent::Create,
    };
    let (initial, max_interval) =
        in_order(reader, ("retry.initial", policy.initial), ("retry.max_interval", policy.max_interval));
    Policy { initial, max_interval, ..policy }
}

/// `[lookup]`: how long lookups must find nothing before that counts, and what follows then. `timeout` is that of a request.
pub(super) fn lookup(reader: &mut Reader<'_>, timeout: Duration) -> (Duration, OnAbsent) {
    let mut lag = reader.duration("lookup.lag", "15s", Duration::ZERO..=hours(1));
    let window = reader.duration_or("lookup.window", None, &(millis(1)..=hours(24)));
    if let Some(window) = window.filter(|_| !reader.is_set("lookup.lag")) {
        lag = lag.min(window.saturating_sub(timeout));
    }
    let least = timeout.saturating_add(lag);
    if let Some(short) = window.filter(|window| *window < least) {
        let what = format!("is {}, shorter than api.timeout and lookup.lag together", format_duration(short));
        reader.mistake("lookup.window", wrong(what, format!("at least {}", format_duration(least))));
    }
    let on_absent =
        reader.word("lookup.on_absent", &[("create", OnAbsent::Create), ("dead-letter", OnAbsent::DeadLetter)]);
    (window.unwrap_or(least), on_absent)
}

/// `[retry]`: the share of first tries that retries, lookups and probes may have.
pub(super) fn budget(reader: &mut Reader<'_>) -> f64 {
    reader.number("retry.budget", Some("0.2"), &(0.0..=1.0), "a number").unwrap_or_default()
}

/// `[duplicates]`
pub(super) fn repeats(reader: &mut Reader<'_>) -> RepeatPolicy {
    let (dead_letter, create) = (("dead-letter", OnReusedKey::DeadLetter), ("create", OnReusedKey::Create));
    RepeatPolicy {
        memory: reader.size("duplicates.memory", "4MiB", 65_536..=(256 << 20)),
        cloud_events: reader.word("duplicates.reused_cloud_event", &[dead_letter, create]),
        message_ids: reader.word("duplicates.reused_message_id", &[create, dead_letter]),
    }
}

/// `[gate]`
pub(super) fn gate(reader: &mut Reader<'_>) -> GatePolicy {
    let policy = GatePolicy {
        failures: reader.number("gate.failures", Some("10"), &(1..=1000), WHOLE).unwrap_or_default(),
        probe_initial: reader.duration("gate.probe_initial", "1s", millis(1)..=hours(1)),
        probe_max: reader.duration("gate.probe_max", "30s", millis(1)..=hours(1)),
        rejections: reader.number("gate.rejections", Some("20"), &(0..=100_000), WHOLE).unwrap_or_default(),
        release_after: reader.duration("gate.release_after", "2m", millis(1)..=hours(24)),
    };
    let (probe_initial, probe_max) =
        in_order(reader, ("gate.probe_initial", policy.probe_initial), ("gate.probe_max", policy.probe_max));
    GatePolicy { probe_initial, probe_max, ..policy }
}

/// `[shutdown]`
pub(super) fn shutdown(reader: &mut Reader<'_>) -> dispatch::Config {
    let drain_deadline = reader.duration("shutdown.deadline", "25s", millis(1)..=hours(1));
    dispatch::Config { drain_deadline }
}

/// `[admin]`
pub(super) fn admin(reader: &mut Reader<'_>) -> admin::Config {
    let listen = reader.optional("admin.listen", Some(listen::DEFAULT), values::address);
    let token = reader.optional_token("admin.token", "admin.token_file");
    admin::Config { listen: listen.unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0))), token }
}

/// `[log]`
pub(super) fn log(reader: &mut Reader<'_>) -> Log {
    let formats = [("auto", Format::Auto), ("human", Format::Human), ("json", Format::Json)];
    let levels = [
        ("info", LevelFilter::INFO),
        ("error", LevelFilter::ERROR),
        ("warn", LevelFilter::WARN),
        ("debug", LevelFilter::DEBUG),
        ("trace", LevelFilter::TRACE),
    ];
    Log { format: reader.word("log.format", &formats), level: reader.word("log.level", &levels) }
}

/// The first and the longest wait. Where the file writes one of them, the default of the other gives way; where it writes
/// both, a longest that is shorter than the first is a mistake. A zero was not readable: that was said already.
pub(super) fn in_order(
    reader: &mut Reader<'_>,
    first: (&'static str, Duration),
    longest: (&'static str, Duration),
) -> (Duration, Duration) {
    if first.1.is_zero() || longest.1.is_zero() || first.1 <= longest.1 {
        return (first.1, longest.1);
    }
    match (reader.is_set(first.0), reader.is_set(longest.0)) {
        (true, false) => return (first.1, first.1),
        (false, true) => return (longest.1, longest.1),
        _ => {}
    }
    let (low, high) = (format_duration(first.1), format_duration(longest.1));
    let what = format!("leaves {} ({high}) below {} ({low})", longest.0, first.0);
    reader.mistake(longest.0, wrong(what, "the longest wait to be at least the first"));
    (first.1, longest.1)
}

/// Milliseconds.
pub(super) fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Seconds.
pub(super) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Hours.
pub(super) fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3600)
}
