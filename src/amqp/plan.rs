//! The queues that there should be, and the rights that they take, as values: for whoever makes them by other means. They are
//! those that the daemon checks and makes itself.
//!
//! Not here: asking the broker (`online_check`), and what is printed of them (`cli`).

use std::collections::BTreeMap;

use lapin::types::AMQPValue;
use serde_json::Value;

use super::address::user_and_vhost;
use super::wanted_queues::wanted;
use super::{Config, Topology};

/// One queue that there should be; durable, and not deleted by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedQueue {
    /// Its name.
    pub name: String,
    /// What it is made with.
    pub arguments: BTreeMap<String, Value>,
}

/// What one user may do, as patterns of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// What it may make and delete.
    pub configure: String,
    /// What it may publish to.
    pub write: String,
    /// What it may consume from.
    pub read: String,
}

/// All of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The virtual host.
    pub vhost: String,
    /// The user of the daemon.
    pub user: String,
    /// The work queue, which comes first; its dead-letter queue; the delay queues.
    pub queues: Vec<PlannedQueue>,
    /// The exchange of outcomes, if they are told: a topic exchange, durable.
    pub exchange: Option<String>,
    /// The least that the daemon needs.
    pub daemon: Rights,
    /// The least that a person needs who looks how the queues are made, and at dead letters.
    pub operator: Rights,
}

/// What the configured queue needs.
#[must_use]
pub fn of(config: &Config) -> Plan {
    let (user, vhost) = user_and_vhost(&config.url);
    let mut queues: Vec<_> = wanted(config)
        .into_iter()
        .map(|(name, arguments)| {
            let arguments =
                arguments.inner().iter().filter_map(|(name, value)| Some((name.to_string(), plain(value)?)));
            PlannedQueue { name, arguments: arguments.collect() }
        })
        .collect();
    queues.sort_by_key(|queue| queue.name != config.queue);
    let names: Vec<_> = queues.iter().map(|queue| pattern_of(&queue.name)).collect();
    let (all, others) = (names.join("|"), names[1..].join("|"));
    let makes = config.topology == Topology::Declare;
    let exchange = config.outcomes.as_ref().map(|outlet| outlet.exchange.clone());
    let told = exchange.as_deref().map(|exchange| format!("|{}", pattern_of(exchange))).unwrap_or_default();
    let daemon = Rights {
        configure: if makes { format!("^({all}{told})$") } else { "^$".to_owned() },
        write: format!("^(amq\\.default|{others}{told})$"),
        read: if makes { format!("^({all})$") } else { format!("^{}$", names[0]) },
    };
    let whole = format!("^({all})$");
    let operator = Rights { configure: whole.clone(), write: format!("^(amq\\.default|{all}{told})$"), read: whole };
    Plan { vhost, user, queues, exchange, daemon, operator }
}

/// A name as a pattern that finds it alone.
#[must_use]
pub fn pattern_of(name: &str) -> String {
    let mut pattern = String::new();
    for char in name.chars() {
        if r"\.+*?()|[]{}^$#".contains(char) {
            pattern.push('\\');
        }
        pattern.push(char);
    }
    pattern
}

/// An argument in JSON; none of a type that no argument here has.
fn plain(value: &AMQPValue) -> Option<Value> {
    Some(match value {
        AMQPValue::LongString(text) => Value::from(std::str::from_utf8(text.as_bytes()).ok()?),
        AMQPValue::LongLongInt(number) => Value::from(*number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::QueueType;
    use super::super::stage::{config, outlet};
    use super::*;

    #[test]
    fn the_rights_are_the_least_that_the_daemon_and_a_person_need() {
        let verify = of(&config(Topology::Verify, QueueType::Quorum));
        let delays = r"work\.wait\.10s|work\.wait\.1m|work\.wait\.10m|work\.wait\.1h";
        let rights = |configure: String, write: String, read: String| Rights { configure, write, read };
        let all = format!("^(work|dead|{delays})$");
        assert_eq!((verify.user.as_str(), verify.vhost.as_str(), &verify.exchange), ("bridge", "crm", &None));
        let daemon = rights("^$".into(), format!(r"^(amq\.default|dead|{delays})$"), "^work$".into());
        let operator = rights(all.clone(), format!(r"^(amq\.default|work|dead|{delays})$"), all.clone());
        assert_eq!((verify.daemon, verify.operator), (daemon, operator));
        let declare = of(&Config { outcomes: Some(outlet()), ..config(Topology::Declare, QueueType::Quorum) });
        let told = r"|crm\.outcomes";
        let daemon =
            rights(format!("^(work|dead|{delays}{told})$"), format!(r"^(amq\.default|dead|{delays}{told})$"), all);
        assert_eq!((declare.daemon, declare.exchange.as_deref()), (daemon, Some("crm.outcomes")));
    }

    #[test]
    fn the_work_queue_comes_first_and_its_arguments_are_those_that_it_is_made_with() {
        let plan = of(&config(Topology::Declare, QueueType::Quorum));
        let names: Vec<_> = plan.queues.iter().map(|queue| queue.name.as_str()).collect();
        assert_eq!(names, ["work", "dead", "work.wait.10s", "work.wait.1m", "work.wait.10m", "work.wait.1h"]);
        let of = |queue: usize, argument: &str| plan.queues[queue].arguments.get(argument).cloned();
        assert_eq!(of(0, "x-queue-type"), Some("quorum".into()));
        assert_eq!((of(2, "x-message-ttl"), of(0, "x-message-ttl")), (Some(10_000.into()), None));
    }

    #[test]
    fn the_pattern_of_a_name_finds_no_other_name() {
        assert_eq!(pattern_of("crm.events"), r"crm\.events");
        assert_eq!(pattern_of("a+b (x)|^$"), r"a\+b \(x\)\|\^\$");
        assert_eq!(pattern_of("täglich-1_2/3"), "täglich-1_2/3");
    }
}
