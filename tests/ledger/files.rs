//! SQLite: one daemon a file, and files that are not as they should be.
//!
//! Not here: what holds of Postgres as well (`both`).

use std::fs;
use std::path::Path;
use std::process::Command;

use chakra_bridge::core::ledger::Claimed;
use chakra_bridge::ledger::{Config, Place, VERSION, read};
use chakra_bridge::states::ledger::LedgerState;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, raw_sql};

use super::stage::{RESUMES, Run, claim, config, create, epoch, file, process};
use crate::support::broker::eventually;
use crate::support::deadline::within;

async fn open(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

pub async fn change(path: &Path, statement: String) {
    let mut connection = open(path).await;
    raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_second_daemon_of_a_file_waits_and_is_not_ready_and_takes_over_once_the_first_is_gone() {
    within(60, "all of it", async {
        let folder = tempfile::tempdir().unwrap();
        let first = Run::up(file(folder.path())).await;
        create(&first, "e", "p").await;
        epoch(&first.ledger.claim(claim("open")).await);
        let second = Run::begin(file(folder.path()));
        let waits = second.comes("in use", |status| matches!(status.state, LedgerState::InUse { .. })).await;
        assert!(!waits.is_ready() && waits.trouble().unwrap().contains("takes it over"));
        assert_eq!(second.ledger.claim(claim("e")).await, Claimed::Away);
        first.die().await;
        second.comes("up", |status| status.state == LedgerState::Up).await;
        assert_eq!(process(&second, "e").await.as_deref(), Some("p"));
        let taken = second.ledger.claim(claim("open")).await;
        assert!(matches!(taken, Claimed::Mine { may_send: false, .. }), "no lease of the dead runs on: {taken:?}");
        second.end().await;
    })
    .await;
}

#[tokio::test]
async fn who_reads_a_file_is_not_in_the_way_of_the_daemon_that_has_it() {
    within(60, "all of it", async {
        let folder = tempfile::tempdir().unwrap();
        let run = Run::up(file(folder.path())).await;
        create(&run, "e", "p").await;
        let mut reader = read::Reader::open(&file(folder.path())).await.unwrap();
        let found = reader.rows("e").await.unwrap();
        assert_eq!((found.len(), &*found[0].row.key, found[0].row.attempts), (1, "e", 1));
        create(&run, "f", "p").await;
        assert!(reader.rows("g").await.unwrap().is_empty());
        run.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_told_in_words_and_used_once_it_can_be() {
    within(60, "all of it", async {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let place = data.join("ledger.db");
        let run = Run::begin(config(Place::Sqlite(place.clone())));
        let told = run.away().await;
        assert!(told.contains("No such file") && told.contains("must exist and be writable"), "{told}");
        fs::create_dir(&data).unwrap();
        run.resumes("e").await;
        run.end().await;
        // Whoever closes last takes the log over and deletes it: the connection that makes checkpoints has a thread of its own.
        eventually(RESUMES, "the log is gone", || async { !data.join("ledger.db-wal").exists() }).await;

        fs::write(&place, "this is no database".repeat(1000)).unwrap();
        let run = Run::begin(config(Place::Sqlite(place.clone())));
        let told = run.away().await;
        assert!(told.contains("damaged, or no database") && told.contains("restore"), "{told}");
        assert_eq!(run.ledger.claim(claim("e")).await, Claimed::Away);
        run.die().await;
    })
    .await;
}

#[tokio::test]
async fn an_older_schema_is_changed_and_keeps_its_rows_and_a_newer_one_is_refused() {
    within(60, "all of it", async {
        let folder = tempfile::tempdir().unwrap();
        let of: Config = file(folder.path());
        let path = folder.path().join("ledger.db");
        let run = Run::up(of.clone()).await;
        create(&run, "e", "p").await;
        run.end().await;
        // As the first version left it.
        change(&path, "DROP INDEX chakra_bridge_events_ended; UPDATE chakra_bridge_schema SET version = 1".to_owned())
            .await;
        let (wrong, risky) = read::check(&of).await;
        assert!(wrong.is_empty() && risky[0].contains("version 1"), "{risky:?}");
        let run = Run::up(of.clone()).await;
        assert_eq!(process(&run, "e").await.as_deref(), Some("p"));
        run.end().await;
        assert_eq!(read::check(&of).await, (Vec::new(), Vec::new()));

        change(&path, format!("UPDATE chakra_bridge_schema SET version = {}", VERSION + 1)).await;
        let run = Run::begin(of.clone());
        let told = run.away().await;
        assert!(told.contains("a newer chakra-bridge made them"), "{told}");
        run.die().await;
        assert!(read::check(&of).await.0[0].contains("newer"));
    })
    .await;
}

/// A disk of a megabyte, for root.
struct Disk<'f>(&'f Path);

impl<'f> Disk<'f> {
    fn on(folder: &'f Path) -> Option<Self> {
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "chakra-bridge-test"]).arg(folder).status();
        let is_mounted = mounted.is_ok_and(|status| status.success());
        assert!(
            is_mounted || std::env::var_os("CHAKRA_BRIDGE_CI").is_none(),
            "no disk can be mounted here, and CI skips nothing"
        );
        is_mounted.then_some(Self(folder))
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.0).status());
    }
}

#[tokio::test]
async fn a_full_disk_costs_time_only_and_what_was_committed_before_stays() {
    within(60, "all of it", async {
        let folder = tempfile::tempdir().unwrap();
        let Some(_disk) = Disk::on(folder.path()) else {
            return eprintln!("skipped: only root can mount a small disk");
        };
        let run = Run::up(file(folder.path())).await;
        create(&run, "before", "p").await;
        let filler = folder.path().join("filler");
        drop(fs::write(&filler, vec![0; 2 << 20]));
        let mut number = 0;
        while run.ledger.claim(claim(&format!("e{number}"))).await != Claimed::Away {
            number += 1;
        }
        let told = run.away().await;
        assert!(told.contains("disk") && told.contains("Make room"), "{told}");
        fs::remove_file(&filler).unwrap();
        run.resumes("after").await;
        assert_eq!(process(&run, "before").await.as_deref(), Some("p"));
        run.end().await;
    })
    .await;
}
