//! What stands between a replica and its Postgres: a way that leads nowhere, and a commit whose word does not come.
//!
//! Not here: events (`repeats`, `kill`).

use std::time::Duration;

use chakra_bridge::core::ledger::{Claimed, Recorded};
use chakra_bridge::ledger::{Config, Place, Server};
use tokio::time::{Instant, timeout};

use super::stage::{RESUMES, Run, at, claim, config, create, epoch, process, record};
use crate::support::deadline::within;
use crate::support::postgres::Postgres;
use crate::support::postgres::wire::{Stop, Wire, Write};

/// Long enough for an answer that ought not to come.
const A_WHILE: Duration = Duration::from_millis(300);

async fn stage() -> Option<(Wire, Config)> {
    let postgres = within(60, "a server", Postgres::shared()).await?;
    let database = postgres.database().await;
    let wire = Wire::start(postgres.port).await;
    let of = Server { port: wire.port(), ..at(postgres, &database) };
    Some((wire, config(Place::Postgres(of))))
}

#[tokio::test]
async fn a_way_that_leads_nowhere_costs_time_only_and_what_was_on_it_is_neither_lost_nor_counted_twice() {
    let Some((wire, of)) = stage().await else { return };
    let run = Run::up(of).await;
    create(&run, "before", "p").await;
    let claimed = epoch(&run.ledger.claim(claim("under way")).await);
    wire.leads_nowhere();
    let asked = Instant::now();
    let end = record("under way", claimed, Some("p"));
    let (recorded, other) = tokio::join!(run.ledger.record(end.clone()), run.ledger.claim(claim("new")));
    assert_eq!((recorded, other), (Recorded::Away, Claimed::Away));
    assert!(asked.elapsed() < RESUMES, "whoever asks hears within seconds");
    let told = run.away().await;
    assert!(told.contains("does not answer within"), "{told}");
    wire.leads_on();
    run.resumes("after").await;
    assert_eq!(run.ledger.record(end).await, Recorded::Yes, "to tell it again is safe");
    assert_eq!(process(&run, "before").await.as_deref(), Some("p"));
    assert_eq!(process(&run, "under way").await.as_deref(), Some("p"));
    let again = run.ledger.claim(claim("new")).await;
    assert!(matches!(again, Claimed::Mine { may_send: true, .. }), "nothing was sent under it: {again:?}");
    run.end().await;
}

#[tokio::test]
async fn nobody_is_answered_before_the_word_of_the_commit_has_come() {
    let Some((wire, of)) = stage().await else { return };
    let run = Run::up(of).await;
    for key in ["first", "once more"] {
        wire.arm(Stop::After(Write::Claim));
        let asked = run.ledger.claim(claim(key));
        tokio::pin!(asked);
        assert!(timeout(A_WHILE, &mut asked).await.is_err(), "answered before it is committed");
        within(10, "it is committed", wire.reached()).await;
        assert_eq!(asked.await, Claimed::Away);
        wire.disarm();
        run.resumes(&format!("after {key}")).await;
    }
    run.end().await;
}
