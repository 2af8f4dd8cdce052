//! The level of the log while the daemon runs: that of the configuration, as it was reloaded last, or for a while the one that an
//! operator wants.
//!
//! Not here: who may ask for one (`admin`), and what `RUST_LOG` names, which wins over both.

use std::convert::Infallible;
use std::future::pending;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{EnvFilter, Registry, reload};

use super::filter;
use crate::config::Log;
use crate::states::log_level::{WantedLevel, in_force};

/// See the head of this file.
pub struct Levels {
    log: Log,
    handle: reload::Handle<EnvFilter, Registry>,
}

impl Levels {
    pub(super) fn new(log: Log, handle: reload::Handle<EnvFilter, Registry>) -> Self {
        Self { log, handle }
    }

    /// Sets the level whenever another one is to be in force, for ever.
    pub async fn run(
        mut self,
        mut configured: watch::Receiver<LevelFilter>,
        mut wanted: watch::Receiver<Option<WantedLevel>>,
    ) -> Infallible {
        loop {
            let (base, for_now) = (*configured.borrow_and_update(), *wanted.borrow_and_update());
            self.set(in_force(base, for_now, Instant::now()));
            let end = for_now.map(|wanted| wanted.until).filter(|until| *until > Instant::now());
            tokio::select! {
                () = changed(&mut configured) => {}
                () = changed(&mut wanted) => {}
                () = async { match end { Some(end) => sleep_until(end).await, None => pending().await } } => {}
            }
        }
    }

    fn set(&mut self, level: LevelFilter) {
        if level == self.log.level {
            return;
        }
        let log = Log { level, ..self.log };
        let set = filter(log, std::env::var_os("RUST_LOG").as_deref())
            .and_then(|(filter, _)| self.handle.reload(filter).map_err(|error| error.to_string()));
        self.log = log;
        match set {
            Ok(()) => tracing::warn!(to = %level, "the log has another level now"),
            Err(why) => tracing::error!(to = %level, why, "the level of the log cannot be set"),
        }
    }
}

/// Whoever would change it may be gone.
async fn changed<T>(seen: &mut watch::Receiver<T>) {
    if seen.changed().await.is_err() {
        pending().await
    }
}
