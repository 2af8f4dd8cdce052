//! A dead letter in words and as JSON: for lists, and for the lines that say what was done. No word of its event but the key.
//!
//! Not here: the page of one letter (`show`).

use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::date_of;
use crate::core::letters::Letter;

/// A text in one line. Who may publish may write what a terminal takes for a command.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect()
}

/// How long ago something was, in its largest unit.
pub(super) fn ago(now_ms: u64, at_ms: Option<u64>) -> String {
    let Some(at_ms) = at_ms.filter(|at| *at != 0) else { return "?".to_owned() };
    let seconds = Duration::from_millis(now_ms.saturating_sub(at_ms)).as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Its key, or that it has none.
pub(super) fn key(letter: &Letter) -> String {
    letter.key.as_deref().map_or_else(|| "(no key)".to_owned(), plain)
}

/// Why, and by which rule.
pub(super) fn reason(letter: &Letter) -> String {
    let (reason, rule) = (plain(&letter.reason()), plain(letter.rule()));
    if rule.is_empty() { reason } else { format!("{reason}, rule {rule}") }
}

/// That it may be a process, as the end of a remark.
pub(super) fn doubt(may_exist: bool) -> &'static str {
    if may_exist { ", may be a process" } else { "" }
}

/// What is told of it as JSON.
pub(super) fn as_json(letter: &Letter) -> Value {
    let date = |at_ms: u64| Some(date_of(at_ms)).filter(|_| at_ms != 0);
    json!({
        "key": letter.key,
        "reason": letter.reason(),
        "rule": letter.told.rule,
        "procedure": letter.told.procedure,
        "may_exist": letter.may_exist,
        "text": letter.text,
        "status": letter.told.status,
        "attempts": letter.told.attempts,
        "first_seen": date(letter.first_seen_ms),
        "died": date(letter.died_ms),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_its_largest_unit_and_what_nobody_knows_as_such() {
        let told = [0, 119, 120, 7_199, 7_200, 172_799, 172_800]
            .map(|seconds| ago(10_000_000_000, Some(10_000_000_000 - seconds * 1000)));
        assert_eq!(told, ["0 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 d"]);
        assert_eq!((ago(5, None), ago(5, Some(0)), ago(5, Some(9))), ("?".into(), "?".into(), "0 s".into()));
    }

    #[test]
    fn a_text_holds_nothing_that_a_terminal_takes_for_a_command() {
        assert_eq!(plain("a\x1b[31m\nb"), "a [31m b");
    }
}
