//! A rule as it was written, with the place of each piece: what `config` hands over to be compiled.
//!
//! Not here: what it means (`Rules::compile`).

use serde_json::Value;

use crate::core::mistake::Span;

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot<T> {
    /// The value.
    pub value: T,
    /// Its place; for a string, with its quotes.
    pub span: Span,
}

/// A member of a table: its name and what stands there.
pub type Member = (Spot<String>, Spot<Written>);

/// A value of the request as it was written: any text in it may hold expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    /// Text, with or without `{{ expressions }}`.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// A list.
    List(Vec<Spot<Written>>),
    /// An object: keys in the order they were written.
    Table(Vec<Member>),
}

/// What a rule does with an event that it matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// Creates a process.
    #[default]
    Create,
    /// Acknowledges and counts it, and creates nothing.
    Skip,
}

/// One `[[rule]]` as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct WrittenRule {
    /// Where the rule begins.
    pub span: Span,
    /// `name`.
    pub name: Spot<String>,
    /// `type`: globs (`*` any characters, `?` one); any of them matches. None matches every event.
    pub kinds: Vec<Spot<String>>,
    /// `when`: an expression that must be true.
    pub when: Option<Spot<String>>,
    /// `action`.
    pub action: Action,
    /// `procedure`: a short id or text with expressions. Missing only where the action is skip.
    pub procedure: Option<Spot<String>>,
    /// `data`.
    pub data: Option<Spot<Written>>,
    /// `record`.
    pub record: Option<Spot<Written>>,
    /// `status`.
    pub status: Option<Spot<Written>>,
    /// `state`.
    pub state: Option<Spot<Written>>,
    /// `nextActionAt`.
    pub next_action_at: Option<Spot<Written>>,
    /// `assignedTo`.
    pub assigned_to: Option<Spot<Written>>,
    /// `reconcile_by`: the attribute in `data` that carries the event's key.
    pub reconcile_by: Option<Spot<String>>,
    /// `reconcile`: when it is looked up, beside where it must be.
    pub reconcile: Option<Spot<String>>,
    /// `keys`: what the keys of its events promise.
    pub keys: Option<Spot<String>>,
    /// `duplicates`: what of two messages of one key must be equal.
    pub duplicates: Option<Spot<String>>,
    /// `outcomes`: which outcomes of its events are told.
    pub outcomes: Option<Spot<Written>>,
    /// `photo`: the photos that `data` and `record` name.
    pub photo: Option<Spot<Written>>,
}

/// One `[[schema]]` as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct WrittenSchema {
    /// `procedure`: a short id.
    pub procedure: Spot<String>,
    /// `data`: a JSON Schema of the attributes.
    pub data: Option<Spot<Value>>,
    /// `record`: a JSON Schema of `record.data`.
    pub record: Option<Spot<Value>>,
}
