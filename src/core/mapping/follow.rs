//! What a lone path gives for one event, and what it costs where it is followed for each item of a list.
//!
//! Not here: what a path leads to (`scope`), any other expression (`expression`).

use std::borrow::Cow;

use serde_json::Value as Json;

use super::answer::{Budget, Refusal};
use super::path::Path;
use super::scope::Scope;
use crate::core::json;

/// So many bytes of text count as one value.
const BYTES_PER_VALUE: usize = 64;

/// The value that a path leads to, for the request.
///
/// # Errors
/// In words, with the path and never a value, if it is missing or null, or is over budget.
pub(super) fn follow(path: &Path, scope: Scope<'_>, budget: &mut Budget) -> Result<Json, Refusal> {
    let value = find(path, scope)?;
    paid(scope, budget, || weight(&value))?;
    budget.spend_on(&value).map_err(|refusal| unheld(&scope.spelled(path), path, &value).unwrap_or(refusal))?;
    Ok(value.into_owned())
}

/// What a path leads to, which is not null.
///
/// # Errors
/// In words, with the path, if it is missing or null.
pub(super) fn find<'a>(path: &Path, scope: Scope<'a>) -> Result<Cow<'a, Json>, Refusal> {
    let value = scope.find(path).map_err(|taken| Refusal(scope.missing(path, taken)))?;
    if value.is_null() {
        let spelled = scope.spelled(path);
        let hint = format!("write `{path} | default(…)`, or `default(omit)` to leave it out");
        return Err(Refusal(format!("{spelled} is null; {hint}")));
    }
    Ok(value)
}

/// Whether what a path leads to is a number that 64 bits cannot hold, or has one below it. The names below are not told:
/// they can be data.
fn unheld(spelled: &str, path: &Path, value: &Json) -> Option<Refusal> {
    let wide = "a number that 64 bits cannot hold, and it would be altered";
    let words = match value {
        Json::String(text) if json::unheld(text).is_some() => {
            format!(
                "{spelled} is {wide}: the producer must send it as a text, or write `{path} | string` to send it as one"
            )
        }
        other if json::holds_unheld(other) => {
            format!("{spelled} holds {wide}: the producer must send it as a text, or name the members that are needed")
        }
        _ => return None,
    };
    Some(Refusal(words))
}

/// Counts work that is done for an item of a list. What is done once for an event is bounded by itself.
///
/// # Errors
/// If that is more than all items of a request may take.
pub(super) fn paid(scope: Scope<'_>, budget: &mut Budget, work: impl FnOnce() -> u64) -> Result<(), Refusal> {
    if scope.item().is_some() { budget.work(work()) } else { Ok(()) }
}

/// How much work it is to copy a value.
pub(super) fn weight(value: &Json) -> u64 {
    match value {
        Json::String(text) => 1 + (text.len() / BYTES_PER_VALUE) as u64,
        Json::Array(items) => 1 + items.iter().map(weight).sum::<u64>(),
        Json::Object(members) => 1 + members.values().map(weight).sum::<u64>(),
        _ => 1,
    }
}
