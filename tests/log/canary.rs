//! A canary in every field of an event but those that a log may hold (key, message id, type, exchange, routing key, process id and the
//! numbers of its trace), in headers, in the token of the API and in that of the admin port: it is in no line of the log at its most
//! talkative, in no metric, no span, no page and no error.
//!
//! Not here: what each line says.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::Value;
use tokio::process::Command;

use crate::collector::Collector;
use crate::support::daemon::{Daemon, program, result};
use crate::support::deadline::within;
use crate::support::scene::Scene;
use crate::support::standin::{Canned, Fault, Rule};

/// It stands nowhere else, and in no part of a longer word.
const CANARY: &str = "kanarienvogel";

const SECTIONS: &str = r#"
[event]
max_size = "1KiB"
[retry]
initial = "100ms"
max_local_delay = "2s"

[[rule]]
name = "lead"
type = "lead"
procedure = "lead"
reconcile_by = "event_key"
data = { event_key = "{{ key }}", name = "{{ event.name }}", tag = "{{ headers.tag }}" }

[[rule]]
name = "refused"
type = "refused"
procedure = "refused"
data = { event_key = "{{ key }}", name = "{{ event.name }}" }

[[rule]]
name = "unmappable"
type = "unmappable"
procedure = "lead"
data = { event_key = "{{ key }}", name = "{{ event.name | epoch_ms }}", missing = "{{ event.kanarienlos }}" }

[[rule]]
name = "skipped"
type = "skipped"
action = "skip"
"#;

/// Every kind of end, with the body of the event.
fn events() -> Vec<(&'static str, String)> {
    let whole = format!(r#"{{"name":"{CANARY}","{CANARY}":["{CANARY}",{{"more":"{CANARY}"}}],"when":"{CANARY}"}}"#);
    let cloud = format!(
        r#"{{"specversion":"1.0","id":"c1","source":"/crm","type":"lead","subject":"{CANARY}","name":"{CANARY}","{CANARY}":"{CANARY}","traceparent":"{CANARY}","tracestate":"{CANARY}={CANARY}","data":{{"x":"{CANARY}"}}}}"#
    );
    vec![
        ("lead", whole.clone()),
        ("lead", cloud),
        ("refused", whole.clone()),
        ("unmappable", whole.clone()),
        ("skipped", whole.clone()),
        ("unheard.of", whole.clone()),
        ("lead", format!(r#"{{"name":"{CANARY}" {CANARY}"#)),
        ("lead", format!(r#"["{CANARY}"]"#)),
        ("lead", format!(r#"{{"name":"{CANARY}","filler":"{}"}}"#, CANARY.repeat(200))),
    ]
}

async fn publish(scene: &Scene) {
    for (number, (kind, body)) in events().into_iter().enumerate() {
        let mut headers = FieldTable::default();
        for name in ["tag", CANARY, "tracestate", "ce-kanarienvogel"] {
            headers.insert(name.into(), AMQPValue::LongString(CANARY.into()));
        }
        let properties = BasicProperties::default()
            .with_message_id(format!("m{number}").into())
            .with_type(kind.into())
            .with_headers(headers)
            .with_correlation_id(CANARY.into())
            .with_app_id(CANARY.into())
            .with_reply_to(CANARY.into())
            .with_delivery_mode(2);
        scene.client.publish("", &scene.queue(), body.as_bytes(), properties).await;
    }
}

/// Each way in which a request ends without a process.
fn plan() -> Vec<Rule> {
    vec![
        Rule::always(Canned::new(422)).procedure("refused"),
        Rule::always(Canned::new(503)).procedure("lead").times(1),
        Rule::always(Fault::CreateThenReset).procedure("lead").times(1),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_in_an_event_its_headers_or_a_token_is_told_nowhere() {
    let (scene, mut collector) = (Scene::shared().await, Collector::start().await);
    scene.api.set_procedures(&["lead", "refused"]);
    scene.api.set_tokens(&[CANARY]);
    scene.api.plan(plan());
    let sections = format!("{SECTIONS}\n[telemetry]\notlp = \"{}\"", collector.url());
    let mut setup = scene.setup().impatient().broker("topology = \"declare\"").sections(&sections);
    (setup.token, setup.admin_token) = (CANARY.to_owned(), format!("{CANARY}-{CANARY}-{CANARY}"));
    let (mut command, folder) = Daemon::command(&program(), &setup);
    command.env("CHAKRA_BRIDGE__LOG__LEVEL", "trace");
    let mut daemon = Daemon::start_by(command, folder);
    within(60, "consuming", daemon.consuming()).await;
    let admin = within(60, "its port", daemon.admin()).await;
    publish(&scene).await;
    let is_end = |line: &Value| ["created", "found", "skipped", "dead_lettered"].iter().any(|end| result(line, end));
    within(120, "each end", daemon.until_count(events().len(), is_end)).await;

    let mut told = Vec::new();
    for path in ["/", "/status", "/readyz", "/livez", "/metrics", "/nowhere"] {
        let answer = within(30, path, reqwest::get(format!("{admin}{path}"))).await.unwrap();
        told.push((path.to_owned(), format!("{:?} {}", answer.headers().clone(), answer.text().await.unwrap())));
    }
    let wrong = reqwest::Client::new().post(format!("{admin}/pause")).bearer_auth(format!("{CANARY}-not")).send();
    told.push(("a wrong token".to_owned(), within(30, "an answer", wrong).await.unwrap().text().await.unwrap()));
    for verb in [&["check", "--online"][..], &["dead-letters", "list"][..]] {
        let run = Command::new(program()).arg("--config").arg(daemon.config()).args(verb).output();
        let ran = within(60, "a verb", run).await.unwrap();
        told.push((verb.join(" "), format!("{ran:?}")));
    }
    let count = events().len();
    let has = |spans: &[crate::collector::Seen]| spans.iter().filter(|span| span.kind == 5).count() >= count;
    let spans = within(60, "spans", collector.until(has)).await;
    told.extend(spans.iter().map(|span| ("a span".to_owned(), format!("{span:?}"))));
    daemon.signal("TERM");
    let (_, log) = within(60, "its end", daemon.ended()).await;
    assert!(log.iter().any(|line| line["level"] == "TRACE" || line["level"] == "DEBUG"), "it is talkative");
    told.extend(log.iter().map(|line| ("the log".to_owned(), line.to_string())));
    for (place, text) in told {
        assert!(!text.contains(CANARY), "{place} tells it: {text}");
    }
}
