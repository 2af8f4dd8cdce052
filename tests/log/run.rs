//! The log of one run with each thing that can happen to an event: it is the one that stands in `docs/log.md`, and no line is
//! without key, cause and next step where there is one.
//!
//! Not here: what each line means to the machine (`core::delivery`).

use std::collections::BTreeSet;

use lapin::BasicProperties;
use serde_json::{Map, Value};

use crate::short::told;
use crate::support::broker::shared;
use crate::support::daemon::{Daemon, Setup, result, says};
use crate::support::deadline::within;
use crate::support::lines::{lacks, of_one_type, wrong};
use crate::support::scene::Scene;
use crate::support::standin::{Canned, Fault, Rule, Seen};

/// What differs from the defaults: waits are short, two rejections hold a rule, and events are small.
const CONFIGURATION: &str = r#"
[event]
max_size = "1KiB"
[retry]
initial = "200ms"
max_local_delay = "2s"
[gate]
rejections = 2
probe_initial = "2s"
[lookup]
window = "8s"
[shutdown]
deadline = "2s"

[[rule]]
name = "lead"
type = "lead"
procedure = "lead"
reconcile_by = "event_key"
data = { event_key = "{{ key }}", name = "{{ event.name }}" }

[[rule]]
name = "ticket"
type = "ticket"
procedure = "ticket"
data = { event_key = "{{ key }}", subject = "{{ event.name }}" }

[[rule]]
name = "noise"
type = "noise"
action = "skip"
"#;

struct Run {
    scene: Scene,
    daemon: Daemon,
}

impl Run {
    async fn publish(&self, kind: &str, id: &str, body: &str) {
        let properties = BasicProperties::default().with_message_id(id.into()).with_type(kind.into());
        self.scene.client.publish("", &self.scene.queue(), body.as_bytes(), properties).await;
    }

