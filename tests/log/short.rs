//! The program with too few descriptors for its prefetch, under load: that is our own trouble, and costs events only time.
//!
//! Not here: what is said of the limit at the start (`said`), and what the machine makes of it (`core::delivery`).

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;

use crate::support::broker::shared;
use crate::support::daemon::{Daemon, says};
use crate::support::deadline::within;
use crate::support::scene::Scene;
use crate::support::standin::{Fault, Rule, StandIn};

/// More events than descriptors, and far more places.
const EVENTS: usize = 600;

/// A daemon that may have 64 files open, its token in a file.
fn short(scene: &Scene) -> Daemon {
    let folder = TempDir::new().unwrap();
    let (config, token) = (folder.path().join("config.toml"), folder.path().join("token"));
    std::fs::write(&token, StandIn::TOKEN).unwrap();
    let setup = crate::support::daemon::Setup { token: token.to_str().unwrap().to_owned(), ..scene.setup() };
    std::fs::write(&config, setup.broker("prefetch = 256").toml()).unwrap();
    let mut command = Command::new("sh");
    let program = Path::new(env!("CARGO_BIN_EXE_chakra-bridge"));
    command.args(["-c", "ulimit -n 64; exec \"$@\"", "sh"]).arg(program).arg("--config").arg(config);
    command.env_remove("RUST_LOG").env("CHAKRA_BRIDGE__RETRY__RESEND_AFTER", "0s");
    Daemon::start_by(command, folder)
}

/// What the daemon says of itself, asked again until a descriptor is free for the question.
pub(crate) async fn told(admin: &str, path: &str) -> String {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).no_proxy().build().unwrap();
    loop {
        if let Ok(answer) = client.get(format!("{admin}{path}")).send().await
            && let Ok(text) = answer.text().await
        {
            return text;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_64_descriptors_under_load_no_event_is_lost_dead_or_in_doubt_and_the_gate_stays_open() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 400 })]);
    within(60, "publishing", scene.publish(EVENTS, 300)).await;
    let mut daemon = short(&scene);
    let admin = within(60, "its port", daemon.admin()).await;
    let first = daemon.until(|line| line["reason"] == "no_descriptors");
    let first = within(120, "a shortage", first).await;
    assert!(says(&first, "try failed") && first["next"] == "create", "{first}");
    let ready = within(60, "an answer", told(&admin, "/readyz")).await;
    assert!(ready.contains("descriptors_short"), "{ready}");
    within(240, "all created", scene.until_created(EVENTS)).await;
    within(60, "all settled", daemon.until_count(EVENTS, |line| line["result"] == "created")).await;
    let metrics = within(60, "an answer", told(&admin, "/metrics")).await;
    let counted = metrics.lines().find(|line| line.contains("descriptor_shortages_total{connection=\"api\"}"));
    assert!(counted.is_some_and(|line| !line.ends_with(" 0")), "{metrics}");
    for words in ["gate shut", "possible duplicate:", "broker lost", "panic"] {
        let said = daemon.logged(|line| says(line, words));
        assert!(said.is_empty(), "{said:?}");
    }
    assert_eq!(daemon.count(|line| line["result"] == "dead_lettered"), 0);
    assert!(scene.processes().values().all(|times| *times == 1), "a second process");
    assert_eq!(scene.processes().len(), EVENTS);
}
