//! Notices that the file of the token holds another one, or can be read again: what was refused may pass now.
//!
//! Not here: the token in use, which each request reads for itself (`create`), and what a new one opens (`core::gate`).

use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::secret::SecretSource;

/// How often the file is checked.
const EVERY: Duration = Duration::from_secs(1);

/// Checks the file again and again, and counts `changes` up at each new token. Never ends. A token that is kept in
/// no file cannot change.
pub async fn watch(token: SecretSource, changes: watch::Sender<u64>) -> Infallible {
    if matches!(token, SecretSource::Given(_)) {
        return std::future::pending().await;
    }
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut known = token.read().await.ok();
    loop {
        ticks.tick().await;
        let read = token.read().await.ok();
        if read.is_some() && read != known {
            tracing::info!("the file of the token holds a new one");
            changes.send_modify(|count| *count += 1);
        }
        known = read;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::secret::Secret;

    /// Watches `file` while `change` does what it likes to it; answers the changes noticed once `wanted` are, or after
    /// two more checks.
    async fn noticed(file: &Path, wanted: u64, change: impl AsyncFnOnce()) -> u64 {
        let (changes, mut seen) = watch::channel(0);
        let told = async {
            change().await;
            drop(tokio::time::timeout(EVERY * 3, seen.wait_for(|count| *count > wanted)).await);
            *seen.borrow()
        };
        tokio::select! {
            never = watch(SecretSource::File(file.to_owned()), changes) => match never {},
            told = tokio::time::timeout(EVERY * 10, told) => told.expect("within the deadline"),
        }
    }

    /// Long enough for the file to be checked.
    async fn a_lookup() {
        tokio::time::sleep(EVERY * 3 / 2).await; // tidy: allow sleep, a check that finds nothing new tells nobody
    }

    #[tokio::test]
    async fn a_new_token_is_noticed_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "one\n").unwrap();
        let count = noticed(&file, 1, async || {
            a_lookup().await;
            std::fs::write(&file, "two\n").unwrap();
        });
        assert_eq!(count.await, 1);
    }

    #[tokio::test]
    async fn a_token_that_can_be_read_again_is_a_new_one_and_one_that_cannot_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let count = noticed(&file, 2, async || {
            a_lookup().await;
            std::fs::write(&file, "one").unwrap();
            a_lookup().await;
            std::fs::remove_file(&file).unwrap();
            a_lookup().await;
            std::fs::write(&file, "one").unwrap();
        });
        assert_eq!(count.await, 2);
    }

    #[tokio::test]
    async fn a_file_that_is_written_again_with_the_same_token_is_no_news() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "one\n").unwrap();
        let count = noticed(&file, 0, async || {
            a_lookup().await;
            std::fs::write(folder.path().join("next"), "one\r\n").unwrap();
            std::fs::rename(folder.path().join("next"), &file).unwrap();
        });
        assert_eq!(count.await, 0);
    }

    #[tokio::test]
    async fn a_token_that_is_given_never_changes() {
        let (changes, mut seen) = watch::channel(0);
        let given = SecretSource::Given(Secret::new("swordfish"));
        tokio::select! {
            never = watch(given, changes) => match never {},
            changed = tokio::time::timeout(EVERY * 2, seen.changed()) => assert!(changed.is_err(), "{changed:?}"),
        }
    }
}
