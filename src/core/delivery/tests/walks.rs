//! Steps of one event that nothing else may be taken for: what it waits for, what it is told of others, and where it is looked up.
//!
//! Not here: whole walks (`repeats`, `others`, `doubt`).

use super::others::{cloud_event, deals};
use super::repeats::{ends, is_announced, refused};
use super::*;
use crate::core::put_back::PutBack;

fn lead() -> Procedure {
    Procedure::new("lead").unwrap()
}

/// Another body under the same message id.
fn other_body(kind: &str, id: &str) -> Message {
    Message { body: Arc::new(br#"{"of":"other"}"#.to_vec()), ..event(kind, id) }
}

#[test]
fn a_message_follows_one_of_its_event_that_waits_and_one_that_came_before_it_alone() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("lead", "m1");
    drop(bench.replied(first, status(423)));
    let (second, done) = bench.event("lead", "m1");
    assert_eq!((done.creates.len(), done.settled.len()), (0, 0), "the first goes first, though it waits");
    assert_eq!(bench.after(SECOND).creates, [first]);
    let done = bench.replied(first, refused());
    let letters: Vec<_> = done.settled.iter().map(|(id, letter)| (*id, letter.clone())).collect();
    let [_, (id, Settlement::DeadLetter(letter))] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!((*id, letter.may_exist), (second, false), "no create of either may have been applied");
}

#[test]
fn an_event_that_waits_is_not_begun_sooner_since_another_of_its_key_has_ended() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("lead", "m1");
    let (other, _) = bench.message(other_body("lead", "m1"));
    let busy = Response { retry_after: Some(5 * SECOND), ..Response::new(423, Body::Empty) };
    drop(bench.replied(other, Reply::Response(busy)));
    assert!(bench.replied(first, created()).creates.is_empty());
    assert!(bench.after(SECOND).creates.is_empty());
    assert_eq!(bench.after(9 * SECOND).creates, [other]);
}

#[test]
fn a_letter_says_whether_a_create_may_have_been_applied_before_the_one_that_was_refused() {
    for lost_one in [false, true] {
        let mut bench = Bench::new(64);
        bench.machine.setup.policy.resend_after = Duration::ZERO;
        let (event, _) = bench.message(Message { exchange: String::new(), ..super::event("lead", "m1") });
        if lost_one {
            drop(bench.replied(event, timed_out()));
            drop(bench.after(SECOND));
        }
        let done = bench.replied(event, refused());
        let [(_, Settlement::DeadLetter(letter))] = &done.settled[..] else { panic!("{done:?}") };
        assert_eq!((letter.may_exist, letter.fault.reason.as_str()), (lost_one, "refused"));
        assert_eq!(letter.origin, Some((String::new(), String::new())), "over the default exchange");
    }
}

#[test]
fn a_create_that_is_no_first_one_is_sent_as_a_repeat_and_an_event_that_was_only_refused_is_not() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.resend_after = Duration::ZERO;
    let (event, done) = bench.event("lead", "m1");
    assert_eq!((done.creates.as_slice(), done.repeats.len()), (&[event][..], 0));
    drop(bench.replied(event, status(423)));
    let done = bench.after(SECOND);
    assert_eq!((done.creates.as_slice(), done.repeats.len()), (&[event][..], 0));
    let mut done = bench.replied(event, timed_out());
    done.add(bench.after(SECOND));
    assert_eq!((done.creates.as_slice(), done.repeats.as_slice()), (&[event][..], &[event][..]));
}

#[test]
fn what_is_created_elsewhere_than_it_was_sent_before_is_looked_up_there_from_then_on() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.lookup_window = Duration::ZERO;
    let state = DelayedState { sent: Some(sent::before()), first_seen_ms: 1, ..DelayedState::default() };
    let message = Message { delayed_state: Some(state.encode()), ..event("found.lead", "m1") };
    let (event, done) = bench.message(message);
    assert_eq!(done.lookups, [event]);
    let looked_up = |bench: &Bench| bench.machine.held.get(event).and_then(|event| event.lookup.clone()).unwrap();
    assert_eq!(looked_up(&bench).attribute, "old");
    assert_eq!(bench.replied(event, absent()).creates, [event]);
    let lookup = looked_up(&bench);
    assert_eq!((lookup.attribute.as_str(), &lookup.procedure), ("event_key", &lead()));
}

#[test]
fn of_one_request_under_one_key_the_second_goes_on_from_the_doubt_that_the_first_left_and_from_no_other() {
    for is_lost in [true, false] {
        for is_delayed in [true, false] {
            let mut bench = Bench::new(64);
            let mut setup = setup(64);
            deals(&mut setup);
            setup.policy.resend_after = Duration::ZERO;
            bench.machine = Machine::new(setup);
            drop(bench.on(Input::Connected { can_delay: true }));
            let (first, _) = bench.message(cloud_event("1", "t1", "one"));
            if is_lost {
                drop(bench.replied(first, timed_out()));
                drop(bench.after(SECOND));
            }
            let done = bench.replied(first, if is_delayed { busy() } else { refused() });
            assert_eq!(done.settled.len(), 1, "it left: {done:?}");
            let (second, mut done) = bench.message(cloud_event("1", "t2", "one"));
            done.add(bench.after(SECOND / 10));
            assert_eq!((done.creates.as_slice(), is_announced(&done)), (&[second][..], is_lost), "{is_delayed}");
        }
    }
}

#[test]
fn a_create_that_worked_in_the_very_millisecond_of_the_loss_says_nothing_of_it() {
    let mut bench = Bench::new(64);
    let (other, _) = bench.event("lead", "m2");
    let (lost, _) = bench.event("lead", "m1");
    drop(bench.replied(other, created()));
    assert!(bench.replied(lost, timed_out()).creates.is_empty());
    assert!(bench.after(5 * SECOND).creates.is_empty());
    let (other, _) = bench.event("lead", "m3");
    assert_eq!(bench.replied(other, created()).creates, [lost]);
}

