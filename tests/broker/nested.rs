//! Headers nested as deep as a producer may write them: they end no daemon, and cost no other event anything.
//!
//! Not here: headers of very many values (`memory`).

use lapin::types::AMQPValue;

use crate::support::broker::shared;
use crate::support::daemon::says;
use crate::support::deadline::within;
use crate::support::scene::Scene;
use crate::support::standin::{Canned, Rule};

/// Lists in each other: nearly as many as a frame holds.
const LISTS: usize = 25_000;
/// The same of tables, which take a byte more.
const TABLES: usize = 20_000;

/// Lists and tables in a value at the most.
fn depth(value: &AMQPValue) -> usize {
    match value {
        AMQPValue::FieldArray(items) => 1 + items.as_slice().iter().map(depth).max().unwrap_or_default(),
        AMQPValue::FieldTable(table) => 1 + table.inner().values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_nested_as_deep_as_a_frame_holds_end_no_daemon_and_stop_no_other_event() {
    let scene = within(240, "a broker", async { Scene::quorum(shared().await.vhost().await).await }).await;
    scene.api.plan(vec![Rule::always(Canned::new(422)).attribute("event_key", "table")]);
    let list = format!(r#"{{"deep":{}{}}}"#, "[".repeat(LISTS), "]".repeat(LISTS));
    let table = format!(r#"{{"deep":{}1{}}}"#, r#"{"":"#.repeat(TABLES), "}".repeat(TABLES));
    for (id, headers) in [("list", list), ("table", table)] {
        within(60, id, scene.place.management().publish(&scene.place.name, &scene.queue(), id, &headers)).await;
    }
    scene.publish(1, 100).await;
    let mut daemon = scene.daemon();
    within(60, "all settled", daemon.until_count(3, |line| line["result"].is_string())).await;
    assert_eq!(daemon.count(|line| line["result"] == "created"), 2);
    assert_eq!(daemon.count(|line| says(line, "nested deeper than 64 levels")), 1, "told once");
    scene.client.until_depth(&scene.dead(), 1, std::time::Duration::from_secs(30)).await;
    let dead_letters = scene.client.drain(&scene.dead()).await;
    let headers = dead_letters[0].properties.headers().clone().unwrap();
    assert_eq!(depth(&headers.inner()["deep"]), 64);
}
