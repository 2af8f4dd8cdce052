//! The lines that are proposed for one event: one for each of its fields.
//!
//! Not here: how they are written down (`written`).

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::core::event::{Event, KeyOrigin};

/// The most lines, and how deep objects are gone through.
const LINES_MAX: usize = 60;
const DEPTH_MAX: usize = 6;

/// Members of an event that usually tell it from every other one.
const IDS: [&str; 6] = ["id", "event_id", "eventId", "messageId", "MessageId", "uuid"];

/// Names that an attribute had better not have: those of a rule's own keys, and of a table with `each`.
const TAKEN: [&str; 8] = ["event_key", "status", "state", "procedure", "each", "where", "give", "then"];

/// What a first rule is made of.
pub(super) struct Proposal {
    pub(super) procedure: String,
    pub(super) rule: String,
    /// The type of the event, if it has one.
    pub(super) kind: Option<String>,
    /// The expression that tells events apart, where the envelope does not.
    pub(super) key: Option<String>,
    pub(super) lines: Vec<Line>,
    pub(super) lists: Vec<List>,
    /// Whether there were more fields than lines.
    pub(super) is_cut: bool,
}

/// An attribute, and the expression that fills it.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) expression: String,
    /// Whether the event has nothing there: the line is proposed as a comment.
    pub(super) is_empty: bool,
}

/// An attribute that is a list of objects.
pub(super) struct List {
    pub(super) name: String,
    pub(super) each: String,
    pub(super) lines: Vec<Line>,
}

impl Proposal {
    pub(super) fn of(event: &Event, procedure: &str) -> Self {
        let is_enveloped = event.key.origin == KeyOrigin::CloudEvents;
        let (path, document) = match event.document.get("data").filter(|_| is_enveloped) {
            Some(data) => ("event.data", data),
            None => ("event", &event.document),
        };
        let key = (event.key.origin == KeyOrigin::Body).then(|| id_of(&event.document)).flatten();
        let kind = Some(event.kind.clone()).filter(|kind| !kind.is_empty());
        let mut proposal = Self {
            procedure: procedure.to_owned(),
            rule: kind.as_deref().map_or("first-rule".to_owned(), kebab),
            kind,
            key,
            lines: Vec::new(),
            lists: Vec::new(),
            is_cut: false,
        };
        if let Value::Object(members) = document {
            proposal.members(members, path, "", 0);
        }
        proposal
    }

    /// How many fields it proposes.
    pub(super) fn len(&self) -> usize {
        1 + self.lines.iter().filter(|line| !line.is_empty).count() + self.lists.len()
    }

    fn members(&mut self, members: &Map<String, Value>, path: &str, parent: &str, depth: usize) {
        for (name, value) in members {
            let Some(path) = below(path, name) else { continue };
            if self.len() >= LINES_MAX || depth == DEPTH_MAX {
                self.is_cut = true;
                return;
            }
            match value {
                Value::Object(members) => self.members(members, &path, &snake(name), depth + 1),
                Value::Array(items) => self.list(items, path, name, parent),
                scalar => {
                    let name = self.free_name(name, parent);
                    self.lines.push(Line::of(name, &path, &[scalar]));
                }
            }
        }
    }

    fn list(&mut self, items: &[Value], each: String, name: &str, parent: &str) {
        let objects: Vec<_> = items.iter().filter_map(Value::as_object).collect();
        let name = self.free_name(name, parent);
        if objects.is_empty() || objects.len() < items.len() {
            return self.lines.push(Line { name, expression: each, is_empty: false });
        }
        let mut lines: Vec<Line> = Vec::new();
        for (member, value) in objects[0] {
            let name = snake(member);
            let is_taken = TAKEN.contains(&name.as_str()) || lines.iter().any(|line| line.name == name);
            let Some(path) = below("item", member).filter(|_| !is_taken && !value.is_object() && !value.is_array())
            else {
                continue;
            };
            let all: Vec<_> = objects.iter().map(|object| object.get(member).unwrap_or(&Value::Null)).collect();
            lines.push(Line::of(name, &path, &all));
        }
        if lines.iter().any(|line| !line.is_empty) {
            self.lists.push(List { name, each, lines });
        }
    }

