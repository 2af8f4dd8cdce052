//! The section of what producers are told: `[outcomes]`.
//!
//! Not here: telling them (`amqp`, `core::delivery`), and what a rule says of its own (`rules`).

use super::reader::{Reader, WHOLE};
use super::values::{self, Given, Wrong, wrong};
use crate::amqp::Outlet;
use crate::core::mapping::written::WrittenRule;
use crate::core::mistake::Mistake;
use crate::core::outcome::{OutcomeKind, OutcomeKinds, OutcomePolicy};

const EXCHANGE: &str = "outcomes.exchange";
/// What RabbitMQ shows the exchange without a name as.
const DEFAULT_EXCHANGE: &str = "amq.default";
const LINK: &str = "outcomes.process_link";

/// The longest text that stands in each outcome, in bytes.
const TEXT_MAX: usize = 1024;

/// None where it names no exchange. `queue` is the work queue.
pub(super) fn outcomes(
    reader: &mut Reader<'_>,
    queue: &str,
    rules: &[WrittenRule],
) -> (Option<Outlet>, Option<OutcomePolicy>) {
    let exchange = reader.optional(EXCHANGE, None, exchange);
    let tells = reader.list("outcomes.tell", kinds).unwrap_or(OutcomeKinds::ALL);
    let required = reader.flag("outcomes.required", "true");
    let reply_to = reader.flag("outcomes.reply_to", "false");
    let channels = reader.number("outcomes.channels", Some("16"), &(1..=256), WHOLE).unwrap_or_default();
    let source = reader.optional("outcomes.source", Some("/chakra-bridge/{queue}"), text).unwrap_or_default();
    let link = reader.optional(LINK, None, link);
    let others = ["tell", "required", "reply_to", "channels", "source", "process_link"];
    for key in others.map(|key| format!("outcomes.{key}")) {
        if reader.is_set(&key) && exchange.is_none() && !reader.is_set(EXCHANGE) {
            reader.mistake(&key, wrong(format!("stands without {EXCHANGE}"), "both, or neither"));
        }
    }
    if exchange.is_none() && !reader.is_set(EXCHANGE) {
        reader.mistakes.extend(rules.iter().filter_map(of_rule));
    }
    let source = source.replace("{queue}", queue);
    let policy = exchange.is_some().then_some(OutcomePolicy { tells, required });
    (exchange.map(|exchange| Outlet { exchange, channels, required, reply_to, source, link }), policy)
}

/// A rule that says which of its outcomes are told, where none is.
fn of_rule(rule: &WrittenRule) -> Option<Mistake> {
    let spot = rule.outcomes.as_ref()?;
    Some(Mistake {
        span: Some(spot.span.clone()),
        key: format!("rule {:?}.outcomes", rule.name.value),
        what: format!("stands without {EXCHANGE}"),
        expected: "both, or neither".to_owned(),
    })
}

fn kinds(given: &Given) -> Result<OutcomeKinds, Wrong> {
    let expected = format!("a list of these words: {}", OutcomeKind::WORDS.join(", "));
    OutcomeKinds::of(given.as_list(&expected)?).map_err(|word| wrong(format!("names {word:?}"), &expected))
}

/// The name of an exchange of ours.
fn exchange(given: &Given) -> Result<String, Wrong> {
    let name = values::name(given)?;
    let what = "is the exchange of the broker that puts messages into queues by name";
    if name == DEFAULT_EXCHANGE {
        Err(wrong(what, "an exchange of its own, such as \"crm.outcomes\""))
    } else {
        Ok(name)
    }
}

fn text(given: &Given) -> Result<String, Wrong> {
    let text = values::text(given)?;
    let what = match text.len() {
        length if length > TEXT_MAX => format!("is {length} bytes long"),
        _ if text.contains(char::is_control) => "holds a line end, or another character that is not printed".to_owned(),
        _ => return Ok(text),
    };
    Err(wrong(what, format!("one line of 1 to {TEXT_MAX} bytes")))
}

fn link(given: &Given) -> Result<String, Wrong> {
    let link = text(given)?;
    let is_link = ["https://", "http://"].iter().any(|scheme| link.starts_with(scheme)) && link.contains("{process}");
    let expected = "a URL such as \"https://app.example.com/process/{process}\"; {procedure} is filled in too";
    if is_link { Ok(link) } else { Err(wrong("is no link to a process", expected)) }
}
