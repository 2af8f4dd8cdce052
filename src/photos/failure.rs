//! A request to a source that brought no answer, or broke off under one: why?
//!
//! Not here: answers (`fetch`), and what follows from a failure (`core`).

use std::error::Error;
use std::iter::successors;

use super::resolve::Inside;
use crate::core::photo::Missed;
use crate::core::reason::Cause;

/// What the failure says.
pub(super) fn failed(error: &reqwest::Error) -> Missed {
    let mut causes = successors(error.source(), |&cause| cause.source());
    if causes.any(|cause| cause.downcast_ref::<Inside>().is_some()) {
        return Missed::NotAllowed(format!("{Inside} (photos.addresses)"));
    }
    let cause = match () {
        () if error.is_timeout() => Cause::Timeout,
        () if error.is_connect() => Cause::Unreachable,
        () => Cause::Reset,
    };
    Missed::Failed { cause, status: None, after: None }
}
