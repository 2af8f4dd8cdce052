//! What holds of either database.
//!
//! Not here: faults.

use std::time::Duration;

use chakra_bridge::core::ledger::{Claim, Claimed, Record, Recorded, RowEnd};
use chakra_bridge::ledger::read::Reader;
use chakra_bridge::ledger::{Config, Place};
use chakra_bridge::states::ledger::LedgerState;
use futures_util::future::join_all;

use super::files;
use super::stage::{Run, claim, create, epoch, file, process, record, server};
use crate::support::broker::eventually;
use crate::support::deadline::within;
use crate::support::postgres::Postgres;

/// A database of each kind, with what must live as long.
async fn stores() -> Vec<(Config, Option<tempfile::TempDir>)> {
    let folder = tempfile::tempdir().unwrap();
    let mut stores = vec![(file(folder.path()), Some(folder))];
    if let Some(postgres) = Postgres::shared().await {
        stores.push((server(postgres, &postgres.database().await), None));
    }
    stores
}

/// Changes what is kept behind the back of the daemon.
async fn change(config: &Config, statement: &'static str) {
    match &config.place {
        Place::Sqlite(path) => files::change(path, statement.to_owned()).await,
        Place::Postgres(server) => {
            Postgres::shared().await.unwrap().run(&server.database, statement.to_owned()).await;
        }
    }
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_death_and_knows_each_event_whatever_its_neighbours_are() {
    for (config, _folder) in within(120, "databases", stores()).await {
        let run = Run::up(config.clone()).await;
        let keys: Vec<String> = (0..200).map(|number| format!("e{number}")).collect();
        // However many come together.
        let mut left = &keys[..];
        for count in [1, 2, 3, 5, 11, 23, 155] {
            let (some, others) = left.split_at(count);
            join_all(some.iter().map(|key| create(&run, key, key))).await;
            left = others;
        }
        assert_eq!(run.status().degraded, None, "{:?}", config.place);
        run.die().await;
        let run = Run::up(config).await;
        for known in join_all(keys.iter().map(|key| process(&run, key))).await.into_iter().zip(&keys) {
            assert_eq!(known.0.as_ref(), Some(known.1));
        }
        run.end().await;
    }
}

#[tokio::test]
async fn the_same_key_in_another_queue_is_another_event() {
    for (config, _folder) in within(120, "databases", stores()).await {
        let run = Run::up(config.clone()).await;
        create(&run, "e", "p").await;
        run.end().await;
        let other = Run::up(Config { queue: "other".to_owned(), ..config }).await;
        assert_eq!(process(&other, "e").await, None);
        other.end().await;
    }
}

#[tokio::test]
async fn a_text_that_a_database_does_not_take_holds_up_neither_its_event_nor_its_neighbours() {
    for (config, _folder) in within(120, "databases", stores()).await {
        let run = Run::up(config).await;
        let long = "x".repeat(100_000);
        join_all(["a\0b", &long, "plain", "\u{fffd}"].map(|key| create(&run, key, "p"))).await;
        assert_eq!(process(&run, "a\0b").await.as_deref(), Some("p"));
        run.end().await;
    }
}

#[tokio::test]
async fn what_ended_long_ago_leaves_in_steps_a_dead_letter_later_and_what_has_not_ended_stays() {
    for (config, _folder) in within(120, "databases", stores()).await {
        let keep = Duration::from_secs(3600);
        let run = Run::up(config.clone()).await;
        join_all((0..1200).map(|number| create_numbered(&run, number))).await;
        let held = epoch(&run.ledger.claim(claim("held")).await);
        let end = Some(RowEnd::Dead("rejected".to_owned()));
        let dead = Record { claim: Box::new(Claim { attempts: 1, ..claim("dead") }), end };
        assert_eq!(run.ledger.record(dead).await, Recorded::Yes);
        run.end().await;
        // A dead letter is kept four times as long.
        change(&config, "UPDATE chakra_bridge_events SET ended_ms = ended_ms - 7200000 WHERE ended IS NOT NULL").await;
        let run = Run::up(Config { keep, ..config }).await;
        let are_gone = || async { run.metrics.text().contains("chakra_bridge_ledger_pruned_total 1200\n") };
        eventually(Duration::from_secs(20), "the old ones are gone", are_gone).await;
        assert!(matches!(run.ledger.claim(claim("dead")).await, Claimed::Ended(_)));
        assert_eq!(
            run.ledger.record(record("held", held, None)).await,
            Recorded::Superseded,
            "it is there, of another run"
        );
        run.end().await;
    }
}

async fn create_numbered(run: &Run, number: u32) {
    create(run, &format!("e{number}"), "p").await;
}

#[tokio::test]
async fn a_lease_certainly_runs_from_the_first_answer_on_and_a_death_in_order_leaves_none() {
    for (config, _folder) in within(120, "databases", stores()).await {
        let run = Run::up(config.clone()).await;
        let left = run.ledger.lease_left();
        assert!(left > config.lease / 2 && left <= config.lease, "{left:?}");
        assert!(matches!(run.ledger.claim(claim("e")).await, Claimed::Mine { may_send: true, .. }));
        run.end().await;
        let next = Run::up(config).await;
        let Claimed::Mine { may_send, left, .. } = next.ledger.claim(claim("e")).await else {
            panic!("held by the dead")
        };
        assert!(!may_send && left.unsure_creates == 1 && left.since_sent.is_some(), "{left:?}");
        next.end().await;
    }
}

#[tokio::test]
async fn one_row_that_a_database_does_not_take_holds_up_its_event_alone() {
    for (config, _folder) in within(120, "databases", stores()).await {
        let run = Run::up(config.clone()).await;
        let refuses = match &config.place {
            Place::Sqlite(_) => {
                "CREATE TRIGGER refuses BEFORE INSERT ON chakra_bridge_events WHEN NEW.key_text = 'poison' \
                 BEGIN SELECT RAISE(ABORT, 'no'); END"
            }
            Place::Postgres(_) => "ALTER TABLE chakra_bridge_events ADD CHECK (key_text <> 'poison')",
        };
        change(&config, refuses).await;
        let asked = join_all(["a", "poison", "b"].map(|key| run.ledger.claim(claim(key)))).await;
        assert!(matches!(asked[..], [Claimed::Mine { .. }, Claimed::Away, Claimed::Mine { .. }]), "{asked:?}");
        assert_eq!(run.ledger.claim(claim("poison")).await, Claimed::Away);
        assert_eq!(run.status().state, LedgerState::Up);
        run.end().await;
    }
}

#[tokio::test]
async fn a_row_that_another_wrote_meanwhile_is_not_ended_by_what_was_known_of_it() {
    for (config, _folder) in within(120, "databases", stores()).await {
        let run = Run::up(config.clone()).await;
        let claimed = epoch(&run.ledger.claim(claim("e")).await);
        let taken = "UPDATE chakra_bridge_events SET revision = revision + 1, epoch = epoch + 1, owner = 'another'";
        change(&config, taken).await;
        let recorded = run.ledger.record(record("e", claimed, Some("p"))).await;
        assert_eq!(recorded, Recorded::Superseded, "{:?}", config.place);
        run.end().await;
    }
}

#[tokio::test]
async fn nothing_is_claimed_under_a_lease_that_others_see_ended() {
    for (config, _folder) in within(120, "databases", stores()).await {
        let run = Run::up(config.clone()).await;
        change(&config, "DELETE FROM chakra_bridge_owners").await;
        assert!(matches!(run.ledger.claim(claim("e")).await, Claimed::Mine { .. }));
        let found = &Reader::open(&config).await.unwrap().rows("e").await.unwrap()[0];
        assert!(found.lease > config.lease / 2, "{:?}", found.lease);
        run.end().await;
    }
}
