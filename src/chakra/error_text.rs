//! What an error body says, in words: whatever its shape, on one line within a length.
//!
//! Not here: whether it is an error (`answer`), and what follows from it.

use serde_json::{Map, Value};

use crate::core::reply::ERROR_TEXT_MAX;

/// The members in which integrators met an error of this API, in the order in which they are told.
const MEMBERS: [&str; 4] = ["_errors", "error", "message", "errors"];

/// Whether errors are told in a member of this name.
pub(super) fn is_told(member: &str) -> bool {
    MEMBERS.contains(&member)
}

/// Whether the object has a member that errors are told in, whatever it holds.
pub(super) fn is_api_word(object: &Map<String, Value>) -> bool {
    MEMBERS.iter().any(|member| object.contains_key(*member))
}

/// All that the object says of errors; none where it says nothing.
pub(super) fn error_text(object: &Map<String, Value>) -> Option<String> {
    let mut line = Line::default();
    for said in MEMBERS.iter().filter_map(|member| object.get(*member)) {
        line.tell("", said);
    }
    Some(line.text.trim_end().to_owned()).filter(|text| !text.is_empty())
}

/// One line that is never longer than allowed: what no longer fits is left out.
#[derive(Default)]
struct Line {
    text: String,
    chars: usize,
}

impl Line {
    /// Tells a value: the items of a list one after the other, the members of an object by name, its `message` first.
    fn tell(&mut self, label: &str, value: &Value) {
        if self.chars >= ERROR_TEXT_MAX {
            return;
        }
        match value {
            Value::Null => {}
            Value::String(text) => self.piece(label, text),
            Value::Bool(_) | Value::Number(_) => self.piece(label, &value.to_string()),
            Value::Array(items) => items.iter().for_each(|item| self.tell(label, item)),
            Value::Object(members) => self.members(label, members),
        }
    }

    fn members(&mut self, label: &str, members: &Map<String, Value>) {
        if let Some(message) = members.get("message") {
            self.tell(label, message);
        }
        for (name, value) in members.iter().filter(|(name, _)| *name != "message") {
            let dot = if label.is_empty() { "" } else { "." };
            self.tell(&[label, name].join(dot), value);
        }
    }

    /// One text with its label. What was said word for word before is not said twice.
    fn piece(&mut self, label: &str, text: &str) {
        let text = text.trim();
        if text.is_empty() || (label.is_empty() && self.text.split("; ").any(|said| said == text)) {
            return;
        }
        let between = if self.text.is_empty() { "" } else { "; " };
        let colon = if label.is_empty() { "" } else { ": " };
        for part in [between, label, colon, text] {
            self.push(part);
        }
    }

    fn push(&mut self, part: &str) {
        for character in part.chars().take(ERROR_TEXT_MAX.saturating_sub(self.chars)) {
            self.text.push(if character.is_control() { ' ' } else { character });
            self.chars += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<String> {
        error_text(serde_json::from_str::<Value>(text).unwrap().as_object().unwrap())
    }

    #[test]
    fn whatever_the_api_says_is_told_however_it_is_nested() {
        let table = [
            (r#"{"_errors":["no such state","and more"]}"#, "no such state; and more"),
            (r#"{"_errors":[["a","b"],["c",["d"]]]}"#, "a; b; c; d"),
            (
                r#"{"_errors":{"phone":["is too short","is no number"],"age":7}}"#,
                "phone: is too short; phone: is no number; age: 7",
            ),
            (r#"{"_errors":[{"field":"phone","code":"invalid"}]}"#, "field: phone; code: invalid"),
            (r#"{"_errors":[{"code":7,"message":"no","meta":{"at":{"line":3}}}]}"#, "no; code: 7; meta.at.line: 3"),
            (
                r#"{"message":"Validation failed","errors":[{"message":"bad"},{"x":true}]}"#,
                "Validation failed; bad; x: true",
            ),
            (r#"{"error":{"message":{"en":"no","de":"nein"}}}"#, "en: no; de: nein"),
            (r#"{"error":7}"#, "7"),
            (r#"{"_errors":["x"],"message":"x","error":{"message":"x"}}"#, "x"),
        ];
        for (body, expected) in table {
            assert_eq!(said(body).as_deref(), Some(expected), "{body}");
        }
    }

    #[test]
    fn where_nothing_is_said_there_is_no_text() {
        let silent = [
            "{}",
            r#"{"_errors":[]}"#,
            r#"{"_errors":[null,[],{},"  "]}"#,
            r#"{"message":{"a":null}}"#,
            r#"{"errors":[{}]}"#,
            r#"{"_data":"x","detail":"y"}"#,
        ];
        for body in silent {
            assert_eq!(said(body), None, "{body}");
        }
    }

    #[test]
    fn the_text_stays_on_one_line_and_within_its_length() {
        assert_eq!(said(r#"{"error":"a\nb\u0000c\u001b[31m"}"#).as_deref(), Some("a b c [31m"));
        assert_eq!(said(r#"{"_errors":{"a\nb":"c"}}"#).as_deref(), Some("a b: c"));
        let long = said(&format!(r#"{{"error":"{}"}}"#, "é".repeat(ERROR_TEXT_MAX + 1)));
        assert_eq!(long, Some("é".repeat(ERROR_TEXT_MAX)));
        let many: Vec<_> = (0..100_000).map(|number| format!("\"error {number}\"")).collect();
        let text = said(&format!(r#"{{"_errors":[{}]}}"#, many.join(","))).unwrap();
        assert!(text.starts_with("error 0; error 1; ") && text.chars().count() <= ERROR_TEXT_MAX, "{text}");
    }

    #[test]
    fn a_word_of_the_api_is_known_by_its_member_whatever_it_holds() {
        for member in MEMBERS {
            let object = Map::from_iter([(member.to_owned(), Value::Null)]);
            assert!(is_api_word(&object), "{member}");
        }
        assert!(!is_api_word(&Map::from_iter([("detail".to_owned(), "no".into()), ("_data".to_owned(), Value::Null)])));
    }
}
