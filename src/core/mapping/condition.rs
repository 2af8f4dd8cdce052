//! One condition over an event, such as a rule has in `when`, by itself: a person asks for the events that it is true of.
//!
//! Not here: rules (`rule`).

use serde_json::Value as Json;

use super::answer::Budget;
use super::expression::{Expression, Given};
use super::place::{Inside, Place};
use super::scope::Scope;
use crate::core::event::Event;

/// A compiled condition.
#[derive(Clone, Debug)]
pub struct Condition(Expression);

impl Condition {
    /// Compiles it. No braces around it.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn compile(text: &str) -> Result<Self, String> {
        let place = Place { text, span: &(0..text.len()), key: "the condition", inside: Inside::default() };
        let compiled = Expression::compile(place, 0..text.len());
        let words = |mistakes: Vec<crate::core::mistake::Mistake>| {
            let each: Vec<_> =
                mistakes.iter().map(|mistake| format!("{}, expected {}", mistake.what, mistake.expected)).collect();
            each.join("; ")
        };
        compiled.map(Self).map_err(words)
    }

    /// Whether it is true of this event; an event that lacks a field of it is none of those.
    #[must_use]
    pub fn holds(&self, event: &Event) -> bool {
        matches!(self.0.run(Scope::of(event), &mut Budget::of_one()), Ok(Given::Value(Json::Bool(true))))
    }
}
