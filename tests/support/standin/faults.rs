//! What may go wrong, and when: a plan of rules, each with the fault it plays.
//!
//! Not here: how a fault looks on the wire (`staging`), or who counts the requests (`plan`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One fault. In JSON: `{"kind": "create-late", "ms": 200}`, `{"kind": "status", "status": 503}`.
///
/// Unless its rule says otherwise, a fault comes before anything is created.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Fault {
    /// Answers what it is told.
    Status(Canned),
    /// Waits, then goes on to the next rule that matches. Ends with nothing done if the client goes first.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// Resets the connection in place of an answer.
    ResetBeforeReply,
    /// Creates, sends half of the answer, resets.
    ResetMidReply,
    /// Closes the connection in order, without an answer.
    CloseSilently,
    /// Holds the connection until the client goes.
    NeverAnswer,
    /// Creates, then resets the connection in place of an answer.
    CreateThenReset,
    /// Creates, then holds the connection until the client goes.
    CreateThenNeverAnswer,
    /// Creates after a while even if the client has gone, then answers whoever is still there.
    CreateLate {
        /// Milliseconds.
        ms: u64,
    },
    /// Creates and answers 200 `{}`, the documented success body.
    SuccessBare,
    /// Creates and answers 200 without a body.
    SuccessEmpty,
    /// Answers 200 with a page.
    SuccessHtml,
    /// Answers 200 with words in `_errors`.
    SuccessWithErrors,
    /// Answers 302 to another path of the stand-in.
    Redirect,
    /// Answers 302 to that place.
    RedirectTo {
        /// The text of `Location`.
        location: String,
    },
    /// Creates and answers with a number for an id.
    SuccessNumericId,
    /// Does what was asked, and answers in that content encoding, which nobody asked for: `gzip`, `deflate`, or any name,
    /// behind which there is nothing readable.
    Encoded {
        /// The text of `Content-Encoding`.
        coding: String,
    },
    /// Resets each connection that served a request before, in place of an answer, with nothing done.
    CutReused,
    /// Creates and answers one byte at a time.
    SlowDrip {
        /// Milliseconds between two bytes.
        ms: u64,
    },
    /// Lists as if `where` were empty; creates as if nothing were wrong.
    IgnoreWhere,
}

/// An answer in full.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Canned {
    /// The status.
    pub status: u16,
    /// The text of `Retry-After`, sense or nonsense.
    #[serde(default)]
    pub retry_after: Option<String>,
    /// The body.
    #[serde(default)]
    pub body: ErrorBody,
}

impl Canned {
    /// An answer of this status, with words in the wrapper.
    pub fn new(status: u16) -> Self {
        Self { status, retry_after: None, body: ErrorBody::default() }
    }

    /// Adds `Retry-After`.
    pub fn retry_after(mut self, text: &str) -> Self {
        self.retry_after = Some(text.to_owned());
        self
    }

    /// Chooses the body.
    pub fn body(mut self, body: ErrorBody) -> Self {
        self.body = body;
        self
    }
}

impl From<Canned> for Fault {
    fn from(canned: Canned) -> Self {
        Self::Status(canned)
    }
}

/// The bodies that errors were seen with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorBody {
    /// `{"_data":null,"_meta":{},"_errors":["…"]}`
    #[default]
    Wrapper,
    /// A page.
    Html,
    /// Plain text.
    Text,
    /// No byte.
    Empty,
    /// JSON that ends too early.
    BrokenJson,
    /// `{"error":{"message":"…","code":…,"error_data":{}}}`
    ErrorObject,
    /// `{"error":"…"}`
    ErrorText,
    /// `{"message":"…"}`
    Message,
    /// `{"errors":[{"message":"…","code":…}]}`
    Errors,
    /// `{"_errors":{"attribute":["…"]}}`
    Nested,
}

/// Which requests a rule is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// Creates.
    #[default]
    Create,
    /// Lists.
    List,
    /// Uploads of photos.
    Photo,
    /// All of them.
    Any,
}

/// When to play which fault. All conditions must hold; what is left out always holds.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The kind of request.
    #[serde(default)]
    pub on: On,
    /// The procedure.
    #[serde(default)]
    pub procedure: Option<String>,
    /// An attribute that is there: in `data` of a create, in `where` of a list.
    #[serde(default)]
    pub attribute: Option<String>,
    /// The value of that attribute.
    #[serde(default)]
    pub value: Option<Value>,
    /// Only this one of the requests that meet the conditions above, counted from 1.
    #[serde(default)]
    pub nth: Option<u64>,
    /// Only every so manieth of them.
    #[serde(default)]
    pub every: Option<u64>,
    /// Only the first so many of them.
    #[serde(default)]
    pub first: Option<u64>,
    /// Only the first so many times for each event (the key attribute's value, else the body).
    #[serde(default)]
    pub times: Option<u64>,
    /// Whether the create is done all the same; each fault has its own habit.
    #[serde(default)]
    pub applied: Option<bool>,
    /// What happens.
    pub fault: Fault,
}

impl Rule {
    /// The fault, at every create.
    pub fn always(fault: impl Into<Fault>) -> Self {
        Self {
            on: On::Create,
            procedure: None,
            attribute: None,
            value: None,
            nth: None,
            every: None,
            first: None,
            times: None,
            applied: None,
            fault: fault.into(),
        }
    }

    /// The fault, at every list.
    pub fn at_list(fault: impl Into<Fault>) -> Self {
        Self { on: On::List, ..Self::always(fault) }
    }

    /// The fault, at every create and list.
    pub fn anywhere(fault: impl Into<Fault>) -> Self {
        Self { on: On::Any, ..Self::always(fault) }
    }

    /// Only for this procedure.
    pub fn procedure(self, procedure: &str) -> Self {
        Self { procedure: Some(procedure.to_owned()), ..self }
    }

    /// Only where this attribute is there.
    pub fn marker(self, attribute: &str) -> Self {
        Self { attribute: Some(attribute.to_owned()), ..self }
    }

    /// Only where this attribute has this value.
    pub fn attribute(self, attribute: &str, value: impl Into<Value>) -> Self {
        Self { value: Some(value.into()), ..self.marker(attribute) }
    }

    /// Only the nth request, counted from 1.
    pub fn nth(self, nth: u64) -> Self {
        Self { nth: Some(nth), ..self }
    }

    /// Only every nth request.
    pub fn every(self, every: u64) -> Self {
        Self { every: Some(every), ..self }
    }

    /// Only the first requests.
    pub fn first(self, first: u64) -> Self {
        Self { first: Some(first), ..self }
    }

    /// Only the first times for each event.
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Whether the create is done all the same.
    pub fn applied(self, applied: bool) -> Self {
        Self { applied: Some(applied), ..self }
    }
}
