//! A mapping case: one message, what is to become of it, and what does. The same decode and map as on the path.
//!
//! Not here: reading cases (`config`), and printing what came of them (`cli`).

pub mod coverage;
pub mod difference;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::core::decode::{Limits, decode};
use crate::core::mapping::content::Content;
use crate::core::mapping::rules::{Mapped, Rules, map, taker};
use crate::core::mapping::written::Spot;
use crate::core::message::Message;
use crate::core::mistake::{Mistake, Span};
use crate::core::photo::Kind;
use crate::core::process::CreateProcess;
use crate::core::reason::{Fault, Reason};
use difference::{Difference, differences};

/// The reasons that can be had without asking the API: those that a case may expect.
pub const REASONS: [Reason; 5] =
    [Reason::Undecodable, Reason::TooLarge, Reason::NoRule, Reason::Unmappable, Reason::Schema];

/// The members of a request as cases write it: its procedure and what is sent.
pub const MEMBERS: [&str; 7] = ["procedure", "data", "record", "status", "state", "nextActionAt", "assignedTo"];

/// One case as it was written.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: Spot<String>,
    /// What the broker would deliver.
    pub message: Message,
    /// The rule that must take the event, if the case says so.
    pub rule: Option<Spot<String>>,
    /// What is to become of the event.
    pub expected: Expected,
    /// The pictures of photos by their names in the rule, as they would be fetched.
    pub photos: Vec<(Spot<String>, Vec<u8>)>,
}

/// What is to become of an event.
#[derive(Clone, Debug)]
pub enum Expected {
    /// This request, whole: an object of [`MEMBERS`].
    Request(Spot<Value>),
    /// A dead letter.
    DeadLetter {
        /// Its reason, one of [`REASONS`].
        reason: Reason,
        /// A part of its text.
        text: Option<String>,
    },
    /// Acknowledged, and nothing created.
    Skip,
}

/// What came of a case.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The rule that took the event; none where none did, or where it is no event.
    pub rule: Option<Arc<str>>,
    /// What became of the event.
    pub made: Made,
    /// What is not as expected. Nothing: the case passed.
    pub wrong: Vec<Wrong>,
}

/// What became of an event.
#[derive(Clone, Debug)]
pub enum Made {
    /// A request, as an object of [`MEMBERS`].
    Request(Value),
    /// A dead letter.
    DeadLetter(Fault),
    /// Nothing, as its rule says.
    Skipped,
}

/// One thing that is not as expected.
#[derive(Clone, Debug, PartialEq)]
pub enum Wrong {
    /// A field of the request.
    Field(Difference),
    /// Anything else, in words.
    Words {
        /// What it is about.
        about: &'static str,
        /// What the case expects.
        expected: String,
        /// What there is.
        got: String,
    },
}

impl Verdict {
    /// Whether everything is as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.wrong.is_empty()
    }
}

/// Runs one case.
#[must_use]
pub fn run(case: &Case, limits: &Limits, rules: &Rules) -> Verdict {
    let (rule, made) = made(&case.message, limits, rules);
    let mut wrong = photos(case, limits, rules);
    if let Some(wanted) = case.rule.as_ref().filter(|wanted| Some(wanted.value.as_str()) != rule.as_deref()) {
        let got = rule.as_deref().unwrap_or("none").to_owned();
        wrong.push(Wrong::Words { about: "rule", expected: wanted.value.clone(), got });
    }
    wrong.extend(compared(&case.expected, &made));
    Verdict { rule, made, wrong }
}

/// What is wrong with the pictures of a case: no photo of the request has that name, or it is no picture that is taken.
fn photos(case: &Case, limits: &Limits, rules: &Rules) -> Vec<Wrong> {
    if case.photos.is_empty() {
        return Vec::new();
    }
    let mapped = decode(&case.message, limits).ok().and_then(|event| map(&event, rules, limits.bounds).ok());
    let names: Vec<String> = match &mapped {
        Some(Mapped::Create { request, .. }) => request.photos.iter().map(|photo| photo.name.to_string()).collect(),
        _ => Vec::new(),
    };
    let wrong = case.photos.iter().filter_map(|(name, bytes)| {
        let (expected, got) = match Kind::of(bytes) {
            _ if !names.contains(&name.value) => ("a photo of that name in the request", format!("photos {names:?}")),
            None => ("a JPEG, PNG, WebP, HEIC or GIF", Reason::PhotoType.as_str().to_owned()),
            Some(_) => return None,
        };
        Some(Wrong::Words { about: "photo", expected: format!("{}: {expected}", name.value), got })
    });
    wrong.collect()
}

