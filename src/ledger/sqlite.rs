//! SQLite: a file of this machine, one daemon at a time.
//!
//! Not here: the statements (`sql`), and what is the same for both databases (`session`).

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Sqlite, query_as};

use super::failure::Failure;
use super::session::Session;
use super::sql::Sql;

/// How long a statement waits for another program that has the file locked, such as a backup.
const BUSY: Duration = Duration::from_secs(2);

/// What is held in memory of the file, in KiB, which SQLite writes with a minus: half of what it takes by itself. Rows go to the end of the
/// table, so that few other pages are asked for.
const CACHE: &str = "-1024";

/// Pages in the write-ahead log at which the writer makes a checkpoint itself; before, another connection does (`checkpoints`).
const LOG_PAGES: &str = "8000";

const JOURNAL: Sql = Sql { sqlite: "SELECT journal_mode FROM pragma_journal_mode", postgres: "" };
const SYNCHRONOUS: Sql = Sql { sqlite: "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous", postgres: "" };

/// `FULL`, as the pragma tells it.
const FULL: u8 = 2;

/// The one daemon of a file. The system takes it from a process that dies, at once and in whatever container: a lease would have to
/// run out first.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, not read")] File);

/// Takes the file for this daemon.
pub(super) async fn lock(path: &Path) -> Result<Lock, Failure> {
    let path = path.to_owned();
    let locked = tokio::task::spawn_blocking(move || lock_now(&path)).await;
    locked.unwrap_or_else(|error| Err(Failure::setting(error.to_string(), "Please report it with the log")))
}

/// Beside the database, since closing any handle of the database itself would give up its locks.
fn lock_now(path: &Path) -> Result<Lock, Failure> {
    let beside = beside(path, "-lock");
    let opened = File::options().create(true).truncate(false).write(true).open(&beside);
    let file = opened.map_err(|error| Failure::file(&beside, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(Failure::in_use(path)),
        Err(TryLockError::Error(error)) => Err(Failure::file(&beside, &error)),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Opens the file to write, and makes it if there is none. Also says why its commits may be lost, if they may.
pub(super) async fn open(path: &Path) -> Result<(Session, Option<String>), Failure> {
    let options = options(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", CACHE)
        .pragma("journal_size_limit", "67108864")
        .pragma("wal_autocheckpoint", LOG_PAGES);
    let mut session = session(&options).await?;
    let journal = session.text(JOURNAL, &[]).await?;
    let synchronous = session.text(SYNCHRONOUS, &[]).await?;
    Ok((session, degraded(&journal, &synchronous)))
}

/// Opens the file to read only; it must be there.
pub(super) async fn open_to_read(path: &Path) -> Result<Session, Failure> {
    if let Err(error) = path.metadata() {
        return Err(Failure::file(path, &error));
    }
    session(&options(path).read_only(true)).await
}

/// Opens the file, which must be there, for checkpoints beside the writer.
pub(super) async fn open_beside(path: &Path) -> Result<SqliteConnection, Failure> {
    connect(&options(path).synchronous(SqliteSynchronous::Full)).await
}

/// Takes over what can be without waiting for anybody, and says whether that was all there is.
pub(super) async fn checkpoint(connection: &mut SqliteConnection) -> Result<bool, Failure> {
    let asked = query_as::<Sqlite, (i64, i64, i64)>("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(connection).await;
    let (_, pages, taken) = asked.map_err(|error| Failure::of(&error))?;
    Ok(pages == taken)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(BUSY).disable_statement_logging()
}

async fn session(options: &SqliteConnectOptions) -> Result<Session, Failure> {
    Ok(Session::Sqlite(Box::new(connect(options).await?)))
}

async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, Failure> {
    options.connect().await.map_err(|error| Failure::of(&error))
}

/// What was set is read back: a file system may refuse the one, a build of SQLite the other.
fn degraded(journal: &str, synchronous: &str) -> Option<String> {
    let is_full = synchronous.parse::<u8>().is_ok_and(|level| level >= FULL);
    let is_wal = journal.eq_ignore_ascii_case("wal");
    (!is_full || !is_wal).then(|| {
        format!("SQLite runs with journal_mode={journal} and synchronous={synchronous}, not with wal and 2 (full)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_synced_at_each_commit_is_degraded() {
        assert_eq!(degraded("wal", "2"), None);
        assert_eq!(degraded("WAL", "3"), None);
        assert!(degraded("wal", "1").is_some() && degraded("delete", "2").is_some() && degraded("wal", "").is_some());
    }

    #[test]
    fn one_daemon_has_a_file_until_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let first = lock_now(&path).unwrap();
        assert_eq!(lock_now(&path).unwrap_err().kind, super::super::failure::Kind::InUse);
        drop(first);
        lock_now(&path).unwrap();
        let nowhere = lock_now(&folder.path().join("no/ledger.db")).unwrap_err();
        assert!(nowhere.why.contains("No such file") && nowhere.next.contains("must exist"), "{nowhere}");
    }
}
