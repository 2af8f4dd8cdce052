//! The alert rules and the dashboard: promtool takes them, each alert fires once and stays quiet once, each has its section of the
//! runbook, and whatever they ask for is written by the program.
//!
//! Not here: an alert end to end (`broker/alerted.rs`).

use std::collections::BTreeSet;
use std::process::Command;

use chakra_bridge::metrics::Metrics;

use super::{is_there, passes, root, text};

const RULES: &str = "deploy/prometheus/alerts.yaml";
const TESTS: &str = "deploy/prometheus/alerts.test.yaml";
const DASHBOARD: &str = "deploy/grafana/chakra-bridge.json";
const PREFIX: &str = "chakra_bridge_";

fn after<'t>(text: &'t str, mark: &'t str) -> impl Iterator<Item = &'t str> {
    text.lines().filter_map(move |line| line.trim_start().strip_prefix(mark)).map(str::trim)
}

fn alerts() -> Vec<String> {
    after(&text(RULES), "- alert: ").map(str::to_owned).collect()
}

#[test]
fn alerts_are_rules_that_promtool_takes_and_each_fires_once_and_stays_quiet_once() {
    let (tests, alerts) = (text(TESTS), alerts());
    assert!(alerts.len() >= 12, "{alerts:?}");
    for alert in &alerts {
        for what in ["fires", "stays quiet"] {
            assert_eq!(tests.matches(&format!("- name: {alert} {what}\n")).count(), 1, "{alert} {what}");
        }
    }
    assert_eq!(tests.matches("exp_alerts: []").count(), alerts.len());
    if !is_there("promtool", &["--version"]) {
        return;
    }
    let promtool = |words: &[&str]| {
        passes(Command::new("promtool").args(words).current_dir(root("deploy/prometheus")).output().unwrap());
    };
    promtool(&["check", "rules", "alerts.yaml"]);
    promtool(&["test", "rules", "alerts.test.yaml"]);
}

#[test]
fn each_alert_has_its_section_of_the_runbook_and_each_section_its_alert() {
    let (runbook, alerts) = (text("docs/runbook.md"), alerts());
    let sections: Vec<String> = after(&runbook, "## ").map(str::to_owned).collect();
    assert_eq!(sections, alerts);
    let named: Vec<String> = after(&text(RULES), "runbook_url: docs/runbook.md#").map(str::to_owned).collect();
    assert_eq!(named, alerts.iter().map(|alert| alert.to_lowercase()).collect::<Vec<_>>());
    for section in runbook.split("\n## ").skip(1) {
        for part in ["**What it means.**", "**Look.**", "**Act.**", "**Do not.**"] {
            assert_eq!(section.matches(part).count(), 1, "{part} in {section}");
        }
    }
}

/// The names of the metrics that are written, and of what histograms add to theirs.
fn written() -> BTreeSet<String> {
    let metrics = Metrics::new();
    // What is shown once something is known of it.
    metrics.foresee_settled("created", "lead", "");
    metrics.foresee_possible_duplicate("resent");
    metrics.lookup_verified("lead", None);
    metrics.foresee_held(["lead"]);
    metrics.queues_seen([("crm.events.dead", [Some(0); 3])]);
    metrics.certificate_expires("api", Some(0));
    let text = metrics.text();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let of = |(name, kind): (&str, &str)| match kind {
        "counter" => vec![format!("{name}_total")],
        "info" => vec![format!("{name}_info")],
        "histogram" => ["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}")).into(),
        _ => vec![name.to_owned()],
    };
    types.flat_map(of).collect()
}

#[test]
fn every_metric_that_an_alert_or_the_dashboard_asks_for_is_written() {
    let written = written();
    for file in [RULES, TESTS, DASHBOARD] {
        let asking = text(file);
        let names: BTreeSet<String> = asking
            .match_indices(PREFIX)
            .map(|(at, _)| {
                asking[at..].chars().take_while(|sign| sign.is_ascii_alphanumeric() || *sign == '_').collect()
            })
            .collect();
        let unknown: Vec<_> = names.difference(&written).collect();
        assert!(names.len() > 10 && unknown.is_empty(), "{file}: {unknown:?} are none of {written:?}");
    }
}

#[test]
fn the_dashboard_is_json_and_each_of_its_panels_asks_for_something_and_has_a_place_of_its_own() {
    let dashboard: serde_json::Value = serde_json::from_str(&text(DASHBOARD)).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut places = BTreeSet::new();
    for panel in panels {
        let place = &panel["gridPos"];
        let at = |name: &str| place[name].as_u64().unwrap();
        for (x, y) in (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y))) {
            assert!(x < 24 && places.insert((x, y)), "{}: overlaps", panel["title"]);
        }
        let targets = panel["targets"].as_array().unwrap();
        assert!(
            !targets.is_empty() && targets.iter().all(|target| target["expr"].as_str().is_some()),
            "{}",
            panel["title"]
        );
    }
    assert!(panels.len() >= 12);
}
