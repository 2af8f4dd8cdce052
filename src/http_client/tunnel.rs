//! The way through a proxy, where it did not come to stand.
//!
//! Not here: what follows for a request (`chakra::failure`, `photos::failure`).

use std::error::Error;
use std::iter::successors;

/// How the text of the client library begins where a proxy answered, and made no way. Their type is private to hyper-util.
const TUNNEL: &str = "tunnel error: ";

/// What failed before the way through the proxy stood, in the words of the client library; none where something else failed.
pub(crate) fn tunnel(error: &reqwest::Error) -> Option<String> {
    let mut causes = successors(error.source(), |&cause| cause.source()).map(ToString::to_string);
    causes.find_map(|words| words.strip_prefix(TUNNEL).map(str::to_owned))
}
