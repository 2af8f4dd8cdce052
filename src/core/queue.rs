//! How a queue is made and what policies make of it, and what that means for what is in it: nothing, a warning, or that it
//! cannot be worked with.
//!
//! Not here: asking the broker (`amqp`, `management`), and when it is told.

mod finding;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

pub use finding::{Finding, Weight};
use words::{AT_MOST_ONCE, AUTO_DELETE, CLASSIC, FEW_RETURNS, NO_DELAY_QUEUE, NO_TARGET, STREAM, TRANSIENT};
pub use words::{HELD, LOCKED};

/// The argument that says the kind.
pub const KIND: &str = "x-queue-type";
const CLASSIC_KIND: &str = "classic";
const TARGET: &str = "x-dead-letter-exchange";
const ROUTE: &str = "x-dead-letter-routing-key";
const STRATEGY: &str = "x-dead-letter-strategy";
const OVERFLOW: &str = "x-overflow";
const TTL: &str = "x-message-ttl";
const EXPIRES: &str = "x-expires";
const DELIVERIES: &str = "x-delivery-limit";
const LENGTHS: [&str; 2] = ["x-max-length", "x-max-length-bytes"];

/// The default limit of quorum queues since RabbitMQ 4.0; a lower one is worth a warning. Negative is none.
const DELIVERIES_MIN: i64 = 20;

/// What an argument or a policy may be set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
}

/// One setting that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// To what.
    pub value: Value,
    /// Whether a policy sets it, and not the queue's own argument.
    pub is_of_policy: bool,
}

/// How a queue is made, and what policies make of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// Whether a restart of the broker leaves it.
    pub is_durable: bool,
    /// Whether it goes with its last consumer.
    pub is_auto_delete: bool,
    /// What is in force, by the name of the argument.
    pub settings: BTreeMap<String, Setting>,
    /// The policies that apply to it, in words; none where there is none, or where nobody can see.
    pub policies: Option<String>,
    /// A difference that nothing is known about, in the broker's words.
    pub unclear: Option<String>,
}

impl Queue {
    /// Takes what a policy says in. It wins where the queue has no such argument; of two limits the lower one holds, and none (-1)
    /// is no limit at all beside one.
    pub fn set_by_policy(&mut self, argument: &str, value: Value) {
        let is_lower = match (self.settings.get(argument).map(|setting| &setting.value), &value) {
            (None, _) => true,
            (Some(Value::Number(own)), Value::Number(policy)) if *own < 0 => argument == DELIVERIES && *policy >= 0,
            (Some(Value::Number(own)), Value::Number(policy)) => policy < own && *policy >= 0,
            _ => false,
        };
        if is_lower {
            self.settings.insert(argument.to_owned(), Setting { value, is_of_policy: true });
        }
    }

