//! What looking into the dead-letter queue costs: whether each pass counts towards a limit at which the broker deletes a letter.
//!
//! Not here: asking how the queue is made (`amqp`, `management`).
//!
//! A letter that was looked at is given back. Quorum queues of RabbitMQ 4.0 to 4.2 count that, and have a limit of 20 by
//! default; those before 4.0 count it and have none by default; those of 4.3 do not count what is given back unharmed.

use crate::core::queue::{KIND, Queue};

/// The argument of the limit.
pub const LIMIT: &str = "x-delivery-limit";
/// What the dead-letter queue is made with: nobody looks so often. The documented way to set none, -1, is none from RabbitMQ 4.0 on
/// only: to 3.10 it is a limit like any other, and it deletes a letter the first time that it is given back (tried).
pub const ENDLESS: i64 = 1_000_000_000;
/// As many looks nobody takes.
const MANY: i64 = 1_000_000;
/// That of RabbitMQ 4.0 to 4.2 where nobody sets one.
const DEFAULT: i64 = 20;

/// What a pass costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Nothing.
    Nothing,
    /// One of so many times that a letter may be given back; and whether the queue was made with that.
    One {
        /// How many.
        limit: i64,
        /// It is an argument of the queue, which no policy takes away.
        is_argument: bool,
    },
    /// Perhaps one of so many as nobody here can see, since what says so cannot be seen.
    Unknown(&'static str),
    /// It cannot be looked into.
    Refused(&'static str),
}

/// What is known of the broker's side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How the queue is made, policies included where those were seen; none where this user may not see it.
    pub queue: Option<Queue>,
    /// The version of the broker, where that was seen.
    pub version: Option<(u32, u32)>,
}

/// The version in a text such as `4.0.5`.
#[must_use]
pub fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// What a pass costs.
#[must_use]
pub fn cost(seen: &Seen) -> Cost {
    let Some(queue) = &seen.queue else {
        return Cost::Unknown("this user may not see how the queue is made: it lacks the right to configure it");
    };
    match queue.text(KIND).unwrap_or("classic") {
        "classic" => return Cost::Nothing,
        "quorum" => {}
        "stream" => return Cost::Refused("it is a stream: no dead letter can be taken out of it"),
        _ => return Cost::Refused("it is of a kind that this program does not know"),
    }
    let is_uncounted = seen.version.is_some_and(|version| version >= (4, 3));
    match (queue.number(LIMIT), seen.version) {
        (Some(limit), _) if limit >= MANY => Cost::Nothing,
        _ if is_uncounted => Cost::Nothing,
        (Some(limit), Some(version)) if limit < 0 && version >= (4, 0) => Cost::Nothing,
        (Some(limit), Some(_)) if limit < 0 => Cost::Refused(
            "its delivery limit is -1, and this broker deletes a letter the first time that it is given back: look into it by taking \
             letters out alone, or update the broker to 4.0",
        ),
        (Some(limit), None) if limit < 0 => Cost::Unknown(
            "its delivery limit is -1, which is none from RabbitMQ 4.0 on, and before deletes a letter the first time that it is given \
             back; name [broker.management] for the version to be seen",
        ),
        (Some(limit), _) => {
            let is_argument = queue.settings.get(LIMIT).is_some_and(|setting| !setting.is_of_policy);
            Cost::One { limit, is_argument }
        }
        (None, Some(version)) if version >= (4, 0) => Cost::One { limit: DEFAULT, is_argument: false },
        (None, Some(_)) => Cost::Nothing,
        (None, None) => Cost::Unknown(
            "it names no limit of its own, and RabbitMQ 4.0 to 4.2 set one of 20; name [broker.management] for the version and \
             the policies to be seen",
        ),
    }
}

/// What takes the limit away from a queue that exists. Where the queue was made with one, only another queue has none.
#[must_use]
pub fn remedy(vhost: &str, queue: &str, is_argument: bool) -> String {
    if is_argument {
        return format!(
            "`chakra-bridge dead-letters export letters.ndjson --yes-count-one`, delete `{queue}`, let the daemon make it again \
             (broker.topology = \"declare\"), and `chakra-bridge dead-letters import letters.ndjson`"
        );
    }
    let mut pattern = String::new();
    for sign in queue.chars() {
        // Twice for the shell's quotes it need not be: a backslash stands for itself between single quotes.
        if !(sign.is_alphanumeric() || "-_".contains(sign)) {
            pattern.push('\\');
        }
        pattern.push(sign);
    }
    format!(
        "rabbitmqctl --vhost {vhost} set_policy --priority 100 --apply-to queues chakra-bridge-dead-letters '^{pattern}$' \
         '{{\"delivery-limit\": {ENDLESS}}}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::queue::{Setting, Value};

    fn seen(kind: &str, limit: Option<i64>, version: Option<&str>) -> Cost {
        let setting = |value| Setting { value, is_of_policy: false };
        let mut queue = Queue::default();
        queue.settings.insert(KIND.to_owned(), setting(Value::Text(kind.to_owned())));
        if let Some(limit) = limit {
            queue.settings.insert(LIMIT.to_owned(), setting(Value::Number(limit)));
        }
        cost(&Seen { queue: Some(queue), version: version.and_then(super::version) })
    }

    #[test]
    fn a_pass_is_free_where_nothing_counts_or_nothing_limits() {
        assert_eq!(seen("classic", None, None), Cost::Nothing);
        assert_eq!(seen("quorum", Some(-1), Some("4.0.5")), Cost::Nothing);
        assert_eq!(seen("quorum", Some(ENDLESS), None), Cost::Nothing);
        assert_eq!(seen("quorum", None, Some("4.3.6")), Cost::Nothing);
        assert_eq!(seen("quorum", Some(3), Some("4.3.6")), Cost::Nothing);
        assert_eq!(seen("quorum", None, Some("3.10.8")), Cost::Nothing);
    }

    #[test]
    fn a_limit_that_is_set_or_unknown_is_no_free_look() {
        let one = |limit, is_argument| Cost::One { limit, is_argument };
        assert_eq!(seen("quorum", Some(3), Some("4.0.5")), one(3, true));
        assert_eq!(seen("quorum", Some(3), None), one(3, true));
        assert_eq!(seen("quorum", None, Some("4.2.0")), one(20, false));
        assert!(matches!(seen("quorum", None, None), Cost::Unknown(_)));
        assert!(matches!(cost(&Seen::default()), Cost::Unknown(_)));
        assert!(matches!(seen("stream", None, None), Cost::Refused(_)));
    }

    #[test]
    fn a_limit_below_none_is_none_only_where_the_broker_takes_it_for_that() {
        assert!(matches!(seen("quorum", Some(-1), Some("3.13.7")), Cost::Refused(_)));
        assert!(matches!(seen("quorum", Some(-1), None), Cost::Unknown(_)));
    }

    #[test]
    fn the_command_names_this_queue_and_no_other() {
        let command = remedy("crm", "crm.events.dead", false);
        assert!(command.contains("--vhost crm ") && command.contains(r"'^crm\.events\.dead$'"), "{command}");
        assert!(remedy("crm", "crm.events.dead", true).contains("import"), "no policy takes an argument away");
    }
}
