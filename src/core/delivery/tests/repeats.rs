//! A producer that repeats itself: one event is one process, whenever its messages come.
//!
//! Not here: what is remembered (`core::recent`), and a producer that repeats under every trouble (`tests/model`).

use super::*;
use crate::core::policy::OnReusedKey;
use crate::core::put_back::PutBack;

fn refused() -> Reply {
    json(422, Wrapper { is_api_word: true, ..Wrapper::default() })
}

fn is_announced(done: &Done) -> bool {
    done.reports.iter().any(|report| matches!(report, Report::PossibleDuplicate { .. }))
}

/// What was told of the ends in these effects: results and processes.
fn ends(done: &Done) -> Vec<(&'static str, Option<&str>)> {
    done.told.iter().map(|settled| (settled.result, settled.process.as_deref())).collect()
}

/// The same event, out of a delay queue.
fn delayed(kind: &str, id: &str, settled: &[(ReceiptId, Settlement)]) -> Message {
    let Some((_, Settlement::Delay(_, state))) = settled.first() else { panic!("{settled:?}") };
    let state = DelayedState { remaining: Duration::ZERO, ..DelayedState::clone(state) };
    Message { delayed_state: Some(state.encode()), ..event(kind, id) }
}

#[test]
fn an_event_that_is_published_again_is_acknowledged_and_told_with_its_process_and_the_rule_that_made_it() {
    for kind in ["lead", "found.lead"] {
        let mut bench = Bench::new(64);
        let (first, _) = bench.event(kind, "m1");
        drop(bench.replied(first, created()));
        drop(
            bench.on(Input::Command(Command::NewRules(Arc::new(rules(&RULES.replace("name = \"", "name = \"new-")))))),
        );
        for _ in 0..3 {
            let (again, done) = bench.event(kind, "m1");
            assert_eq!(done.settled, [(again, Settlement::Ack)], "{kind}");
            assert_eq!((done.creates.len(), done.lookups.len()), (0, 0), "{kind}: nothing is asked");
            assert_eq!(ends(&done), [("duplicate", Some("p1"))], "{kind}");
            let rule = done.told[0].rule.as_deref();
            assert_eq!(rule, Some(if kind == "lead" { "lead" } else { "found" }), "whatever rule maps it now");
        }
    }
}

#[test]
fn a_message_without_a_key_of_its_own_is_no_duplicate_of_its_equal_and_neither_is_another_body() {
    let mut bench = Bench::new(64);
    let unnamed = || Message { message_id: None, ..event("lead", "m1") };
    for _ in 0..2 {
        let (_, done) = bench.message(unnamed());
        assert_eq!(done.creates.len(), 1);
        drop(bench.replied(done.creates[0], created()));
    }
    for body in [&b"{\"of\":1}"[..], b"{\"of\":2}"] {
        let (_, done) = bench.message(Message { body: Arc::new(body.to_vec()), ..event("lead", "m1") });
        assert_eq!(done.creates.len(), 1, "a message id may restart at 1");
        drop(bench.replied(done.creates[0], created()));
    }
}

#[test]
fn a_message_whose_twin_is_under_way_follows_it() {
    for kind in ["lead", "found.lead"] {
        let mut bench = Bench::new(64);
        let (first, _) = bench.event(kind, "m1");
        let (second, done) = bench.event(kind, "m1");
        assert!(done.creates.is_empty() && done.settled.is_empty(), "{kind}: {done:?}");
        let (other, done) = bench.event(kind, "m2");
        assert_eq!(done.creates, [other], "{kind}: others go on");
        let done = bench.replied(first, created());
        assert_eq!(done.settled, [(first, Settlement::Ack), (second, Settlement::Ack)], "{kind}: at once");
        assert_eq!(ends(&done), [("created", Some("p1")), ("duplicate", Some("p1"))]);
    }
}

