//! A request that brought no whole answer: was anything written, and why did it fail?
//!
//! Not here: answers, and what follows from a failure.

use std::error::Error;
use std::io;
use std::iter::successors;

use crate::core::reply::{Lost, NotSent, Reply};

/// What a failed request came to.
///
/// Only two errors prove that nothing was written: a connection that was never made, and one that closed while the
/// request still waited in front of it (hyper hands such a request back unread). Everything else may have been sent.
pub(super) fn reply(error: reqwest::Error) -> Reply {
    let error = error.without_url();
    let detail = in_words(&error);
    if error.is_connect() || never_started(&error) {
        let why = if certificate_refused(&error) { NotSent::Certificate } else { NotSent::Unreachable };
        return Reply::NotSent { why, detail };
    }
    let why = if error.is_timeout() { Lost::Timeout } else { Lost::Reset };
    Reply::Lost { why, detail }
}

/// The error and its causes in one line. Holds neither the URL nor a header.
pub(super) fn in_words(error: &reqwest::Error) -> String {
    let causes = successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}

fn never_started(error: &reqwest::Error) -> bool {
    successors(error.source(), |&cause| cause.source())
        .find_map(|cause| cause.downcast_ref::<hyper::Error>())
        .is_some_and(hyper::Error::is_canceled)
}

/// An I/O error hides what it wraps from `source()`, so the walk opens each one it meets.
fn certificate_refused(error: &reqwest::Error) -> bool {
    successors(error.source(), |&cause| match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => cause.source(),
    })
    .find_map(|cause| cause.downcast_ref::<rustls::Error>())
    .is_some_and(|tls| matches!(tls, rustls::Error::InvalidCertificate(_)))
}
