//! What a reply to a create means: was it done, and whose trouble is it?
//!
//! Not here: what follows from it for the event (waits, repeats, the gate), and answers to a lookup.

use std::time::Duration;

use crate::core::policy::NotProcessed;
use crate::core::reason::{Cause, Fault, HaltReason, Reason};
use crate::core::reply::{Body, Lost, NotSent, Reply, Response, Wrapper};

#[cfg(test)]
mod tests;

/// What a reply means, to a create or to a lookup (`core::lookup`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
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
        /// The API's own words, where they could be read.
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

impl Judgement {
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
pub fn judge(reply: &Reply, procedure_is_literal: bool) -> Judgement {
    match reply {
        Reply::NotSent { why, .. } => not_sent(*why),
        Reply::Lost { why: Lost::Timeout, .. } => Judgement::Unsure { cause: Cause::Timeout, after: None },
        Reply::Lost { why: Lost::Reset, .. } => Judgement::Unsure { cause: Cause::Reset, after: None },
        Reply::Response(answer) => answered(answer, procedure_is_literal),
    }
}

/// What the same reply means where an operator knows of its status that nothing was done: a try that failed, and no doubt.
#[must_use]
pub fn without_doubt(outcome: Judgement, reply: &Reply, known: NotProcessed) -> Judgement {
    match (outcome, reply) {
        (Judgement::Unsure { cause, after }, Reply::Response(answer)) if known.has(answer.status) => {
            Judgement::Retry { cause, after }
        }
        (outcome, _) => outcome,
    }
}

fn not_sent(why: NotSent) -> Judgement {
    let halt = |reason| Judgement::Halt { scope: Scope::Everything, reason, after: None };
    match why {
        NotSent::Unreachable => Judgement::Retry { cause: Cause::Unreachable, after: None },
        // It says nothing of the API: the machine sets it aside before (`delivery::shortage`).
        NotSent::NoDescriptors => Judgement::Retry { cause: Cause::NoDescriptors, after: None },
        NotSent::Certificate => halt(HaltReason::Certificate),
        NotSent::Proxy => halt(HaltReason::Proxy),
        NotSent::Token => halt(HaltReason::TokenUnreadable),
    }
}

/// The table of statuses.
fn answered(answer: &Response, procedure_is_literal: bool) -> Judgement {
    let after = answer.retry_after;
    let halt = |reason| Judgement::Halt { scope: Scope::Everything, reason, after };
    match answer.status {
        200..=299 => accepted(answer),
        300..=399 => halt(HaltReason::Redirected),
        400..=499 => not_accepted(answer, procedure_is_literal),
        501 | 505 | 511 => halt(HaltReason::Unsupported),
        500..=599 => Judgement::Unsure { cause: Cause::ServerError, after },
        _ => Judgement::Unsure { cause: Cause::BrokenAnswer, after },
    }
}

/// 4xx: first what the moment refused, then what can only be about us, whoever says it. The rest is about the event
/// where the API itself says so; a gateway's text or page is not the API, and what it refuses one event it may refuse
/// all.
fn not_accepted(answer: &Response, procedure_is_literal: bool) -> Judgement {
    let after = answer.retry_after;
    let halt = |scope, reason| Judgement::Halt { scope, reason, after };
    match answer.status {
        // Who says that we went away may have done it meanwhile.
        408 | 499 => Judgement::Unsure { cause: Cause::RequestTimeout, after },
        // Perhaps there already: looked for, and never created again.
        409 => Judgement::ErrorReply { status: 409, error_text: error_text(answer) },
        // About the size of this one request, whoever says it: halting all for one large event would be worse.
        413 => refused(answer, "the request is too large"),
        423 => Judgement::Retry { cause: Cause::Locked, after },
        425 => Judgement::Retry { cause: Cause::TooEarly, after },
        429 => Judgement::Retry { cause: Cause::Throttled, after },
        status => match about_us(status) {
            Some(reason) => halt(Scope::Everything, reason),
            None if !is_api_word(&answer.body) => halt(Scope::Everything, HaltReason::NotTheApi),
            None if status == 403 => halt(Scope::Procedure, HaltReason::Forbidden),
            None if !matches!(status, 404 | 410) => refused(answer, "it refused the request"),
            None if procedure_is_literal => halt(Scope::Procedure, HaltReason::ProcedureUnknown),
            None => refused(answer, "it does not know the procedure that the event names"),
        },
    }
}

/// The 4xx that speak only of what all our requests have in common: token, method, URL, headers, connection. Nothing of
/// an event becomes any of them, but the procedure in the path, which is short; no event can mend them.
fn about_us(status: u16) -> Option<HaltReason> {
    Some(match status {
        // 419, 440 and 498 are what some servers call a session or a token that has expired.
        401 | 419 | 440 | 498 => HaltReason::Unauthorized,
        402 => HaltReason::PaymentRequired,
        // Of headers that are always the same, or never sent: Accept, Content-Length, If-Match, Content-Type, Range, Expect.
        406 | 411 | 412 | 415..=417 | 428 => HaltReason::Unsupported,
        // Of method, URL, proxy, host, protocol and country; 463, 464 and 497 are a balancer's about the connection.
        405 | 407 | 414 | 421 | 426 | 451 | 463 | 464 | 497 => HaltReason::Unsupported,
        // 494 is what nginx calls it.
        431 | 494 => HaltReason::HeadersTooLarge,
        // What nginx says of our certificate, or the lack of one.
        495 | 496 => HaltReason::Certificate,
        _ => return None,
    })
}

/// Whether the API itself speaks: its errors are not documented, but in one of these members they are told.
pub(super) fn is_api_word(body: &Body) -> bool {
    matches!(body, Body::Json(wrapper) if wrapper.is_api_word || wrapper.has_errors)
}

/// 2xx: done only where the body is one that the API documents.
fn accepted(answer: &Response) -> Judgement {
    let after = answer.retry_after;
    match &answer.body {
        Body::Empty => Judgement::Unsure { cause: Cause::EmptyAnswer, after },
        Body::Html => Judgement::Halt { scope: Scope::Everything, reason: HaltReason::NotTheApi, after },
        Body::Broken | Body::Encoded(_) => Judgement::Unsure { cause: Cause::BrokenAnswer, after },
        Body::Json(Wrapper { has_errors: true, error_text, .. }) => {
            Judgement::ErrorReply { status: answer.status, error_text: error_text.clone() }
        }
        Body::Json(wrapper) if wrapper.is_bare || wrapper.has_data => {
            Judgement::Created { process: wrapper.process.clone() }
        }
        Body::Json(_) => Judgement::Unsure { cause: Cause::BrokenAnswer, after },
    }
}

fn refused(answer: &Response, what: &str) -> Judgement {
    let said = error_text(answer).map_or_else(|| "in no words".to_owned(), |words| format!("in its words: {words}"));
    Judgement::Reject(Fault::new(Reason::Refused, format!("the API answered {}: {what}; {said}", answer.status)))
}

fn error_text(answer: &Response) -> Option<String> {
    match &answer.body {
        Body::Json(wrapper) => wrapper.error_text.clone(),
        Body::Empty | Body::Html | Body::Encoded(_) | Body::Broken => None,
    }
}
