//! What is told of single events: their ends, their waits and their tries that failed. Ends are never left out; of the others a
//! storm leaves out lines, and says how many.
//!
//! Not here: the gate, rules and lookups (`report`), and which lines a storm leaves out (`core::thinning`).

use std::sync::Arc;
use std::time::Duration;

use super::{Reporter, text};
use crate::clock::{date_of, epoch_ms, seconds};
use crate::core::delivery::{CameBack, Delayed, FailedTry, Settled};
use crate::core::gate::Moment;
use crate::core::progress::Next;
use crate::core::thinning::{Kind, LeftOut};

/// The messages of lines that a storm thins out.
const TRY_FAILED: &str = "try failed";
const DELAYED: &str = "event delayed";
const GIVEN_BACK: &str = "event given back";

/// Results that end no event.
const NO_ENDS: [&str; 3] = ["delayed", "requeued", "connection_lost"];

impl Reporter {
    /// The line of an event that ends here, or leaves this process for now.
    pub(super) fn settled(&mut self, settled: &Settled, now: Moment) {
        let (result, rule) = (settled.result, settled.rule.as_deref().unwrap_or_default());
        self.metrics.settled(result, rule, settled.reason());
        if result == "already_created" {
            self.metrics.already_created();
        }
        let now_ms = epoch_ms();
        self.metrics.last_settled(now_ms / 1000);
        if !NO_ENDS.contains(&result) {
            let since = |at_ms: u64| Duration::from_millis(now_ms.saturating_sub(at_ms));
            let (first_ms, made_ms) = (settled.came_in.first_seen_ms, settled.came_in.made_ms);
            // Another replica with a clock of its own may have received it first.
            let took = if first_ms == 0 { settled.took } else { since(first_ms).max(settled.took) };
            self.metrics.event_took(took);
            if made_ms != 0 {
                self.metrics.event_aged(since(made_ms));
            }
        }
        match (&settled.fault, &settled.delayed) {
            (Some(_), _) => dead_lettered(settled),
            (_, Some(delayed)) => {
                if self.prints(DELAYED, delayed.why, settled.rule.as_ref(), now) {
                    put_into_a_delay_queue(settled, delayed);
                }
            }
            _ if matches!(result, "requeued" | "connection_lost") => {
                if self.prints(GIVEN_BACK, result, settled.rule.as_ref(), now) {
                    given_back(settled);
                }
            }
            _ => done(settled),
        }
    }

    /// The line of a try that failed.
    pub(super) fn try_failed(&mut self, failed: &FailedTry, now: Moment) {
        if !self.prints(TRY_FAILED, failed.reason, failed.rule.as_ref(), now) {
            return;
        }
        let (key, rule) = (text(failed.key.as_ref()), failed.rule.as_deref().unwrap_or_default());
        let FailedTry { attempt, reason, status, place, .. } = failed;
        let photo = failed.photo.as_deref();
        let asked = if photo.is_some() { "photo" } else { word(failed.asked) };
        let (next, detail) = (word(failed.next), failed.detail.as_deref());
        let (waits_in, queue, next_in_s) = (place.as_str(), place.delay_queue(), seconds(failed.wait));
        let trace_id = failed.trace.map(tracing::field::display);
        tracing::info!(
            key,
            rule,
            asked,
            photo,
            attempt,
            status,
            reason,
            detail,
            next,
            next_in_s,
            waits_in,
            queue,
            trace_id,
            "try failed"
        );
    }

    /// What a storm left out, once it is over.
    pub(super) fn tell_left_out(&mut self, now: Moment) {
        for LeftOut { kind, lines, window } in self.thinning.ended(now) {
            let Kind { line, reason, rule } = kind;
            let (rule, for_s) = (&*rule, seconds(window));
            tracing::info!(line, reason, rule, lines, for_s, "lines left out: there were more of this kind");
        }
    }

    fn prints(&mut self, line: &'static str, reason: &'static str, rule: Option<&Arc<str>>, now: Moment) -> bool {
        self.tell_left_out(now);
        let rule = rule.cloned().unwrap_or_else(|| "".into());
        self.thinning.prints(Kind { line, reason, rule }, now)
    }
}

fn word(next: Next) -> &'static str {
    match next {
        Next::Create => "create",
        Next::Lookup => "lookup",
    }
}

fn dead_lettered(settled: &Settled) {
    let Settled { result, status, attempts, came_in, .. } = settled;
    let (key, rule) = (text(settled.key.as_ref()), settled.rule.as_deref().unwrap_or_default());
    let (reason, why, took_s) = (settled.reason(), settled.why.as_deref(), seconds(settled.took));
    let (message_id, event_type) = (came_in.message_id.as_deref(), came_in.kind.as_deref());
    let (exchange, routing_key) = (came_in.exchange.as_str(), came_in.routing_key.as_str());
    let trace_id = came_in.trace.map(tracing::field::display);
    tracing::warn!(
        key,
        rule,
        result,
        reason,
        why,
        status,
        attempts,
        message_id,
        event_type,
        exchange,
        routing_key,
        took_s,
        trace_id,
        "event settled"
    );
}

fn done(settled: &Settled) {
    let Settled { result, attempts, .. } = settled;
    let (key, rule) = (text(settled.key.as_ref()), settled.rule.as_deref().unwrap_or_default());
    let (process, took_s) = (settled.process.as_deref(), seconds(settled.took));
    let trace_id = settled.came_in.trace.map(tracing::field::display);
    tracing::info!(key, rule, result, process, attempts, took_s, trace_id, "event settled");
}

fn put_into_a_delay_queue(settled: &Settled, delayed: &Delayed) {
    let Settled { result, attempts, .. } = settled;
    let (key, rule) = (text(settled.key.as_ref()), settled.rule.as_deref().unwrap_or_default());
    let Delayed { queue, why, wait, until_ms } = delayed;
    let (reason, for_s, until, took_s) = (why, seconds(*wait), date_of(*until_ms), seconds(settled.took));
    // What is not decoded has no key.
    let message_id = settled.came_in.message_id.as_deref().filter(|_| settled.key.is_none());
    let trace_id = settled.came_in.trace.map(tracing::field::display);
    tracing::info!(
        key,
        rule,
        result,
        reason,
        queue,
        for_s,
        until,
        attempts,
        message_id,
        took_s,
        trace_id,
        "event delayed"
    );
}

fn given_back(settled: &Settled) {
    let Settled { result, attempts, .. } = settled;
    let (key, rule) = (text(settled.key.as_ref()), settled.rule.as_deref().unwrap_or_default());
    let took_s = seconds(settled.took);
    let trace_id = settled.came_in.trace.map(tracing::field::display);
    tracing::info!(key, rule, result, attempts, took_s, trace_id, "event given back: the broker delivers it again");
}

/// Events that came back are looked up, which may take as long as the API hides what was created.
pub(super) fn came_back(returns: &CameBack) {
    let CameBack { events, waiting, longest, until_ms } = returns;
    let (longest_s, until) = (seconds(*longest), date_of(*until_ms));
    tracing::info!(
        events,
        waiting,
        longest_s,
        until,
        "events came back and are looked up before anything is sent for them"
    );
}
