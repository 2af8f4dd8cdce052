//! Dead letters by reason and rule since the start, each with what it means and the commands to look and to act.
//!
//! Not here: the dead-letter queue, which the daemon may not read (`cli::dead_letters`).

use std::sync::Arc;

use serde_json::{Value, json};

use crate::core::reason::Reason;
use crate::metrics::Metrics;
use crate::states::in_force::RuleInForce;

/// What is told of each, most frequent first.
pub(super) fn rows(metrics: &Metrics, rules: &[RuleInForce]) -> Vec<Value> {
    let mut rows: Vec<(u64, Value)> = Vec::new();
    for reason in Reason::ALL {
        let all = metrics.dead_letters_so_far(reason);
        if all == 0 {
            continue;
        }
        let of = |rule: &str| metrics.settled_so_far("dead_lettered", rule, reason.as_str());
        let known = rules.iter().map(|rule| Arc::clone(&rule.name)).chain([Arc::from("")]);
        let counted: Vec<_> = known.map(|rule| (of(&rule), Some(rule))).filter(|(count, _)| *count > 0).collect();
        let others = all.saturating_sub(counted.iter().map(|(count, _)| count).sum());
        let others = (others > 0).then_some((others, None));
        rows.extend(
            counted.into_iter().chain(others).map(|(count, rule)| (count, row(reason, rule.as_deref(), count))),
        );
    }
    rows.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// `rule` is none of rules that are not shown, and empty where no rule was known.
fn row(reason: Reason, rule: Option<&str>, count: u64) -> Value {
    let (word, rule) = (reason.as_str(), rule.unwrap_or(OTHERS));
    let which = if rule.is_empty() || rule == OTHERS { String::new() } else { chosen(rule) };
    let command = |verb: &str| format!("chakra-bridge dead-letters {verb} --reason {word}{which}");
    json!({
        "reason": word,
        "rule": rule,
        "count": count,
        "means": means(reason),
        "look": command("show"),
        "act": if is_no_event(reason) { format!("{} {word}.ndjson", command("export")) } else { command("retry") },
    })
}

/// What stands in the place of a rule that is not shown.
const OTHERS: &str = "(other rules)";

/// As an option of a command line.
fn chosen(rule: &str) -> String {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "._-:/".contains(sign);
    if rule.chars().all(is_plain) && !rule.starts_with('-') {
        return format!(" --rule {rule}");
    }
    format!(" --rule='{}'", rule.replace('\'', r"'\''"))
}

/// To retry it as it is would make the same dead letter again, whatever is mended here.
fn is_no_event(reason: Reason) -> bool {
    reason == Reason::Undecodable
}

/// What it means, and what to do first.
fn means(reason: Reason) -> &'static str {
    match reason {
        Reason::Undecodable => {
            "The message is no event. Mend the producer; keep the letters by export, then discard them."
        }
        Reason::TooLarge => "The event is larger than event.max_size or event.max_values. Raise the limit, then retry.",
        Reason::NoRule => "No rule takes it. Add a rule, or one that skips, then retry.",
        Reason::Unmappable => {
            "A rule took it and could not be applied. The letter names the path: mend the rule, then retry."
        }
        Reason::Schema => "The schema of the procedure refuses the request. The letter names the attribute.",
        Reason::Refused => {
            "The API refused it. The letter has the API's words: mend the rule or the event, then retry."
        }
        Reason::Unknown => "It may be a process or not. Look for its key in ChakraHQ before you retry.",
        Reason::Exhausted => "It failed for longer than retry.give_up_after. Retry it once the cause is mended.",
        Reason::Blocked => "What is not the API refuses it: a firewall or a proxy. Ask whoever runs that, then retry.",
        Reason::Crashing => "Its handling crashed. Look for its key in ChakraHQ, and report it with the log.",
        Reason::KeyReused => {
            "Another event had its key and is a process. Give each event an id of its own in the producer."
        }
        Reason::PhotoGone => "Its picture is there no more. Put it back, or let on_missing be \"without\", then retry.",
        Reason::PhotoExpired => {
            "The signed link of its picture has expired. Ask the producer for links that last longer."
        }
        Reason::PhotoDenied => "The source of its picture does not give it. Let it, then retry.",
        Reason::PhotoNotAllowed => {
            "The link of its picture may not be followed. Add its host to photos.allow if it is yours, then retry."
        }
        Reason::PhotoType => "What should be its picture is none that is taken: JPEG, PNG, WebP, HEIC and GIF are.",
        Reason::PhotoTooLarge => "Its picture is larger than photos.max_size. Raise the limit, then retry.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str) -> RuleInForce {
        RuleInForce { name: name.into(), guarantee: String::new(), creates: true, text: None }
    }

    #[test]
    fn every_dead_letter_stands_in_one_row_and_the_most_frequent_first() {
        let metrics = Metrics::new();
        let times = |count, rule, reason: Reason| {
            (0..count).for_each(|_| metrics.settled("dead_lettered", rule, reason.as_str()));
        };
        times(3, "lead", Reason::Refused);
        times(5, "ticket", Reason::Refused);
        times(2, "", Reason::NoRule);
        times(1, "gone", Reason::Refused);
        let rows = rows(&metrics, &[rule("lead"), rule("ticket")]);
        let told: Vec<_> =
            rows.iter().map(|row| (row["rule"].as_str().unwrap(), row["count"].as_u64().unwrap())).collect();
        assert_eq!(told, [("ticket", 5), ("lead", 3), ("", 2), (OTHERS, 1)]);
        assert_eq!(rows[1]["act"], "chakra-bridge dead-letters retry --reason refused --rule lead");
        assert_eq!(rows[2]["look"], "chakra-bridge dead-letters show --reason no_rule");
        assert_eq!(rows[3]["act"], "chakra-bridge dead-letters retry --reason refused");
    }

    #[test]
    fn a_name_of_a_rule_is_one_word_for_a_shell_whatever_stands_in_it() {
        for (name, wanted) in [
            ("lead.new-1", " --rule lead.new-1"),
            ("new lead; rm -rf /", " --rule='new lead; rm -rf /'"),
            ("it's $(x)", r" --rule='it'\''s $(x)'"),
            ("-x", " --rule='-x'"),
            ("fällig", " --rule='fällig'"),
        ] {
            assert_eq!(chosen(name), wanted);
        }
    }
}
