//! A dotted path such as `event.data.items[0].id`, and what an event has there.
//!
//! Not here: reading one from an expression (`grammar`).

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

use crate::core::event::Event;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A member of an object.
    Member(String),
    /// An item of a list, from 0.
    Item(usize),
}

/// What a path begins with: the variables that rules see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    /// The decoded event.
    Event,
    /// The event's key.
    Key,
    /// The event's type.
    Type,
    /// The message's headers.
    Headers,
    /// The original exchange.
    Exchange,
    /// The original routing key.
    RoutingKey,
    /// AMQP property `message-id`.
    MessageId,
}

impl Variable {
    /// Every name, as rules write it.
    pub(super) const NAMES: [&'static str; 7] =
        ["event", "key", "type", "headers", "exchange", "routing_key", "message_id"];

    const ALL: [Self; 7] =
        [Self::Event, Self::Key, Self::Type, Self::Headers, Self::Exchange, Self::RoutingKey, Self::MessageId];

    /// The variable of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|known| *known == name).map(|at| Self::ALL[at])
    }

    fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// A path, resolved at load time as far as the rule goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// Where it begins.
    pub(super) variable: Variable,
    /// The way from there.
    pub(super) steps: Vec<Step>,
}

/// What rules can read of one event.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    document: &'a Value,
    key: &'a str,
    /// Whether the key tells this event from its copy.
    pub(super) is_identified: bool,
    kind: &'a str,
    headers: &'a Map<String, Value>,
    exchange: &'a str,
    routing_key: &'a str,
    message_id: Option<&'a str>,
}

impl<'a> Scope<'a> {
    /// What rules can read of `event`.
    pub(super) fn of(event: &'a Event) -> Self {
        Self {
            document: &event.document,
            key: &event.key.text,
            is_identified: event.key.origin.identifies(),
            kind: &event.kind,
            headers: &event.headers,
            exchange: &event.exchange,
            routing_key: &event.routing_key,
            message_id: event.message_id.as_deref(),
        }
    }

    /// What `path` leads to. Only objects and lists lead on: a text has no items here, unlike in the engine.
    ///
    /// # Errors
    /// How many of the path's steps could be taken, if it leads nowhere.
    pub(super) fn find(self, path: &Path) -> Result<Cow<'a, Value>, usize> {
        match (path.variable, path.steps.split_first()) {
            (Variable::Event, _) => walk(self.document, &path.steps, 0),
            (Variable::Headers, None) => Ok(Cow::Owned(Value::Object(self.headers.clone()))),
            (Variable::Headers, Some((Step::Member(name), rest))) => {
                walk(self.headers.get(name).ok_or(0_usize)?, rest, 1)
            }
            (Variable::Headers, Some(_)) => Err(0),
            (variable, None) => self.text(variable).map(|text| Cow::Owned(Value::from(text))).ok_or(0),
            (_, Some(_)) => Err(0),
        }
    }

    fn text(self, variable: Variable) -> Option<&'a str> {
        match variable {
            Variable::Event | Variable::Headers => None,
            Variable::Key => Some(self.key),
            Variable::Type => Some(self.kind),
            Variable::Exchange => Some(self.exchange),
            Variable::RoutingKey => Some(self.routing_key),
            Variable::MessageId => self.message_id,
        }
    }
}

fn walk<'a>(from: &'a Value, steps: &[Step], done: usize) -> Result<Cow<'a, Value>, usize> {
    let mut here = from;
    for (count, step) in steps.iter().enumerate() {
        let next = match step {
            Step::Member(name) => here.get(name),
            Step::Item(index) => here.get(index),
        };
        here = next.ok_or(done + count)?;
    }
    Ok(Cow::Borrowed(here))
}

/// The longest name of a header, in bytes.
const HEADER_BYTES_MAX: usize = 255;

impl Path {
    /// Why no event can have anything there, if so, and what was expected.
    pub(super) fn is_nowhere(&self) -> Option<(String, String)> {
        match (self.variable, self.steps.first()?) {
            (Variable::Headers, Step::Member(name)) => no_header(name),
            (Variable::Headers | Variable::Event, Step::Item(_)) => {
                let expected = format!("the name of a member: `{}.name`", self.variable.name());
                Some((format!("`{}` is an object and has no items", self.variable.name()), expected))
            }
            (Variable::Event, _) => None,
            (text, _) => {
                let expected = format!("`{0}` alone, or `({0} | split('.'))[0]`", text.name());
                Some((format!("`{}` is a text, and nothing lies below it", text.name()), expected))
            }
        }
    }

    /// Says in words that the path leads nowhere, and how far it got. Names of members of the event that the
    /// rule does not write are not told: they can be data.
    pub(super) fn missing(&self, steps_taken: usize) -> String {
        if self.steps.is_empty() {
            return format!("{self} is missing");
        }
        let parent = Self { variable: self.variable, steps: self.steps[..steps_taken].to_vec() };
        format!("{self} is missing ({parent} is there, without what follows)")
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.variable.name())?;
        self.steps.iter().try_for_each(|step| match step {
            Step::Member(name) if is_identifier(name) => write!(out, ".{name}"),
            Step::Member(name) => write!(out, "[{name:?}]"),
            Step::Item(index) => write!(out, "[{index}]"),
        })
    }
}

/// Why no message can have a header of this name, if so.
fn no_header(name: &str) -> Option<(String, String)> {
    let what = match name.len() {
        0 => "an empty name of a header".to_owned(),
        1..=HEADER_BYTES_MAX if name.contains(char::is_whitespace) => {
            format!("{name:?} cannot be the name of a header: it holds a space")
        }
        1..=HEADER_BYTES_MAX => return None,
        long => format!("a name of a header of {long} bytes"),
    };
    Some((what, format!("the name of a header, 1 to {HEADER_BYTES_MAX} bytes without spaces")))
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_')
}
