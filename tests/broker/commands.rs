//! What an operator wishes reaches the daemon while it runs: a pause, and a new token.
//!
//! Not here: what either does to the gate (`core::gate`), and the refusals of the admin port (`admin::server`).

use serde_json::Value;

use super::scene::Scene;
use crate::support::broker::shared;
use crate::support::daemon::{Daemon, program, says};
use crate::support::deadline::within;

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_daemon_stays_ready_and_sends_nothing_until_it_is_resumed() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let mut setup = scene.setup();
    setup.admin_token = "swordfish".to_owned();
    let mut daemon = Daemon::start(&setup);
    let admin = within(60, "its address", daemon.admin()).await;
    let http = reqwest::Client::new();
    let command = async |path: &str| {
        let asked = http.post(format!("{admin}{path}")).bearer_auth("swordfish").header("From", "ops").send();
        let answer = within(10, path, asked).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        serde_json::from_slice::<Value>(&answer.bytes().await.unwrap()).unwrap()["paused"].as_bool()
    };
    within(60, "consuming", daemon.consuming()).await;
    assert_eq!(command("/pause").await, Some(true));
    within(10, "the pause", daemon.until(|line| says(line, "paused: events wait"))).await;
    scene.publish(5, 100).await;
    let lookup = async |path: &str| {
        let answer = within(10, path, http.get(format!("{admin}{path}")).send()).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(lookup("/livez").await.0, 200);
    let (ready, details) = lookup("/readyz").await;
    assert!(ready == 200 && details.contains("everything: paused"), "{ready} {details}");
    assert_eq!(scene.api.requests().len(), 0);
    assert_eq!(command("/resume").await, Some(false));
    within(60, "five", scene.until_created(5)).await;
    let asked = daemon.logged(|line| line["command"].is_string());
    let told = asked.iter().all(|line| line["from"] == "ops" && line["peer"].is_string());
    assert!(asked.len() == 2 && told, "{asked:?}");
    assert!(!format!("{:?}", daemon.log()).contains("swordfish"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_in_its_file_is_noticed_without_a_probe_or_a_restart() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "an-old-token").unwrap();
    let mut setup = scene.setup().sections("[gate]\nprobe_initial = \"1h\"\nprobe_max = \"1h\"");
    setup.token = file.display().to_string();
    let mut daemon = Daemon::start(&setup);
    scene.publish(5, 100).await;
    within(60, "the shut gate", daemon.until(|line| line["why"] == "unauthorized")).await;
    std::fs::write(&file, crate::support::standin::StandIn::TOKEN).unwrap();
    within(30, "five", scene.until_created(5)).await;
    assert_eq!(daemon.count(|line| line["result"] == "dead_lettered"), 0);
}

/// A verb with these words, by the configuration of a daemon: its exit code, and what it said.
async fn verb(daemon: &Daemon, words: &[&str]) -> (Option<i32>, String) {
    let mut command = tokio::process::Command::new(program());
    command.arg("--config").arg(daemon.config()).args(words).kill_on_drop(true);
    let done = within(60, "the verb", command.output()).await.unwrap();
    (done.status.code(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_is_paused_and_its_log_is_louder_for_a_while_by_one_command_each() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let mut setup = scene.setup();
    setup.admin_token = "swordfish".to_owned();
    let (mut one, mut other) = (Daemon::start(&setup), Daemon::start(&setup));
    let urls = [within(60, "one", one.admin()).await, within(60, "the other", other.admin()).await];
    let [first, second] = urls.each_ref().map(|url| url.trim_start_matches("http://").to_owned());
    let fleet = ["--address", first.as_str(), "--address", second.as_str()];
    let (code, said) = verb(&one, &[&["pause"][..], &fleet].concat()).await;
    assert_eq!((code, said.matches("done: http://").count()), (Some(0), 2), "{said}");
    for (url, daemon) in urls.iter().zip([&mut one, &mut other]) {
        within(30, "the pause", daemon.until(|line| says(line, "paused: events wait"))).await;
        let ready = within(10, "readyz", reqwest::get(format!("{url}/readyz"))).await.unwrap();
        let ready: Value = serde_json::from_slice(&ready.bytes().await.unwrap()).unwrap();
        let gate = &ready["gates"][0];
        assert_eq!((&gate["scope"], &gate["why"]), (&"everything".into(), &"paused".into()), "{ready}");
        assert!(gate["what"].as_str().unwrap().contains("resume") && gate["since"].is_string(), "{ready}");
    }
    let (code, said) = verb(&one, &[&["log-level", "debug", "--for", "1s"][..], &fleet].concat()).await;
    assert_eq!((code, said.matches("until").count()), (Some(0), 2), "{said}");
    for daemon in [&mut one, &mut other] {
        for level in ["debug", "info"] {
            let told = |line: &Value| says(line, "the log has another level now") && line["level"] == "WARN";
            within(30, level, daemon.until_count(if level == "debug" { 1 } else { 2 }, told)).await;
        }
    }
    let (code, said) = verb(&one, &["pause", "--address", "127.0.0.1:1"]).await;
    assert_eq!(code, Some(1), "{said}");
}
