//! Laws of mapping cases: what passes, what is said of one that does not, and what counts as tried.
//!
//! Not here: laws of rules (`mapping/tests`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::coverage::gaps;
use super::difference::differences;
use super::{Case, Expected, Verdict, Wrong, run};
use crate::core::bounds::Bounds;
use crate::core::decode::Limits;
use crate::core::mapping::rules::Rules;
use crate::core::mapping::tests::rules;
use crate::core::mapping::written::Spot;
use crate::core::message::Message;
use crate::core::reason::Reason;

const RULES: &str = r#"
[[rule]]
name = "noise"
type = "noise"
action = "skip"
[[rule]]
name = "lead"
type = "lead.*"
procedure = "lead"
status = "OPEN"
assignedTo = "{{ event.agent | default(omit) }}"
data = { name = "{{ event.name }}", score = "{{ event.score | default(omit) }}", at = { city = "{{ event.city | default(omit) }}" } }
record = { data = { tags = ["{{ event.tag | default(omit) }}"] } }
[[rule]]
name = "wary"
type = "wary"
when = "event.is_due"
procedure = "lead"
"#;

const LIMITS: Limits = Limits { bounds: Bounds { max_bytes: 1000, ..Bounds::DEFAULT }, key: None };

fn spot<T>(value: T) -> Spot<T> {
    Spot { value, span: 0..0 }
}

fn case(kind: &str, body: &str, expected: Expected) -> Case {
    let message =
        Message { body: Arc::new(body.as_bytes().to_vec()), kind: Some(kind.to_owned()), ..Message::default() };
    Case { name: spot("a case".to_owned()), message, rule: None, expected, photos: Vec::new() }
}

fn request(value: Value) -> Expected {
    Expected::Request(spot(value))
}

fn dead(reason: Reason, text: Option<&str>) -> Expected {
    Expected::DeadLetter { reason, text: text.map(str::to_owned) }
}

fn verdict(case: &Case) -> Verdict {
    run(case, &LIMITS, &rules(RULES))
}

/// What is wrong, as `about: expected / got`.
fn said(case: &Case) -> Vec<String> {
    let said = |wrong: &Wrong| match wrong {
        Wrong::Words { about, expected, got } => format!("{about}: {expected} / {got}"),
        Wrong::Field(difference) => format!("{difference:?}"),
    };
    verdict(case).wrong.iter().map(said).collect()
}

fn lead() -> Value {
    json!({ "procedure": "lead", "data": { "name": "Ted", "at": {} }, "record": { "data": { "tags": [] } }, "status": "OPEN" })
}

