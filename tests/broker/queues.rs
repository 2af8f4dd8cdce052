//! Every kind, argument and limit of a queue that RabbitMQ knows: served, warned about, or refused; the daemon and
//! `check --online` say the same, and so does the table of the documents, which is made here.
//!
//! Not here: policies, which AMQP does not show (`policies.rs`).

use lapin::options::{BasicConsumeOptions, ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Connection, ExchangeKind};
use serde_json::Value;

use super::online::check;
use super::scene::Scene;
use crate::support::broker::{Broker, shared, shared_image};
use crate::support::daemon::says;
use crate::support::deadline::within;

/// A way to make a queue.
struct Case {
    name: &'static str,
    kind: &'static str,
    options: QueueDeclareOptions,
    arguments: &'static [(&'static str, Argument)],
}

#[derive(Clone, Copy)]
enum Argument {
    Text(&'static str),
    Number(i32),
    Flag,
}
use Argument::{Flag, Number, Text};

/// The exchange of the company.
const DLX: &str = "company.dlx";
const OWN: (&str, Argument) = ("x-dead-letter-exchange", Text(DLX));
const SURE: [(&str, Argument); 2] =
    [("x-dead-letter-strategy", Text("at-least-once")), ("x-overflow", Text("reject-publish"))];

const fn case(name: &'static str, kind: &'static str, arguments: &'static [(&'static str, Argument)]) -> Case {
    Case { name, kind, options: durable(), arguments }
}

const fn durable() -> QueueDeclareOptions {
    QueueDeclareOptions { passive: false, durable: true, exclusive: false, auto_delete: false, nowait: false }
}

const CASES: [Case; 21] = [
    case("quorum, dead-lettering at least once", "quorum", &[OWN, SURE[0], SURE[1]]),
    case("quorum, dead-lettering at most once", "quorum", &[OWN]),
    case("quorum, without a dead-letter exchange", "quorum", &[]),
    case("quorum, to an exchange that is not there", "quorum", &[("x-dead-letter-exchange", Text("no_such"))]),
    case("quorum, `x-delivery-limit` 3", "quorum", &[OWN, SURE[0], SURE[1], ("x-delivery-limit", Number(3))]),
    case(
        "quorum, `x-max-length`, `reject-publish`",
        "quorum",
        &[OWN, SURE[0], SURE[1], ("x-max-length", Number(1000))],
    ),
    case("quorum, `x-max-length`", "quorum", &[OWN, ("x-max-length", Number(1000))]),
    case("quorum, `x-message-ttl`", "quorum", &[OWN, SURE[0], SURE[1], ("x-message-ttl", Number(60_000))]),
    case("quorum, `x-expires`", "quorum", &[OWN, SURE[0], SURE[1], ("x-expires", Number(600_000))]),
    case("quorum, `x-single-active-consumer`", "quorum", &[OWN, SURE[0], SURE[1], ("x-single-active-consumer", Flag)]),
    case("classic", "classic", &[OWN]),
    case("classic, without a dead-letter exchange", "classic", &[]),
    case("classic, `x-max-length`", "classic", &[OWN, ("x-max-length", Number(5))]),
    case("classic, `x-max-length-bytes`", "classic", &[OWN, ("x-max-length-bytes", Number(5000))]),
    case("classic, `x-max-length`, `reject-publish`", "classic", &[OWN, SURE[1], ("x-max-length", Number(5))]),
    case("classic, `x-message-ttl`", "classic", &[OWN, ("x-message-ttl", Number(60_000))]),
    case("classic, `x-max-priority`", "classic", &[OWN, ("x-max-priority", Number(5))]),
    case("classic, `x-single-active-consumer`", "classic", &[OWN, ("x-single-active-consumer", Flag)]),
    Case {
        options: QueueDeclareOptions { durable: false, ..durable() },
        ..case("classic, not durable", "classic", &[OWN])
    },
    Case {
        options: QueueDeclareOptions { auto_delete: true, ..durable() },
        ..case("classic, auto-delete", "classic", &[OWN])
    },
    case("stream", "stream", &[]),
];
const EXCLUSIVE: &str = "exclusive to another connection";