#[test]
fn what_is_in_doubt_and_has_been_held_for_long_is_looked_at_each_second_where_nothing_can_be_delayed() {
    let mut bench = Bench::new(64);
    drop(bench.on(Input::Connected { can_delay: false }));
    let (lost, _) = bench.event("lead", "m1");
    drop(bench.replied(lost, timed_out()));
    drop(bench.after(10 * SECOND));
    assert_eq!(bench.wake, bench.now + SECOND);
}

#[test]
fn when_lists_were_asked_for_is_remembered_for_each_procedure_up_to_a_bound() {
    let mut bench = Bench::new(4);
    let procedure = |number: usize| Procedure::new(&format!("p{number}")).unwrap();
    for number in 0..1024 {
        bench.machine.doubts.asks(&procedure(number), bench.now);
        assert_eq!(bench.machine.doubts.sizes().1, number + 1);
    }
    bench.machine.doubts.asks(&procedure(5), bench.now);
    assert_eq!(bench.machine.doubts.sizes().1, 1024, "it is there already");
    bench.machine.doubts.asks(&procedure(2000), bench.now);
    assert_eq!(bench.machine.doubts.sizes().1, 1);
}

#[test]
fn a_verdict_that_comes_from_another_daemon_is_known_here_by_the_key_in_its_body() {
    let mut bench = Bench::new(64);
    bench.machine.setup.policy.on_unknown = OnUnknown::DeadLetter;
    let (first, _) = bench.event("lead", "m1");
    let done = bench.replied(first, timed_out());
    let [(_, Settlement::DeadLetter(letter))] = &done.settled[..] else { panic!("{done:?}") };
    let verdict = Some(Box::new(crate::core::dead_letter::Verdict::of(letter)));
    let state = DelayedState { verdict, first_seen_ms: 1, ..DelayedState::default() };
    let mut other = Bench::new(64);
    other.machine.setup.policy.resend_after = Duration::ZERO;
    drop(other.message(Message { delayed_state: Some(state.encode()), ..event("lead", "m1") }));
    let (again, done) = other.event("lead", "m1");
    assert_eq!((done.creates.as_slice(), is_announced(&done)), (&[again][..], true));
}

#[test]
fn what_follows_a_letter_is_counted_by_how_often_itself_was_put_back() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("lead", "m1");
    let put_back = Some(PutBack { retries: 3, reason: "refused".to_owned(), ..PutBack::default() });
    let (second, done) = bench.message(Message { put_back, ..event("lead", "m1") });
    assert!(done.creates.is_empty(), "it follows");
    let done = bench.replied(first, refused());
    let retries = |id| {
        done.settled.iter().find_map(|(settled, letter)| match letter {
            Settlement::DeadLetter(letter) if *settled == id => Some(letter.retries),
            _ => None,
        })
    };
    assert_eq!((retries(first), retries(second)), (Some(0), Some(4)), "{done:?}");
}

#[test]
fn what_waits_for_the_broker_holds_its_request_no_longer() {
    for reply in [refused(), busy()] {
        let mut bench = Bench::new(64);
        bench.keeps = false;
        let (event, _) = bench.event("lead", "m1");
        let request = Arc::downgrade(&bench.machine.held.get(event).unwrap().request);
        let done = bench.replied(event, reply);
        assert_eq!((done.settled.len(), bench.machine.held()), (1, 1));
        assert!(request.upgrade().is_none());
    }
}

#[test]
fn the_letter_of_a_message_that_is_kept_late_is_not_what_is_known_of_its_event_once_another_is_the_process() {
    let mut bench = Bench::new(64);
    bench.keeps = false;
    let (first, _) = bench.event("lead", "m1");
    drop(bench.replied(first, refused()));
    let (second, done) = bench.event("lead", "m1");
    assert_eq!(done.creates, [second]);
    drop(bench.replied(second, created()));
    drop(bench.on(Input::Kept { receipt: first }));
    let (third, done) = bench.message(again("lead", "m1"));
    assert_eq!(
        (&done.settled[..], ends(&done)),
        (&[(third, Settlement::Ack)][..], vec![("already_created", Some("p1"))])
    );
}

#[test]
fn a_message_that_waited_for_another_of_its_event_goes_on_by_itself_where_that_one_sent_nothing_that_counts() {
    let mut bench = Bench::new(64);
    let (first, _) = bench.event("found.lead", "m1");
    let (second, done) = bench.event("found.lead", "m1");
    assert!(done.creates.is_empty(), "it follows");
    let done = bench.replied(first, busy());
    assert_eq!(
        (done.settled.len(), done.creates, done.lookups.len()),
        (1, vec![second], 0),
        "nothing is to be looked up"
    );
}

#[test]
fn what_may_have_died_of_a_message_may_have_created_it_a_moment_ago() {
    let mut bench = Bench::new(64);
    let (_, done) = bench.message(Message { deliveries: Some(15), ..again("lead", "m1") });
    let [(_, Settlement::Delay(queue, state))] = &done.settled[..] else { panic!("{done:?}") };
    assert_eq!((state.progress.crashes, state.progress.since_create), (1, Some(queue.wait)));
}

#[test]
fn an_event_that_can_be_looked_up_and_was_not_sent_is_created_again_without_a_lookup() {
    let mut bench = Bench::new(64);
    let (event, _) = bench.event("found.lead", "m1");
    drop(bench.replied(event, status(423)));
    let done = bench.after(SECOND);
    assert_eq!((done.creates, done.lookups.len()), (vec![event], 0));
}
