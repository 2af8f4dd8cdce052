//! Notices that the files of certificates hold others, and makes the HTTP client anew: what is rotated needs no restart.
//!
//! Not here: what the files may hold (`tls`), and what new ones open (`core::gate`).

use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::Config;
use super::client::{Client, connect};

/// How often the files are checked.
const EVERY: Duration = Duration::from_secs(2);

/// Checks the files again and again, puts a client made with what they hold now in the place of the one in use, and
/// counts `changes` up. Files that are wrong are named once, and the client in use stays. Never ends.
pub async fn watch(config: Config, client: Client, changes: watch::Sender<u64>) -> Infallible {
    if config.tls.is_empty() {
        return std::future::pending().await;
    }
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first check may see other files than the client in use was made with.
    let mut known = None;
    loop {
        ticks.tick().await;
        let read = config.tls.read().await.map_err(|wrong| wrong.to_string());
        if known.as_ref() == Some(&read) {
            continue;
        }
        let made = read.as_ref().map_err(Clone::clone).and_then(|held| connect(&config, held));
        match made {
            Ok(http) => {
                client.http.send_replace(http);
                if known.is_some() {
                    tracing::info!("the files of certificates for the API hold others: they are in use");
                    changes.send_modify(|count| *count += 1);
                }
            }
            Err(why) => {
                tracing::warn!(why, "the files of certificates for the API cannot be used; the last ones stay in use")
            }
        }
        known = Some(read);
    }
}
