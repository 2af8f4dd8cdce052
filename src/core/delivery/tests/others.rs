//! Messages of one key with different bodies, those that somebody asks for again, and lookups before a first create.
//!
//! Not here: equal bodies (`repeats`).

use super::repeats::{is_announced, refused};
use super::*;
use crate::core::policy::OnReusedKey;
use crate::core::put_back::PutBack;

/// A CloudEvent of this id, at this time, that asks for a process of this title.
pub(super) fn cloud_event(id: &str, time: &str, title: &str) -> Message {
    let body = format!(
        r#"{{"specversion":"1.0","source":"/crm","id":"{id}","type":"deal","time":"{time}","data":{{"title":"{title}"}}}}"#
    );
    Message { body: Arc::new(body.into_bytes()), message_id: None, kind: None, ..event("deal", id) }
}

/// The same as a message with a message id.
pub(super) fn plain(id: &str, time: &str, title: &str) -> Message {
    let body = format!(r#"{{"time":"{time}","data":{{"title":"{title}"}}}}"#);
    Message { body: Arc::new(body.into_bytes()), ..event("deal", id) }
}

/// The rule takes deals.
pub(super) fn deals(setup: &mut Setup) {
    setup.rules = Arc::new(rules(&rule_of("")));
}

fn rule_of(line: &str) -> String {
    format!(
        "[[rule]]\nname = \"deal\"\ntype = \"deal\"\nprocedure = \"deal\"\n{line}\n[rule.data]\nevent_key = \"{{{{ key }}}}\"\n\
         title = \"{{{{ event.data.title }}}}\"\n"
    )
}

/// A machine whose rule takes deals, with this line in it and this policy.
fn bench_of(line: &str, repeats: RepeatPolicy) -> Bench {
    let mut bench = Bench::new(64);
    let rule = rule_of(line);
    bench.machine = Machine::new(Setup { rules: Arc::new(rules(&rule)), repeats, ..setup(64) });
    drop(bench.on(Input::Connected { can_delay: true }));
    bench
}

/// How this ends: acknowledged as a duplicate, a dead letter, or created.
fn becomes(bench: &mut Bench, message: Message) -> &'static str {
    let (id, mut done) = bench.message(message);
    if done.creates == [id] {
        let later = bench.replied(id, created());
        done.add(later);
    }
    let [settled] = &done.told[..] else { panic!("{done:?}") };
    if settled.result == "dead_lettered" { settled.reason() } else { settled.result }
}

fn reused_keys(done: &Done) -> Vec<bool> {
    let reused = done.reports.iter().filter_map(|report| match report {
        Report::KeyReused { is_first, process, .. } => {
            assert_eq!(process.as_deref(), Some("p1"));
            Some(*is_first)
        }
        _ => None,
    });
    reused.collect()
}

#[test]
fn a_cloud_event_whose_request_is_the_same_is_a_duplicate_whatever_else_is_in_its_body() {
    let mut bench = bench_of("", RepeatPolicy::default());
    assert_eq!(becomes(&mut bench, cloud_event("1", "t1", "one")), "created");
    for time in ["t2", "t3", "t2"] {
        assert_eq!(becomes(&mut bench, cloud_event("1", time, "one")), "duplicate", "{time}");
    }
    assert_eq!(becomes(&mut bench, cloud_event("2", "t1", "one")), "created", "another id");
}

#[test]
fn a_cloud_event_that_asks_for_something_else_under_a_known_key_is_a_dead_letter_that_names_the_process() {
    let mut bench = bench_of("", RepeatPolicy::default());
    assert_eq!(becomes(&mut bench, cloud_event("1", "t1", "one")), "created");
    let (_, done) = bench.message(cloud_event("1", "t2", "two"));
    assert_eq!((done.creates.len(), done.told[0].reason()), (0, "key_reused"));
    let Settlement::DeadLetter(letter) = &done.settled[0].1 else { panic!("{done:?}") };
    assert!(letter.fault.text.contains("process p1"), "{}", letter.fault.text);
    let put_back =
        Some(PutBack { reason: "key_reused".to_owned(), routing_key: Some("deal".to_owned()), ..PutBack::default() });
    assert_eq!(
        becomes(&mut bench, Message { put_back, ..cloud_event("1", "t2", "two") }),
        "created",
        "somebody asks for it"
    );
    let mut bench = bench_of("", RepeatPolicy { cloud_events: OnReusedKey::Create, ..RepeatPolicy::default() });
    assert_eq!(becomes(&mut bench, cloud_event("1", "t1", "one")), "created");
    assert_eq!(becomes(&mut bench, cloud_event("1", "t2", "two")), "created", "a setting turns that round");
}

#[test]
fn a_message_id_that_comes_again_with_another_body_is_another_event_and_told_once_a_rule() {
    let mut bench = bench_of("", RepeatPolicy::default());
    let mut told = Vec::new();
    for time in ["t1", "t2", "t3"] {
        let (id, done) = bench.message(plain("1", time, "one"));
        assert_eq!(done.creates, [id], "{time}");
        told.extend(reused_keys(&done));
        drop(bench.replied(id, created()));
    }
    assert_eq!(told, [true, false]);
    let mut bench = bench_of("", RepeatPolicy { message_ids: OnReusedKey::DeadLetter, ..RepeatPolicy::default() });
    assert_eq!(becomes(&mut bench, plain("1", "t1", "one")), "created");
    assert_eq!(becomes(&mut bench, plain("1", "t2", "one")), "key_reused", "a setting turns that round");
}

