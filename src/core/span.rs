//! One step of an event that ended, for whoever collects traces: where it belongs, when it was, and what may be told of it.
//!
//! Not here: when a step begins and ends (`dispatch`), and how it is sent (`telemetry`).

use crate::core::trace_context::{SpanId, TraceContext};

/// The longest text of an attribute, in bytes: whoever may publish chooses some of them.
pub const TEXT_MAX: usize = 256;

/// Whose step it is, as OpenTelemetry sorts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Our own.
    Internal,
    /// A request that we made.
    Client,
    /// A message that we published.
    Producer,
    /// A message that we took.
    Consumer,
}

/// What is told of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
}

/// Names, as the conventions of OpenTelemetry have them, and values.
pub type Attributes = Vec<(&'static str, Attribute)>;

/// See the head of this file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its trace, its own number, and what is handed on.
    pub context: TraceContext,
    /// The step that it is part of; none for the first of a trace.
    pub parent: Option<SpanId>,
    /// What it is called: one of few names.
    pub name: String,
    /// Whose step it is.
    pub kind: Kind,
    /// Since when, in nanoseconds since the Unix epoch.
    pub began_ns: u64,
    /// Until when.
    pub ended_ns: u64,
    /// What is told of it.
    pub attributes: Attributes,
    /// Where the event stood before it waited in the broker.
    pub link: Option<TraceContext>,
    /// Why it failed, as a fixed word or the status of an answer; none where it did not.
    pub error: Option<String>,
}

impl Attribute {
    /// A text, held to its limit.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text[..text.floor_char_boundary(TEXT_MAX)].to_owned())
    }

    /// A count.
    #[must_use]
    pub fn count(count: usize) -> Self {
        Self::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_others_chose_is_cut_between_two_characters() {
        assert_eq!(Attribute::text("short"), Attribute::Text("short".to_owned()));
        let Attribute::Text(cut) = Attribute::text(&"ä".repeat(1000)) else { panic!("no text") };
        assert_eq!(cut.len(), TEXT_MAX);
        let Attribute::Text(cut) = Attribute::text(&format!("a{}", "ä".repeat(1000))) else { panic!("no text") };
        assert_eq!(cut.len(), TEXT_MAX - 1);
    }
}
