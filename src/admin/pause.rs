//! The commands that the admin server takes: an operator with the admin token pauses or resumes the daemon, lets a held rule
//! go on, or sets the level of the log for a while.
//!
//! Not here: HTTP (`server`), the way to the dispatcher (`resume`), and what each does (`core::gate`, `core::delivery`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tracing::level_filters::LevelFilter;

use super::resume::{self, ResumeRule, RuleResumed};
use crate::clock::{epoch_ms, millis};
use crate::secret::{Secret, SecretSource};
use crate::states::log_level::WantedLevel;

#[cfg(test)]
mod tests;

/// The most of a name that is logged, in characters.
const NAME_MAX: usize = 100;

/// Takes the commands to pause and to resume. Clones pass them to the same receiver.
#[derive(Clone, Debug)]
pub struct PauseControl {
    token: SecretSource,
    paused: watch::Sender<bool>,
    rules: mpsc::Sender<ResumeRule>,
    levels: watch::Sender<Option<WantedLevel>>,
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

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Nothing is sent from now on.
    Pause,
    /// The end of the pause.
    Resume,
    /// The rule of this name goes on, if it is held.
    ResumeRule(String),
    /// The log has this level for so long.
    LogLevel(LevelFilter, Duration),
}

impl Wanted {
    /// As the log says it, and the rule.
    fn told(&self) -> (&'static str, Option<String>) {
        match self {
            Self::Pause => ("pause", None),
            Self::Resume => ("resume", None),
            Self::ResumeRule(rule) => ("resume", Some(name(rule.as_bytes()))),
            Self::LogLevel(..) => ("log-level", None),
        }
    }
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It was passed on: whether everything is paused now.
    Paused(bool),
    /// What came of a rule that was to go on.
    Rule(RuleResumed),
    /// The log has another level until then, in epoch milliseconds.
    LogLevel(u64),
    /// Nobody takes commands any more: the daemon stops.
    Stopping,
    /// The token was missing or another.
    Refused,
    /// Our own token cannot be read, so nobody can be known.
    Unreadable,
}

impl PauseControl {
    /// Accepts commands that show this token, and passes them to `paused` and `rules`.
    #[must_use]
    pub fn new(token: SecretSource, paused: watch::Sender<bool>, rules: mpsc::Sender<ResumeRule>) -> Self {
        Self { token, paused, rules, levels: watch::Sender::new(None), refused_s: Arc::default() }
    }

    /// Where the level of the log that is wanted can be seen.
    #[must_use]
    pub fn levels(&self) -> watch::Receiver<Option<WantedLevel>> {
        self.levels.subscribe()
    }

    /// Passes a command on if its `authorization`, the header's value, is good. Each is logged with who asked; of those that
    /// lead to nothing, one a second.
    pub(super) async fn take(&self, wanted: Wanted, authorization: Option<&[u8]>, asker: &Asker) -> Said {
        let ((command, rule), peer, from) = (wanted.told(), asker.peer, asker.from.as_deref());
        let token = match self.token.read_token().await {
            Ok(token) => token,
            Err(why) => {
                if self.is_first_refusal_of(epoch_ms() / 1000) {
                    tracing::error!(%peer, from, command, rule, why, "the admin token cannot be read: nobody can pause or resume");
                }
                return Said::Unreadable;
            }
        };
        if !authorization.and_then(bearer).is_some_and(|shown| is_same(shown, &token)) {
            if self.is_first_refusal_of(epoch_ms() / 1000) {
                tracing::warn!(%peer, from, command, rule, "refused on the admin port: no token, or another one");
            }
            return Said::Refused;
        }
        tracing::warn!(%peer, from, command, rule, "asked for on the admin port");
        self.pass_on(wanted).await
    }

    async fn pass_on(&self, wanted: Wanted) -> Said {
        let paused = match wanted {
            Wanted::Pause => true,
            Wanted::Resume => false,
            Wanted::ResumeRule(rule) => {
                return resume::ask(&self.rules, rule).await.map_or(Said::Stopping, Said::Rule);
            }
            Wanted::LogLevel(level, time) => {
                self.levels.send_replace(Some(WantedLevel { level, until: Instant::now() + time }));
                return Said::LogLevel(epoch_ms().saturating_add(millis(time)));
            }
        };
        self.paused.send_replace(paused);
        Said::Paused(paused)
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

/// Compares digests, in a time that tells neither how much of the token was right nor how long it is: a comparison that ended early
/// would tell something of a digest at most, which nobody who does not know the token can choose.
fn is_same(shown: &[u8], token: &Secret) -> bool {
    let (shown, token) = (Sha256::digest(shown), Sha256::digest(token.expose()));
    shown.iter().zip(&token).fold(0, |differs, (one, other)| differs | (one ^ other)) == 0
}
