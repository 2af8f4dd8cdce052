//! `dead-letters show` beside a daemon with a ledger: one page has why an event died and what became of it before.
//!
//! Not here: `trace` (`tests/ledger/trace.rs`), and the other verbs (`night`).

use std::time::Duration;

use serde_json::Value;

use super::night::{file, run};
use super::scene::Scene;
use crate::support::daemon::Daemon;
use crate::support::deadline::within;
use crate::support::standin::{Canned, Rule};

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_shown_with_what_the_ledger_knows_of_its_event_and_without_a_ledger_with_who_may_know() {
    let scene = Scene::shared().await;
    scene.api.plan(vec![Rule::always(Canned::new(422))]);
    let folder = tempfile::tempdir().unwrap();
    let without = scene.setup().broker("topology = \"declare\"");
    let ledger = format!("[ledger]\nurl = \"sqlite://{}\"", folder.path().join("ledger.db").display());
    let with = without.clone().sections(&ledger);
    let _daemon = within(90, "a daemon", Daemon::consumes(&with)).await;
    scene.publish(1, 100).await;
    scene.client.until_depth(&scene.dead(), 1, Duration::from_secs(60)).await;

    let ((_one, with), (_other, without)) = (file(&with), file(&without));
    let page = run(&with, &["show"]).await.done();
    assert!(
        page.contains("\ntrace\n") && page.contains("claimed first") && page.contains("create sent last"),
        "{page}"
    );
    let told: Value = serde_json::from_str(&run(&with, &["show", "--json"]).await.done()).unwrap();
    assert_eq!(told["trace"]["ledger"][0]["procedure"], "lead", "{told}");
    let page = run(&without, &["show"]).await.done();
    assert!(page.contains("no ledger is configured; `chakra-bridge trace e0` asks the API"), "{page}");
}
