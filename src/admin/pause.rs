//! The one command that the admin server takes: an operator with the admin token pauses or resumes the daemon.
//!
//! Not here: HTTP (`server`), and what a pause does (`core::gate`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;

use crate::clock::epoch_ms;
use crate::secret::{Secret, SecretSource};

#[cfg(test)]
mod tests;

/// The most of a name that is logged, in characters.
const NAME_MAX: usize = 100;

/// Takes the commands to pause and to resume. Clones pass them to the same receiver.
#[derive(Clone, Debug)]
pub struct PauseControl {
    token: SecretSource,
    paused: watch::Sender<bool>,
    /// The second of the last refusal, since the Unix epoch.
    refused_s: Arc<AtomicU64>,
}

/// Who asks, as far as anybody can tell.
#[derive(Debug)]
pub(super) struct Asker {
    /// The other end of the connection.
    pub(super) peer: SocketAddr,
    /// What the header `From` says, made fit for a log by [`name`].
    pub(super) from: Option<String>,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It was passed on.
    Done,
    /// The token was missing or another.
    Refused,
    /// Our own token cannot be read, so nobody can be known.
    Unreadable,
}

impl PauseControl {
    /// Accepts commands that show this token, and passes them to `paused`.
    #[must_use]
    pub fn new(token: SecretSource, paused: watch::Sender<bool>) -> Self {
        Self { token, paused, refused_s: Arc::default() }
    }

    /// Passes a command on if its `authorization`, the header's value, is good. Each is logged with who asked; of those that
    /// lead to nothing, one a second.
    pub(super) async fn take(&self, paused: bool, authorization: Option<&[u8]>, asker: &Asker) -> Said {
        let (command, peer, from) = (if paused { "pause" } else { "resume" }, asker.peer, asker.from.as_deref());
        let token = match self.token.read_token().await {
            Ok(token) => token,
            Err(why) => {
                if self.is_first_refusal_of(epoch_ms() / 1000) {
                    tracing::error!(%peer, from, command, why, "the admin token cannot be read: nobody can pause or resume");
                }
                return Said::Unreadable;
            }
        };
        if !authorization.and_then(bearer).is_some_and(|shown| is_same(shown, &token)) {
            if self.is_first_refusal_of(epoch_ms() / 1000) {
                tracing::warn!(%peer, from, command, "refused on the admin port: no token, or another one");
            }
            return Said::Refused;
        }
        tracing::warn!(%peer, from, command, "asked for on the admin port");
        self.paused.send_replace(paused);
        Said::Done
    }

    /// Whether none was logged in this second: somebody who guesses tokens must not fill the log.
    fn is_first_refusal_of(&self, second: u64) -> bool {
        self.refused_s.swap(second, Ordering::Relaxed) != second
    }
}

/// A name out of a header, fit for a log: bounded, on one line.
pub(super) fn name(header: &[u8]) -> String {
    String::from_utf8_lossy(header).chars().filter(|character| !character.is_control()).take(NAME_MAX).collect()
}

fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = header.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| rest.trim_ascii())
}

/// Compares digests, in a time that tells neither how much of the token was right nor how long it is.
fn is_same(shown: &[u8], token: &Secret) -> bool {
    let (shown, token) = (Sha256::digest(shown), Sha256::digest(token.expose()));
    shown.as_slice().ct_eq(token.as_slice()).into()
}
