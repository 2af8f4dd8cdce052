//! A dotted path such as `event.data.items[0].id`.
//!
//! Not here: what an event has there (`scope`), reading one from an expression (`grammar`).

use std::fmt;

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
    /// The item of a list that something is made of.
    Item,
    /// Its place in the list, from 0.
    Index,
    /// The item around it, where lists stand within lists.
    Outer,
    /// The list that was made.
    List,
    /// The ids of the photos that the rule names.
    Photo,
}

impl Variable {
    /// Every name that stands for something in each event, as rules write it.
    pub(super) const NAMES: [&'static str; 7] =
        ["event", "key", "type", "headers", "exchange", "routing_key", "message_id"];

    /// Those that stand for something only in a table with `each`, and the one that does only in what is sent.
    pub(super) const OF_LISTS: [&'static str; 5] = ["item", "index", "outer", "list", "photo"];

    const ALL: [Self; 12] = [
        Self::Event,
        Self::Key,
        Self::Type,
        Self::Headers,
        Self::Exchange,
        Self::RoutingKey,
        Self::MessageId,
        Self::Item,
        Self::Index,
        Self::Outer,
        Self::List,
        Self::Photo,
    ];

    /// The variable of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variable| variable.name() == name)
    }

    /// Whether it changes from item to item of a list.
    pub(super) fn is_of_an_item(self) -> bool {
        matches!(self, Self::Item | Self::Index)
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        let at = self as usize;
        Self::NAMES.get(at).copied().unwrap_or_else(|| Self::OF_LISTS[at - Self::NAMES.len()])
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
            (Variable::Photo, Step::Member(_)) if self.steps.len() == 1 => None,
            (Variable::Photo, _) => {
                let expected = "`photo.NAME`, which is an id, or with `each` a list of ids";
                Some(("nothing lies below a photo".to_owned(), expected.to_owned()))
            }
            (Variable::Event | Variable::Item | Variable::Outer, _) | (Variable::List, Step::Item(_)) => None,
            (Variable::List, Step::Member(name)) => {
                let expected = format!("an item: `list[0].{name}`, or a member of each: `list | map('{name}')`");
                Some(("`list` is a list and has no members".to_owned(), expected))
            }
            (Variable::Index, _) => {
                Some(("`index` is a number, and nothing lies below it".to_owned(), "`index` alone".to_owned()))
            }
            (text, _) => {
                let expected = format!("`{0}` alone, or `({0} | split('.'))[0]`", text.name());
                Some((format!("`{}` is a text, and nothing lies below it", text.name()), expected))
            }
        }
    }
}

impl Path {
    /// What is wrong with this path within a longer text, where it must be the whole of it: a photo that is left out is taken out of a
    /// request by its id.
    pub(super) fn stands_alone(&self) -> Option<(String, String)> {
        let expected = || format!("`{{{{ {self} }}}}` and nothing else");
        (self.variable == Variable::Photo).then(|| ("the id of a photo stands alone".to_owned(), expected()))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.variable.name(), Steps(&self.steps))
    }
}

/// The steps of a path, as rules write them.
pub(super) struct Steps<'a>(pub(super) &'a [Step]);

impl fmt::Display for Steps<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| match step {
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