#[test]
fn of_many_messages_of_one_event_one_is_sent_whatever_order_the_answers_come_in() {
    let mut bench = Bench::new(64);
    let (first, done) = bench.event("lead", "m1");
    let mut creates = done.creates.len();
    for _ in 0..20 {
        creates += bench.event("lead", "m1").1.creates.len();
    }
    creates += bench.after(30 * SECOND).creates.len();
    let done = bench.replied(first, created());
    assert_eq!((creates + done.creates.len(), done.settled.len()), (1, 21));
}

#[test]
fn a_duplicate_is_acknowledged_while_the_gate_is_shut() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("lead", "m1");
    drop(bench.replied(first, created()));
    drop(bench.on(Input::Command(Command::Pause)));
    let (again, done) = bench.event("lead", "m1");
    assert_eq!(done.settled, [(again, Settlement::Ack)]);
}

#[test]
fn what_follows_a_dead_letter_is_one_too_and_is_not_asked_again() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("lead", "m1");
    let (second, _) = bench.event("lead", "m1");
    let done = bench.replied(first, refused());
    let letters: Vec<_> = done.settled.iter().map(|(id, _)| *id).collect();
    assert_eq!((letters, done.creates.len()), (vec![first, second], 0));
    assert!(done.told.iter().all(|settled| settled.reason() == "refused"), "each has its letter");
}

#[test]
fn an_event_that_is_published_anew_after_its_dead_letter_is_no_duplicate() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("lead", "m1");
    drop(bench.replied(first, refused()));
    let (again, done) = bench.event("lead", "m1");
    assert_eq!(done.creates, [again]);
    assert!(!is_announced(&done), "it was refused, and is no process");
}

#[test]
fn what_may_be_a_process_is_never_acknowledged_as_a_duplicate_and_its_next_create_is_announced() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.on_unknown = OnUnknown::DeadLetter;
    bench.machine.setup.policy.resend_after = Duration::ZERO;
    let (first, _) = bench.event("lead", "m1");
    let done = bench.replied(first, timed_out());
    assert_eq!(done.told[0].reason(), "unknown");
    let (again, done) = bench.event("lead", "m1");
    assert_eq!((done.creates.as_slice(), is_announced(&done)), ([again].as_slice(), true));
}

#[test]
fn a_twin_that_went_to_a_delay_queue_after_a_lost_answer_leaves_its_doubt_and_its_creates_behind() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.max_local_delay = Duration::ZERO;
    bench.machine.setup.policy.resend_after = Duration::ZERO;
    let (first, _) = bench.event("lead", "m1");
    let (second, _) = bench.event("lead", "m1");
    let done = bench.replied(first, timed_out());
    let copy = delayed("lead", "m1", &done.settled);
    let done = bench.after(SECOND);
    assert_eq!((done.creates.as_slice(), is_announced(&done)), ([second].as_slice(), true), "{done:?}");
    let done = bench.replied(second, timed_out());
    assert_eq!(done.told[0].reason(), "unknown", "two creates, and no third");
    let (_, done) = bench.message(copy);
    assert_eq!((done.creates.len(), done.told[0].reason()), (0, "unknown"));
}

#[test]
fn a_twin_that_comes_out_of_a_delay_queue_after_the_other_was_created_is_acknowledged() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.max_local_delay = Duration::ZERO;
    let (first, _) = bench.event("lead", "m1");
    let throttled = Reply::Response(Response { retry_after: Some(60 * SECOND), ..Response::new(429, Body::Empty) });
    let done = bench.replied(first, throttled);
    let copy = delayed("lead", "m1", &done.settled);
    drop(bench.after(70 * SECOND));
    let (again, done) = bench.event("lead", "m1");
    assert_eq!((done.creates.as_slice(), is_announced(&done)), ([again].as_slice(), false), "none was applied");
    drop(bench.replied(again, created()));
    let (copied, done) = bench.message(copy);
    assert_eq!(
        (done.settled.as_slice(), ends(&done)),
        ([(copied, Settlement::Ack)].as_slice(), vec![("already_created", Some("p1"))])
    );
}

