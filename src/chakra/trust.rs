//! Notices that the files of certificates hold others, and makes the HTTP client anew: what is rotated needs no restart.
//!
//! Not here: when the files are looked at (`files`), what they may hold (`tls`), and what new ones open (`core::gate`).

use std::convert::Infallible;

use tokio::sync::watch;

use super::Config;
use super::client::{Client, connect};
use crate::files::{Change, FileWatch};
use crate::tls;

/// Looks at the files again and again, puts a client made with what they hold now in the place of the one in use, and
/// counts `changes` up. Files that are wrong are named once, and the client in use stays. Never ends.
pub async fn watch(config: Config, client: Client, changes: watch::Sender<u64>) -> Infallible {
    if config.tls.is_empty() {
        return std::future::pending().await;
    }
    let mut files = FileWatch::new(config.tls.seen(&client.held));
    let mut known = Ok(tls::Held::clone(&client.held));
    loop {
        let change = files.check().await;
        // A certificate and its key are written one after the other; what could not be read may be readable again.
        if change != Change::Settled && known.is_ok() {
            continue;
        }
        files.accept();
        let read = config.tls.read().await.map_err(|wrong| wrong.to_string());
        if known == read {
            continue;
        }
        let made = read.as_ref().map_err(Clone::clone).and_then(|held| connect(&config, held));
        match made {
            Ok(http) => {
                client.http.send_replace(http);
                tracing::info!("the files of certificates for the API hold others: they are in use");
                changes.send_modify(|count| *count += 1);
            }
            Err(why) => {
                tracing::warn!(why, "the files of certificates for the API cannot be used; the last ones stay in use")
            }
        }
        known = read;
    }
}