    /// Publishes an event under a plan of the API, and waits for the line of its end.
    async fn event(&mut self, kind: &str, id: &str, plan: Vec<Rule>) -> Value {
        self.scene.api.plan(plan);
        self.publish(kind, id, r#"{"name":"Swordfish Ltd"}"#).await;
        self.end(id).await
    }

    async fn end(&mut self, id: &str) -> Value {
        let is_its_end = |line: &Value| says(line, "event settled") && (line["key"] == id || line["message_id"] == id);
        within(90, id, self.daemon.until(is_its_end)).await
    }

    async fn said(&mut self, words: &str) {
        within(60, words, self.daemon.until(|line| says(line, words))).await;
    }
}

fn setup(scene: &Scene) -> Setup {
    scene.setup().api("timeout = \"2s\"").sections(CONFIGURATION).broker("topology = \"declare\"\nprefetch = 16")
}

/// Everything that ends an event: found, created after a doubt and after a wait, skipped, and each kind of dead letter.
async fn ends(run: &mut Run) {
    run.event("lead", "lead-1", Vec::new()).await;
    let found = run.event("lead", "lead-2", vec![Rule::always(Fault::CreateThenReset).times(1)]).await;
    assert!(result(&found, "found"), "{found}");
    run.event("ticket", "ticket-1", vec![Rule::always(Canned::new(503)).times(1)]).await;
    run.event("lead", "lead-3", vec![Rule::always(Canned::new(423).retry_after("1")).times(1)]).await;
    run.event("noise", "noise-1", Vec::new()).await;
    run.event("unheard.of", "other-1", Vec::new()).await;
    run.publish("lead", "lead-4", "{}").await;
    run.end("lead-4").await;
    run.publish("lead", "lead-5", "{").await;
    run.end("lead-5").await;
    run.publish("lead", "lead-6", &format!("{{\"name\":\"{}\"}}", "x".repeat(2000))).await;
    run.end("lead-6").await;
}

/// A gate that is shut and opens, and a wait in a delay queue.
async fn waits(run: &mut Run) {
    run.event("lead", "lead-7", vec![Rule::always(Canned::new(401)).times(1)]).await;
    let delayed = run.event("lead", "lead-8", vec![Rule::always(Canned::new(429).retry_after("10")).times(1)]).await;
    assert!(result(&delayed, "created"), "{delayed}");
}

/// A run of refusals holds a rule; what is delayed for that comes back and lets it go on.
async fn rejects(run: &mut Run) {
    let refused = vec![Rule::always(Canned::new(422)).procedure("ticket")];
    run.event("ticket", "ticket-2", refused.clone()).await;
    run.event("ticket", "ticket-3", refused).await;
    run.said("rule held").await;
    run.scene.api.plan(Vec::new());
    run.publish("ticket", "ticket-4", r#"{"name":"Swordfish Ltd"}"#).await;
    run.end("ticket-4").await;
    run.said("rule released").await;
}

impl Run {
    /// An event whose request is under way, and is never answered.
    async fn hangs(&mut self, id: &str) {
        self.scene.api.plan(vec![Rule::always(Fault::NeverAnswer)]);
        self.publish("lead", id, r#"{"name":"Swordfish Ltd"}"#).await;
        // The check of a rule's lookup is a request too.
        let is_its_create = |request: &Seen| request.path.ends_with("/process") && request.key.as_deref() == Some(id);
        within(60, "its request", self.scene.api.until(|books| books.requests.iter().any(is_its_create))).await;
        self.scene.api.plan(Vec::new());
    }

    /// Ends the daemon by this signal, and starts another one.
    async fn again(self, signal: &str, code: Option<i32>, log: &mut Vec<Value>) -> Self {
        self.daemon.signal(signal);
        let (ended, lines) = within(60, "its end", self.daemon.ended()).await;
        assert_eq!(ended, code, "{signal}");
        log.extend(lines);
        let daemon = Daemon::start(&setup(&self.scene));
        let mut run = Self { daemon, ..self };
        run.said("consuming").await;
        run
    }

    /// Until so many events are held.
    async fn holds(&mut self, events: usize) {
        let (admin, wanted) = (self.daemon.admin().await, format!("events_unacknowledged {events}"));
        while !within(60, "metrics", told(&admin, "/metrics")).await.contains(&wanted) {}
    }
}

/// The daemon stops with a request under way, is killed with one, and stops with events that wait for a shut gate.
async fn restarts(mut run: Run) -> Vec<Value> {
    let mut log = Vec::new();
    run.hangs("lead-9").await;
    let mut run = run.again("TERM", Some(75), &mut log).await;
    run.end("lead-9").await;
    run.hangs("lead-10").await;
    let mut run = run.again("KILL", None, &mut log).await;
    run.said("events came back").await;
    run.end("lead-10").await;
    run.scene.api.plan(vec![Rule::always(Canned::new(401))]);
    for (number, id) in ["lead-11", "lead-12"].into_iter().enumerate() {
        run.publish("lead", id, r#"{"name":"Swordfish Ltd"}"#).await;
        within(60, "gate", run.daemon.until(|line| says(line, "gate shut"))).await;
        within(60, id, run.holds(number + 1)).await;
    }
    run.daemon.signal("TERM");
    log.extend(within(60, "its end", run.daemon.ended()).await.1);
    log
}

/// What two lines have in common that tell of the same: level, message, fields, and the values that are fixed words.
fn shape(line: &Value) -> String {
    const WORDS: [&str; 8] = ["result", "reason", "asked", "next", "waits_in", "cause", "scope", "queue"];
    let fields: &Map<String, Value> = line.as_object().expect("a line is an object");
    let of = |name: &String, value: &Value| match value.as_str() {
        Some(word) if WORDS.contains(&name.as_str()) && !word.contains('-') => format!("{name}={word}"),
        _ => name.clone(),
    };
    let told: BTreeSet<String> =
        fields.iter().filter(|(name, _)| *name != "message").map(|(name, value)| of(name, value)).collect();
    let message: String =
        line["message"].as_str().unwrap_or_default().chars().filter(|one| !one.is_ascii_digit()).collect();
    format!(
        "{} {message} {}",
        line["level"].as_str().unwrap_or_default(),
        told.into_iter().collect::<Vec<_>>().join(" ")
    )
}

/// Lines that come or do not with the second in which an event waits for its window: they are looked for each 5 s.
const SOMETIMES: [&str; 2] = ["events were looked for and not found yet", "no event waits for the window"];

/// The lines of the document.
fn documented() -> Vec<Value> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/log.md")).unwrap();
    let lines = page.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

async fn the_run() -> Vec<Value> {
    let scene = within(240, "a broker", async { Scene::empty(shared().await.vhost().await).await }).await;
    let daemon = Daemon::start(&setup(&scene));
    let mut run = Run { scene, daemon };
    run.said("consuming").await;
    ends(&mut run).await;
    waits(&mut run).await;
    rejects(&mut run).await;
    restarts(run).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_run_with_each_outcome_is_the_one_in_the_documents_and_every_line_says_enough() {
    let log = within(400, "a run", Box::pin(the_run())).await;
    let printed: Vec<String> = log.iter().map(Value::to_string).collect();
    println!("the log of this run:\n{}", printed.join("\n"));
    for line in &log {
        assert_eq!(lacks(line), None);
        assert_eq!(wrong(line), None);
        assert!(!line.to_string().contains("Swordfish"), "a value of an event: {line}");
    }
    assert_eq!(of_one_type(log.iter()), Ok(()));
    for wanted in ["created", "found", "skipped", "dead_lettered", "delayed", "requeued"] {
        assert!(log.iter().any(|line| result(line, wanted)), "{wanted} is not there");
    }
    let shapes = |lines: &[Value]| lines.iter().map(shape).collect::<BTreeSet<String>>();
    let (run, page) = (shapes(&log), shapes(&documented()));
    let missing: Vec<_> = run.difference(&page).collect();
    let is_sometimes = |shape: &&String| SOMETIMES.iter().any(|words| shape.contains(words));
    let extra: Vec<_> = page.difference(&run).filter(|shape| !is_sometimes(shape)).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "not in docs/log.md: {missing:#?}\nonly in docs/log.md: {extra:#?}"
    );
}

#[test]
fn a_line_without_key_cause_or_next_step_and_a_number_that_is_none_are_noticed() {
    let line = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    for text in [
        r#"{"message":"event settled","key":"","rule":"lead","result":"created","attempts":1,"took_s":0.1}"#,
        r#"{"message":"try failed","key":"k","asked":"create","attempt":1,"next":"create","next_in_s":1.0,"waits_in":"memory"}"#,
        r#"{"message":"event delayed","key":"k","reason":"retry","queue":"10s","for_s":10.0}"#,
        r#"{"message":"gate shut: events wait","scope":"everything","why":"unauthorized","probe_in_s":1.0}"#,
        r#"{"message":"possible duplicate: this","key":"k","rule":"r"}"#,
    ] {
        assert!(lacks(&line(text)).is_some(), "{text}");
    }
    for text in [
        r#"{"message":"x","took_s":0.1234567}"#,
        r#"{"message":"x","took_s":"1.5s"}"#,
        r#"{"message":"x","after":"1.5s"}"#,
        r#"{"message":"x","took_ms":15}"#,
        r#"{"message":"x","attempts":"3"}"#,
    ] {
        assert!(wrong(&line(text)).is_some(), "{text}");
    }
    assert_eq!(wrong(&line(r#"{"message":"x","took_s":0.123,"attempts":3,"key":"4711","why":"3 of them"}"#)), None);
    let two = [line(r#"{"message":"x","a":1}"#), line(r#"{"message":"x","a":"b"}"#)];
    assert!(of_one_type(two.iter()).is_err());
}