#[test]
fn a_twin_of_a_lost_connection_is_followed_and_recognised_too() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("lead", "m1");
    drop(bench.on(Input::Disconnected));
    drop(bench.on(Input::Connected { can_delay: true }));
    let (second, done) = bench.event("lead", "m1");
    assert!(done.creates.is_empty(), "the other's request is under way");
    let done = bench.replied(first, created());
    assert!(done.settled.contains(&(second, Settlement::Ack)), "{done:?}");
}

#[test]
fn a_dead_letter_that_is_put_back_is_no_duplicate_though_another_message_of_its_event_is_a_process() {
    for (kind, looks) in [("lead", false), ("found.lead", true)] {
        let mut bench = Bench::new(64);
        bench.machine.setup.policy.resend_after = Duration::ZERO;
        let (first, _) = bench.event(kind, "m1");
        drop(bench.replied(first, created()));
        let letter = PutBack { reason: "refused".to_owned(), ..PutBack::default() };
        let (again, done) =
            bench.message(Message { put_back: Some(letter), routing_key: kind.to_owned(), ..event(kind, "m1") });
        if looks {
            assert_eq!((done.lookups.as_slice(), done.creates.len()), ([again].as_slice(), 0));
        } else {
            assert_eq!((done.creates.as_slice(), is_announced(&done)), ([again].as_slice(), true));
        }
    }
}

#[test]
fn what_was_forgotten_is_an_event_like_any_other() {
    let mut bench = Bench::new(64);
    bench.machine = Machine::new(Setup { repeats: RepeatPolicy { memory: 0, ..RepeatPolicy::default() }, ..setup(64) });
    drop(bench.on(Input::Connected { can_delay: true }));
    let (first, _) = bench.event("lead", "m1");
    drop(bench.replied(first, created()));
    assert_eq!(bench.event("lead", "m1").1.creates.len(), 1);
}

/// A CloudEvent of this id, at this time, that asks for a process of this title.
fn cloud_event(id: &str, time: &str, title: &str) -> Message {
    let body = format!(
        r#"{{"specversion":"1.0","source":"/crm","id":"{id}","type":"deal","time":"{time}","data":{{"title":"{title}"}}}}"#
    );
    Message { body: Arc::new(body.into_bytes()), message_id: None, kind: None, ..event("deal", id) }
}

/// The same as a message with a message id.
fn plain(id: &str, time: &str, title: &str) -> Message {
    let body = format!(r#"{{"time":"{time}","data":{{"title":"{title}"}}}}"#);
    Message { body: Arc::new(body.into_bytes()), ..event("deal", id) }
}

/// A machine whose rule takes deals, with this line in it and this policy.
fn bench_of(line: &str, repeats: RepeatPolicy) -> Bench {
    let mut bench = Bench::new(64);
    let rule = format!(
        "[[rule]]\nname = \"deal\"\ntype = \"deal\"\nprocedure = \"deal\"\n{line}\n[rule.data]\nevent_key = \"{{{{ key }}}}\"\n\
         title = \"{{{{ event.data.title }}}}\"\n"
    );
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

#[test]
fn what_may_be_a_process_stays_in_doubt_though_its_verdict_went_through_a_delay_queue() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.on_unknown = OnUnknown::DeadLetter;
    bench.machine.setup.policy.resend_after = Duration::ZERO;
    let (first, _) = bench.event("lead", "m1");
    let mut done = bench.replied(first, timed_out());
    let Settlement::DeadLetter(letter) = done.settled.remove(0).1 else { panic!("a dead letter") };
    let verdict = Some(Box::new(crate::core::dead_letter::Verdict::of(&letter)));
    let state = DelayedState { verdict, first_seen_ms: 1, ..DelayedState::default() };
    drop(bench.message(Message { delayed_state: Some(state.encode()), ..event("lead", "m1") }));
    let (again, done) = bench.event("lead", "m1");
    assert_eq!((done.creates.as_slice(), is_announced(&done)), ([again].as_slice(), true));
}