/// A mistake for each case whose request the schemas refuse: the one that it expects, or the one that is made of its
/// event although no refusal is expected.
#[must_use]
pub fn refused(cases: &[Case], limits: &Limits, rules: &Rules) -> Vec<Mistake> {
    let refused = cases.iter().filter_map(|case| {
        let (key, span, what) = refusal(case, limits, rules)?;
        let (span, key) = (Some(span.clone()), format!("case {:?}{key}", case.name.value));
        Some(Mistake { span, key, what, expected: "a request that passes, or `reason = \"schema\"`".to_owned() })
    });
    refused.collect()
}

fn refusal<'c>(case: &'c Case, limits: &Limits, rules: &Rules) -> Option<(&'static str, &'c Span, String)> {
    if let Expected::Request(request) = &case.expected
        && let Some(words) = rules.schemas().refuse_written(&request.value)
    {
        return Some((".request", &request.span, words));
    }
    let is_expected = matches!(case.expected, Expected::DeadLetter { reason: Reason::Schema, .. });
    match made(&case.message, limits, rules).1 {
        Made::DeadLetter(fault) if fault.reason == Reason::Schema && !is_expected => {
            Some(("", &case.name.span, fault.text))
        }
        _ => None,
    }
}

fn made(message: &Message, limits: &Limits, rules: &Rules) -> (Option<Arc<str>>, Made) {
    let event = match decode(message, limits) {
        Ok(event) => event,
        Err(fault) => return (None, Made::DeadLetter(fault)),
    };
    let made = match map(&event, rules, limits.bounds) {
        Ok(Mapped::Create { request, content, .. }) => Made::Request(whole(&request, &content)),
        Ok(Mapped::Skip { .. }) => Made::Skipped,
        Err(unmapped) => Made::DeadLetter(unmapped.fault),
    };
    (taker(&event, rules).map(|rule| Arc::clone(rule.name())), made)
}

/// The request with its procedure, as cases write it.
fn whole(request: &CreateProcess, content: &Content) -> Value {
    let mut members = Map::from_iter([("procedure".to_owned(), Value::from(request.procedure.as_str()))]);
    if let Value::Object(sent) = content.to_value() {
        members.extend(sent);
    }
    Value::Object(members)
}

fn compared(expected: &Expected, made: &Made) -> Vec<Wrong> {
    match (expected, made) {
        (Expected::Request(request), Made::Request(got)) => {
            differences(&request.value, got).into_iter().map(Wrong::Field).collect()
        }
        (Expected::DeadLetter { reason, text }, Made::DeadLetter(fault)) => fault_as_expected(*reason, text, fault),
        (Expected::Skip, Made::Skipped) => Vec::new(),
        _ => vec![Wrong::Words { about: "result", expected: expected.words(), got: made.words() }],
    }
}

fn fault_as_expected(reason: Reason, text: &Option<String>, fault: &Fault) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    if reason != fault.reason {
        let got = format!("{}: {}", fault.reason.as_str(), fault.text);
        wrong.push(Wrong::Words { about: "reason", expected: reason.as_str().to_owned(), got });
    } else if let Some(text) = text.as_ref().filter(|text| !fault.text.contains(text.as_str())) {
        let expected = format!("… {text} …");
        wrong.push(Wrong::Words { about: "text", expected, got: fault.text.clone() });
    }
    wrong
}

impl Expected {
    fn words(&self) -> String {
        match self {
            Self::Request(_) => "a request".to_owned(),
            Self::DeadLetter { reason, .. } => format!("a dead letter, {}", reason.as_str()),
            Self::Skip => "skipped".to_owned(),
        }
    }
}

impl Made {
    fn words(&self) -> String {
        match self {
            Self::Request(request) => format!("the request {request}"),
            Self::DeadLetter(fault) => format!("a dead letter, {}: {}", fault.reason.as_str(), fault.text),
            Self::Skipped => "skipped".to_owned(),
        }
    }
}
