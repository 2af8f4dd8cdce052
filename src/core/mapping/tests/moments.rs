//! Laws of the filters that give epoch milliseconds.
//!
//! Not here: what `nextActionAt` takes (`requests`).

use serde_json::{Value, json};

use super::{given, mistake_of, refused};

fn ms(written: &str, zone: &str) -> Value {
    given(&format!("{{{{ event.v | epoch_ms('{zone}') }}}}"), json!({ "v": written }))
}

#[test]
fn a_time_without_an_offset_is_one_on_the_clocks_of_the_zone() {
    for (written, zone, expected) in [
        ("2026-01-31T15:00:00", "Asia/Kolkata", 1_769_851_800_000_i64),
        ("2026-01-31T15:00:00", "+05:30", 1_769_851_800_000),
        ("2026-01-31T15:00", "asia/kolkata", 1_769_851_800_000),
        ("2026-01-31 15:00:00.250", "Asia/Kolkata", 1_769_851_800_250),
        ("2026-01-31T09:30:00", "UTC", 1_769_851_800_000),
        ("2026-01-31T01:30:00", "-08:00", 1_769_851_800_000),
        ("2026-07-01T12:00:00", "Europe/Berlin", 1_782_900_000_000),
    ] {
        assert_eq!(ms(written, zone), json!(expected), "{written} {zone}");
    }
}

#[test]
fn a_date_alone_is_the_start_of_that_day_there() {
    assert_eq!(ms("2026-01-31", "Asia/Kolkata"), json!(1_769_797_800_000_i64));
    assert_eq!(ms("2026-01-31", "+00:00"), json!(1_769_817_600_000_i64));
    assert_eq!(ms("2018-11-04", "America/Sao_Paulo"), ms("2018-11-04T01:00", "America/Sao_Paulo"), "midnight skipped");
}

#[test]
fn an_offset_in_the_text_itself_is_what_counts() {
    for written in ["2026-01-31T09:30:00Z", "2026-01-31T10:30:00+01:00"] {
        assert_eq!(ms(written, "Asia/Kolkata"), json!(1_769_851_800_000_i64), "{written}");
    }
}

#[test]
fn a_time_that_clocks_skipped_is_later_and_one_shown_twice_is_the_first() {
    let berlin = |written: &str| ms(written, "Europe/Berlin");
    assert_eq!(berlin("2026-03-29T02:30:00"), berlin("2026-03-29T03:30:00"));
    assert_eq!(berlin("2026-10-25T02:30:00"), ms("2026-10-25T02:30:00", "+02:00"));
}

#[test]
fn what_is_no_time_is_refused_with_a_zone_as_well() {
    for written in [
        json!("tomorrow"),
        json!("2026-13-01"),
        json!("2026-02-30"),
        json!("2026-01-31T25:00"),
        json!("2026-01-31T09:30[Europe/Berlin]"),
        json!("2026-01-31T09:30:00+99:00"),
        json!("2026-01-31+01:00"),
        json!("2026-01-31Z"),
        json!(""),
        json!(20_260_131),
        json!(null),
    ] {
        let said = refused("{{ event.v | epoch_ms('Asia/Kolkata') }}", json!({ "v": written }));
        assert!(said.contains("`epoch_ms` takes a date"), "{written}: {said}");
    }
}

#[test]
fn a_zone_may_come_from_the_event_and_is_then_never_repeated() {
    let text = "{{ event.v | epoch_ms(event.zone) }}";
    let document = |zone: Value| json!({ "v": "2026-01-31T15:00:00", "zone": zone });
    assert_eq!(given(text, document(json!("Asia/Kolkata"))), json!(1_769_851_800_000_i64));
    for zone in [json!("Mars/Olympus"), json!("/etc/passwd"), json!("../UTC"), json!(5), json!("")] {
        let said = refused(text, document(zone));
        assert!(said.contains("time zone") && !said.contains("Olympus") && !said.contains("passwd"), "{said}");
    }
}

#[test]
fn an_unknown_zone_is_found_when_the_rule_is_loaded() {
    for (zone, nearest) in
        [("Asia/Kolkatta", "\"Asia/Kolkata\"?"), ("Europe/Berln", "\"Europe/Berlin\"?"), ("+5", "+05:30")]
    {
        let (mistake, pointed) = mistake_of(&format!("\"{{{{ event.v | epoch_ms('{zone}') }}}}\""));
        assert_eq!(pointed, format!("'{zone}'"));
        assert!(mistake.what.contains(zone) && mistake.expected.contains(nearest), "{mistake:?}");
    }
}

#[test]
fn seconds_and_milliseconds_are_never_taken_for_each_other() {
    for (filter, value, expected) in [
        ("from_epoch_s", json!(1_769_851_800), 1_769_851_800_000_i64),
        ("from_epoch_s", json!("1769851800"), 1_769_851_800_000),
        ("from_epoch_s", json!(1_769_851_800.25), 1_769_851_800_250),
        ("from_epoch_s", json!(" 100000000 "), 100_000_000_000),
        ("from_epoch_ms", json!(1_769_851_800_250_i64), 1_769_851_800_250),
        ("from_epoch_ms", json!("1769851800250"), 1_769_851_800_250),
        ("from_epoch_ms", json!(9_999_999_999_999_i64), 9_999_999_999_999),
    ] {
        assert_eq!(given(&format!("{{{{ event.v | {filter} }}}}"), json!({ "v": value })), json!(expected), "{value}");
    }
    for (filter, value) in [
        ("from_epoch_s", json!(1_769_851_800_000_i64)),
        ("from_epoch_s", json!(-1)),
        ("from_epoch_s", json!(0)),
        ("from_epoch_s", json!("NaN")),
        ("from_epoch_s", json!("inf")),
        ("from_epoch_ms", json!(1_769_851_800)),
        ("from_epoch_ms", json!("1769851800")),
        ("from_epoch_ms", json!(1_769_851_800_000_000_i64)),
        ("from_epoch_ms", json!("2026-01-31")),
        ("from_epoch_ms", json!(true)),
    ] {
        let said = refused(&format!("{{{{ event.v | {filter} }}}}"), json!({ "v": value }));
        assert!(said.contains("digits"), "{filter} {value}: {said}");
    }
}