impl Case {
    /// Makes it; false where this version has no such queue.
    async fn make(&self, connection: &Connection, queue: &str) -> bool {
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString(self.kind.into()));
        for (name, value) in self.arguments {
            let value = match *value {
                Text(text) => AMQPValue::LongString(text.into()),
                Number(number) => AMQPValue::LongInt(number),
                Flag => AMQPValue::Boolean(true),
            };
            arguments.insert((*name).into(), value);
        }
        let channel = connection.create_channel().await.unwrap();
        channel.queue_declare(queue.into(), self.options, arguments).await.is_ok()
    }
}

async fn company(scene: &Scene) {
    let channel = scene.client.connection().create_channel().await.unwrap();
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(DLX.into(), ExchangeKind::Fanout, options, FieldTable::default()).await.unwrap();
}

/// What `check --online` says of this queue: the verdict, and each of its words without the name of the queue.
async fn verdict(scene: &Scene, queue: &str) -> (&'static str, Vec<String>) {
    let (code, said) = check(&scene.setup(), &["--json"]).await;
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    let of = |list: &Value, key: &dyn Fn(&Value) -> Option<String>| -> Vec<String> {
        let words = list.as_array().into_iter().flatten().filter_map(key);
        words.filter_map(|words| Some(words.strip_prefix(&format!("queue `{queue}` "))?.to_owned())).collect()
    };
    let refused = of(&said["mistakes"], &|mistake| Some(mistake["what"].as_str()?.to_owned()));
    let warned = of(&said["warnings"], &|warning| Some(warning.as_str()?.to_owned()));
    match (refused.is_empty(), warned.is_empty()) {
        (false, _) => {
            assert_eq!(code, Some(78), "{said}");
            ("refused", refused)
        }
        (true, false) => ("warned", warned),
        (true, true) => ("served", Vec::new()),
    }
}

/// One row of the table.
async fn row(scene: &Scene, case: &Case) -> Option<String> {
    let mut cells = Vec::new();
    for is_work in [true, false] {
        let (queue, other) = if is_work { (scene.queue(), scene.dead()) } else { (scene.dead(), scene.queue()) };
        scene.client.declare_quorum(&other, FieldTable::default()).await;
        let connection = scene.client.connection();
        if !within(60, case.name, case.make(connection, &queue)).await {
            scene.client.delete(&other).await;
            return None;
        }
        let (verdict, words) = verdict(scene, &queue).await;
        if is_work {
            daemon_agrees(scene, verdict, &words).await;
        }
        cells.push(cell(verdict, &words));
        if scene.client.depth(&queue).await.is_some() {
            scene.client.delete(&queue).await;
        }
        scene.client.delete(&other).await;
    }
    Some(format!("| {} | {} | {} |", case.name, cells[0], cells[1]))
}

/// Of the words what comes before the first stop.
pub(super) fn cell(verdict: &str, words: &[String]) -> String {
    let short: Vec<_> = words.iter().filter_map(|words| words.split([':', ',', '.']).next()).collect();
    if words.is_empty() { verdict.to_owned() } else { format!("{verdict}: {}", short.join("; ")) }
}

/// The daemon says the same words, each once, and consumes or not.
async fn daemon_agrees(scene: &Scene, verdict: &str, words: &[String]) {
    let mut daemon = scene.daemon();
    if verdict == "refused" {
        let told = daemon.until(|line| says(line, "broker lost") && words.iter().all(|words| says(line, words)));
        within(60, "that it is refused", told).await;
        assert_eq!(daemon.count(|line| says(line, "consuming")), 0, "{words:?}");
        return;
    }
    within(60, "consuming", daemon.consuming()).await;
    let told = daemon.logged(|line| says(line, "queue warning: the work queue"));
    let told: Vec<_> = told.iter().filter_map(|line| line["message"].as_str()?.split_once("the work queue ")).collect();
    assert_eq!(told.iter().map(|(_, words)| *words).collect::<Vec<_>>(), words);
    daemon.signal("TERM");
    within(60, "its end", daemon.ended()).await;
}

