//! What the broker should have, as texts that its own tools take.
//!
//! Not here: which queues and rights these are (`amqp::plan`).

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::amqp::plan::{Plan, PlannedQueue, Rights, pattern_of};

/// The policy that limits how often a delivery is returned: a matter of taste, and may be changed while events wait.
const LIMIT_POLICY: &str = "chakra-bridge-deliveries";

/// How often a delivery may come back before the broker gives it up.
const DELIVERY_LIMIT: u32 = 100;

/// The policy of a work queue that was made by others.
const QUEUE_POLICY: &str = "chakra-bridge-work-queue";

/// What is to be printed.
pub(super) struct Wanted<'a> {
    pub(super) plan: &'a Plan,
    /// The work queue.
    pub(super) queue: &'a str,
    /// The user of the person who looks after it.
    pub(super) operator: &'a str,
    pub(super) exchange: Option<&'a str>,
    pub(super) routing_keys: &'a [String],
    /// Whether the plan holds only what is missing, and rights and policies are not asked for.
    pub(super) is_rest: bool,
}

impl Wanted<'_> {
    /// Definitions, one entry a line.
    pub(super) fn definitions(&self) -> String {
        let vhost = &self.plan.vhost;
        let queues = self.plan.queues.iter().map(|queue| self.queue(queue)).collect();
        let mut sections = vec![("queues", queues)];
        if !self.is_rest {
            sections.insert(0, ("vhosts", vec![json!({ "name": vhost })]));
            sections.insert(1, ("policies", vec![self.limit_policy()]));
        }
        let exchanges: Vec<_> = self.exchange.into_iter().chain(self.plan.exchange.as_deref()).collect();
        if !exchanges.is_empty() {
            let (no, yes) = (false, true);
            let made = |exchange: &&str| {
                json!({
                    "name": exchange, "vhost": vhost, "type": "topic", "durable": yes, "auto_delete": no, "internal": no,
                    "arguments": {}
                })
            };
            sections.push(("exchanges", exchanges.iter().map(made).collect()));
        }
        if let Some(exchange) = self.exchange {
            let bound = |key: &String| {
                json!({
                    "source": exchange, "vhost": vhost, "destination": self.queue, "destination_type": "queue",
                    "routing_key": key, "arguments": {}
                })
            };
            sections.push(("bindings", self.routing_keys.iter().map(bound).collect()));
        }
        written(&sections)
    }

    fn queue(&self, queue: &PlannedQueue) -> Value {
        json!({
            "name": queue.name, "vhost": self.plan.vhost, "durable": true, "auto_delete": false,
            "arguments": queue.arguments
        })
    }

    fn limit_policy(&self) -> Value {
        json!({
            "vhost": self.plan.vhost, "name": LIMIT_POLICY, "pattern": format!("^{}$", pattern_of(self.queue)),
            "apply-to": "queues", "priority": 10, "definition": { "delivery-limit": DELIVERY_LIMIT }
        })
    }

    /// The rights of both users, who must be there.
    pub(super) fn rights(&self) -> String {
        let of = |user: &str, rights: &Rights| {
            json!({
                "user": user, "vhost": self.plan.vhost, "configure": rights.configure, "write": rights.write,
                "read": rights.read
            })
        };
        written(&[(
            "permissions",
            vec![of(&self.plan.user, &self.plan.daemon), of(self.operator, &self.plan.operator)],
        )])
    }

    /// A script for `rabbitmqctl`.
    pub(super) fn script(&self) -> String {
        let mut script = HEAD.to_owned();
        let vhost = quoted(&self.plan.vhost);
        if self.is_rest && self.plan.queues.is_empty() && self.exchange.is_none() && self.plan.exchange.is_none() {
            return script + "# Nothing is missing. Rights and policies cannot be seen from here.\n";
        }
        if !self.is_rest {
            put(
                &mut script,
                &format!("rabbitmqctl list_vhosts --silent | grep -qxF {vhost} || rabbitmqctl add_vhost {vhost}\n"),
            );
        }
        put(
            &mut script,
            &format!("\nrabbitmqctl import_definitions --format json <<'END'\n{}\nEND\n", self.definitions()),
        );
        if !self.is_rest {
            self.put_rights(&mut script);
        }
        script
    }

    fn put_rights(&self, script: &mut String) {
        script.push_str(GRANT);
        let of = [(&*self.plan.user, &self.plan.daemon), (self.operator, &self.plan.operator)];
        for (user, Rights { configure, write, read }) in of {
            let words = [user, &self.plan.vhost, configure, write, read].map(quoted);
            put(script, &format!("grant {}\n", words.join(" ")));
        }
    }

    /// What the arguments of the work queue say, as a policy: a queue that exists keeps its arguments.
    pub(super) fn policy(&self) -> String {
        let arguments = self.plan.queues.iter().find(|queue| queue.name == self.queue).map(|queue| &queue.arguments);
        let settings = arguments.into_iter().flatten().filter_map(|(name, value)| {
            let name = name.strip_prefix("x-").filter(|name| *name != "queue-type")?;
            Some((name.to_owned(), value.clone()))
        });
        let mut definition: Map<String, Value> = settings.collect();
        definition.insert("delivery-limit".to_owned(), Value::from(DELIVERY_LIMIT));
        let pattern = format!("^{}$", pattern_of(self.queue));
        let words = [QUEUE_POLICY, &pattern, &Value::Object(definition).to_string()].map(quoted);
        format!(
            "rabbitmqctl set_policy --vhost {} --priority 10 --apply-to queues {}\n",
            quoted(&self.plan.vhost),
            words.join(" ")
        )
    }
}

const HEAD: &str = "#!/bin/sh
# What chakra-bridge needs of its broker, made by `chakra-bridge topology`. Run it where rabbitmqctl reaches a node.
# It may be run again. A queue, an exchange or a user that exists stays as it is; rights and the policy become those below.
set -eu
";

const GRANT: &str = "
grant() { # user, virtual host, what it may configure, write to and read from
    if rabbitmqctl list_users --silent | cut -f 1 | grep -qxF \"$1\"; then
        rabbitmqctl set_permissions --vhost \"$2\" \"$1\" \"$3\" \"$4\" \"$5\"
    else
        echo \"no user $1: make it with 'rabbitmqctl add_user $1', and run this again for its rights\" >&2
    fi
}
";

fn put(script: &mut String, words: &str) {
    // Writing into a text cannot fail.
    let _ = script.write_str(words);
}

/// A word of a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Sections of lists as JSON, one entry a line.
fn written(sections: &[(&str, Vec<Value>)]) -> String {
    let section = |(name, entries): &(&str, Vec<Value>)| {
        let lines: Vec<_> = entries.iter().map(|entry| format!("    {entry}")).collect();
        let lines = if lines.is_empty() { String::new() } else { format!("\n{}\n  ", lines.join(",\n")) };
        format!("  {}: [{lines}]", Value::from(*name))
    };
    format!("{{\n{}\n}}", sections.iter().map(section).collect::<Vec<_>>().join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_name_is_one_word_of_a_shell_whatever_it_holds() {
        assert_eq!(quoted("crm"), "'crm'");
        assert_eq!(quoted("it's $(x)"), r"'it'\''s $(x)'");
    }
}
