//! Why a picture could not be had from where it comes from, and what one try to bring a photo up came to.
//!
//! Not here: what follows for the event (`progress::photos`), and the fetching (`crate::photos`).

use std::time::Duration;

use crate::core::reason::{Cause, Reason};
use crate::core::reply::Reply;

/// What one try to bring a photo up came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhotoReply {
    /// It could not be had, or not whole: the API was not asked, or was told nothing that counts.
    Missed(Missed),
    /// The API was asked.
    Asked {
        /// What came back.
        reply: Reply,
        /// How large the picture is, in bytes.
        bytes: u64,
    },
}

/// Why a picture could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missed {
    /// It is there no more: 404 or 410.
    Gone(u16),
    /// It is refused, and the link carries an expiry: it has expired.
    Expired(u16),
    /// It is refused for good, by this status.
    Denied(u16),
    /// Its link may not be followed, for this reason, which names no more of it than its host.
    NotAllowed(String),
    /// Its first bytes are of no picture that is taken.
    WrongType,
    /// It is larger than so many bytes.
    TooLarge(u64),
    /// It failed for the moment.
    Failed {
        /// How.
        cause: Cause,
        /// The status, if an answer came.
        status: Option<u16>,
        /// The wait that the source asks for.
        after: Option<Duration>,
        /// Why no answer came, or why it broke off, in words that hold no more of the link than its host and port.
        detail: Option<String>,
    },
}

impl Missed {
    /// Why its event is a dead letter, and the text for humans; none where a later try may have it.
    #[must_use]
    pub fn fault(&self) -> Option<(Reason, String)> {
        Some(match self {
            Self::Gone(status) => {
                (Reason::PhotoGone, format!("its source answered {status}: the picture is not there"))
            }
            Self::Expired(status) => (
                Reason::PhotoExpired,
                format!(
                    "its source answered {status}, and the link carries an expiry: it has expired. The producer must sign \
                     links for longer than an event may wait, and send the event again with a new one"
                ),
            ),
            Self::Denied(status) => (
                Reason::PhotoDenied,
                format!("its source answered {status}: it does not give the picture to this link"),
            ),
            Self::NotAllowed(why) => (Reason::PhotoNotAllowed, why.clone()),
            Self::WrongType => (
                Reason::PhotoType,
                "its first bytes are of no JPEG, PNG, WebP, HEIC or GIF, whatever its name or its source says"
                    .to_owned(),
            ),
            Self::TooLarge(most) => {
                (Reason::PhotoTooLarge, format!("the picture is larger than {most} bytes (photos.max_size)"))
            }
            Self::Failed { .. } => return None,
        })
    }

    /// The fixed word of logs and metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Failed { cause, .. } => cause.as_str(),
            Self::Gone(_) => Reason::PhotoGone.as_str(),
            Self::Expired(_) => Reason::PhotoExpired.as_str(),
            Self::Denied(_) => Reason::PhotoDenied.as_str(),
            Self::NotAllowed(_) => Reason::PhotoNotAllowed.as_str(),
            Self::WrongType => Reason::PhotoType.as_str(),
            Self::TooLarge(_) => Reason::PhotoTooLarge.as_str(),
        }
    }

    /// The status that the source answered, if it did.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Gone(status) | Self::Expired(status) | Self::Denied(status) => Some(*status),
            Self::Failed { status, .. } => *status,
            Self::NotAllowed(_) | Self::WrongType | Self::TooLarge(_) => None,
        }
    }

    /// Why no answer came, or why it broke off, where that is known.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        if let Self::Failed { detail, .. } = self { detail.as_deref() } else { None }
    }
}

/// What a source's status says, where it is none that brings a picture. `link` is the one that was followed.
#[must_use]
pub fn missed(status: u16, link: &str, after: Option<Duration>) -> Missed {
    let failed = |cause| Missed::Failed { cause, status: Some(status), after, detail: None };
    match status {
        404 | 410 => Missed::Gone(status),
        401 | 403 if super::has_expiry(link) => Missed::Expired(status),
        408 => failed(Cause::RequestTimeout),
        423 => failed(Cause::Locked),
        425 => failed(Cause::TooEarly),
        429 => failed(Cause::Throttled),
        500..=599 => failed(Cause::ServerError),
        400..=499 => Missed::Denied(status),
        _ => failed(Cause::BrokenAnswer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_source_says_is_for_the_moment_or_for_good_and_an_expired_link_is_said_to_be_that() {
        let plain = "https://a.example/1";
        for status in [404, 410] {
            assert_eq!(missed(status, plain, None), Missed::Gone(status));
        }
        assert_eq!(missed(403, "https://a.example/1?X-Amz-Expires=1", None), Missed::Expired(403));
        assert_eq!(missed(403, plain, None), Missed::Denied(403));
        for status in [408, 425, 429, 500, 503, 599, 204, 302] {
            assert_eq!(missed(status, plain, None).fault(), None, "{status}");
        }
        for status in [400, 401, 403, 405, 451] {
            assert!(missed(status, plain, None).fault().is_some(), "{status}");
        }
    }
}
