//! The fixed words: why an event is dead, why a request failed, why the gate is shut.
//! The same word stands in code, logs, metrics, dead letters and docs.
//!
//! Not here: texts for humans, which stand beside the word.

use serde::{Deserialize, Serialize};

/// Why an event is a dead letter: the event's own fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The body or its envelope is not an event.
    Undecodable,
    /// Larger than `event.max_size`.
    TooLarge,
    /// No rule matches.
    NoRule,
    /// A rule matched and could not be applied: a field missing, a value of the wrong kind.
    Unmappable,
    /// A rule was applied, and the schema of the procedure refuses the request.
    Schema,
    /// The API refused it for good.
    Refused,
    /// The API may or may not have created it, and the repeats allowed are spent.
    Unknown,
    /// It failed for longer than `retry.give_up_after` of open gate.
    Exhausted,
    /// What answered in the API's place refused it again and again, and let others pass.
    Blocked,
    /// Its handling panicked.
    Crashing,
    /// Another event had its key, and is a process.
    KeyReused,
    /// A picture is there no more: its source answers 404 or 410.
    PhotoGone,
    /// A picture's signed link has expired.
    PhotoExpired,
    /// A picture's source does not give it.
    PhotoDenied,
    /// A picture's link may not be followed.
    PhotoNotAllowed,
    /// What should be a picture is none that is taken.
    PhotoType,
    /// A picture is larger than `photos.max_size`.
    PhotoTooLarge,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 17] = [
        Self::Undecodable,
        Self::TooLarge,
        Self::NoRule,
        Self::Unmappable,
        Self::Schema,
        Self::Refused,
        Self::Unknown,
        Self::Exhausted,
        Self::Blocked,
        Self::Crashing,
        Self::KeyReused,
        Self::PhotoGone,
        Self::PhotoExpired,
        Self::PhotoDenied,
        Self::PhotoNotAllowed,
        Self::PhotoType,
        Self::PhotoTooLarge,
    ];

    /// Whether a picture could not be had.
    #[must_use]
    pub fn is_of_a_photo(self) -> bool {
        matches!(
            self,
            Self::PhotoGone
                | Self::PhotoExpired
                | Self::PhotoDenied
                | Self::PhotoNotAllowed
                | Self::PhotoType
                | Self::PhotoTooLarge
        )
    }

    /// Whether its event may be a process, whatever else is known of it.
    #[must_use]
    pub fn leaves_doubt(self) -> bool {
        matches!(self, Self::Unknown | Self::Crashing)
    }

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::TooLarge => "too_large",
            Self::NoRule => "no_rule",
            Self::Unmappable => "unmappable",
            Self::Schema => "schema",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Exhausted => "exhausted",
            Self::Blocked => "blocked",
            Self::Crashing => "crashing",
            Self::KeyReused => "key_reused",
            Self::PhotoGone => "photo_gone",
            Self::PhotoExpired => "photo_expired",
            Self::PhotoDenied => "photo_denied",
            Self::PhotoNotAllowed => "photo_not_allowed",
            Self::PhotoType => "photo_type",
            Self::PhotoTooLarge => "photo_too_large",
        }
    }
}

/// Why an event is a dead letter, with the text for humans. The text names fields, never their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The fixed word.
    pub reason: Reason,
    /// For humans, and the next step.
    pub text: String,
}

impl Fault {
    /// A fault of this reason.
    pub fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self { reason, text: text.into() }
    }
}

/// Why a request failed in a way that a later one may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// Nothing could be written: the name, the connection or the handshake failed.
    Unreachable,
    /// No whole answer in time.
    Timeout,
    /// The connection broke after something may have been written.
    Reset,
    /// 429
    Throttled,
    /// 423
    Locked,
    /// 425
    TooEarly,
    /// 408
    RequestTimeout,
    /// 5xx that waiting may mend.
    ServerError,
    /// 2xx without a body.
    EmptyAnswer,
    /// An answer that does not say what was done.
    BrokenAnswer,
    /// A lookup that was refused.
    LookupRefused,
    /// No descriptor was left for a connection: our own trouble, and nothing was sent.
    NoDescriptors,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 12] = [
        Self::Unreachable,
        Self::Timeout,
        Self::Reset,
        Self::Throttled,
        Self::Locked,
        Self::TooEarly,
        Self::RequestTimeout,
        Self::ServerError,
        Self::EmptyAnswer,
        Self::BrokenAnswer,
        Self::LookupRefused,
        Self::NoDescriptors,
    ];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Throttled => "throttled",
            Self::Locked => "locked",
            Self::TooEarly => "too_early",
            Self::RequestTimeout => "request_timeout",
            Self::ServerError => "server_error",
            Self::EmptyAnswer => "empty_answer",
            Self::BrokenAnswer => "broken_answer",
            Self::LookupRefused => "lookup_refused",
            Self::NoDescriptors => "no_descriptors",
        }
    }
}

/// What is wrong on our side: it shuts the gate and never makes a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HaltReason {
    /// The token cannot be read, or cannot stand in a header.
    TokenUnreadable,
    /// 401, and the session statuses of servers: 419, 440, 498
    Unauthorized,
    /// 402
    PaymentRequired,
    /// 3xx: the base URL is not where the API is.
    Redirected,
    /// The server's certificate is refused, or it refuses ours (495, 496).
    Certificate,
    /// The proxy makes no way to the API.
    Proxy,
    /// A page where the API was expected, or a 4xx without a word of the API's.
    NotTheApi,
    /// 403
    Forbidden,
    /// 404 on a procedure that the rule names.
    ProcedureUnknown,
    /// A lookup brought processes that were not asked for.
    LookupUntrusted,
    /// 501, 505, 511, and each 4xx that speaks of what all our requests have in common, such as 405, 407 or 415: what
    /// answers does not take such requests.
    Unsupported,
    /// 431, 494: the headers are too large, and nothing of an event becomes one.
    HeadersTooLarge,
}

impl HaltReason {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::TokenUnreadable,
        Self::Unauthorized,
        Self::PaymentRequired,
        Self::Redirected,
        Self::Certificate,
        Self::Proxy,
        Self::NotTheApi,
        Self::Forbidden,
        Self::ProcedureUnknown,
        Self::LookupUntrusted,
        Self::Unsupported,
        Self::HeadersTooLarge,
    ];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TokenUnreadable => "token_unreadable",
            Self::Unauthorized => "unauthorized",
            Self::PaymentRequired => "payment_required",
            Self::Redirected => "redirected",
            Self::Certificate => "certificate",
            Self::Proxy => "proxy",
            Self::NotTheApi => "not_the_api",
            Self::Forbidden => "forbidden",
            Self::ProcedureUnknown => "procedure_unknown",
            Self::LookupUntrusted => "lookup_untrusted",
            Self::Unsupported => "unsupported",
            Self::HeadersTooLarge => "headers_too_large",
        }
    }
}