#[test]
fn where_the_rule_says_so_the_same_request_is_enough_for_a_message_id_too() {
    let mut bench = bench_of("duplicates = \"same-request\"", RepeatPolicy::default());
    assert_eq!(becomes(&mut bench, plain("1", "t1", "one")), "created");
    assert_eq!(becomes(&mut bench, plain("1", "t2", "one")), "duplicate");
    assert_eq!(becomes(&mut bench, plain("1", "t2", "two")), "created");
}

#[test]
fn a_cloud_event_under_way_is_followed_by_those_of_its_key_whatever_their_bodies() {
    let mut bench = bench_of("", RepeatPolicy::default());
    let (first, _) = bench.message(cloud_event("1", "t1", "one"));
    let (same, done) = bench.message(cloud_event("1", "t2", "one"));
    let (other, more) = bench.message(cloud_event("1", "t3", "two"));
    assert!(done.creates.is_empty() && more.creates.is_empty());
    let done = bench.replied(first, created());
    assert_eq!(
        done.told.iter().map(|settled| settled.result).collect::<Vec<_>>(),
        ["created", "duplicate", "dead_lettered"]
    );
    assert_eq!(done.settled.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [first, same, other]);
}

#[test]
fn a_cloud_event_whose_other_body_may_be_a_process_is_no_duplicate_and_its_create_is_announced() {
    let mut bench = bench_of("", RepeatPolicy::default());
    bench.machine.setup.policy.on_unknown = OnUnknown::DeadLetter;
    bench.machine.setup.policy.resend_after = Duration::ZERO;
    let (first, _) = bench.message(cloud_event("1", "t1", "one"));
    drop(bench.replied(first, timed_out()));
    let (_, mut done) = bench.message(cloud_event("1", "t2", "one"));
    done.add(bench.after(SECOND));
    assert_eq!((done.creates.len(), is_announced(&done)), (1, true), "{done:?}");
}

#[test]
fn where_a_rule_always_looks_an_event_is_looked_for_before_its_first_create_and_without_a_doubt() {
    let lines = "reconcile_by = \"event_key\"\nreconcile = \"always\"\nkeys = ";
    let absent = || json(200, Wrapper { has_data: true, rows: Some(Vec::new()), ..Wrapper::default() });
    for (keys, message, looks) in [
        ("\"cloud-events\"", cloud_event("1", "t1", "one"), true),
        ("\"cloud-events\"", plain("1", "t1", "one"), false),
        ("\"unique\"", plain("1", "t1", "one"), true),
    ] {
        let mut bench = bench_of(&format!("{lines}{keys}"), RepeatPolicy::default());
        let (id, mut done) = bench.message(message);
        assert_eq!(done.lookups == [id], looks, "{keys}");
        if looks {
            done.add(bench.replied(id, absent()));
        }
        assert_eq!((done.creates.as_slice(), is_announced(&done)), ([id].as_slice(), false), "{keys}: at once");
    }
}

#[test]
fn who_says_again_by_a_header_gets_another_process_and_it_is_announced() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.resend_after = Duration::ZERO;
    let (first, _) = bench.event("lead", "m1");
    drop(bench.replied(first, created()));
    let again = || Message { put_back: Some(PutBack::default()), ..event("lead", "m1") };
    let (id, done) = bench.message(again());
    assert_eq!((done.creates.as_slice(), is_announced(&done)), ([id].as_slice(), true));
    drop(bench.replied(id, created()));
    let (_, done) = bench.message(Message { redelivered: true, ..again() });
    assert_eq!(done.told[0].result, "already_created", "the broker delivered that one again");
}

#[test]
fn a_dead_letter_says_whether_a_create_may_have_been_applied_and_its_verdict_takes_that_along() {
    let letter_of = |reply: Reply| {
        let mut bench = Bench::new(64);
        bench.machine.setup.policy.on_unknown = OnUnknown::DeadLetter;
        let (id, _) = bench.event("lead", "m1");
        let mut done = bench.replied(id, reply);
        let Settlement::DeadLetter(letter) = done.settled.remove(0).1 else { panic!("a dead letter") };
        letter
    };
    for (reply, may_exist) in [(refused(), false), (timed_out(), true)] {
        let letter = letter_of(reply);
        assert_eq!(letter.may_exist, may_exist, "{letter:?}");
        let again = crate::core::dead_letter::Verdict::of(&letter).letter(0, (String::new(), String::new()));
        assert_eq!(again.may_exist, may_exist);
    }
}

#[test]
fn what_was_put_back_is_not_compared_with_others_after_a_delay_queue_either() {
    let mut bench = bench_of("", RepeatPolicy::default());
    bench.machine.setup.policy.max_local_delay = Duration::ZERO;
    assert_eq!(becomes(&mut bench, cloud_event("1", "t1", "one")), "created");
    let put_back =
        || PutBack { reason: "key_reused".to_owned(), routing_key: Some("deal".to_owned()), ..PutBack::default() };
    let (id, _) = bench.message(Message { put_back: Some(put_back()), ..cloud_event("1", "t2", "two") });
    let throttled = Reply::Response(Response { retry_after: Some(SECOND), ..Response::new(429, Body::Empty) });
    let done = bench.replied(id, throttled);
    let Settlement::Delay(_, state) = &done.settled[0].1 else { panic!("{done:?}") };
    let delayed_state = Some(DelayedState { remaining: Duration::ZERO, ..DelayedState::clone(state) }.encode());
    drop(bench.after(60 * SECOND));
    let (id, done) = bench.message(Message { delayed_state, ..cloud_event("1", "t2", "two") });
    assert_eq!(done.creates, [id], "{done:?}");
}
