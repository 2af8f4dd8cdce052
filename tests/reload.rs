//! The rules of a running daemon change: at SIGHUP and with the file, whole or not at all, and nobody's event minds.
//!
//! Not here: what a file may hold (`config/`), and the dispatcher without a broker (`path/reloads.rs`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

use std::path::Path;

use serde_json::Value;
use support::broker::shared;
use support::daemon::{Daemon, Setup, says};
use support::deadline::within;
use support::scene::Scene;
use support::standin::{Canned, Fault, Rule};

/// A rule that says which one it is.
fn rule(version: &str) -> String {
    format!(
        "[[rule]]\nname = \"all\"\nprocedure = \"lead\"\nreconcile_by = \"event_key\"\n\
         data = {{ event_key = \"{{{{ key }}}}\", version = \"{version}\" }}\n"
    )
}

/// Puts a text in the place of a file, in one go.
fn put(path: &Path, text: &str) {
    let next = path.with_extension("next");
    std::fs::write(&next, text).unwrap();
    std::fs::rename(next, path).unwrap();
}

/// A daemon with the rule `one`.
async fn begun() -> (Scene, Setup, Daemon) {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let setup = scene.setup();
    let mut daemon = Daemon::start(&setup.clone().sections(&rule("one")));
    within(60, "consuming", daemon.consuming()).await;
    (scene, setup, daemon)
}

fn reloads(daemon: &Daemon) -> usize {
    daemon.count(|line| says(line, "rules reloaded"))
}

async fn until_reloaded(daemon: &mut Daemon, count: usize) {
    within(60, "the reload", daemon.until_count(count, |line| says(line, "rules reloaded"))).await;
}

/// Which rule each process was made by, in their order.
fn versions(scene: &Scene) -> Vec<String> {
    let bodies = scene.api.created().into_iter().map(|created| created.body);
    let versions = bodies.map(|body| serde_json::from_str::<Value>(&body).unwrap()["data"]["version"].clone());
    versions.map(|version| version.as_str().unwrap().to_owned()).collect()
}

