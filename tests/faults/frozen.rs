//! The daemon frozen by its machine, as by a pause of its container or of the machine itself: what was answered meanwhile is taken.
//!
//! Not here: a broker that is frozen (`broker/survives.rs`), and a replica that is frozen with a ledger (`ledger`).

use std::time::Duration;

use crate::support::broker::shared;
use crate::support::daemon::{Daemon, says};
use crate::support::deadline::within;
use crate::support::scene::Scene;
use crate::support::standin::{Fault, Rule};

const EVENTS: usize = 50;
/// Longer than the daemon waits for an answer, 2 s.
const FROZEN: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_come_while_the_daemon_is_frozen_for_longer_than_it_waits_are_none_that_were_lost() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 1_000 })]);
    within(60, "publishing", scene.publish(EVENTS, 100)).await;
    let mut daemon = Daemon::start(&scene.setup().impatient());
    within(60, "requests", scene.api.until(|books| books.requests.len() == EVENTS)).await;
    daemon.signal("STOP");
    within(60, "processes", scene.until_created(EVENTS)).await;
    tokio::time::sleep(FROZEN).await; // tidy: allow sleep, so long it is frozen
    daemon.signal("CONT");
    within(60, "all settled", daemon.until_count(EVENTS, |line| line["result"] == "created")).await;
    for words in ["try failed", "possible duplicate:"] {
        let said = daemon.logged(|line| says(line, words));
        assert!(said.is_empty(), "{said:?}");
    }
    assert!(scene.processes().values().all(|times| *times == 1), "a second process");
}
