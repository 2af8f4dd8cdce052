//! What came back from the API: bare facts.
//!
//! Not here: what they mean (`judge`).

use std::time::Duration;

/// The longest error text kept from an answer, in characters.
pub const ERROR_TEXT_MAX: usize = 500;

/// What one request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Not a byte of the request was written.
    NotSent {
        /// Why.
        why: NotSent,
        /// For humans; never holds the token or the request.
        detail: String,
    },
    /// The request was, or may have been, written; no whole answer came.
    Lost {
        /// Why.
        why: Lost,
        /// For humans; never holds the token or the request.
        detail: String,
    },
    /// A whole answer came.
    Response(Response),
}

impl Reply {
    /// Why no whole answer came, or why it could not be read, for humans.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::NotSent { detail, .. } | Self::Lost { detail, .. } => Some(detail),
            Self::Response(answer) => match &answer.body {
                Body::Encoded(why) => Some(why),
                Body::Empty | Body::Json(_) | Body::Html | Body::Broken => None,
            },
        }
    }

    /// Where a redirect points to: scheme, host and port.
    #[must_use]
    pub fn redirects_to(&self) -> Option<&str> {
        match self {
            Self::Response(answer) => answer.redirects_to.as_deref(),
            Self::NotSent { .. } | Self::Lost { .. } => None,
        }
    }

    /// Whether no connection could be opened since the process has as many files open as it may: our own trouble.
    #[must_use]
    pub fn is_for_want_of_descriptors(&self) -> bool {
        matches!(self, Self::NotSent { why: NotSent::NoDescriptors, .. })
    }

    /// What the body of an answer is, in a word: `json`, `html`, `empty` or `other`.
    #[must_use]
    pub fn body_kind(&self) -> Option<&'static str> {
        let Self::Response(answer) = self else { return None };
        Some(match answer.body {
            Body::Json(_) => "json",
            Body::Html => "html",
            Body::Empty => "empty",
            Body::Encoded(_) | Body::Broken => "other",
        })
    }

    /// The HTTP status, if an answer came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Response(answer) => Some(answer.status),
            Self::NotSent { .. } | Self::Lost { .. } => None,
        }
    }
}

/// Why a request was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// The name did not resolve, nobody listened, or the connection or handshake took too long.
    Unreachable,
    /// A certificate was refused: the server's by us, or ours, or none, by the server.
    Certificate,
    /// The proxy answered, and made no way to the API.
    Proxy,
    /// The token could not be read or cannot stand in a header.
    Token,
    /// No descriptor was left for a connection.
    NoDescriptors,
}

/// Why no whole answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The whole-request timeout passed.
    Timeout,
    /// The connection broke.
    Reset,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// What the body turned out to be.
    pub body: Body,
    /// `Retry-After`, in each of its forms already a wait from now, not yet held to a ceiling.
    pub retry_after: Option<Duration>,
    /// Where a 3xx points to: scheme, host and port, such as `https://login.example`. No user, path or query.
    pub redirects_to: Option<String>,
}

impl Response {
    /// An answer that asks for no wait and points nowhere.
    #[must_use]
    pub fn new(status: u16, body: Body) -> Self {
        Self { status, body, retry_after: None, redirects_to: None }
    }
}

/// What the body of an answer turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// No bytes, or only white space.
    Empty,
    /// JSON: an object.
    Json(Wrapper),
    /// A page: content type HTML, or text that begins like one, however long.
    Html,
    /// In a content encoding that is not read, or that it is not in after all: which one, for humans.
    Encoded(String),
    /// Anything else: broken JSON, other text, JSON that is no object, or longer than the limit.
    Broken,
}

/// The documented wrapper `{_data, _meta, _errors}`, and what integrators met in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrapper {
    /// Whether the object has no member at all: the documented success body of a create.
    pub is_bare: bool,
    /// Whether `_data` is there and not null.
    pub has_data: bool,
    /// `_data.id`, if it is a number, or text of at most 128 characters.
    pub process: Option<String>,
    /// Whether `_errors` is there and neither null nor empty.
    pub has_errors: bool,
    /// Whether it is the API that speaks: `_errors`, `errors`, `error` or `message` is there, whatever it holds.
    pub is_api_word: bool,
    /// The rows of `_data`, where it is a list and a lookup asked for one of their attributes.
    pub rows: Option<Vec<Row>>,
    /// All that `_errors`, `error`, `message` and `errors` say, however they are nested, on one line of at most
    /// [`ERROR_TEXT_MAX`] characters, control characters replaced.
    pub error_text: Option<String>,
}

/// One process in the answer to a lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its `id`, if it is a number, or text of at most 128 characters.
    pub process: Option<String>,
    /// The value of the attribute that was asked for, if it is text or a number.
    pub value: Option<serde_json::Value>,
}
