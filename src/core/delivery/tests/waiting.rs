//! Messages that wait here since there is no delay queue for them.
//!
//! Not here: events that have a request (`brake`, `crashes`).

use serde_json::json;

use super::brake::{Feed, refused};
use super::*;
use crate::core::mapping::rules::Rules;
use crate::core::mapping::schemas::Schemas;
use crate::core::mapping::written::{Spot, WrittenSchema};

/// Nothing of type `lead` can be mapped.
fn unmappable() -> String {
    RULES.replacen("{{ key }}", "{{ event.missing }}", 1)
}

/// A machine without delay queues that maps by these rules.
fn bench(text: &str) -> Bench {
    let mut bench = Bench::new(64);
    drop(bench.on(Input::Connected { can_delay: false }));
    bench.machine.setup.rules = Arc::new(rules(text));
    bench
}

fn leads(count: usize) -> Feed {
    Feed::new((0..count).map(|id| event("lead", &format!("m{id}"))))
}

#[test]
fn without_delay_queues_what_cannot_be_mapped_waits_while_its_rule_is_held_and_is_mapped_anew_by_other_rules() {
    let mut bench = bench(&unmappable());
    let mut feed = leads(200);
    feed.run(&mut bench, 64, 15 * 20, |_| created());
    assert!((20..=25).contains(&feed.dead), "{} dead letters", feed.dead);
    assert_eq!(bench.machine.held(), 64, "they wait unacknowledged");
    let dead = feed.dead;
    feed.on(&mut bench, Input::Command(Command::NewRules(Arc::new(rules(RULES)))));
    feed.run(&mut bench, 64, 90 * 20, |_| created());
    assert_eq!((feed.dead, feed.created), (dead, 200 - dead));
}

/// The rules, where procedure `lead` takes no request for its schema.
fn refused_by_a_schema() -> Rules {
    let spot = |value| Spot { value, span: 0..1 };
    let data = Some(spot(json!({ "required": ["renamed"] })));
    let written = WrittenSchema { procedure: Spot { value: "lead".to_owned(), span: 0..1 }, data, record: None };
    rules(RULES).with(Schemas::compile(&[written]).unwrap())
}

#[test]
fn without_delay_queues_what_a_schema_refuses_waits_while_its_rule_is_held_and_is_mapped_anew_by_another_schema() {
    let mut bench = bench(RULES);
    bench.machine.setup.rules = Arc::new(refused_by_a_schema());
    let mut feed = leads(200);
    feed.run(&mut bench, 64, 15 * 20, |_| created());
    assert!((20..=25).contains(&feed.dead), "{} dead letters", feed.dead);
    assert_eq!(bench.machine.held(), 64, "they wait unacknowledged");
    assert!(feed.created == 0 && bench.machine.holds_rule("lead"));
    let dead = feed.dead;
    feed.on(&mut bench, Input::Command(Command::NewRules(Arc::new(rules(RULES)))));
    feed.run(&mut bench, 64, 90 * 20, |_| created());
    assert_eq!((feed.dead, feed.created), (dead, 200 - dead));
}

#[test]
fn a_message_that_waited_has_its_headers_when_it_is_opened_again() {
    let mut bench = bench(&unmappable());
    let mut feed = leads(20);
    feed.run(&mut bench, 64, 20, |_| created());
    let headers: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(r#"{"a":{"b":[1,null,"c"]}}"#).unwrap();
    drop(bench.message(Message { headers: headers.into(), ..event("lead", "late") }));
    assert_eq!(bench.machine.held(), 1);
    let by_header = RULES.replacen("{{ key }}", "{{ headers.a.b[2] }}", 1);
    let done = bench.on(Input::Command(Command::NewRules(Arc::new(rules(&by_header)))));
    assert_eq!(done.creates.len(), 1, "{:?}", done.settled);
}

#[test]
fn without_delay_queues_an_operator_lets_a_held_rule_go_on_and_it_is_held_again_after_as_many_rejections() {
    let mut bench = bench(&unmappable());
    let mut feed = leads(200);
    feed.run(&mut bench, 64, 20, |_| created());
    assert_eq!(feed.dead, 20);
    feed.on(&mut bench, Input::Command(Command::ResumeRule("lead".into())));
    feed.run(&mut bench, 64, 20, |_| created());
    assert!((39..=41).contains(&feed.dead) && bench.machine.holds_rule("lead"), "{}", feed.dead);
}

#[test]
fn those_that_can_be_mapped_ask_for_their_rule_before_those_that_cannot() {
    let mut bench = bench(&RULES.replacen("{{ key }}", "{{ event.good }}", 1));
    let good = Message { body: Arc::new(br#"{"good":"a"}"#.to_vec()), ..event("lead", "good") };
    let messages = (0..40).map(|id| event("lead", &format!("m{id}"))).chain([good]);
    let mut feed = Feed::new(messages);
    feed.run(&mut bench, 64, 12 * 20, |_| refused());
    assert_eq!(feed.dead, 21, "the one that can be mapped asked, and the others waited");
    feed.run(&mut bench, 64, 21 * 20, |_| created());
    assert!((22..=24).contains(&feed.dead), "{}: then they ask in turn", feed.dead);
}

#[test]
fn messages_that_wait_go_back_with_the_connection_and_at_the_end() {
    let ends = [Input::Disconnected, Input::Command(Command::Drain), Input::Command(Command::CutOff)];
    for end in ends {
        let mut bench = bench(&unmappable());
        for id in 0..25 {
            drop(bench.event("lead", &format!("m{id}")));
        }
        assert_eq!(bench.machine.held(), 5);
        let done = bench.on(end);
        let released = done.settled.iter().filter(|(_, settlement)| *settlement == Settlement::Release);
        assert_eq!((released.count(), bench.machine.held()), (5, 0));
    }
}
