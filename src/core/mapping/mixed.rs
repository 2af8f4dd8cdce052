//! A text of the request with expressions in it.
//!
//! Not here: a lone expression, which keeps its type (`leaf`), and finding the braces (`scan`).

use std::ops::Range;

use serde_json::Value as Json;

use super::answer::{Budget, Refusal, Refusals, kind_of_json};
use super::expression::{Expression, Given};
use super::path::Path;
use super::place::{Label, Place};
use super::scan::Piece;
use super::scope::Scope;
use crate::core::mistake::Mistake;

/// A piece of a mixed text.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// Text as it is.
    Literal(String),
    /// An expression.
    Expression(Label, Expression),
}

/// The expression that a text consists of, if there is nothing else but spaces.
pub(super) fn lone(text: &str, pieces: &[Piece]) -> Option<Range<usize>> {
    let is_space = |range: &Range<usize>| text[range.clone()].trim().is_empty();
    let mut meant = pieces.iter().filter(|piece| !matches!(piece, Piece::Literal(range) if is_space(range)));
    match (meant.next(), meant.next()) {
        (Some(Piece::Expression(range)), None) => Some(range.clone()),
        _ => None,
    }
}

/// Compiles the pieces of a mixed text.
pub(super) fn parts(place: Place<'_>, field: &str, pieces: Vec<Piece>, mistakes: &mut Vec<Mistake>) -> Vec<Part> {
    let mut parts = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Literal(range) => parts.push(Part::Literal(place.text[range].to_owned())),
            Piece::Expression(range) => match Expression::compile(place, range.clone()) {
                Ok(expression) if expression.paths().any(|path| path.stands_alone().is_some()) => {
                    let (what, expected) = expression.paths().find_map(Path::stands_alone).unwrap_or_default();
                    mistakes.push(place.mistake(range, what, expected));
                }
                Ok(expression) => parts.push(Part::Expression(place.label(field, range), expression)),
                Err(found) => mistakes.extend(found),
            },
        }
    }
    parts
}

/// The text that its parts make.
///
/// # Errors
/// Names the field, and each part that has no place in a text.
pub(super) fn mixed(parts: &[Part], scope: Scope<'_>, budget: &mut Budget) -> Result<String, Refusal> {
    let (mut text, mut refusals) = (String::new(), Refusals::default());
    for part in parts {
        match part {
            Part::Literal(literal) => {
                budget.spend(literal.len())?;
                text.push_str(literal);
            }
            Part::Expression(label, expression) => {
                let piece = in_text(expression, scope, budget).map_err(|refusal| refusal.of(label));
                text.push_str(&refusals.take(piece).unwrap_or_default());
            }
        }
    }
    refusals.all().map_or(Ok(text), Err)
}

fn in_text(expression: &Expression, scope: Scope<'_>, budget: &mut Budget) -> Result<String, Refusal> {
    match expression.run(scope, budget)? {
        Given::Value(Json::String(text)) => Ok(text),
        Given::Value(json @ (Json::Number(_) | Json::Bool(_))) => Ok(json.to_string()),
        Given::Value(json) => {
            Err(Refusal(format!("`{expression:?}` is {}, which has no place inside a text", kind_of_json(&json))))
        }
        Given::Omit => Err(Refusal(format!("`{expression:?}` is `omit`, which has no place inside a text"))),
    }
}
