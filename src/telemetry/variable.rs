//! What the variable `RUST_LOG` asks for. A part of it that names no level, or nothing that logs here, is left out and
//! said: where the variable asks for nothing, the configuration's level stands.
//!
//! Not here: the filter that is made of it.

use std::ffi::OsStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Directive;

/// The crates that log here. A directive names one of them, or the beginning of its name.
const CRATES: [&str; 9] =
    ["chakra_bridge", "lapin", "amq_protocol", "amq_protocol_tcp", "hyper_util", "reqwest", "rustls", "tokio", "tower"];

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// How alike a word and a level must be for the level to be proposed, from 0 to 1.
const ALIKE: f64 = 0.5;

/// Characters of a part that a warning shows.
const SHOWN: usize = 40;

/// What the variable asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// The directives that can be taken.
    pub(super) directives: Vec<String>,
    /// What cannot be, as a sentence.
    pub(super) warning: Option<String>,
}

/// Reads the variable. `None` is one that is not set.
pub(super) fn read(variable: Option<&OsStr>) -> Asked {
    let Some(text) = variable else { return Asked::default() };
    let Some(text) = text.to_str() else { return nothing("is no UTF-8") };
    if text.trim().is_empty() {
        return nothing("is set and empty");
    }
    let (mut directives, mut left_out) = (Vec::new(), Vec::new());
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        match wrong(part) {
            None => directives.push(part.to_owned()),
            Some(why) => left_out.push(format!("{:?} {why}", part.chars().take(SHOWN).collect::<String>())),
        }
    }
    if directives.is_empty() && left_out.is_empty() {
        return nothing("names no level");
    }
    let warning = (!left_out.is_empty()).then(|| {
        let stands = if directives.is_empty() { "; log.level stands" } else { "" };
        format!("RUST_LOG: left out: {}{stands}", left_out.join("; "))
    });
    Asked { directives, warning }
}

fn nothing(why: &str) -> Asked {
    Asked { directives: Vec::new(), warning: Some(format!("RUST_LOG {why}: log.level stands")) }
}

/// Why a part cannot be taken.
fn wrong(part: &str) -> Option<String> {
    let (target, level) = match part.rsplit_once('=') {
        Some((target, level)) => (target, Some(level)),
        None if is_level(part) => return None,
        None => (part, None),
    };
    if let Some(level) = level.filter(|level| !is_level(level)) {
        return Some(format!("names no level{}", meant(level)));
    }
    let name = target.split(['[', ':']).next().unwrap_or_default();
    let is_known = name.is_empty() && target.starts_with('[') || is_crate(name);
    if !is_known && level.is_none() {
        return Some(format!("is no level{}", meant(part)));
    }
    if !is_known {
        return Some("is about nothing that logs here (chakra_bridge is the daemon)".to_owned());
    }
    part.parse::<Directive>().is_err().then(|| "cannot be read".to_owned())
}

fn is_level(text: &str) -> bool {
    !text.is_empty() && text.parse::<LevelFilter>().is_ok()
}

fn is_crate(name: &str) -> bool {
    !name.is_empty() && CRATES.iter().any(|known| known.starts_with(name))
}

fn meant(text: &str) -> String {
    let text = text.to_lowercase();
    let likeness = |level: &str| strsim::normalized_damerau_levenshtein(&text, level);
    let nearest = LEVELS.into_iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    match nearest.filter(|level| likeness(level) >= ALIKE) {
        Some(level) => format!(": did you mean {level}?"),
        None => format!(": one of {}", LEVELS.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    fn of(text: &str) -> (Vec<String>, String) {
        let Asked { directives, warning } = read(Some(OsStr::new(text)));
        (directives, warning.unwrap_or_default())
    }

    #[test]
    fn a_variable_that_is_not_set_says_nothing() {
        assert_eq!(read(None), Asked::default());
    }

    #[test]
    fn what_names_a_level_is_taken_without_a_word() {
        for text in ["info", "INFO", "3", "off", "warn,lapin=debug", "chakra_bridge", "chakra=trace", "info,"] {
            let (directives, warning) = of(text);
            assert_eq!(warning, "", "{text}");
            assert_eq!(directives.join(","), text.trim_end_matches(','));
        }
        for text in ["chakra_bridge::amqp=debug", "[span]=info", "lapin[span{field=1}]=info", "reqwest"] {
            assert_eq!(of(text), (vec![text.to_owned()], String::new()));
        }
    }

    #[test]
    fn what_names_no_level_is_said_and_leaves_the_level_of_the_configuration() {
        for text in
            ["", " ", "\t\n", ",", " , ", "debgu", "bogus=", "bogus=debgu", "=", "=info", "\"info\"", "warning!"]
        {
            let (directives, warning) = of(text);
            assert_eq!(directives, Vec::<String>::new(), "{text:?}");
            assert!(warning.starts_with("RUST_LOG"), "{text:?}: {warning}");
            assert!(warning.ends_with("log.level stands"), "{text:?}: {warning}");
        }
        let no_text = read(Some(OsStr::from_bytes(b"inf\xff")));
        assert_eq!(no_text.warning.as_deref(), Some("RUST_LOG is no UTF-8: log.level stands"));
    }

    #[test]
    fn a_part_that_cannot_be_taken_is_said_and_the_others_hold() {
        let (directives, warning) = of("debgu, chakra-bridge=debug, lapin=warn ,warn,lapin[=info,sqlx=info,lapin=loud");
        assert_eq!(directives, ["lapin=warn", "warn"]);
        for said in [
            "\"debgu\" is no level: did you mean debug?",
            "\"chakra-bridge=debug\" is about nothing that logs here (chakra_bridge is the daemon)",
            "\"lapin[=info\" cannot be read",
            "\"sqlx=info\" is about nothing",
            "\"lapin=loud\" names no level: one of error, warn, info, debug, trace, off",
        ] {
            assert!(warning.contains(said), "{said} is not in: {warning}");
        }
        assert!(!warning.contains("stands"), "{warning}");
    }

    #[test]
    fn a_warning_shows_the_beginning_of_a_part() {
        let (_, warning) = of(&"x".repeat(10_000));
        assert!(warning.len() < 200, "{warning}");
    }
}
