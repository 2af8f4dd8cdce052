//! What a reply to a create means: was it done, and whose trouble is it?
//!
//! Not here: what follows from it for the event (waits, repeats, the gate), and answers to a lookup.

use std::time::Duration;

use crate::core::reason::{Cause, Fault, HaltReason, Reason};
use crate::core::reply::{Body, Lost, NotSent, Reply, Response, Wrapper};

#[cfg(test)]
mod tests;

/// What a reply means, to a create or to a lookup (`core::lookup`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Created {
        /// The id of the process, where the answer says it.
        process: Option<String>,
    },
    /// Not done; the moment's trouble.
    Retry {
        /// What failed.
        cause: Cause,
        /// The wait the API asks for, not yet held to a ceiling.
        after: Option<Duration>,
    },
    /// Perhaps done; the moment's trouble.
    Unsure {
        /// What failed.
        cause: Cause,
        /// The wait the API asks for, not yet held to a ceiling.
        after: Option<Duration>,
    },
    /// Probably not done, and the API says why: never created again.
    ErrorReply {
        /// The HTTP status: 409 or 2xx.
        status: u16,
        /// The API's own words.
        error_text: Option<String>,
    },
    /// Not done; this event's trouble.
    Reject(Fault),
    /// A lookup found it.
    Found {
        /// The id of the process.
        process: Option<String>,
        /// How many processes carry its key. More than one is a duplicate.
        copies: usize,
    },
    /// A lookup did not see it.
    Absent,
    /// The API does not allow the lookup: 403 or 404.
    Unavailable {
        /// The HTTP status.
        status: u16,
    },
    /// Not done for the event's sake; our own fault.
    Halt {
        /// How much of the work it stops.
        scope: Scope,
        /// What is wrong.
        reason: HaltReason,
        /// The wait the API asks for, not yet held to a ceiling.
        after: Option<Duration>,
    },
}

impl Outcome {
    /// Every name, as `as_str` gives them.
    pub const NAMES: [&'static str; 9] =
        ["created", "retry", "unsure", "error_reply", "reject", "found", "absent", "unavailable", "halt"];

    /// The fixed label of logs and metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Retry { .. } => "retry",
            Self::Unsure { .. } => "unsure",
            Self::ErrorReply { .. } => "error_reply",
            Self::Reject(_) => "reject",
            Self::Found { .. } => "found",
            Self::Absent => "absent",
            Self::Unavailable { .. } => "unavailable",
            Self::Halt { .. } => "halt",
        }
    }
}

/// How much of the work a halt stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Every request to the API.
    Everything,
    /// Requests for the procedure of this one.
    Procedure,
}

/// Judges a reply to a create. Total: every reply has exactly one outcome.
///
/// `procedure_is_literal` says whether the rule names the procedure itself; where the event named it, a 404 is the
/// event's fault.
#[must_use]
pub fn judge(reply: &Reply, procedure_is_literal: bool) -> Outcome {
    match reply {
        Reply::NotSent { why, .. } => not_sent(*why),
        Reply::Lost { why: Lost::Timeout, .. } => Outcome::Unsure { cause: Cause::Timeout, after: None },
        Reply::Lost { why: Lost::Reset, .. } => Outcome::Unsure { cause: Cause::Reset, after: None },
        Reply::Response(answer) => answered(answer, procedure_is_literal),
    }
}

fn not_sent(why: NotSent) -> Outcome {
    let halt = |reason| Outcome::Halt { scope: Scope::Everything, reason, after: None };
    match why {
        NotSent::Unreachable => Outcome::Retry { cause: Cause::Unreachable, after: None },
        NotSent::Certificate => halt(HaltReason::Certificate),
        NotSent::Proxy => halt(HaltReason::Proxy),
        NotSent::Token => halt(HaltReason::TokenUnreadable),
    }
}

/// The table of statuses. The order of its lines matters: what goes by status alone stands above the line for pages.
fn answered(answer: &Response, procedure_is_literal: bool) -> Outcome {
    let after = answer.retry_after;
    let retry = |cause| Outcome::Retry { cause, after };
    let unsure = |cause| Outcome::Unsure { cause, after };
    let halt = |scope, reason| Outcome::Halt { scope, reason, after };
    match answer.status {
        200..=299 => accepted(answer),
        300..=399 => halt(Scope::Everything, HaltReason::Redirected),
        401 => halt(Scope::Everything, HaltReason::Unauthorized),
        402 => halt(Scope::Everything, HaltReason::PaymentRequired),
        405 | 407 | 411 | 421 | 426 | 501 | 505 | 511 => halt(Scope::Everything, HaltReason::Unsupported),
        408 => unsure(Cause::RequestTimeout),
        423 => retry(Cause::Locked),
        425 => retry(Cause::TooEarly),
        429 => retry(Cause::Throttled),
        // Even as a page: it is a gateway's word about the size of this one request, and halting every event for
        // one large event would be worse.
        413 | 414 | 431 => refused(answer, "the request is too large"),
        400..=499 if answer.body == Body::Html => halt(Scope::Everything, HaltReason::NotTheApi),
        403 => halt(Scope::Procedure, HaltReason::Forbidden),
        // Without a word of the API's, it may be a gateway's that has lost sight of it.
        404 if procedure_is_literal || !matches!(answer.body, Body::Json(_)) => {
            halt(Scope::Procedure, HaltReason::ProcedureUnknown)
        }
        404 => refused(answer, "it does not know the procedure that the event names"),
        409 => Outcome::ErrorReply { status: 409, error_text: error_text(answer) },
        400..=499 => refused(answer, "it refused the request"),
        500..=599 => unsure(Cause::ServerError),
        _ => unsure(Cause::BrokenAnswer),
    }
}

/// 2xx: done only where the body is one that the API documents.
fn accepted(answer: &Response) -> Outcome {
    let after = answer.retry_after;
    match &answer.body {
        Body::Empty => Outcome::Unsure { cause: Cause::EmptyAnswer, after },
        Body::Html => Outcome::Halt { scope: Scope::Everything, reason: HaltReason::NotTheApi, after },
        Body::Broken => Outcome::Unsure { cause: Cause::BrokenAnswer, after },
        Body::Json(Wrapper { has_errors: true, error_text, .. }) => {
            Outcome::ErrorReply { status: answer.status, error_text: error_text.clone() }
        }
        Body::Json(wrapper) if wrapper.is_bare || wrapper.has_data => {
            Outcome::Created { process: wrapper.process.clone() }
        }
        Body::Json(_) => Outcome::Unsure { cause: Cause::BrokenAnswer, after },
    }
}

fn refused(answer: &Response, what: &str) -> Outcome {
    let said = error_text(answer).map_or_else(|| "in no words".to_owned(), |words| format!("in its words: {words}"));
    Outcome::Reject(Fault::new(Reason::Refused, format!("the API answered {}: {what}; {said}", answer.status)))
}

fn error_text(answer: &Response) -> Option<String> {
    match &answer.body {
        Body::Json(wrapper) => wrapper.error_text.clone(),
        Body::Empty | Body::Html | Body::Broken => None,
    }
}
