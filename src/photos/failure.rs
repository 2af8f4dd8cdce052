//! A request to a source that brought no answer, or broke off under one: why?
//!
//! Not here: answers (`fetch`), and what follows from a failure (`core`).

use std::error::Error;
use std::iter::successors;

use super::resolve::Inside;
use crate::core::photo::Missed;
use crate::core::reason::Cause;
use crate::http_client::tunnel;
use crate::tls::{self, Handshake};

const HANDSHAKE: Handshake = Handshake { section: "photos", address: "the link" };
const OF_THE_PROXY: Handshake = Handshake { section: "photos", address: "photos.proxy" };

/// What the failure says.
pub(super) fn failed(error: &reqwest::Error) -> Missed {
    let causes = || successors(error.source(), |&cause| cause.source());
    if causes().any(|cause| cause.downcast_ref::<Inside>().is_some()) {
        return Missed::NotAllowed(format!("{Inside} (photos.addresses)"));
    }
    let cause = match () {
        () if error.is_timeout() => Cause::Timeout,
        () if error.is_connect() => Cause::Unreachable,
        () => Cause::Reset,
    };
    let words: Vec<String> = causes().map(ToString::to_string).collect();
    Missed::Failed { cause, status: None, after: None, detail: Some(detail(error, &words.join(": "))) }
}

/// The causes in one line, and what a person is to look at where a handshake failed. The error itself is left out: it names the URL.
fn detail(error: &reqwest::Error, causes: &str) -> String {
    let with = if tunnel(error).is_some() { OF_THE_PROXY } else { HANDSHAKE };
    match tls::find(error).and_then(|error| tls::complaint(error, with)) {
        Some(said) => format!("{said} ({causes})"),
        None => causes.to_owned(),
    }
}
