//! `check --online` says what is wrong on the broker, with the line of the configuration, and makes nothing there.
//!
//! Not here: what the daemon does about it (`topology.rs`).

use std::process::{Command, Output};
use std::time::Duration;

use lapin::types::{AMQPValue, FieldTable};

use super::scene::Scene;
use crate::support::broker::shared;
use crate::support::daemon::{Daemon, Setup};
use crate::support::deadline::within;
use crate::support::standin::{Canned, On, Rule};

/// Where `broker.url` and `broker.queue` stand in the file of a `Setup`.
const URL_LINE: &str = "config.toml:2:";
const QUEUE_LINE: &str = "config.toml:4:";
const QUEUE_VARIABLE: &str = "CHAKRA_BRIDGE__BROKER__QUEUE";

pub(super) async fn check(setup: &Setup, more: &'static [&str]) -> (Option<i32>, String) {
    check_under(setup, more, &[]).await
}

async fn check_under(
    setup: &Setup,
    more: &'static [&str],
    variables: &'static [(&str, &str)],
) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, setup.toml()).unwrap();
    let asked = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"));
        let command = command.args(["check", "--online"]).args(more).arg("--config").arg(path);
        command.envs(variables.iter().copied()).output().unwrap()
    });
    let Output { status, stdout, stderr } = within(60, "its words", asked).await.unwrap();
    (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

fn holds(said: &str, all: &[&str]) {
    let missing: Vec<_> = all.iter().filter(|words| !said.contains(**words)).collect();
    assert!(missing.is_empty(), "{missing:?} is not in:\n{said}");
}

/// A daemon makes the queues, and goes.
async fn made(scene: &Scene) {
    let mut daemon = Daemon::start(&scene.setup().broker("topology = \"declare\""));
    within(60, "consuming", daemon.consuming()).await;
    daemon.signal("TERM");
    within(60, "its end", daemon.ended()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_missing_queue_is_named_with_the_line_and_none_is_made() {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    let wait = format!("{}.wait.10s", scene.queue());
    let (code, said) = check(&scene.setup(), &[]).await;
    assert_eq!(code, Some(78), "{said}");
    holds(&said, &[QUEUE_LINE, "missing in the broker", &scene.queue(), &scene.dead(), &wait, "declare"]);
    let (code, said) = check(&scene.setup().broker("topology = \"declare\""), &[]).await;
    assert_eq!(code, Some(0), "{said}");
    let (_, said) = check_under(&scene.setup(), &[], &[(QUEUE_VARIABLE, "elsewhere")]).await;
    holds(&said, &["environment: ", QUEUE_VARIABLE, "elsewhere.wait.10s"]);
    for queue in [scene.queue(), scene.dead(), wait] {
        assert_eq!(scene.client.depth(&queue).await, None, "{queue}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_queue_that_this_user_may_not_make_is_named_with_the_right_that_it_takes() {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    let setup = scene.limited(scene.setup(), ".*").await.broker("topology = \"declare\"");
    let (code, said) = check(&setup, &[]).await;
    assert_eq!(code, Some(78), "{said}");
    holds(&said, &[&format!("queue `{}` is missing, and this user may not make it", scene.queue()), "configure"]);
    made(&scene).await;
    assert_eq!(check(&setup, &[]).await.0, Some(0), "nothing is missing");
    let setup = scene.limited(setup, "^$").await;
    let (code, said) = check(&setup, &[]).await;
    assert_eq!(code, Some(78), "{said}");
    holds(&said, &["this user may not publish; give it the right to write to `amq.default`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_delay_queue_and_one_that_could_drop_events_are_refused() {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    made(&scene).await;
    assert_eq!(check(&scene.setup(), &[]).await.0, Some(0));
    let wait = format!("{}.wait.1m", scene.queue());
    scene.client.delete(&wait).await;
    let (code, said) = check(&scene.setup(), &[]).await;
    assert_eq!(code, Some(78), "{said}");
    holds(&said, &[QUEUE_LINE, "missing in the broker", &wait]);
    let mut short = FieldTable::default();
    short.insert("x-max-length".into(), AMQPValue::LongInt(1));
    let another = format!("{}.wait.1h", scene.queue());
    scene.client.delete(&another).await;
    for wait in [&wait, &another] {
        scene.client.declare_quorum(wait, short.clone()).await;
    }
    let (code, said) = check(&scene.setup(), &["--json"]).await;
    assert_eq!(code, Some(78), "{said}");
    holds(&said, &["could drop", &wait, &another, "\"line\":4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_exists_is_judged_while_the_rest_is_still_to_be_made() {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    let setup = scene.setup().broker("topology = \"declare\"");
    scene.client.declare_stream(&scene.queue()).await;
    let (code, said) = check(&setup, &[]).await;
    assert_eq!(code, Some(78), "{said}");
    holds(&said, &[QUEUE_LINE, "is a stream"]);
    scene.client.delete(&scene.queue()).await;
    let wait = format!("{}.wait.1m", scene.queue());
    let mut short = FieldTable::default();
    short.insert("x-max-length".into(), AMQPValue::LongInt(1));
    scene.client.declare_quorum(&wait, short).await;
    scene.client.declare_classic(&scene.dead(), FieldTable::default()).await;
    let (code, said) = check(&setup, &[]).await;
    assert_eq!(code, Some(78), "{said}");
    holds(&said, &["could drop", &wait, &format!("queue `{}` is a classic queue", scene.dead())]);
    for queue in [scene.queue(), format!("{}.wait.10s", scene.queue())] {
        assert_eq!(scene.client.depth(&queue).await, None, "no question makes {queue}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_warning_is_a_warning_and_a_broker_that_is_away_a_mistake() {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    made(&scene).await;
    scene.client.delete(&scene.queue()).await;
    scene.client.declare_classic(&scene.queue(), FieldTable::default()).await;
    let (code, said) = check(&scene.setup(), &[]).await;
    assert_eq!(code, Some(0), "{said}");
    holds(&said, &["warning", "is a classic queue", "names no dead-letter exchange"]);
    let away = Setup { amqp: scene.by_way_of(1), ..scene.setup() };
    let (code, said) = check(&away, &[]).await;
    assert_eq!(code, Some(78), "{said}");
    holds(&said, &[URL_LINE, "connecting to 127.0.0.1:1"]);
    scene.client.until_depth(&scene.queue(), 0, Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_says_nothing_clear_is_a_warning_and_one_that_refuses_the_token_a_mistake() {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    made(&scene).await;
    scene.api.plan(vec![Rule { on: On::List, ..Rule::always(Canned::new(503)) }]);
    let (code, said) = check(&scene.setup(), &[]).await;
    assert_eq!(code, Some(0), "{said}");
    holds(&said, &["warning: procedure lead: the API answers 503"]);
    scene.api.set_tokens(&["another"]);
    let (code, said) = check(&scene.setup(), &["--json"]).await;
    assert_eq!(code, Some(78), "{said}");
    holds(&said, &["\"key\":\"api.token\"", "401"]);
    assert!(scene.api.created().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_address_that_fails_while_another_works_is_told_with_its_cause_and_one_that_hangs_holds_up_nothing() {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    made(&scene).await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hangs = silent.local_addr().unwrap();
    let hosts = format!("hosts = [\"127.0.0.1:1\", \"{hangs}\", \"{}\"]\ncall_timeout = \"3s\"", scene.listens());
    let begun = std::time::Instant::now();
    let (code, said) = check(&scene.setup().broker(&hosts), &[]).await;
    let took = begun.elapsed();
    assert_eq!(code, Some(0), "{said}");
    let lines: Vec<_> = said.lines().filter(|line| line.contains("fails while another works")).collect();
    assert_eq!(lines.len(), 2, "{said}");
    holds(&said, &["connecting to 127.0.0.1:1 ", "refused", &format!("connecting to {hangs} "), "said nothing"]);
    assert!(lines.iter().all(|line| line.contains("Correct it in broker.url or broker.hosts")), "{said}");
    assert!(took < Duration::from_secs(8), "{took:?}");
    let alone = Setup { amqp: scene.by_way_of(1), ..scene.setup() }.broker("hosts = [\"127.0.0.1:1\"]");
    let (code, said) = check(&alone, &[]).await;
    assert!(code == Some(78) && !said.contains("while another works"), "{said}");
}
