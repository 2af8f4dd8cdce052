//! The expression that names an event's key where the event carries none of its own.
//!
//! Not here: where else a key comes from (`decode`).

use serde_json::Value as Json;

use super::answer::{Budget, kind_of_json};
use super::expression::{Expression, Given};
use super::path::Variable;
use super::place::{Inside, Place};
use super::scope::Scope;
use super::written::Spot;
use crate::core::event::Event;
use crate::core::mistake::Mistake;

/// A compiled key expression, such as `event.order.id`.
#[derive(Clone, Debug)]
pub struct KeyExpression(Expression);

impl KeyExpression {
    /// Compiles the expression written for `key` of the configuration, such as `event.key`. No braces around it.
    ///
    /// # Errors
    /// Every mistake in it; it cannot read `key` itself and must read something.
    pub fn compile(written: &Spot<String>, key: &str) -> Result<Self, Vec<Mistake>> {
        let place = Place { text: &written.value, span: &written.span, key, inside: Inside::default() };
        if written.value.trim_start().starts_with("{{") {
            return Err(vec![place.whole("this is an expression already", "no braces around it")]);
        }
        let expression = Expression::compile(place, 0..written.value.len())?;
        if expression.paths().any(|path| path.variable == Variable::Key) {
            return Err(vec![place.whole("`key` is what this expression makes", "another variable")]);
        }
        if expression.paths().next().is_none() {
            return Err(vec![place.whole("the key would be the same for every event", "a path such as `event.id`")]);
        }
        Ok(Self(expression))
    }

    /// Whether it hashes content: events of equal content have the same key.
    #[must_use]
    pub fn is_hashed(&self) -> bool {
        self.0.is_hashed()
    }

    /// The key of an event.
    ///
    /// # Errors
    /// In words, naming the path, if it gives nothing, an empty text, or neither text nor a number.
    pub(in crate::core) fn run(&self, event: &Event) -> Result<String, String> {
        match self.0.run(Scope::of(event), &mut Budget::of_one()) {
            Ok(Given::Value(Json::String(text))) if text.is_empty() => Err(format!("`{:?}` is an empty text", self.0)),
            Ok(Given::Value(Json::String(text))) => Ok(text),
            Ok(Given::Value(Json::Number(number))) => Ok(number.to_string()),
            Ok(Given::Value(other)) => Err(format!("`{:?}` is {}, not text or a number", self.0, kind_of_json(&other))),
            Ok(Given::Omit) => Err(format!("`{:?}` is `omit`", self.0)),
            Err(refusal) => Err(refusal.0),
        }
    }
}
