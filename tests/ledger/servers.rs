//! Postgres shared by several replicas, and how it is set.
//!
//! Not here: faults (`faults`), and what holds of SQLite as well (`both`).

use std::path::PathBuf;
use std::time::Duration;

use chakra_bridge::core::ledger::{Claimed, Recorded};
use chakra_bridge::ledger::{Config, Place, Server, Tls, read};
use futures_util::future::join_all;

use super::stage::{Run, at, claim, config, create, epoch, process, record, server};
use crate::authority::Authority;
use crate::support::broker::eventually;
use crate::support::deadline::within;
use crate::support::postgres::Postgres;

async fn stage() -> Option<(&'static Postgres, Config)> {
    let postgres = within(60, "a server", Postgres::shared()).await?;
    let database = postgres.database().await;
    Some((postgres, server(postgres, &database)))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_replicas_that_claim_the_same_keys_at_once_one_has_each_and_none_waits_for_ever() {
    let Some((_, of)) = stage().await else { return };
    let runs = join_all((0..3).map(|_| Run::up(of.clone()))).await;
    let keys: Vec<String> = (0..300).map(|number| format!("e{number}")).collect();
    let claims = runs.iter().enumerate().map(async |(number, run)| {
        let mut keys: Vec<_> = keys.iter().collect();
        fastrand::shuffle(&mut keys);
        let each = keys.into_iter().map(async |key| (key.clone(), number, run.ledger.claim(claim(key)).await));
        join_all(each).await
    });
    let all: Vec<_> = within(60, "all claims", join_all(claims)).await.into_iter().flatten().collect();
    for key in &keys {
        let of_key: Vec<_> = all.iter().filter(|(claimed, ..)| claimed == key).collect();
        let mine =
            of_key.iter().filter(|(.., claimed)| matches!(claimed, Claimed::Mine { may_send: true, .. })).count();
        let held = of_key.iter().filter(|(.., claimed)| matches!(claimed, Claimed::Held { .. })).count();
        assert_eq!((mine, held), (1, 2), "{key}: {of_key:?}");
    }
    join_all(runs.into_iter().map(Run::end)).await;
}

#[tokio::test]
async fn what_a_dead_replica_had_is_held_until_its_lease_is_over_and_what_it_says_afterwards_is_not_taken() {
    let Some((_, of)) = stage().await else { return };
    let of = Config { lease: Duration::from_secs(2), ..of };
    let (first, second) = (Run::up(of.clone()).await, Run::up(of).await);
    let before = epoch(&first.ledger.claim(claim("e")).await);
    assert!(matches!(second.ledger.claim(claim("e")).await, Claimed::Held { rest } if rest <= Duration::from_secs(2)));
    first.die().await;
    let taken = || async {
        match second.ledger.claim(claim("e")).await {
            Claimed::Mine { may_send, left, .. } => !may_send && left.unsure_creates == 1,
            _ => false,
        }
    };
    eventually(Duration::from_secs(10), "the lease is over", taken).await;
    let late = Run::up(second.config.clone()).await;
    assert_eq!(late.ledger.record(record("e", before, Some("p"))).await, Recorded::Superseded);
    late.end().await;
    second.end().await;
}

#[tokio::test]
async fn a_server_that_commits_loosely_is_made_to_commit() {
    let Some((postgres, of)) = stage().await else { return };
    let Place::Postgres(Server { database, .. }) = &of.place else { return };
    postgres.run("postgres", format!("ALTER DATABASE {database} SET synchronous_commit = off")).await;
    let run = Run::up(of.clone()).await;
    assert_eq!(run.status().degraded, None, "it is set for the session");
    run.end().await;
}

#[tokio::test]
async fn what_a_user_may_not_do_is_told_beforehand_and_by_the_daemon() {
    let Some((postgres, of)) = stage().await else { return };
    let Place::Postgres(Server { database, .. }) = &of.place else { return };
    postgres.run(database, format!("CREATE ROLE poor_{database} LOGIN PASSWORD 'swordfish'")).await;
    let poor = Server {
        user: format!("poor_{database}"),
        password: Some(chakra_bridge::secret::SecretSource::Given(chakra_bridge::secret::Secret::new("swordfish"))),
        ..at(postgres, database)
    };
    let poor = config(Place::Postgres(poor));
    let (wrong, _) = read::check(&poor).await;
    assert!(wrong[0].contains("may not make tables in the schema public"), "{wrong:?}");
    let run = Run::begin(poor.clone());
    let told = run.away().await;
    assert!(told.contains("42501") && told.contains("rights"), "{told}");
    run.die().await;
    Run::up(of.clone()).await.end().await;
    let (wrong, _) = read::check(&poor).await;
    assert!(wrong[0].contains("permission denied for table chakra_bridge_schema"), "{wrong:?}");
    let user = format!("poor_{database}");
    postgres.run(database, format!("GRANT SELECT ON chakra_bridge_schema, chakra_bridge_events TO {user}")).await;
    let (wrong, _) = read::check(&poor).await;
    assert!(wrong.iter().any(|words| words.contains("may not UPDATE rows of chakra_bridge_events")), "{wrong:?}");
    let tables = "chakra_bridge_events, chakra_bridge_owners";
    postgres.run(database, format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {user}")).await;
    assert_eq!(read::check(&poor).await, (Vec::new(), Vec::new()));
    let run = Run::up(poor).await;
    assert_eq!(process(&run, "e").await, None);
    run.end().await;
}

#[tokio::test]
async fn a_server_is_reached_by_tls_only_if_its_authority_is_known_and_its_name_is_the_one_that_was_asked_for() {
    let Some((postgres, of)) = stage().await else { return };
    let Place::Postgres(plain) = of.place else { return };
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new("databases"));
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let identity = authority.server("localhost");
    postgres.secure(&identity.cert, &identity.key).await;
    let by = |host: &str, tls, authorities: Option<&PathBuf>| {
        let (host, authorities) = (host.to_owned(), authorities.cloned());
        config(Place::Postgres(Server { host, tls, authorities, ..plain.clone() }))
    };
    Run::up(by("localhost", Tls::VerifyFull, Some(&ca))).await.end().await;
    Run::up(by("127.0.0.1", Tls::VerifyCa, Some(&ca))).await.end().await;
    Run::up(by("127.0.0.1", Tls::Require, None)).await.end().await;
    for (host, authorities) in [("localhost", None), ("127.0.0.1", Some(&ca))] {
        let run = Run::begin(by(host, Tls::VerifyFull, authorities));
        let told = run.away().await;
        assert!(told.contains("TLS with it fails") && told.contains("ledger.ca_file"), "{told}");
        run.die().await;
    }
}

#[tokio::test]
async fn a_row_that_somebody_has_locked_holds_up_its_event_alone() {
    let Some((postgres, of)) = stage().await else { return };
    let Place::Postgres(Server { database, .. }) = &of.place else { return };
    let run = Run::up(of.clone()).await;
    create(&run, "locked", "p").await;
    let _locks = postgres.begun(database, "SELECT * FROM chakra_bridge_events FOR UPDATE").await;
    let asked = within(10, "answers", join_all(["a", "locked", "b"].map(|key| run.ledger.claim(claim(key))))).await;
    assert!(matches!(asked[..], [Claimed::Mine { .. }, Claimed::Away, Claimed::Mine { .. }]), "{asked:?}");
    run.end().await;
}

#[tokio::test]
async fn what_fails_as_it_is_committed_is_not_answered_as_committed() {
    let Some((postgres, of)) = stage().await else { return };
    let Place::Postgres(Server { database, .. }) = &of.place else { return };
    let run = Run::up(of.clone()).await;
    for statement in [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$",
        "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON chakra_bridge_events DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION refuse()",
    ] {
        postgres.run(database, statement.to_owned()).await;
    }
    assert_eq!(within(20, "an answer", run.ledger.claim(claim("e"))).await, Claimed::Away);
    postgres.run(database, "DROP TRIGGER late ON chakra_bridge_events".to_owned()).await;
    run.resumes("e").await;
    run.end().await;
}
