//! How logs are printed: for people on a terminal, as JSON lines anywhere else.
//!
//! Not here: what is logged. No module logs a payload or a secret.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Format, Log};

/// Loggers of libraries that would drown ours; what the variable `RUST_LOG` says of them wins. The client library of the
/// broker calls each channel an error that the broker closes, those that only check the topology among them; whatever
/// concerns us comes back as an error of the call, and is told in our words.
const QUIET: &str = "lapin=off,hyper=warn,reqwest=warn,rustls=warn";

/// Begins logging to standard error. The variable `RUST_LOG` wins over `log.level`.
///
/// # Errors
/// Says so if `RUST_LOG` cannot be read, or logging has begun already.
pub fn begin(log: Log) -> Result<(), String> {
    let directives = std::env::var("RUST_LOG").unwrap_or_else(|_| log.level.to_string());
    let filter = EnvFilter::try_new(format!("{QUIET},{directives}")).map_err(|error| format!("RUST_LOG: {error}"))?;
    let is_terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let is_json = log.format == Format::Json || (log.format == Format::Auto && !is_terminal);
    let begun = if is_json {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    } else {
        builder.with_ansi(is_coloured(is_terminal)).try_init()
    };
    begun.map_err(|error| format!("logging: {error}"))
}

/// Whether there is colour: on a terminal, unless its user wants none (<https://no-color.org>).
#[must_use]
pub fn is_coloured(is_terminal: bool) -> bool {
    is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
