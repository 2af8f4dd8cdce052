//! Laws of the numbers: what is promised is there, and each method moves its own line.
//!
//! Not here: HTTP (`server::tests`).

use std::collections::BTreeSet;
use std::time::Duration;

use super::Metrics;
use crate::core::gate::EVERYTHING;
use crate::core::judge::Judgement;

/// The lines of the text with a value, without comments.
fn lines(metrics: &Metrics) -> BTreeSet<String> {
    metrics.text().lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// The lines that came or changed.
fn moved(count: impl FnOnce(&Metrics)) -> Vec<String> {
    let metrics = Metrics::new();
    let before = lines(&metrics);
    count(&metrics);
    lines(&metrics).difference(&before).cloned().collect()
}

/// The one line that came or changed, without the prefix.
fn line(count: impl FnOnce(&Metrics)) -> String {
    let moved = moved(count);
    assert_eq!(moved.len(), 1, "{moved:?}");
    moved[0].strip_prefix("chakra_bridge_").expect("every name has the prefix").to_owned()
}

#[test]
fn each_count_moves_its_own_line_and_no_other() {
    assert_eq!(line(Metrics::received), "events_received_total 1");
    assert_eq!(line(Metrics::already_created), "events_already_created_total 1");
    assert_eq!(line(Metrics::duplicate_seen), "duplicates_seen_total 1");
    assert_eq!(line(Metrics::probe), "gate_probes_total 1");
    assert_eq!(line(Metrics::broker_connections), "broker_connections_total 1");
    assert_eq!(line(Metrics::publish_refused), "publishes_refused_total 1");
    assert_eq!(line(|metrics| metrics.log().dropped(7)), "log_lines_dropped_total 1");
    assert_eq!(line(|metrics| metrics.possible_duplicate("reset")), r#"possible_duplicates_total{cause="reset"} 1"#);
    let settled = r#"events_settled_total{result="created",rule="lead",reason=""} 1"#;
    assert_eq!(line(|metrics| metrics.settled("created", "lead", "")), settled);
}

#[test]
fn each_level_shows_the_last_value() {
    assert_eq!(line(|metrics| metrics.unacknowledged(64)), "events_unacknowledged 64");
    assert_eq!(line(|metrics| metrics.in_flight(8)), "api_requests_in_flight 8");
    assert_eq!(line(|metrics| metrics.waiting(3)), "events_waiting 3");
    assert_eq!(line(|metrics| metrics.ramp(16)), "gate_ramp_requests_per_second 16");
    assert_eq!(line(|metrics| metrics.broker_connected(true)), "broker_connected 1");
    assert_eq!(line(|metrics| metrics.last_settled(1_618_558_867)), "last_settled_timestamp_seconds 1618558867");
    let back = |metrics: &Metrics| {
        metrics.unacknowledged(64);
        metrics.unacknowledged(0);
        metrics.broker_connected(true);
        metrics.broker_connected(false);
    };
    assert_eq!(moved(back), Vec::<String>::new());
}

#[test]
fn a_procedure_leaves_the_text_when_its_gate_opens_and_the_whole_stays() {
    assert_eq!(
        line(|metrics| metrics.gates([("lead", "throttled")])),
        r#"gate_shut{scope="lead",reason="throttled"} 1"#
    );
    let everything = r#"gate_shut{scope="everything",reason="paused"} 1"#;
    assert_eq!(line(|metrics| metrics.gates([(EVERYTHING, "paused")])), everything);
    let back = |metrics: &Metrics| {
        metrics.gates([("lead", "throttled"), (EVERYTHING, "paused")]);
        metrics.gates([]);
    };
    assert_eq!(moved(back), Vec::<String>::new());
    assert!(Metrics::new().text().contains(r#"gate_shut{scope="everything",reason=""} 0"#));
}

#[test]
fn a_dead_letter_is_counted_by_its_reason_from_nought() {
    let dead = moved(|metrics| metrics.settled("dead_lettered", "lead", "refused"));
    assert!(dead.contains(&r#"chakra_bridge_dead_letters_total{reason="refused"} 1"#.to_owned()), "{dead:?}");
    let text = Metrics::new().text();
    assert!(text.contains(r#"chakra_bridge_dead_letters_total{reason="no_rule"} 0"#), "{text}");
    assert_eq!(line(|metrics| metrics.token_accepted(7)), "token_accepted_timestamp_seconds 7");
}

#[test]
fn a_request_counts_and_is_timed() {
    let moved = moved(|metrics| metrics.answered("created", 201, Duration::from_millis(300)));
    assert!(moved.contains(&r#"chakra_bridge_api_requests_total{outcome="created",status="201"} 1"#.to_owned()));
    assert!(moved.contains(&"chakra_bridge_api_request_duration_seconds_sum 0.3".to_owned()), "{moved:?}");
    assert!(moved.contains(&r#"chakra_bridge_api_request_duration_seconds_bucket{le="0.5"} 1"#.to_owned()));
    assert!(!moved.iter().any(|line| line.contains(r#"le="0.25""#)), "{moved:?}");
}

#[test]
fn an_event_is_timed_from_receive_to_settle() {
    let moved = moved(|metrics| metrics.event_took(Duration::from_secs(90)));
    assert!(moved.contains(&"chakra_bridge_event_duration_seconds_count 1".to_owned()), "{moved:?}");
    assert!(moved.contains(&r#"chakra_bridge_event_duration_seconds_bucket{le="300.0"} 1"#.to_owned()));
    assert!(!moved.iter().any(|line| line.contains(r#"le="60.0""#)), "{moved:?}");
}

#[test]
fn what_is_known_beforehand_is_there_from_the_start() {
    let metrics = Metrics::new();
    metrics.foresee_settled("created", "lead", "");
    metrics.foresee_possible_duplicate("resent");
    let text = metrics.text();
    let mut expected: Vec<String> = Vec::new();
    expected.extend(Judgement::NAMES.map(|name| format!("api_requests_total{{outcome=\"{name}\",status=\"0\"}} 0")));
    expected.push("possible_duplicates_total{cause=\"resent\"} 0".to_owned());
    expected.extend(
        [
            "events_received_total 0",
            "events_already_created_total 0",
            "duplicates_seen_total 0",
            "gate_probes_total 0",
            "broker_connections_total 0",
        ]
        .map(str::to_owned),
    );
    expected.extend(
        ["publishes_refused_total 0", "events_unacknowledged 0", "api_requests_in_flight 0", "events_waiting 0"]
            .map(str::to_owned),
    );
    expected.extend(
        ["broker_connected 0", "gate_ramp_requests_per_second 0", "last_settled_timestamp_seconds 0"]
            .map(str::to_owned),
    );
    expected.push(r#"gate_shut{scope="everything",reason=""} 0"#.to_owned());
    expected.push("log_lines_dropped_total 0".to_owned());
    expected.push(r#"events_settled_total{result="created",rule="lead",reason=""} 0"#.to_owned());
    expected.push(format!("build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")));
    for line in expected {
        assert!(text.contains(&format!("\nchakra_bridge_{line}\n")), "{line} is missing in\n{text}");
    }
}

#[test]
fn the_text_ends_as_the_format_asks() {
    assert!(Metrics::new().text().ends_with("\n# EOF\n"));
}

#[test]
fn how_the_lookup_of_a_rule_stands_is_shown_before_and_after_its_check() {
    let metrics = Metrics::new();
    metrics.lookup_verified("lead", None);
    let unverified = lines(&metrics);
    assert!(unverified.contains("chakra_bridge_lookup_verified{rule=\"lead\"} 0"), "{unverified:?}");
    metrics.lookup_verified("lead", Some(Duration::from_millis(1500)));
    let check_result = lines(&metrics);
    assert!(check_result.contains("chakra_bridge_lookup_verified{rule=\"lead\"} 1"), "{check_result:?}");
    assert!(check_result.contains("chakra_bridge_lookup_lag_seconds{rule=\"lead\"} 1.5"), "{check_result:?}");
}

#[test]
fn a_log_that_stands_still_says_since_when_until_it_goes_again() {
    let log = Metrics::new().log();
    assert_eq!((log.dropping_since_ms(), log.stuck_since_ms()), (None, None));
    log.writing(5);
    [7, 9].into_iter().for_each(|now_ms| log.dropped(now_ms));
    assert_eq!((log.dropping_since_ms(), log.stuck_since_ms()), (Some(7), Some(5)));
    log.written();
    log.goes_again();
    assert_eq!((log.dropping_since_ms(), log.stuck_since_ms(), log.dropped_total()), (None, None, 2));
}