    /// The name of a member as that of an attribute, with the object that it is in where it is taken.
    fn free_name(&self, name: &str, parent: &str) -> String {
        let short = snake(name);
        let long = if parent.is_empty() { format!("{short}_of_event") } else { format!("{parent}_{short}") };
        let numbered = (2..).map(|number| format!("{long}_{number}"));
        let is_taken = |name: &str| {
            let used = self.lines.iter().map(|line| &line.name).chain(self.lists.iter().map(|list| &list.name));
            TAKEN.contains(&name) || used.into_iter().any(|used| used == name)
        };
        [short, long.clone()].into_iter().chain(numbered).find(|name| !is_taken(name)).unwrap_or(long)
    }
}

impl Line {
    /// The line that fills an attribute from there, where these are the values that were seen.
    fn of(name: String, path: &str, seen: &[&Value]) -> Self {
        Self { name, expression: filled(path, seen), is_empty: seen.iter().all(|value| value.is_null()) }
    }
}

/// The expression that fills an attribute from there, where these are the values that were seen.
fn filled(path: &str, seen: &[&Value]) -> String {
    let texts: Vec<_> = seen.iter().filter(|value| !value.is_null()).map(|value| value.as_str()).collect();
    let is_time = |text: &Option<&str>| text.is_some_and(|text| text.parse::<Timestamp>().is_ok());
    let lacks = seen.iter().any(|value| value.is_null());
    let mut expression = path.to_owned();
    if lacks {
        expression.push_str(" | default(omit)");
    }
    if !texts.is_empty() && texts.iter().all(is_time) {
        expression.push_str(" | epoch_ms");
    }
    // A number that 64 bits cannot hold: it can be sent as a text.
    if texts.iter().any(|text| text.is_some_and(|text| text.starts_with('\u{0}'))) {
        expression.push_str(" | string");
    }
    expression
}

/// The path of a member; none if its name cannot be written.
fn below(path: &str, name: &str) -> Option<String> {
    let is_word = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_word {
        return Some(format!("{path}.{name}"));
    }
    let is_plain = !name.is_empty() && !name.chars().any(|char| char.is_control() || "'\\{}".contains(char));
    is_plain.then(|| format!("{path}['{name}']"))
}

/// A path that may tell events apart.
fn id_of(document: &Value) -> Option<String> {
    let is_id = |name: &&&str| document.get(**name).is_some_and(|id| id.is_string() || id.is_i64() || id.is_u64());
    IDS.iter().find(is_id).map(|name| format!("event.{name}"))
}

/// A short id: `firstName` is `first_name`.
fn snake(name: &str) -> String {
    let mut made = String::new();
    let mut was_small = false;
    for char in name.chars() {
        if char.is_ascii_uppercase() && was_small {
            made.push('_');
        }
        was_small = char.is_ascii_lowercase() || char.is_ascii_digit();
        match char {
            char if char.is_ascii_alphanumeric() => made.push(char.to_ascii_lowercase()),
            _ if made.is_empty() || made.ends_with('_') => {}
            _ => made.push('_'),
        }
    }
    let made = made.trim_end_matches('_').to_owned();
    if made.is_empty() { "field".to_owned() } else { made }
}

fn kebab(kind: &str) -> String {
    snake(kind).replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::{below, snake};

    #[test]
    fn a_short_id_is_proposed_for_every_name() {
        for (name, id) in [
            ("firstName", "first_name"),
            ("SKU", "sku"),
            ("a-b c", "a_b_c"),
            ("täglich", "t_glich"),
            ("日", "field"),
            ("_x_", "x"),
        ] {
            assert_eq!(snake(name), id);
        }
    }

    #[test]
    fn a_path_that_no_expression_can_hold_is_left_out() {
        assert_eq!(below("event", "a").as_deref(), Some("event.a"));
        assert_eq!(below("event", "a b").as_deref(), Some("event['a b']"));
        assert_eq!(below("event", "a'b").or(below("event", "}}")).or(below("event", "")), None);
    }
}
