//! Checkpoints of SQLite on a connection of their own: what was committed goes from the write-ahead log into the database while the
//! next commits are made. The writer would do it behind a commit, and each event would wait for it.
//!
//! Not here: the writer (`driver`), which still makes a checkpoint where these fall behind.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;

use super::Place;
use super::failure::Failure;
use super::sqlite;

/// Between two while there is more to take over, and where there was none.
const EVERY: Duration = Duration::from_millis(250);
const AT_REST: Duration = Duration::from_secs(1);
/// After one that failed: the writer meets the same trouble and tells it.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Does the work, with checkpoints beside it where the ledger is in SQLite.
pub(super) async fn beside<T>(place: &Place, work: impl Future<Output = T>) -> T {
    let Place::Sqlite(path) = place else { return work.await };
    tokio::select! {
        done = work => done,
        never = forever(path) => match never {},
    }
}

async fn forever(path: &Path) -> Infallible {
    loop {
        let Err(failure) = until_failed(path).await;
        tracing::debug!("a checkpoint of the ledger failed: {failure}");
        sleep(AFTER_FAILURE).await;
    }
}

async fn until_failed(path: &Path) -> Result<Infallible, Failure> {
    let mut connection = sqlite::open_beside(path).await?;
    loop {
        let is_whole = sqlite::checkpoint(&mut connection).await?;
        sleep(if is_whole { AT_REST } else { EVERY }).await;
    }
}
