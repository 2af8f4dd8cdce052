//! What the broker's errors mean, with the next step for a person.
//!
//! Not here: what is done about them; every one tears the connections down, and the supervisor begins again.

use std::fmt;
use std::time::Duration;

use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{Error, ErrorKind};

use super::size::FRAME_RAISED;
use crate::tls::{self, Handshake};

/// What the client library says where the system trusts nobody.
const NO_TRUST_STORE: &str = "native certificates";

const HANDSHAKE: Handshake = Handshake { section: "broker", address: "broker.url" };

/// Why the connection to the broker ended, for a person on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BrokerError {
    words: String,
    is_unparsable: bool,
    /// The size of a frame that was larger than was agreed on, in bytes.
    large_frame: Option<u32>,
}

impl BrokerError {
    pub(super) fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), is_unparsable: false, large_frame: None }
    }

    /// What each address of a round said.
    pub(super) fn all(mut errors: Vec<Self>) -> Self {
        match errors.len() {
            1 => errors.remove(0),
            count => {
                let words: Vec<_> = errors.iter().map(|error| error.words.as_str()).collect();
                let is_unparsable = errors.iter().any(Self::is_unparsable);
                let words = format!("none of the {count} addresses will do: {}", words.join("; "));
                Self { words, is_unparsable, large_frame: None }
            }
        }
    }

    /// That nothing came of a call in this time.
    pub(super) fn late(what: &str, limit: Duration) -> Self {
        Self::new(format!(
            "{what}: no answer from the broker within {} s: it is stuck, or too few members of a quorum queue are up",
            limit.as_secs_f32()
        ))
    }

    /// Names what was being done when `error` came.
    pub(super) fn during(what: &str, error: &Error) -> Self {
        let large_frame = large_frame(error);
        let is_unparsable = matches!(error.kind(), ErrorKind::ParsingError(_)) || large_frame.is_some();
        Self { words: format!("{what}: {}", words(error)), is_unparsable, large_frame }
    }

    /// Whether the client library could not read what the broker sent, or would not.
    pub(super) fn is_unparsable(&self) -> bool {
        self.is_unparsable
    }

    /// The size of the frame that the client library would not read, in bytes.
    pub(super) fn large_frame(&self) -> Option<u32> {
        self.large_frame
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.words)
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

/// Whether the broker says that it belongs to another connection.
pub(super) fn is_locked(error: &Error) -> bool {
    soft(error) == Some(&AMQPSoftError::RESOURCELOCKED)
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

/// What the client library says of a frame that is larger than was agreed on.
fn large_frame(error: &Error) -> Option<u32> {
    let ErrorKind::ProtocolError(told) = error.kind() else { return None };
    let told = matches!(told.kind(), AMQPErrorKind::Hard(AMQPHardError::FRAMEERROR)).then(|| told.to_string())?;
    told.split_once("frame too large: ")?.1.split(' ').next()?.parse().ok()
}

fn words(error: &Error) -> String {
    if let Some(bytes) = large_frame(error) {
        return format!(
            "a frame of {bytes} bytes is larger than was agreed on with the broker: the headers of a message are that large. It is \
             taken with the next connection where {FRAME_RAISED} bytes and the broker's frame_max allow it; if this does not end by \
             itself, take the first message out of the queue"
        );
    }
    match error.kind() {
        ErrorKind::ProtocolError(told) => match told.kind() {
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => refused(&told.to_string()),
            AMQPErrorKind::Soft(AMQPSoftError::RESOURCELOCKED) => {
                format!("{told}: it belongs to another connection (exclusive); make a durable quorum queue in its place")
            }
            AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => precondition(&told.to_string()),
            AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => {
                format!("{told}: the virtual host is missing or closed to this user; check broker.url")
            }
            AMQPErrorKind::Hard(AMQPHardError::CONNECTIONFORCED) => {
                format!("the broker closed the connection ({told})")
            }
            _ => told.to_string(),
        },
        ErrorKind::IOError(error) => input_output(error),
        ErrorKind::MissingHeartbeatError => "the broker sent nothing for two heartbeats".to_owned(),
        ErrorKind::ParsingError(_) => "the broker sent what the client cannot parse: either the port speaks \
             another protocol (TLS?), or a message carries text that is no UTF-8 in a property: if that does not end by \
             itself, take the first message out of the queue"
            .to_owned(),
        _ => error.to_string(),
    }
}

/// A handshake that failed, or any other error of the connection.
fn input_output(error: &std::io::Error) -> String {
    let told = error.to_string();
    if let Some(said) = tls::find(error).and_then(|error| tls::complaint(error, HANDSHAKE)) {
        return format!("{said} ({told})");
    }
    if told.contains(NO_TRUST_STORE) {
        return format!(
            "{told}: the client library needs those of the system beside broker.ca_file; install ca-certificates, or let \
             the variable SSL_CERT_FILE name a file of them"
        );
    }
    told
}

/// One code for several things, as below.
fn refused(told: &str) -> String {
    if told.contains("exclusive use") {
        return format!(
            "{told}: another consumer holds it for itself; end that consumer, or let it subscribe without `exclusive`"
        );
    }
    if told.contains("access to ") {
        return format!("refused ({told}): this user lacks a right; give it by `rabbitmqctl set_permissions`");
    }
    format!("refused ({told}): check the user's password and permissions")
}

/// One code for several things: the broker's text tells which.
fn precondition(told: &str) -> String {
    if told.contains("inequivalent arg") {
        return format!("{told}: it exists with other arguments; use topology = \"verify\" or make it again");
    }
    if told.contains("timed out") {
        return format!(
            "an event was unacknowledged for longer than the broker's consumer timeout ({told}); raise it there"
        );
    }
    told.to_owned()
}

#[cfg(test)]
mod tests;
