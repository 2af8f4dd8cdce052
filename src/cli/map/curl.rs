//! A request as a command line that can be pasted into a shell. The token stays in a variable.
//!
//! Not here: running it.

use std::path::Path;

use crate::chakra::Letter;

/// What a system takes as one argument of a program, in bytes, with room to spare.
const ARGUMENT_MAX: usize = 100_000;

/// The command, over several lines. `ca_file` holds further certificate authorities.
pub(super) fn command(letter: &Letter, ca_file: Option<&Path>) -> String {
    let body = quoted(&String::from_utf8_lossy(&letter.body));
    let is_long = body.len() > ARGUMENT_MAX;
    // printf is part of the shell, and takes what no program can.
    let feed = if is_long { format!("printf %s {body} | ") } else { String::new() };
    let mut lines = vec![format!("{feed}curl --request POST {}", quoted(letter.url.as_str()))];
    lines.extend(ca_file.map(|file| format!("--cacert {}", quoted(&file.to_string_lossy()))));
    lines.push("--header \"Authorization: Bearer $CHAKRA_TOKEN\"".to_owned());
    lines
        .extend(letter.headers.iter().map(|(name, value)| format!("--header {}", quoted(&format!("{name}: {value}")))));
    lines.push(if is_long { "--data-binary @-".to_owned() } else { format!("--data-raw {body}") });
    lines.join(" \\\n  ")
}

/// A text that a shell reads as one word, and leaves as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
