//! One event is one trace: from the header of its message to the request, the log, its waits, its dead letter and a retry; and the
//! spans of it at a collector.
//!
//! Not here: what is read as a trace (`core::trace_context`), and canaries in spans (`canary`).

use std::time::Duration;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::collector::{Collector, Seen};
use crate::short::told;
use crate::support::daemon::{Daemon, program, result, says};
use crate::support::deadline::within;
use crate::support::scene::Scene;
use crate::support::setup::QUICK;
use crate::support::standin::{Canned, Rule};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

const RULES: &str = r#"
[[rule]]
name = "slow"
type = "slow"
procedure = "slow"
reconcile_by = "event_key"
data = { event_key = "{{ key }}" }

[[rule]]
name = "bad"
type = "bad"
procedure = "bad"
data = { event_key = "{{ key }}" }

[[rule]]
name = "lead"
procedure = "lead"
data = { event_key = "{{ key }}" }
"#;

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{SPAN}-{flags}")
}

async fn scene() -> Scene {
    let scene = Scene::shared().await;
    scene.api.set_procedures(&["lead", "slow", "bad"]);
    scene
}

async fn publish(scene: &Scene, id: &str, kind: &str, headers: &[(&str, &str)], body: &Value) {
    let mut table = FieldTable::default();
    for (name, text) in headers {
        table.insert((*name).into(), AMQPValue::LongString((*text).into()));
    }
    let mut properties = BasicProperties::default().with_headers(table).with_type(kind.into()).with_delivery_mode(2);
    if body["specversion"].is_string() {
        properties = properties.with_content_type("application/cloudevents+json".into());
    } else {
        properties = properties.with_message_id(id.into());
    }
    scene.client.publish("", &scene.queue(), body.to_string().as_bytes(), properties).await;
}

fn telemetry(collector: &str, more: &str) -> String {
    format!("{QUICK}\n[telemetry]\notlp = \"{collector}\"\n{more}\n{RULES}")
}

/// The traces that the requests of this event said they belong to, in order.
fn sent(scene: &Scene, key: &str) -> Vec<String> {
    let requests = scene.api.requests();
    let of_event = requests.iter().filter(|request| request.key.as_deref() == Some(key));
    // The check of a rule's lookup belongs to no event.
    of_event.filter_map(|request| request.trace.clone()).collect()
}

/// The spans whose event has this key: those of its root, and those below.
fn of_key<'s>(spans: &'s [Seen], key: &str) -> Vec<(&'s Seen, Vec<&'s Seen>)> {
    let roots = spans.iter().filter(|span| span.attributes.get("chakra_bridge.event.key").is_some_and(|of| of == key));
    roots.map(|root| (root, spans.iter().filter(|span| span.parent == root.span).collect())).collect()
}

fn names(spans: &[&Seen]) -> Vec<String> {
    spans.iter().map(|span| span.name.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_one_trace_from_its_message_to_the_request_and_its_settlement() {
    let (scene, mut collector) = (scene().await, Collector::start().await);
    let setup = scene.setup().broker("topology = \"declare\"").sections(&telemetry(&collector.url(), "sample = 0.0"));
    let mut daemon = Daemon::consumes(&setup).await;
    publish(&scene, "plain", "lead", &[("traceparent", &traceparent("01")), ("tracestate", "x=1")], &json!({})).await;
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "/crm", "type": "lead", "data": {}, "traceparent": traceparent("01"),
    });
    publish(&scene, "", "lead", &[], &event).await;
    publish(&scene, "quiet", "lead", &[("traceparent", &traceparent("00"))], &json!({})).await;
    publish(&scene, "none", "lead", &[], &json!({})).await;
    within(60, "all", daemon.until_count(4, |line| result(line, "created"))).await;
    let has = |spans: &[Seen]| of_key(spans, "plain").len() + of_key(spans, "/crm|1").len() == 2;
    let spans = within(30, "spans", collector.until(has)).await;

    for key in ["plain", "/crm|1"] {
        let line = daemon.logged(|line| result(line, "created") && line["key"] == key).remove(0);
        assert_eq!(line["trace_id"], TRACE, "{line}");
        let [(root, children)] = &of_key(&spans, key)[..] else { panic!("{spans:#?}") };
        assert_eq!((root.trace.as_str(), root.parent.as_str(), root.kind), (TRACE, SPAN, 5), "{root:?}");
        assert_eq!(root.name, format!("process {}", scene.queue()));
        assert_eq!(root.attributes["messaging.system"], "rabbitmq");
        assert_eq!(root.attributes["messaging.operation.type"], "process");
        assert_eq!(root.attributes["chakra_bridge.result"], "created");
        assert_eq!(root.service, "chakra-bridge");
        let create = "POST /v1/ext/procedure/{procedure}/process".to_owned();
        assert_eq!(names(children), ["map".to_owned(), create, format!("ack {}", scene.queue())], "{children:#?}");
        assert!(children.iter().all(|span| span.trace == TRACE), "{children:#?}");
        assert_eq!((children[1].kind, children[1].attributes["http.response.status_code"].as_str()), (3, "200"));
        assert!(children[1].attributes["url.full"].ends_with("/v1/ext/procedure/lead/process"), "{children:#?}");
        assert_eq!(sent(&scene, key), [format!("00-{TRACE}-{}-01", children[1].span)]);
    }
    // What whoever called does not keep is handed on and not told; nor is what begins here and is not drawn.
    let quiet = sent(&scene, "quiet").remove(0);
    assert!(quiet.starts_with(&format!("00-{TRACE}-")) && quiet.ends_with("-00"), "{quiet}");
    assert!(sent(&scene, "none").remove(0).ends_with("-02"), "it begins a trace that is not kept");
    daemon.signal("TERM");
    assert_eq!(within(60, "its end", daemon.ended()).await.0, Some(0));
    assert_eq!(collector.spans().iter().filter(|span| span.name.starts_with("process")).count(), 2);
}