async fn lookup(address: &str, path: &str) -> (u16, String) {
    let answer = within(10, path, reqwest::get(format!("{address}{path}"))).await.unwrap();
    (answer.status().as_u16(), within(10, path, answer.text()).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_rule_holds_for_new_events_by_signal_and_by_the_file_alone() {
    let (scene, setup, mut daemon) = begun().await;
    scene.publish_those(0..1, 50).await;
    within(60, "the first", scene.until_created(1)).await;
    put(&daemon.config(), &setup.clone().sections(&rule("two")).toml());
    daemon.signal("HUP");
    until_reloaded(&mut daemon, 1).await;
    scene.publish_those(1..2, 50).await;
    within(60, "the second", scene.until_created(2)).await;
    put(&daemon.config(), &setup.sections(&rule("three")).toml());
    until_reloaded(&mut daemon, 2).await;
    scene.publish_those(2..3, 50).await;
    within(60, "the third", scene.until_created(3)).await;
    assert_eq!(versions(&scene), ["one", "two", "three"]);
    let told = daemon.logged(|line| says(line, "rules reloaded"));
    let asked: Vec<_> = told.iter().map(|line| line["by"].as_str().unwrap()).collect();
    assert_eq!(asked, ["SIGHUP", "a changed file"]);
    assert!(told.iter().all(|line| line["changed"] == "all"), "{told:?}");
    let promises = daemon.count(|line| says(line, "is looked up by `event_key`"));
    assert_eq!(promises, 3, "what is promised for a rule is said again when it changes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_changes_nothing_and_is_told_line_by_line_without_a_secret() {
    let (scene, setup, mut daemon) = begun().await;
    let admin = within(60, "its address", daemon.admin()).await;
    let bad = setup.clone().sections(&rule("two").replace("{{ key }}", "{{ kye }}").replace("lead", "le/ad"));
    put(&daemon.config(), &bad.toml());
    within(60, "the refusal", daemon.until(|line| says(line, "rules not reloaded"))).await;
    within(10, "each mistake", daemon.until_count(2, |line| says(line, "mistake: "))).await;
    let told = daemon.logged(|line| says(line, "mistake: "));
    for words in ["config.toml:19: ", "config.toml:21: ", "short id", "unknown variable `kye`"] {
        assert!(told.iter().any(|line| says(line, words)), "{words} is not in {told:?}");
    }
    assert!(!format!("{:?}", daemon.log()).contains(&setup.token));
    scene.publish(1, 50).await;
    within(60, "the event", scene.until_created(1)).await;
    assert_eq!((versions(&scene), reloads(&daemon)), (vec!["one".to_owned()], 0));
    let (ready, details) = lookup(&admin, "/readyz").await;
    assert!(
        ready == 200 && details.contains("the file on disk has 2 mistakes; running with the rules of"),
        "{details}"
    );
    let metrics = lookup(&admin, "/metrics").await.1;
    for line in ["rules_reloads_total{result=\"refused\"} 1", "rules_outdated 1"] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    put(&daemon.config(), &setup.sections(&rule("two")).toml());
    until_reloaded(&mut daemon, 1).await;
    assert!(lookup(&admin, "/readyz").await.1.contains("in force since"));
    assert!(lookup(&admin, "/metrics").await.1.contains("rules_outdated 0"));
    assert_eq!(daemon.count(|line| says(line, "rules not reloaded")), 1, "told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_for_a_secret_that_could_not_be_read_is_taken_once_it_can_and_told_once() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, support::standin::StandIn::TOKEN).unwrap();
    let setup = Setup { token: token.display().to_string(), ..scene.setup() };
    let mut daemon = Daemon::start(&setup.clone().sections(&rule("one")));
    within(60, "consuming", daemon.consuming()).await;
    std::fs::rename(&token, folder.path().join("away")).unwrap();
    put(&daemon.config(), &setup.sections(&rule("two")).toml());
    within(60, "the refusal", daemon.until(|line| says(line, "mistake: ") && says(line, "token_file"))).await;
    std::fs::rename(folder.path().join("away"), &token).unwrap();
    until_reloaded(&mut daemon, 1).await;
    assert_eq!(daemon.logged(|line| says(line, "rules reloaded"))[0]["by"], "another check");
    assert_eq!(daemon.count(|line| says(line, "rules not reloaded")), 1);
    scene.publish(1, 50).await;
    within(60, "the event", scene.until_created(1)).await;
    assert_eq!(versions(&scene), ["two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_becomes_a_pipe_is_refused_and_holds_up_no_later_reload() {
    let (scene, setup, mut daemon) = begun().await;
    std::fs::remove_file(daemon.config()).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(daemon.config()).status().unwrap().success());
    within(60, "the refusal", daemon.until(|line| says(line, "mistake: ") && says(line, "is a pipe"))).await;
    put(&daemon.config(), &setup.sections(&rule("two")).toml());
    until_reloaded(&mut daemon, 1).await;
    scene.publish(1, 50).await;
    within(60, "the event", scene.until_created(1)).await;
    assert_eq!(versions(&scene), ["two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_on_their_way_end_by_the_rule_that_they_began_with() {
    let (scene, setup, mut daemon) = begun().await;
    let waits = Rule::always(Canned::new(423).retry_after("3")).attribute("event_key", "e0").times(1);
    scene.api.plan(vec![waits, Rule::always(Fault::Delay { ms: 3_000 }).attribute("event_key", "e1")]);
    scene.publish(2, 50).await;
    within(60, "both under way", scene.api.until(|books| books.requests.len() >= 2)).await;
    put(&daemon.config(), &setup.sections(&rule("two")).toml());
    daemon.signal("HUP");
    until_reloaded(&mut daemon, 1).await;
    assert_eq!(scene.api.created().len(), 0, "still on their way");
    scene.publish_those(2..3, 50).await;
    within(60, "all three", scene.until_created(3)).await;
    let bodies = scene.api.created();
    for created in bodies {
        let expected = if created.key.as_deref() == Some("e2") { "two" } else { "one" };
        assert!(created.body.contains(expected), "{:?} by {}", created.key, created.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_needs_a_restart_is_named_and_its_value_is_not() {
    let (_scene, setup, mut daemon) = begun().await;
    let admin = within(60, "its address", daemon.admin()).await;
    let mut other = setup.broker("prefetch = 17").sections(&rule("two"));
    other.token = "another-secret".to_owned();
    put(&daemon.config(), &other.toml());
    daemon.signal("HUP");
    until_reloaded(&mut daemon, 1).await;
    let told = within(10, "the keys", daemon.until(|line| line["keys"].is_string())).await;
    assert_eq!(told["keys"], "broker.prefetch, api.token");
    assert!(lookup(&admin, "/readyz").await.1.contains("\"needs_restart\":[\"broker.prefetch\",\"api.token\"]"));
    assert!(!format!("{:?}", daemon.log()).contains("another-secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_with_an_unchanged_file_lets_a_held_rule_go_on() {
    let (scene, _, mut daemon) = begun().await;
    let admin = within(60, "its address", daemon.admin()).await;
    scene.api.plan(vec![Rule::always(Canned::new(422)).first(20)]);
    scene.publish(20, 50).await;
    within(60, "the hold", daemon.until(|line| says(line, "rule held"))).await;
    let (ready, details) = lookup(&admin, "/readyz").await;
    assert!(
        ready == 200 && details.contains("\"gate_shut\":[\"rule all: held after a run of rejections\"]"),
        "{details}"
    );
    assert!(lookup(&admin, "/metrics").await.1.contains("rule_held{rule=\"all\"} 1\n"));
    daemon.signal("HUP");
    within(60, "the release", daemon.until(|line| says(line, "rule released"))).await;
    assert_eq!((reloads(&daemon), scene.api.created().len()), (1, 0), "nothing was created: the signal alone did it");
    assert!(lookup(&admin, "/readyz").await.1.contains("\"gate_shut\":[]"));
    assert!(lookup(&admin, "/metrics").await.1.contains("rule_held{rule=\"all\"} 0\n"));
    scene.publish_those(20..21, 50).await;
    within(60, "the next", scene.until_created(1)).await;
    assert_eq!(scene.client.depth(&scene.dead()).await.unwrap().messages, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_to_reload_while_draining_ends_nothing() {
    let (scene, _, mut daemon) = begun().await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 3_000 })]);
    scene.publish(1, 50).await;
    within(60, "a request", scene.api.until(|books| !books.requests.is_empty())).await;
    daemon.signal("TERM");
    within(60, "the first signal", daemon.until(|line| says(line, "stopping: finishing"))).await;
    daemon.signal("HUP");
    within(60, "the word", daemon.until(|line| says(line, "stopping: the rules are not reloaded"))).await;
    assert_eq!(within(60, "its end", daemon.ended()).await.0, Some(0));
    assert_eq!(versions(&scene), ["one"]);
}

/// Reloads by signal, one after the other, each of other rules, and many.
async fn reload_on(daemon: &mut Daemon, setup: &Setup, numbers: std::ops::Range<usize>) {
    let more = (0..MORE).map(|number| {
        format!(
            "[[rule]]\nname = \"more {number}\"\ntype = \"more.{number}\"\nprocedure = \"lead\"\n\
             data = {{ a = \"{{{{ event.a | trim | lower }}}}\", b = \"{{{{ event.b + 1 }}}}\" }}\n"
        )
    });
    let more: String = more.collect();
    for number in numbers {
        let rules = format!("{more}{}", rule(&format!("v{number}")));
        put(&daemon.config(), &setup.clone().sections(&rules).toml());
        daemon.signal("HUP");
        until_reloaded(daemon, number + 1).await;
    }
}

/// Rules beside the one that is used: what is kept of each reload would be seen.
const MORE: usize = 20;
const EARLY: usize = 100;
const RELOADS: usize = 1_000;
/// Of them so many before the first look at the memory: what events leave behind is there by then.
const EVENTS: usize = 8_000;
const EARLY_EVENTS: usize = 4_000;
/// What the allocator may grow by meanwhile, in KiB. Were each set of rules kept, it would be some hundred times as much.
const GROWTH_KIB_MAX: u64 = 8 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_reloads_under_load_lose_nothing_double_nothing_and_keep_no_memory() {
    let (scene, setup, mut daemon) = begun().await;
    // So that events last as long as the reloads do.
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 200 })]);
    within(120, "publishing", scene.publish_those(0..EARLY_EVENTS, 200)).await;
    within(200, "a hundred", reload_on(&mut daemon, &setup, 0..EARLY)).await;
    within(300, "the early events", scene.until_created(EARLY_EVENTS)).await;
    let early = daemon.memory_kib();
    within(120, "publishing", scene.publish_those(EARLY_EVENTS..EVENTS, 200)).await;
    within(500, "a thousand", reload_on(&mut daemon, &setup, EARLY..RELOADS)).await;
    within(300, "all created", scene.until_created(EVENTS)).await;
    let late = daemon.memory_kib();
    let by: std::collections::BTreeSet<_> = versions(&scene).into_iter().collect();
    println!("memory after {EARLY}: {early} KiB, after {RELOADS}: {late} KiB; rules that made processes: {}", by.len());
    assert!(by.len() > 50, "the load was over before the reloads: {} rules made processes", by.len());
    assert!(late < early + GROWTH_KIB_MAX, "{early} KiB after {EARLY} reloads, {late} KiB after {RELOADS}");
    daemon.signal("TERM");
    let (code, log) = within(60, "its end", daemon.ended()).await;
    assert_eq!(code, Some(0));
    assert_eq!(scene.processes().len(), EVENTS);
    assert!(scene.processes().values().all(|times| *times == 1));
    assert_eq!(scene.client.depth(&scene.dead()).await.unwrap().messages, 0);
    assert!(!log.iter().any(|line| says(line, "possible duplicate:")));
}
