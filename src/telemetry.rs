//! How logs are printed, and how spans are sent (`otlp`). Logs: for people on a terminal, as JSON lines anywhere else. To log never waits
//! for whoever reads, and nothing that happens to the output ends the daemon.
//!
//! Not here: what is logged. No module logs a payload or a secret.

use std::ffi::OsStr;
use std::io::IsTerminal as _;
use std::panic::PanicHookInfo;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, reload};

use crate::config::{Format, Log};

mod levels;
mod otlp;
mod output;
mod queue;
mod variable;

pub use levels::Levels;
pub use otlp::Exporter;
pub use output::{FLUSH_MAX, Output, flush_share, flush_time};

/// Loggers of libraries that would drown ours; what the variable `RUST_LOG` says of them wins. The client library of the
/// broker calls each channel an error that the broker closes, those that only check the topology among them; whatever
/// concerns us comes back as an error of the call, and is told in our words.
const QUIET: &str = "lapin=off,hyper=warn,reqwest=warn,rustls=warn";

/// Begins logging to `output`, panics included. The variable `RUST_LOG` wins over `log.level` in what it names. Answers
/// what sets another level, and what deserves a word about that variable.
///
/// # Errors
/// Says so if logging has begun already.
pub fn begin(log: Log, output: &Output) -> Result<(Levels, Option<String>), String> {
    let (filter, warning) = filter(log, std::env::var_os("RUST_LOG").as_deref())?;
    let is_terminal = std::io::stderr().is_terminal();
    let (filter, handle) = reload::Layer::new(filter);
    let layer = tracing_subscriber::fmt::layer().with_target(false);
    // What the library prints about a line that it cannot write, it prints where it would wait.
    let layer = layer.with_writer(output.queue.clone()).log_internal_errors(false);
    let is_json = log.format == Format::Json || (log.format == Format::Auto && !is_terminal);
    let all = tracing_subscriber::registry().with(filter);
    let begun = if is_json {
        all.with(layer.json().flatten_event(true).with_current_span(false).with_span_list(false)).try_init()
    } else {
        all.with(layer.with_ansi(is_coloured(is_terminal))).try_init()
    };
    begun.map_err(|error| format!("logging: {error}"))?;
    std::panic::set_hook(Box::new(panicked));
    Ok((Levels::new(log, handle), warning))
}

/// What is logged, and what of the variable cannot be taken.
fn filter(log: Log, variable: Option<&OsStr>) -> Result<(EnvFilter, Option<String>), String> {
    let asked = variable::read(variable);
    let mut directives = vec![log.level.to_string(), QUIET.to_owned()];
    directives.extend(asked.directives);
    let filter = EnvFilter::try_new(directives.join(",")).map_err(|error| format!("RUST_LOG: {error}"))?;
    Ok((filter, asked.warning))
}

/// A panic is a line of the log. Its words are told only where they stand in the source: others may quote an event.
fn panicked(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let why = panic.payload().downcast_ref::<&'static str>().copied();
    let thread = std::thread::current();
    tracing::error!(place, why, thread = thread.name(), "panic: please report it with this line");
}

/// Whether there is colour: on a terminal, unless its user wants none (<https://no-color.org>).
#[must_use]
pub fn is_coloured(is_terminal: bool) -> bool {
    is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use std::panic::{catch_unwind, set_hook, take_hook};

    use tracing::level_filters::LevelFilter;

    use super::*;
    use crate::metrics::LogState;

    fn filtered(variable: Option<&str>) -> String {
        let log = Log { format: Format::Json, level: LevelFilter::INFO };
        filter(log, variable.map(OsStr::new)).unwrap().0.to_string()
    }

    fn directives(variable: Option<&str>) -> Vec<String> {
        let mut all: Vec<_> = filtered(variable).split(',').map(str::to_owned).collect();
        all.sort();
        all
    }

    #[test]
    fn the_level_of_the_configuration_stands_unless_the_variable_names_one() {
        let quiet = ["hyper=warn", "info", "lapin=off", "reqwest=warn", "rustls=warn"];
        for variable in [None, Some(""), Some(" "), Some("debgu"), Some("bogus="), Some("bogus=info")] {
            assert_eq!(directives(variable), quiet, "{variable:?}");
        }
        assert_eq!(
            directives(Some("lapin=debug")),
            ["hyper=warn", "info", "lapin=debug", "reqwest=warn", "rustls=warn"]
        );
        assert_eq!(directives(Some("debug"))[0], "debug");
        assert_eq!(directives(Some("off")).iter().filter(|one| *one == "info").count(), 0);
    }

    #[test]
    fn a_panic_is_a_line_of_the_log_without_words_that_may_quote_an_event() {
        let (queue, lines, _) = queue::queue(LogState::default());
        let logged = tracing_subscriber::fmt().with_writer(queue).without_time().with_ansi(false).finish();
        let payload = String::from("of an event");
        let before = take_hook();
        set_hook(Box::new(panicked));
        let ended = tracing::subscriber::with_default(logged, || {
            [catch_unwind(|| panic!("it is written here")), catch_unwind(|| panic!("quoting what is {payload}"))]
        });
        set_hook(before);
        assert!(ended.iter().all(Result::is_err));
        let said = lines.try_iter().filter_map(|item| match item {
            queue::Item::Line(line) => String::from_utf8(line.into()).ok(),
            queue::Item::Gap | queue::Item::End(_) => None,
        });
        let said: Vec<String> = said.filter(|line| line.contains("panic: please report it")).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("src/telemetry.rs:") && said[0].contains("it is written here"), "{said:?}");
        assert!(said[1].contains("src/telemetry.rs:"), "{said:?}");
        assert!(!said.concat().contains("of an event"), "{said:?}");
    }
}
