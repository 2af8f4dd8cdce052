//! What the broker's errors mean, in words with the next step.
//!
//! Not here: what is done about them; every one tears the connections down, and the supervisor begins again.

use std::fmt;
use std::time::Duration;

use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{Error, ErrorKind};

/// Why the near shore is gone, for a person on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble(String);

impl Trouble {
    pub(super) fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// Names what was being done when `error` came.
    pub(super) fn during(what: &str, error: &Error) -> Self {
        Self(format!("{what}: {}", words(error)))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Awaits one call to the broker, with a limit: a timed-out call leaves the connection in an unknown state.
pub(super) async fn within<T>(
    limit: Duration,
    what: &str,
    call: impl Future<Output = lapin::Result<T>>,
) -> Result<T, Trouble> {
    match tokio::time::timeout(limit, call).await {
        Ok(done) => done.map_err(|error| Trouble::during(what, &error)),
        Err(_) => Err(Trouble::new(format!("{what}: no answer from the broker within {} s", limit.as_secs_f32()))),
    }
}

/// Whether the broker closed the channel and left the connection standing.
pub(super) fn is_of_the_channel(error: &Error) -> bool {
    soft(error).is_some()
}

/// Whether the broker says that something does not exist.
pub(super) fn is_missing(error: &Error) -> bool {
    soft(error) == Some(&AMQPSoftError::NOTFOUND)
}

/// Whether the broker says that it exists with other arguments.
pub(super) fn is_other(error: &Error) -> bool {
    soft(error) == Some(&AMQPSoftError::PRECONDITIONFAILED)
}

/// Whether the broker says that the user may not.
pub(super) fn is_refused(error: &Error) -> bool {
    soft(error) == Some(&AMQPSoftError::ACCESSREFUSED)
}

fn soft(error: &Error) -> Option<&AMQPSoftError> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => match error.kind() {
            AMQPErrorKind::Soft(soft) => Some(soft),
            AMQPErrorKind::Hard(_) => None,
        },
        _ => None,
    }
}

fn words(error: &Error) -> String {
    match error.kind() {
        ErrorKind::ProtocolError(told) => match told.kind() {
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => {
                format!("refused ({told}): check the user's password and permissions")
            }
            AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => {
                format!("{told}: it exists with other arguments; use topology = \"verify\" or make it again")
            }
            AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => {
                format!("{told}: the virtual host is missing or closed to this user; check broker.url")
            }
            AMQPErrorKind::Hard(AMQPHardError::CONNECTIONFORCED) => {
                format!("the broker closed the connection ({told})")
            }
            _ => told.to_string(),
        },
        ErrorKind::MissingHeartbeatError => "the broker has not been heard of for two heartbeats".to_owned(),
        ErrorKind::ParsingError(_) => "the broker sent what the client cannot parse: either the port speaks \
             another protocol (TLS?), or a message carries text that is no UTF-8 in a property"
            .to_owned(),
        _ => error.to_string(),
    }
}
