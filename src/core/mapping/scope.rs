//! What rules can read of one event, and of an item of a list in it.
//!
//! Not here: what a path is (`path`), and which lists are gone through (`each`).

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

use super::path::{Path, Step, Steps, Variable};
use crate::core::event::Event;

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
    item: Option<&'a Item<'a>>,
    list: Option<&'a Value>,
    photos: Option<&'a Map<String, Value>>,
}

/// One item of a list, while something is made of it.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    /// What it is.
    pub(super) value: &'a Value,
    /// Its place, from 0.
    pub(super) index: usize,
    /// The list that it is of.
    pub(super) list: Origin<'a>,
    /// The item around it.
    pub(super) outer: Option<&'a Item<'a>>,
}

/// Where a list comes from, to name its items by.
#[derive(Clone, Copy)]
pub(super) enum Origin<'a> {
    /// A path of the event.
    Path(&'a Path),
    /// Any other expression, as it is written.
    Source(&'a str),
}

impl fmt::Display for Item<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.list, self.outer) {
            (Origin::Path(path), Some(outer)) if path.variable == Variable::Item => {
                write!(out, "{outer}{}", Steps(&path.steps))?;
            }
            (Origin::Path(path), _) => write!(out, "{path}")?,
            (Origin::Source(source), _) => write!(out, "({source})")?,
        }
        write!(out, "[{}]", self.index)
    }
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
            item: None,
            list: None,
            photos: None,
        }
    }

    /// The same with the ids of the photos that the rule makes.
    pub(super) fn with_photos(self, photos: &'a Map<String, Value>) -> Self {
        Scope { photos: Some(photos), ..self }
    }

    /// The key of the event.
    pub(super) fn key(self) -> &'a str {
        self.key
    }

    /// The same for one item of a list.
    pub(super) fn with_item<'b>(self, item: &'b Item<'b>) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope { item: Some(item), list: None, ..self }
    }

    /// The same with the list that was made.
    pub(super) fn with_list<'b>(self, list: &'b Value) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope { list: Some(list), ..self }
    }

    /// The item that something is made of, if it is one.
    pub(super) fn item(self) -> Option<&'a Item<'a>> {
        self.item
    }

    /// A path as a person finds it in the event: an item by the list that it is of.
    pub(super) fn spelled(self, path: &Path) -> String {
        let item = match path.variable {
            Variable::Item => self.item,
            Variable::Outer => self.outer(),
            _ => None,
        };
        item.map_or_else(|| path.to_string(), |item| format!("{item}{}", Steps(&path.steps)))
    }

    /// Says in words that a path leads nowhere, and how far it got. Names of members of the event that the
    /// rule does not write are not told: they can be data.
    pub(super) fn missing(self, path: &Path, steps_taken: usize) -> String {
        let spelled = self.spelled(path);
        if path.steps.is_empty() {
            return format!("{spelled} is missing");
        }
        let parent = Path { variable: path.variable, steps: path.steps[..steps_taken].to_vec() };
        format!("{spelled} is missing ({} is there, without what follows)", self.spelled(&parent))
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
            (Variable::Item, _) => walk(self.item.ok_or(0_usize)?.value, &path.steps, 0),
            (Variable::Outer, _) => walk(self.outer().ok_or(0_usize)?.value, &path.steps, 0),
            (Variable::List, _) => walk(self.list.ok_or(0_usize)?, &path.steps, 0),
            (Variable::Photo, Some((Step::Member(name), rest))) => {
                walk(self.photos.and_then(|photos| photos.get(name)).ok_or(0_usize)?, rest, 1)
            }
            (Variable::Index, None) => self.item.map(|item| Cow::Owned(Value::from(item.index))).ok_or(0),
            (variable, None) => self.text(variable).map(|text| Cow::Owned(Value::from(text))).ok_or(0),
            (_, Some(_)) => Err(0),
        }
    }

    fn outer(self) -> Option<&'a Item<'a>> {
        self.item.and_then(|item| item.outer)
    }

    fn text(self, variable: Variable) -> Option<&'a str> {
        match variable {
            Variable::Key => Some(self.key),
            Variable::Type => Some(self.kind),
            Variable::Exchange => Some(self.exchange),
            Variable::RoutingKey => Some(self.routing_key),
            Variable::MessageId => self.message_id,
            _ => None,
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