    /// `quorum`, `classic`, `stream`, or whatever else there is.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text(KIND).unwrap_or(CLASSIC_KIND)
    }

    /// A setting that is text.
    #[must_use]
    pub fn text(&self, argument: &str) -> Option<&str> {
        match &self.settings.get(argument)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The exchange that its own dead letters go to, where it is one with a name.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.text(TARGET).filter(|target| !target.is_empty())
    }

    /// A setting that is a whole number.
    #[must_use]
    pub fn number(&self, argument: &str) -> Option<i64> {
        match self.settings.get(argument)?.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// A full queue that refuses is waited for, by publishers and by this daemon.
    fn rejects(&self) -> bool {
        self.text(OVERFLOW).is_some_and(|overflow| overflow.starts_with("reject-publish"))
    }

    /// What is put behind words about a setting that a policy brought.
    fn by(&self, argument: &str) -> String {
        let setting = self.settings.get(argument).filter(|setting| setting.is_of_policy);
        let policies = setting.and(self.policies.as_deref());
        policies.map_or_else(String::new, |policies| format!(" (set by {policies})"))
    }

    /// What is to be said of it as the work queue.
    #[must_use]
    pub fn as_work(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        match self.kind() {
            "quorum" => {}
            CLASSIC_KIND => found.push(Finding::new(KIND, CLASSIC, Weight::Risky)),
            "stream" => return vec![Finding::new(KIND, STREAM, Weight::Refused)],
            other => {
                let words = format!("is of the kind `{other}`, which this daemon does not know. Make a quorum queue");
                return vec![Finding::new(KIND, words, Weight::Refused)];
            }
        }
        if self.is_auto_delete {
            found.push(Finding::new("auto_delete", AUTO_DELETE, Weight::Refused));
        }
        if !self.is_durable {
            found.push(Finding::new("durable", TRANSIENT, Weight::Risky));
        }
        found.extend(self.of_target());
        if self.number(DELIVERIES).is_some_and(|limit| (0..DELIVERIES_MIN).contains(&limit)) {
            found.push(Finding::new(DELIVERIES, format!("{FEW_RETURNS}{}", self.by(DELIVERIES)), Weight::Risky));
        }
        found.extend(self.of_limits("events"));
        found.extend(self.unclear());
        found
    }

    /// Where what the broker gives up goes.
    fn of_target(&self) -> Option<Finding> {
        if self.text(TARGET).is_none() {
            return Some(Finding::new(TARGET, NO_TARGET, Weight::Risky));
        }
        let is_sure = self.text(STRATEGY) == Some("at-least-once") && self.rejects();
        (self.kind() == "quorum" && !is_sure).then(|| Finding::new(STRATEGY, AT_MOST_ONCE, Weight::Risky))
    }

    /// What is to be said of it as the dead-letter queue.
    #[must_use]
    pub fn as_dead_letters(&self) -> Vec<Finding> {
        let words = match self.kind() {
            "quorum" => None,
            CLASSIC_KIND => Some("is a classic queue: each dead letter is on one node"),
            "stream" => {
                Some("is a stream: no dead letter can be taken out of it, and its retention deletes the oldest")
            }
            _ => Some("is of a kind that this daemon does not know"),
        };
        let mut found: Vec<_> = words.map(|words| Finding::new(KIND, words, Weight::Risky)).into_iter().collect();
        if self.is_auto_delete {
            let words =
                "is auto-delete: the broker deletes it, with every dead letter in it, when its last reader leaves";
            found.push(Finding::new("auto_delete", words, Weight::Risky));
        }
        if !self.is_durable {
            let words = "is not durable: a restart of the broker deletes it, with every dead letter in it";
            found.push(Finding::new("durable", words, Weight::Risky));
        }
        if self.kind() != "stream" {
            found.extend(self.of_limits("dead letters"));
            found.extend(self.unclear());
        }
        found
    }

    /// What is to be said of it as the delay queue of this wait: it gives each event back to `work` after its wait, and drops none.
    /// One that could drop or keep events is refused; one that gives them back early, or takes no more, loses none.
    #[must_use]
    pub fn as_delay(&self, wait: Duration, work: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        if !self.gives_back_to(work) {
            found.push(Finding::new(STRATEGY, NO_DELAY_QUEUE, Weight::Refused));
        }
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        match self.number(TTL) {
            Some(ttl) if ttl == wait_ms => {}
            Some(ttl) => {
                let words = format!("gives events back after {ttl} ms, not {wait_ms} ms{}", self.by(TTL));
                found.push(Finding::new(TTL, words, Weight::Loses));
            }
            None => found.push(Finding::new(TTL, "gives no event back: it has no time to live", Weight::Refused)),
        }
        for limit in LENGTHS.into_iter().filter(|limit| self.number(limit).is_some()) {
            let words = format!(
                "has a limit of its length: beyond it no event is delayed, and what has to wait stays in memory{}",
                self.by(limit)
            );
            found.push(Finding::new(limit, words, Weight::Loses));
        }
        // Nobody ever consumes from it, and that events come and go is no use of it.
        found.extend(self.of_expiry("events").map(|finding| Finding { weight: Weight::Refused, ..finding }));
        found
    }

    /// Whether an event that is given up goes to the work queue, and stays here until it is there. Only a quorum queue does so.
    fn gives_back_to(&self, work: &str) -> bool {
        let leads_back = self.text(TARGET) == Some("") && self.text(ROUTE) == Some(work);
        let is_sure = self.text(STRATEGY) == Some("at-least-once") && self.rejects();
        leads_back && is_sure && self.is_durable && self.kind() == "quorum"
    }

    /// What takes messages out of a queue that nobody has seen.
    fn of_limits(&self, what: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        for limit in LENGTHS.into_iter().filter(|limit| self.number(limit).is_some() && !self.rejects()) {
            let words = format!(
                "has a limit of its length: beyond it the broker drops the oldest {what}, unless x-overflow is reject-publish{}",
                self.by(limit)
            );
            found.push(Finding::new(limit, words, Weight::Loses));
        }
        if let Some(limit) = self.number(TTL) {
            let by = self.by(TTL);
            let words =
                format!("has a time to live: {what} that nobody has taken after {limit} ms leave it unseen{by}");
            found.push(Finding::new(TTL, words, Weight::Loses));
        }
        found.extend(self.of_expiry(what));
        found
    }

    fn of_expiry(&self, what: &str) -> Option<Finding> {
        let limit = self.number(EXPIRES)?;
        let by = self.by(EXPIRES);
        let words =
            format!("expires: the broker deletes it, with all {what} in it, when nobody uses it for {limit} ms{by}");
        Some(Finding::new(EXPIRES, words, Weight::Loses))
    }

    fn unclear(&self) -> Option<Finding> {
        let said = self.unclear.as_ref()?;
        Some(Finding::new("unknown", format!("is made otherwise than it should be: {said}"), Weight::Risky))
    }
}

#[cfg(test)]
mod tests;
