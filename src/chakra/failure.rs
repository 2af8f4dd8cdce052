//! A request that brought no whole answer: was anything written, and why did it fail?
//!
//! Not here: answers, and what follows from a failure.

use std::error::Error;
use std::io;
use std::iter::successors;
use std::time::Duration;

use crate::core::reply::{Lost, NotSent, Reply};
use crate::files;
use crate::http_client::tunnel;
use crate::tls::{self, Handshake};

const HANDSHAKE: Handshake = Handshake { section: "api", address: "api.base_url" };
const OF_THE_PROXY: Handshake = Handshake { section: "api", address: "api.proxy" };

/// What the words of [`tunnel`] begin with where the proxy did not answer: it was not reached, or went away.
const NO_ANSWER: [&str; 3] = ["failed to create", "io error", "unexpected end"];

/// What a failed request came to.
///
/// Three errors prove that nothing of it was taken: a connection that was never made, one that closed while the request
/// still waited in front of it (hyper hands such a request back unread), and a handshake that the server broke off over
/// a certificate (with TLS 1.3 it says so only after the first bytes were written). Everything else may have been sent.
pub(super) fn reply(error: reqwest::Error) -> Reply {
    let with = peer_of_handshakes(&error);
    let error = error.without_url();
    let detail = in_words(&error);
    let handshake = tls::find(&error);
    let said = handshake.and_then(|error| tls::complaint(error, with)).map(|said| match with.address {
        "api.proxy" => format!("the proxy: {said}"),
        _ => said,
    });
    let told = said.map_or_else(|| detail.clone(), |said| format!("{said} ({detail})"));
    if handshake.is_some_and(tls::is_about_certificates) {
        return Reply::NotSent { why: NotSent::Certificate, detail: told };
    }
    if error.is_connect() && is_refused_by_a_proxy(&error) {
        let detail = format!("the proxy makes no way to the API: check api.proxy and what the proxy allows ({detail})");
        return Reply::NotSent { why: NotSent::Proxy, detail };
    }
    if error.is_connect() && is_for_want_of_descriptors(&error) {
        return Reply::NotSent { why: NotSent::NoDescriptors, detail };
    }
    if error.is_connect() || never_started(&error) {
        return Reply::NotSent { why: NotSent::Unreachable, detail: told };
    }
    if hyper_error(&error).is_some_and(hyper::Error::is_parse) {
        let detail =
            format!("what answers there does not speak HTTP: look at the scheme and port of api.base_url ({detail})");
        return Reply::Lost { why: Lost::Reset, detail };
    }
    let why = if error.is_timeout() { Lost::Timeout } else { Lost::Reset };
    Reply::Lost { why, detail }
}

/// What a request came to that brought no whole answer within this time.
pub(super) fn late(limit: Duration) -> Reply {
    Reply::Lost { why: Lost::Timeout, detail: format!("no whole answer within {} s", limit.as_secs_f32()) }
}

/// Whether a connection ended under a request that may have been written, before a byte of the answer came. Asked of
/// requests that brought no answer.
pub(super) fn is_cut(error: &reqwest::Error) -> bool {
    let is_of_the_connection = |error: &hyper::Error| !error.is_parse() && !error.is_canceled();
    !error.is_connect() && !error.is_timeout() && hyper_error(error).is_some_and(is_of_the_connection)
}

/// The error and its causes in one line. Holds neither the URL nor a header.
pub(super) fn in_words(error: &reqwest::Error) -> String {
    let causes = successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}

/// A name is resolved by files and sockets too, and says less of why it was not.
fn is_for_want_of_descriptors(error: &reqwest::Error) -> bool {
    let mut causes = successors(error.source(), |&cause| cause.source());
    let of_the_system = causes.find_map(|cause| cause.downcast_ref::<io::Error>()?.raw_os_error().map(|_| cause));
    match of_the_system.and_then(|cause| cause.downcast_ref::<io::Error>()) {
        Some(error) => files::is_for_want_of_descriptors(error),
        None => files::are_descriptors_spent(),
    }
}

fn never_started(error: &reqwest::Error) -> bool {
    hyper_error(error).is_some_and(hyper::Error::is_canceled)
}

fn hyper_error(error: &reqwest::Error) -> Option<&hyper::Error> {
    successors(error.source(), |&cause| cause.source()).find_map(|cause| cause.downcast_ref())
}

fn is_refused_by_a_proxy(error: &reqwest::Error) -> bool {
    tunnel(error).is_some_and(|words| !NO_ANSWER.iter().any(|silent| words.starts_with(silent)))
}

/// Whose certificates a failed handshake is about: an `https` proxy's where the way through it does not stand yet, or where the
/// API behind it is asked without TLS.
fn peer_of_handshakes(error: &reqwest::Error) -> Handshake {
    let is_plain = error.url().is_some_and(|url| url.scheme() == "http");
    if is_plain || tunnel(error).is_some() { OF_THE_PROXY } else { HANDSHAKE }
}
