//! What must hold of every case.
//!
//! Not here: how cases are made (`mutate`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use chakra_bridge::core::bounds::Bounds;
use chakra_bridge::core::decode::{Limits, decode};
use chakra_bridge::core::event::Event;
use chakra_bridge::core::mapping::rules::{Mapped, Rules, map};
use chakra_bridge::core::mapping::written::{Action, Spot, Written, WrittenRule};
use chakra_bridge::core::message::Message;
use chakra_bridge::core::reason::{Fault, Reason};
use serde_json::{Value, json};

use super::corpus::CANARY;
use super::mutate::Case;

/// The largest request that may come of anything.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Far above what the bounds allow, even in a debug build on a busy machine: what never ends is what is looked up.
const TIME_MAX: Duration = Duration::from_secs(60);

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// The rule has mistakes.
    Mistaken,
    /// The body is no event.
    Undecodable,
    /// The rule refused the event.
    Refused,
    /// A request came of it.
    Created,
}

/// Decodes the case and maps it by a rule for each of its expressions, and checks what comes of it: an end for each.
pub fn hold(case: &Case) -> Vec<End> {
    let start = Instant::now();
    let event = decode(&message(case), &Limits { bounds: Bounds::DEFAULT, key: None });
    let ends = rules(case).into_iter().map(|rule| match (Rules::compile(&[rule]), &event) {
        (Err(_), _) => End::Mistaken,
        (Ok(_), Err(fault)) => {
            leaks_nothing(fault);
            End::Undecodable
        }
        (Ok(rules), Ok(event)) => mapped(case, &rules, event),
    });
    let ends = ends.collect();
    assert!(start.elapsed() < TIME_MAX, "{:?}", start.elapsed());
    ends
}

fn mapped(case: &Case, rules: &Rules, event: &Event) -> End {
    match map(event, rules, Bounds::DEFAULT) {
        Ok(Mapped::Create { content, .. }) => {
            sound(&content.to_value(), event, case);
            End::Created
        }
        Ok(Mapped::Skip { .. }) => panic!("the rule creates"),
        Err(unmapped) => {
            leaks_nothing(&unmapped.fault);
            assert_eq!(unmapped.rule.is_some(), unmapped.fault.reason != Reason::NoRule, "{}", unmapped.fault.text);
            End::Refused
        }
    }
}

/// The type of an event is the only thing of it that a fault may say: where no rule matches.
fn leaks_nothing(fault: &Fault) {
    assert!(fault.reason == Reason::NoRule || !fault.text.contains(CANARY), "{}", fault.text);
    assert!(fault.text.len() < 20_000, "{} bytes of words", fault.text.len());
}

fn sound(request: &Value, event: &Event, case: &Case) {
    assert!(request.to_string().len() <= REQUEST_BYTES_MAX, "too large");
    let made = &request["data"];
    if has_no_null(&event.document) && !case.lone.contains("none") && !case.inner.contains("none") {
        assert!(has_no_null(made), "null: {made}");
    }
    for text in texts(made) {
        let is_word = ["null", "undefined", "none", "None", "Undefined", "omit"].contains(&text.as_str());
        let is_of_the_event = event.document.to_string().contains(&text) || writes(case, &text);
        assert!(!is_word || is_of_the_event, "{text:?} of nothing: {made}");
    }
}

fn writes(case: &Case, text: &str) -> bool {
    [&case.lone, &case.inner, &case.mixed].iter().any(|written| written.contains(text))
}

fn has_no_null(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => items.iter().all(has_no_null),
        Value::Object(members) => members.values().all(has_no_null),
        _ => true,
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn message(case: &Case) -> Message {
    Message {
        body: Arc::new(case.body.clone()),
        content_type: case.content_type.map(str::to_owned),
        headers: json!({ "h": CANARY, "n": 1 }).as_object().cloned().unwrap().into(),
        exchange: "crm".to_owned(),
        routing_key: "case.opened".to_owned(),
        ..Message::default()
    }
}

/// A rule for each expression: alone, in a list, inside a text, and all of them under `when`, if there is one.
fn rules(case: &Case) -> Vec<WrittenRule> {
    let lone = member("lone", text(format!("{{{{ {} }}}}", case.lone)));
    let list = Written::List(vec![text(format!("{{{{ {} }}}}", case.inner))]);
    let list = member("list", Spot { span: 0..1, value: list });
    let mixed = member("mixed", text(format!("<{{{{ {} }}}}>", case.mixed)));
    let all = vec![lone.clone(), list.clone(), mixed.clone()];
    let mut rules = [vec![lone], vec![list], vec![mixed]].map(|data| rule(data, None)).to_vec();
    rules.extend([each("event.data.l", &case.inner, &case.mixed), each(&case.lone, "true", &case.inner)]);
    rules.extend(case.when.clone().map(|when| rule(all, Some(when))));
    rules
}

/// A rule that makes a list: of each item its place and what an expression gives.
fn each(list: &str, filter: &str, gives: &str) -> WrittenRule {
    let members = vec![
        member("each", text(list.to_owned())),
        member("where", text(filter.to_owned())),
        member("at", text("{{ index }}".to_owned())),
        member("made", text(format!("{{{{ {gives} }}}}"))),
    ];
    rule(vec![member("each", Spot { span: 0..1, value: Written::Table(members) })], None)
}

type Member = (Spot<String>, Spot<Written>);

fn member(name: &str, value: Spot<Written>) -> Member {
    (spot(name.to_owned()), value)
}

fn text(text: String) -> Spot<Written> {
    Spot { span: 0..text.len() + 2, value: Written::Text(text) }
}

fn spot(text: String) -> Spot<String> {
    Spot { span: 0..text.len() + 2, value: text }
}

fn rule(data: Vec<Member>, when: Option<String>) -> WrittenRule {
    WrittenRule {
        span: 0..1,
        name: spot("fuzzed".to_owned()),
        kinds: Vec::new(),
        when: when.map(spot),
        action: Action::Create,
        procedure: Some(spot("lead".to_owned())),
        data: Some(Spot { span: 0..1, value: Written::Table(data) }),
        record: None,
        status: None,
        state: None,
        next_action_at: None,
        assigned_to: None,
        reconcile_by: None,
        reconcile: None,
        keys: None,
        duplicates: None,
        outcomes: None,
        photo: None,
    }
}