const PICTURED: &str = r#"
[[rule]]
name = "pictured"
type = "pictured"
procedure = "lead"
data = { event_key = "{{ key }}", site = "{{ photo.site }}" }
photo = { site = { base64 = "{{ event.site }}" } }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_a_part_of_the_trace_of_its_event() {
    let (scene, mut collector) = (scene().await, Collector::start().await);
    let sections = format!("{PICTURED}{}", telemetry(&collector.url(), ""));
    let daemon = Daemon::consumes(&scene.setup().broker("topology = \"declare\"").sections(&sections)).await;
    let picture = json!({ "site": "/9j/4AA=" });
    publish(&scene, "p1", "pictured", &[("traceparent", &traceparent("01"))], &picture).await;
    let spans = within(60, "spans", collector.until(|spans| !of_key(spans, "p1").is_empty())).await;
    let (_, children) = of_key(&spans, "p1").remove(0);
    let upload = children.iter().find(|span| span.name == "POST /v1/ext/photo/{photoId}").expect("an upload");
    assert_eq!((upload.trace.as_str(), upload.kind, upload.failed), (TRACE, 3, false), "{upload:?}");
    assert_eq!((upload.attributes["chakra_bridge.photo"].as_str(), children.len()), ("site", 4), "{children:#?}");
    let asked = scene.api.requests().into_iter().find(|seen| seen.path.contains("/photo/")).expect("an upload");
    assert_eq!(asked.trace, Some(format!("00-{TRACE}-{}-01", upload.span)));
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_in_the_broker_and_a_retried_dead_letter_stay_in_the_trace_with_links() {
    let (scene, mut collector) = (scene().await, Collector::start().await);
    scene.api.plan(vec![
        Rule::always(Canned::new(503)).procedure("slow").times(1),
        Rule::always(Canned::new(422)).procedure("bad").times(1),
    ]);
    let setup = scene.setup().impatient().broker("topology = \"declare\"").sections(&telemetry(&collector.url(), ""));
    let mut daemon = Daemon::consumes(&setup).await;
    publish(&scene, "slow", "slow", &[], &json!({})).await;
    publish(&scene, "bad", "bad", &[("traceparent", &traceparent("01"))], &json!({})).await;
    within(60, "a dead letter", daemon.until(|line| result(line, "dead_lettered"))).await;
    let retry = Command::new(program()).arg("--config").arg(daemon.config()).args(["dead-letters", "retry"]).output();
    let retried = within(60, "a retry", retry).await.unwrap();
    assert!(retried.status.success(), "{retried:?}");
    within(60, "both", daemon.until_count(2, |line| result(line, "created"))).await;
    let spans = within(30, "spans", collector.until(|spans| spans.iter().filter(|s| s.kind == 5).count() == 4)).await;

    for (key, queue) in [("bad", scene.dead()), ("slow", format!("{}.wait.10s", scene.queue()))] {
        let [(first, before), (second, after)] = &of_key(&spans, key)[..] else { panic!("{spans:#?}") };
        let put = before.iter().find(|span| span.name == format!("publish {queue}")).expect("a publish");
        assert_eq!((put.kind, first.trace.as_str()), (4, second.trace.as_str()), "{put:?}");
        assert_eq!(second.links, [(put.trace.clone(), put.span.clone())], "{second:?}");
        assert!(first.links.is_empty() && after.last().is_some_and(|span| span.name.starts_with("ack ")), "{after:#?}");
        let traces = sent(&scene, key);
        assert!(traces.len() >= 2 && traces.iter().all(|trace| trace.contains(&first.trace)), "{traces:?}");
        assert_eq!(first.failed, key == "bad");
        let lines = daemon.logged(|line| line["key"] == key && line["trace_id"] == first.trace.as_str());
        assert!(lines.len() >= 2, "{lines:?}");
    }
    let of_bad = of_key(&spans, "bad");
    assert!(of_bad.iter().all(|(root, _)| root.trace == TRACE && root.parent == SPAN), "{of_bad:#?}");
    let of_slow = of_key(&spans, "slow");
    assert_eq!(of_slow[0].0.parent, "", "it begins here");
    let looked = |span: &&&Seen| span.attributes.get("chakra_bridge.request").is_some_and(|word| word == "lookup");
    assert_eq!(of_slow[1].1.iter().filter(looked).count(), 1, "{of_slow:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_collector_the_trace_is_handed_on_as_it_came() {
    let scene = scene().await;
    scene.api.plan(vec![Rule::always(Canned::new(422)).procedure("bad").times(1)]);
    let setup = scene.setup().broker("topology = \"declare\"").sections(RULES);
    let mut daemon = Daemon::consumes(&setup).await;
    publish(&scene, "one", "lead", &[("cloudEvents:traceparent", &traceparent("01"))], &json!({})).await;
    publish(&scene, "wrong", "lead", &[("traceparent", "00-zero")], &json!({})).await;
    publish(&scene, "bad", "bad", &[("traceparent", &traceparent("01"))], &json!({})).await;
    let dead = within(60, "a dead letter", daemon.until(|line| result(line, "dead_lettered"))).await;
    within(60, "both", daemon.until_count(2, |line| result(line, "created"))).await;
    assert_eq!(dead["trace_id"], TRACE, "{dead}");
    assert_eq!(sent(&scene, "one"), [traceparent("01")]);
    assert_eq!(sent(&scene, "wrong"), Vec::<String>::new());
    let letter = scene.client.drain(&scene.dead()).await.remove(0);
    let headers = letter.properties.headers().as_ref().unwrap().inner();
    assert_eq!(headers["traceparent"], AMQPValue::LongString(traceparent("01").as_str().into()));
    assert!(!headers.contains_key("chakra-bridge-trace"), "{headers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_hangs_holds_nothing_up_and_what_is_lost_is_counted() {
    const EVENTS: usize = 1000;
    let scene = scene().await;
    // It takes connections, and says nothing.
    let hangs = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let collector = format!("http://{}", hangs.local_addr().unwrap());
    let sections = format!("{}\n[shutdown]\ndeadline = \"10s\"", telemetry(&collector, ""));
    let setup = scene.setup().broker("topology = \"declare\"").sections(&sections);
    let mut daemon = Daemon::consumes(&setup).await;
    within(60, "publishing", scene.publish(EVENTS, 100)).await;
    within(60, "all created", scene.until_created(EVENTS)).await;
    within(60, "all settled", daemon.until_count(EVENTS, |line| result(line, "created"))).await;
    let admin = daemon.admin().await;
    let metrics = within(30, "metrics", told(&admin, "/metrics")).await;
    let lost = metrics.lines().find_map(|line| line.strip_prefix("chakra_bridge_spans_dropped_total "));
    assert!(lost.unwrap().parse::<u64>().unwrap() > 0, "{metrics}");
    let began = std::time::Instant::now();
    daemon.signal("TERM");
    let (code, log) = within(60, "its end", daemon.ended()).await;
    assert_eq!(code, Some(0));
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert!(log.iter().any(|line| says(line, "the last spans were not sent in time")), "it is said");
}
