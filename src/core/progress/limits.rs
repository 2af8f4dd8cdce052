//! What a dead letter says whose event came to one of its limits.
//!
//! Not here: the limits, and when they are reached (`progress`).

use std::time::Duration;

use super::Refused;
use crate::core::reason::{Fault, Reason};

/// What the text of a dead letter ends with where an earlier create may have been applied.
pub const CONFESSION: &str = "An earlier create of it lost its answer: it may be a process all the same.";

pub(super) fn unknown(cause: &str, sent: u32) -> Fault {
    let text = format!(
        "{sent} create(s) were sent and the last answer was lost ({cause}): it may be a process or not. \
         Look for it in ChakraHQ before sending it again."
    );
    Fault::new(Reason::Unknown, text)
}

pub(super) fn absent(sent: u32, window: Duration) -> Fault {
    let text = format!(
        "{sent} create(s) of it lost their answers, and for {} s no lookup found it. Look for it in ChakraHQ before \
         sending it again.",
        window.as_secs()
    );
    Fault::new(Reason::Unknown, text)
}

pub(super) fn given_up(cause: &str, age: Duration, unsure_creates: u32) -> Fault {
    if unsure_creates > 0 {
        return unknown(cause, unsure_creates);
    }
    Fault::new(Reason::Exhausted, format!("failed for {} of open gate, last by {cause}", in_words(age)))
}

pub(super) fn blocked(refusals: u32, age: Duration) -> Fault {
    let text = format!(
        "what answered in the API's place refused it {refusals} times in {}, and let other events of its procedure \
         pass between: a firewall or proxy may dislike its content. Ask whoever runs it, then retry this dead letter.",
        in_words(age)
    );
    Fault::new(Reason::Blocked, text)
}

pub(super) fn error_reply(refused: &Refused) -> Fault {
    let (status, error_text) = (refused.status, refused.error_text.as_deref().unwrap_or("no words given"));
    Fault::new(
        Reason::Refused,
        format!("the API answered {status}: {error_text}. Look whether the process exists already."),
    )
}

/// A time in the unit that a person would choose.
fn in_words(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match time.as_secs() {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_says_how_long_its_event_failed_in_a_unit_that_shows_it() {
        for (millis, words) in [
            (400, "for 0.4 s of"),
            (1300, "for 1.3 s of"),
            (90_000, "for 2 min of"),
            (1_800_000, "for 30 min of"),
            (5_400_000, "for 1.5 h of"),
            (86_400_000, "for 24.0 h of"),
        ] {
            let text = given_up("timeout", Duration::from_millis(millis), 0).text;
            assert!(text.contains(words), "{millis}: {text}");
        }
        assert!(blocked(10, Duration::from_secs(120)).text.contains("10 times in 2 min, and"));
    }
}
