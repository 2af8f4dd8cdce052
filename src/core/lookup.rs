//! A lookup: asking the API whether an event is a process already, and what the answer means.
//!
//! Not here: how it is asked (`chakra::lookup`), and what follows for the event (`progress`).

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::core::judge::{Judgement, Scope, is_api_word, judge};
use crate::core::procedure::Procedure;
use crate::core::reason::{Cause, HaltReason};
use crate::core::reply::{Body, Reply, Row, Wrapper};

/// What a lookup asks for: the processes of `procedure` whose `attribute` is `value`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// The procedure.
    pub procedure: Procedure,
    /// The short id of the attribute that carries the event's key.
    pub attribute: String,
    /// What it was created with: text or a number.
    pub value: Value,
}

impl fmt::Debug for Lookup {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { procedure, attribute, .. } = self;
        out.debug_struct("Lookup").field("procedure", procedure).field("attribute", attribute).finish_non_exhaustive()
    }
}

impl Lookup {
    /// What it takes in memory, in bytes.
    pub(in crate::core) fn bytes(&self) -> usize {
        let value = self.value.as_str().map_or(0, str::len);
        std::mem::size_of::<Self>() + self.procedure.as_str().len() + self.attribute.capacity() + value
    }
}

/// What the reply to a lookup means. Total: every reply has exactly one outcome, and none is unsure, since a lookup changes
/// nothing and may always be asked again.
#[must_use]
pub fn judge_lookup(reply: &Reply, lookup: &Lookup) -> Judgement {
    let Reply::Response(answer) = reply else { return waited_out(judge(reply, true), None) };
    let after = answer.retry_after;
    match (answer.status, &answer.body) {
        (200..=299, Body::Json(Wrapper { has_errors: false, rows: Some(rows), .. })) => seen(rows, lookup, after),
        (400 | 404 | 422, body) if is_api_word(body) => Judgement::Unavailable { status: answer.status },
        (403, Body::Json(_) | Body::Empty | Body::Broken) => Judgement::Unavailable { status: answer.status },
        // Without a word of the API's, a 404 may be a gateway's that has lost sight of the list alone. Only a page is as
        // sure a sign of a wrong place as it is to a create.
        (400..=499, body) if *body != Body::Html && is_not_the_api(&judge(reply, true)) => {
            Judgement::Retry { cause: Cause::LookupRefused, after }
        }
        _ => waited_out(judge(reply, true), after),
    }
}

fn is_not_the_api(outcome: &Judgement) -> bool {
    matches!(outcome, Judgement::Halt { reason: HaltReason::NotTheApi, .. })
}

/// Found only if a row carries the value asked for: an API that does not know the filter may answer with any rows.
fn seen(rows: &[Row], lookup: &Lookup, after: Option<Duration>) -> Judgement {
    let mut equal = rows.iter().filter(|row| row.value.as_ref().is_some_and(|value| is_same(value, &lookup.value)));
    match equal.next() {
        Some(first) => Judgement::Found { process: first.process.clone(), copies: 1 + equal.count() },
        None if rows.is_empty() => Judgement::Absent,
        None => Judgement::Halt { scope: Scope::Procedure, reason: HaltReason::LookupUntrusted, after },
    }
}

/// The same value, or a number and a text that read the same: which of them an attribute gives back is not documented.
fn is_same(one: &Value, other: &Value) -> bool {
    one == other || text(one) == text(other)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What a create would be unsure or refused by is only a reason to ask again.
fn waited_out(outcome: Judgement, asked: Option<Duration>) -> Judgement {
    match outcome {
        Judgement::Unsure { cause, after } => Judgement::Retry { cause, after },
        Judgement::Halt { scope: Scope::Everything, .. } | Judgement::Retry { .. } => outcome,
        _ => Judgement::Retry { cause: Cause::LookupRefused, after: asked },
    }
}

#[cfg(test)]
mod tests;