#[test]
fn a_case_passes_if_its_event_becomes_exactly_what_it_expects() {
    let cases = [
        case("lead.new", r#"{"name": "Ted"}"#, request(lead())),
        case("noise", "{}", Expected::Skip),
        case("lead.new", "{}", dead(Reason::Unmappable, None)),
        case("lead.new", "{}", dead(Reason::Unmappable, Some("event.name is missing"))),
        case("unheard.of", "{}", dead(Reason::NoRule, None)),
        case("lead.new", "{", dead(Reason::Undecodable, None)),
        case("lead.new", &format!("{:2000}", "{}"), dead(Reason::TooLarge, None)),
    ];
    for case in cases {
        assert_eq!(said(&case), Vec::<String>::new(), "{case:?}");
    }
}

#[test]
fn a_case_that_fails_says_both_what_it_expects_and_what_there_is() {
    let good = r#"{"name": "Ted"}"#;
    for (case, about, got) in [
        (case("noise", "{}", request(lead())), "result: a request", "/ skipped"),
        (case("lead.new", good, Expected::Skip), "result: skipped", "/ the request {"),
        (case("lead.new", good, dead(Reason::NoRule, None)), "result: a dead letter, no_rule", "/ the request {"),
        (case("lead.new", "{}", Expected::Skip), "result: skipped", "a dead letter, unmappable: rule \"lead\""),
        (case("lead.new", "{}", dead(Reason::NoRule, None)), "reason: no_rule", "/ unmappable: rule \"lead\""),
        (case("lead.new", "{}", dead(Reason::Unmappable, Some("phone"))), "text: … phone …", "event.name is missing"),
    ] {
        let said = said(&case);
        assert!(said.len() == 1 && said[0].starts_with(about) && said[0].contains(got), "{said:?}");
    }
}

#[test]
fn the_rule_that_a_case_names_must_be_the_one_that_takes_its_event() {
    let named = |rule: &str, case: Case| Case { rule: Some(spot(rule.to_owned())), ..case };
    let unmappable = || dead(Reason::Unmappable, None);
    assert_eq!(said(&named("noise", case("noise", "{}", Expected::Skip))), Vec::<String>::new());
    assert_eq!(said(&named("lead", case("noise", "{}", Expected::Skip))), ["rule: lead / noise"]);
    assert_eq!(said(&named("lead", case("lead.new", "{}", unmappable()))), Vec::<String>::new());
    assert_eq!(said(&named("wary", case("wary", "{}", unmappable()))), Vec::<String>::new(), "its `when` failed");
    let none = said(&named("lead", case("unheard.of", "{}", dead(Reason::NoRule, None))));
    assert_eq!(none, ["rule: lead / none"]);
}

#[test]
fn differences_are_told_field_by_field_and_say_nothing_of_the_order_of_members() {
    let paths = |expected: Value, got: Value| -> Vec<String> {
        differences(&expected, &got).into_iter().map(|difference| difference.path).collect()
    };
    assert_eq!(paths(json!({ "a": 1, "b": [2] }), json!({ "b": [2], "a": 1 })), Vec::<String>::new());
    assert_eq!(paths(json!({ "a": { "b": 1 } }), json!({ "a": { "b": 1.0 } })), ["a.b"]);
    assert_eq!(paths(json!({ "a": "1", "gone": 1 }), json!({ "a": 1, "more": 1 })), ["a", "gone", "more"]);
    assert_eq!(paths(json!({ "a": [1, { "b": 2 }] }), json!({ "a": [0, { "b": 3 }, 4] })), ["a[0]", "a[1].b", "a[2]"]);
    assert_eq!(paths(json!({ "a": {} }), json!({ "a": [] })), ["a"]);
    assert_eq!(paths(json!([]), json!({})), [""]);
    let absent = differences(&json!({ "a": null }), &json!({}));
    assert_eq!((&absent[0].expected, &absent[0].got), (&Some(Value::Null), &None), "null is not the same as nothing");
}

/// `rule` or `rule, field` of every gap that these cases leave.
fn untried(cases: &[Case]) -> Vec<String> {
    let rules: Rules = rules(RULES);
    let verdicts: Vec<Verdict> = cases.iter().map(|case| run(case, &LIMITS, &rules)).collect();
    let gaps = gaps(&rules, &verdicts);
    let fields = gaps.fields.iter().map(|(rule, field)| format!("{rule}, {field}"));
    gaps.rules.iter().map(|rule| rule.to_string()).chain(fields).collect()
}

#[test]
fn only_what_a_passing_case_produced_is_tried() {
    let noise = || case("noise", "{}", Expected::Skip);
    let bare = || case("lead.new", r#"{"name": "Ted"}"#, request(lead()));
    let failing = || case("lead.new", r#"{"name": "Ted", "score": 1}"#, request(lead()));
    let cautious_for = || case("wary", r#"{"is_due": true}"#, request(json!({ "procedure": "lead" })));
    let dead = || case("lead.new", "{}", dead(Reason::Unmappable, None));
    let left_out = ["lead, data.at.city", "lead, data.score", "lead, assignedTo"];
    assert_eq!(untried(&[]), ["noise", "lead", "wary"]);
    assert_eq!(untried(&[noise(), cautious_for(), failing()]), ["lead"]);
    assert_eq!(untried(&[noise(), cautious_for(), failing(), bare()]), left_out);
    let all = ["data.name", "data.score", "data.at.city", "record.data", "status", "assignedTo"];
    let of_dead = untried(&[noise(), cautious_for(), dead()]);
    assert_eq!(of_dead.len(), all.len(), "{of_dead:?}");
    let body = r#"{"name": "Ted", "score": 1, "city": "NY", "agent": "robin"}"#;
    let mut whole = lead();
    whole["data"] = json!({ "name": "Ted", "score": 1, "at": { "city": "NY" } });
    whole["assignedTo"] = json!("robin");
    assert_eq!(
        untried(&[noise(), cautious_for(), bare(), case("lead.new", body, request(whole))]),
        Vec::<String>::new()
    );
}
