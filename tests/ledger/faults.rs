//! A server of Postgres that dies, stops, is cut off, is full, or takes another password: nothing committed is lost, and the ledger is
//! used again within seconds.
//!
//! Not here: events.

use std::fs;

use chakra_bridge::core::ledger::Claimed;
use chakra_bridge::ledger::{Config, Place, Server};
use chakra_bridge::secret::SecretSource;
use tokio::time::Instant;

use super::stage::{RESUMES, Run, at, claim, config, create, process, server};
use crate::support::deadline::within;
use crate::support::postgres::Postgres;

#[tokio::test]
async fn a_server_that_is_killed_or_frozen_or_stopped_costs_time_only_and_one_that_syncs_nothing_is_degraded_by_name() {
    let Some(postgres) = within(60, "a server", Postgres::start()).await else { return };
    let run = Run::up(server(&postgres, "postgres")).await;
    create(&run, "before", "p").await;
    postgres.kill9().await;
    assert_eq!(run.ledger.claim(claim("e")).await, Claimed::Away);
    let told = run.away().await;
    assert!(told.contains("Events wait"), "{told}");
    within(60, "its start", postgres.launch()).await;
    run.resumes("killed").await;
    assert_eq!(process(&run, "before").await.as_deref(), Some("p"));

    // As a connection that leads nowhere: nothing is answered, and nothing is refused.
    postgres.freeze();
    let asked = Instant::now();
    assert_eq!(run.ledger.claim(claim("e")).await, Claimed::Away);
    assert!(asked.elapsed() < RESUMES, "whoever asks hears within seconds");
    assert!(run.away().await.contains("does not answer within"));
    postgres.thaw();
    run.resumes("frozen").await;

    within(60, "its end", postgres.stop()).await;
    assert_eq!(run.ledger.claim(claim("e")).await, Claimed::Away);
    within(60, "its start", postgres.launch()).await;
    run.resumes("stopped").await;
    assert_eq!(process(&run, "before").await.as_deref(), Some("p"));
    run.end().await;

    postgres.run("postgres", "ALTER SYSTEM SET fsync = off".to_owned()).await;
    postgres.run("postgres", "SELECT pg_reload_conf()".to_owned()).await;
    let run = Run::up(server(&postgres, "postgres")).await;
    let degraded = run.status().degraded.unwrap();
    assert!(degraded.contains("fsync=off") && run.metrics.text().contains("ledger_degraded 1"), "{degraded}");
    run.end().await;
}

#[tokio::test]
async fn a_password_that_was_changed_is_read_from_its_file_again() {
    let Some(postgres) = within(60, "a server", Postgres::shared()).await else { return };
    let (database, folder) = (postgres.database().await, tempfile::tempdir().unwrap());
    let (user, path) = (format!("changing_{database}"), folder.path().join("password"));
    postgres.run("postgres", format!("CREATE ROLE {user} LOGIN SUPERUSER PASSWORD 'marlin'")).await;
    fs::write(&path, "swordfish\n").unwrap();
    let of = Server { user: user.clone(), password: Some(SecretSource::File(path.clone())), ..at(postgres, &database) };
    let run = Run::begin(config(Place::Postgres(of)));
    let told = run.away().await;
    assert!(told.contains("28P01") && told.contains("ledger.password_file"), "{told}");
    assert!(!told.contains("swordfish"));
    fs::write(&path, "marlin\n").unwrap();
    run.resumes("e").await;
    fs::remove_file(&path).unwrap();
    assert!(matches!(run.ledger.claim(claim("f")).await, Claimed::Mine { .. }), "what stands is used on");
    run.end().await;
}

#[tokio::test]
async fn a_disk_that_is_full_costs_time_only() {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !is_root {
        return eprintln!("skipped: only root can mount a small disk");
    }
    let Some(postgres) = within(60, "a server", Postgres::on_a_disk_of(96)).await else { return };
    let run = Run::up(Config { ..server(&postgres, "postgres") }).await;
    create(&run, "before", "p").await;
    postgres.fill();
    let fills = async {
        let mut number = 0;
        while run.ledger.claim(claim(&format!("{number}-{}", "x".repeat(900)))).await != Claimed::Away {
            number += 1;
        }
    };
    within(60, "the disk is full", fills).await;
    run.away().await;
    postgres.empty();
    within(60, "it comes back", postgres.comes_back()).await;
    run.resumes("after").await;
    assert_eq!(process(&run, "before").await.as_deref(), Some("p"));
    run.end().await;
}