/// Every row that this broker can show.
async fn rows(broker: &Broker) -> Vec<(&'static str, String)> {
    println!("RabbitMQ {}", broker.version());
    let scene = within(60, "a place", async { Scene::empty(broker.vhost().await).await }).await;
    within(60, "an exchange", company(&scene)).await;
    let mut rows = Vec::new();
    for case in &CASES {
        match row(&scene, case).await {
            Some(row) => rows.push((case.name, row)),
            None => println!("no such queue: {}", case.name),
        }
    }
    let owner = within(60, "an owner", scene.place.client()).await;
    let options = QueueDeclareOptions { durable: false, exclusive: true, ..durable() };
    let channel = owner.connection().create_channel().await.unwrap();
    channel.queue_declare(scene.queue().into(), options, FieldTable::default()).await.unwrap();
    scene.client.declare_quorum(&scene.dead(), FieldTable::default()).await;
    let (code, said) = check(&scene.setup(), &[]).await;
    assert!(code == Some(78) && said.contains("belongs to another connection"), "{said}");
    rows.push((EXCLUSIVE, format!("| {EXCLUSIVE} | refused | refused |")));
    rows
}

/// The table as it stands in the documents.
fn documented() -> Vec<String> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/queues.md")).unwrap();
    let (_, table) = page.split_once("| queue | as the work queue | as the dead-letter queue |").unwrap();
    table.lines().skip(2).take_while(|line| line.starts_with('|')).map(str::to_owned).collect()
}

fn stands_in_the_documents(rows: &[(&'static str, String)]) {
    let documented = documented();
    let all: Vec<_> = rows.iter().map(|(_, row)| row.as_str()).collect();
    let missing: Vec<_> = all.iter().filter(|row| !documented.iter().any(|line| line == *row)).collect();
    assert!(missing.is_empty(), "docs/queues.md does not have these rows; all are:\n{}", all.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_queue_is_served_warned_about_or_refused_as_the_documents_say() {
    let broker = within(240, "a broker", shared()).await;
    let rows = within(600, "the table", rows(broker)).await;
    stands_in_the_documents(&rows);
    assert_eq!(rows.len(), CASES.len() + 1, "every row comes from the broker that is here");
    assert_eq!(documented().len(), rows.len(), "no row of the documents is without a case");
}

async fn in_a_container(image: usize) {
    if let Some(broker) = within(240, "a broker", shared_image(image)).await {
        stands_in_the_documents(&within(600, "the table", rows(broker)).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_queue_is_judged_the_same_on_rabbitmq_4_0() {
    in_a_container(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_queue_is_judged_the_same_on_rabbitmq_4_3() {
    in_a_container(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_held_by_another_consumer_says_so_and_warnings_are_told_once() {
    held_by_another(within(240, "a broker", shared()).await).await;
}

pub(super) async fn held_by_another(broker: &Broker) {
    let scene = within(60, "a place", async { Scene::classic(broker.vhost().await).await }).await;
    let channel = scene.client.connection().create_channel().await.unwrap();
    let options = BasicConsumeOptions { exclusive: true, ..BasicConsumeOptions::default() };
    let held = channel.basic_consume(scene.queue().into(), "".into(), options, FieldTable::default());
    let held = within(60, "the other consumer", held).await.unwrap();
    let mut daemon = scene.daemon();
    let told = daemon.until_count(3, |line| says(line, "broker lost") && says(line, "another consumer holds it"));
    within(60, "who holds it, three times", told).await;
    assert_eq!(daemon.count(|line| says(line, "broker lost") && says(line, "password")), 0);
    let warnings = daemon.logged(|line| says(line, "queue warning:"));
    let mut each: Vec<_> = warnings.iter().map(|line| line["message"].to_string()).collect();
    each.dedup();
    assert_eq!((warnings.len(), each.len()), (3, 3), "{warnings:#?}");
    drop(held);
    within(60, "the channel", channel.close(200, "done".into())).await.unwrap();
    within(60, "consuming", daemon.consuming()).await;
}
