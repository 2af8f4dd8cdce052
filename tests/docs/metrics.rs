//! The metrics of the documents against those of the code: names, kinds, labels and their values.

use std::collections::BTreeSet;
use std::time::Duration;

use chakra_bridge::core::delivery::Ended;
use chakra_bridge::core::judge::Judgement;
use chakra_bridge::metrics::Metrics;

use super::lists::same;
use super::page::{Page, all, named};
use super::source::first_texts;

const PAGE: &str = "docs/operations.md";
const PREFIX: &str = "chakra_bridge_";

/// What begins like a metric and is a table of the ledger.
const TABLES: [&str; 3] = ["events", "owners", "schema"];

/// Every metric with a sample.
fn text() -> String {
    let metrics = Metrics::new();
    metrics.settled("created", "a", "");
    metrics.event_took(Duration::ZERO);
    metrics.foresee_possible_duplicate("resent");
    metrics.lookup_verified("a", Some(Duration::ZERO));
    metrics.rule_held("a", false);
    metrics.foresee_repeats("a");
    metrics.photo_left_out("a", "photo_gone");
    metrics.photo_source("a", true);
    metrics.queues_seen([("a", [Some(0); 3])]);
    metrics.certificate_expires("api", Some(0));
    metrics.text()
}

/// The names of samples, each with its kind, as one line of the table.
fn rendered(text: &str) -> BTreeSet<String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let named = |(name, kind): (&str, &str)| {
        let end = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        format!("{}{end} {kind}", name.trim_start_matches(PREFIX))
    };
    types.map(named).collect()
}

#[test]
fn metrics_and_their_kinds_are_those_that_are_shown() {
    let table = Page::read(PAGE).table("Metrics");
    let documented = table.iter().map(|row| format!("{} {}", row[0].trim_matches('`'), row[1])).collect();
    same("metrics", &documented, &rendered(&text()));
    let registered: usize =
        ["put(all, ", "put(\n                all,\n                ", "put_histogram(all, ", "all.register("]
            .map(|call| first_texts(call).len())
            .iter()
            .sum();
    assert_eq!(rendered(&text()).len(), registered, "a metric has no sample in this test");
}

#[test]
fn every_metric_that_a_document_names_is_shown() {
    let known: BTreeSet<String> =
        rendered(&text()).iter().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    for page in all().iter().filter(|page| page.name != "CHANGELOG.md") {
        for (at, _) in page.text.match_indices(PREFIX) {
            let rest = &page.text[at + PREFIX.len()..];
            let name: String = rest.chars().take_while(|sign| sign.is_ascii_alphanumeric() || *sign == '_').collect();
            let is_table = page.name == "docs/ledger.md" && TABLES.contains(&name.as_str());
            assert!(is_table || name.is_empty() || known.contains(&name), "{}: there is no metric {name}", page.name);
        }
    }
}

#[test]
fn labels_and_their_values_are_those_that_are_written() {
    let text = text();
    let labels = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('{'));
    let labels = labels.flat_map(|(_, rest)| rest.split("\",").filter_map(|pair| pair.split_once("=\"")));
    same("labels", &Page::read(PAGE).names("The other labels"), &labels.map(|(name, _)| name.to_owned()).collect());
    let outcomes = Judgement::NAMES.map(str::to_owned).into();
    same("outcomes", &Page::read(PAGE).names("Label outcome of api_requests_total"), &outcomes);
    same(
        "results",
        &named(&Page::read(PAGE).table("Label result of events_settled_total")),
        &Ended::RESULTS.map(str::to_owned).into(),
    );
}
