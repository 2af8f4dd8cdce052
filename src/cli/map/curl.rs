//! A request as a command line that can be pasted into a shell. The token stays in a variable.
//!
//! Not here: running it.

use std::path::Path;

use crate::chakra::{Config, RequestParts};

/// What a system takes as one argument of a program, in bytes, with room to spare.
const ARGUMENT_MAX: usize = 100_000;

/// The command, over several lines, with the way to the API as it is configured.
pub(super) fn command(request_parts: &RequestParts, api: &Config) -> String {
    let body = quoted(&String::from_utf8_lossy(&request_parts.body));
    let is_long = body.len() > ARGUMENT_MAX;
    // printf is part of the shell, and takes what no program can.
    let feed = if is_long { format!("printf %s {body} | ") } else { String::new() };
    let mut lines = vec![format!("{feed}curl --request POST {}", quoted(request_parts.url.as_str()))];
    lines.extend(way(api));
    lines.push("--header \"Authorization: Bearer $CHAKRA_TOKEN\"".to_owned());
    lines.extend(
        request_parts.headers.iter().map(|(name, value)| format!("--header {}", quoted(&format!("{name}: {value}")))),
    );
    lines.push(if is_long { "--data-binary @-".to_owned() } else { format!("--data-raw {body}") });
    lines.join(" \\\n  ")
}

/// Whom it trusts, what it shows of itself, and by whom it goes.
fn way(api: &Config) -> Vec<String> {
    let file = |option: &str, path: &Path| format!("{option} {}", quoted(&path.to_string_lossy()));
    let mut way: Vec<String> = api.tls.authorities.iter().map(|path| file("--cacert", path)).collect();
    if let Some((cert, key)) = &api.tls.identity {
        way.extend([file("--cert", cert), file("--key", key)]);
    }
    way.extend(api.proxy.as_ref().map(|proxy| format!("--proxy {}", quoted(proxy.as_str()))));
    way
}

/// A text that a shell reads as one word, and leaves as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
