//! One event, or one procedure, must not stop the others.
//!
//! Not here: the same on a real broker, and at length (`tests/model`).

use std::collections::BTreeSet;

use super::*;

/// Answers each create as `reply` says, lets the clock go on, and says when each event was created.
fn run(bench: &mut Bench, mut reply: impl FnMut(&Bench, EventId) -> Reply, seconds: u32) -> Vec<(ReceiptId, Duration)> {
    let mut created = Vec::new();
    for _ in 0..seconds * 20 {
        let mut begun = bench.after(SECOND / 20).creates;
        while let Some(event) = begun.pop() {
            let answer = reply(bench, event);
            let done = bench.replied(event, answer);
            created.extend(done.told.iter().filter(|told| told.result == "created").map(|_| (event, bench.now)));
            begun.extend(done.creates);
        }
    }
    created
}

#[test]
fn an_event_that_a_wall_always_refuses_does_not_stop_those_that_come_after_it() {
    for refusal in [page(200), page(403), status(302), status(402), page(406)] {
        let mut bench = Bench::new(64);
        let (bad, _) = bench.event("lead", "bad");
        drop(bench.replied(bad, refusal.clone()));
        let began = bench.now;
        drop(bench.after(SECOND / 2));
        let good: Vec<_> = (0..3).map(|id| bench.event("lead", &format!("m{id}")).0).collect();
        let created = run(&mut bench, |_, event| if event == bad { refusal.clone() } else { created() }, 30);
        for id in good {
            let at = created.iter().find(|(event, _)| *event == id).map(|(_, at)| *at - began);
            assert!(at.is_some_and(|at| at <= 10 * SECOND), "{refusal:?}: {id} at {at:?} in {created:?}");
        }
    }
}

#[test]
fn ten_such_events_at_few_places_do_not_stop_the_twenty_behind_them() {
    let mut bench = Bench::new(8);
    let mut queue: Vec<usize> = (0..30).rev().collect();
    let (mut bad, mut good, began) = (Vec::new(), Vec::new(), bench.now);
    for _ in 0..200 {
        let mut begun = bench.after(SECOND / 20).creates;
        while bench.machine.held() < 8
            && let Some(next) = queue.pop()
        {
            let (receipt, done) = bench.event("lead", &format!("m{next}"));
            if next < 10 {
                bad.push(receipt)
            }
            begun.extend(done.creates);
        }
        while let Some(event) = begun.pop() {
            let is_bad = bad.contains(&event);
            let done = bench.replied(event, if is_bad { page(200) } else { created() });
            begun.extend(done.creates);
            good.extend(done.told.iter().filter(|told| told.result == "created").map(|_| bench.now - began));
        }
    }
    assert_eq!(good.len(), 20, "{good:?}");
}

#[test]
fn an_event_that_is_refused_alone_is_asked_ever_more_seldom_and_is_a_dead_letter_in_the_end() {
    let mut bench = Bench::new(64);
    let (mut state, mut refusals, mut waits, mut dead_letter) = (None, 0, Vec::new(), None);
    for round in 0..3000 {
        let (good, done) = bench.event("lead", &format!("m{round}"));
        if done.creates.contains(&good) {
            drop(bench.replied(good, created()))
        }
        let delayed_state = state.as_ref().map(DelayedState::encode);
        let (bad, done) = bench.message(Message { delayed_state, ..event("lead", "bad") });
        let mut begun = done.creates.contains(&bad);
        let mut settled = done.settled;
        let from = bench.now;
        while settled.is_empty() {
            if begun {
                refusals += 1;
                waits.push(bench.now - from);
                settled = bench.replied(bad, page(200)).settled;
            }
            if settled.is_empty() {
                let done = bench.after(SECOND);
                begun = done.creates.contains(&bad);
                settled = done.settled;
            }
            assert!(bench.now - from < 3600 * SECOND, "it is held, and neither begun nor delayed");
        }
        match settled.remove(0).1 {
            Settlement::Delay(queue, delayed_state) => {
                bench.now += queue.wait;
                state = Some(*delayed_state);
            }
            Settlement::DeadLetter(dead) => {
                dead_letter = Some(dead);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    let dead_letter = dead_letter.expect("a dead letter");
    assert_eq!(dead_letter.fault.reason.as_str(), "blocked");
    assert!(refusals < 250, "{refusals}");
}

#[test]
fn what_is_refused_before_all_events_is_never_a_dead_letter() {
    let mut bench = Bench::new(64);
    for id in 0..20 {
        drop(bench.event(if id % 2 == 0 { "lead" } else { "ticket" }, &format!("m{id}")));
    }
    let mut asked = 0;
    for _ in 0..48 * 60 {
        let mut begun = bench.after(60 * SECOND).creates;
        while let Some(event) = begun.pop() {
            asked += 1;
            let done = bench.replied(event, page(200));
            assert!(!done.settled.iter().any(|(_, settlement)| matches!(settlement, Settlement::DeadLetter(_))));
            begun.extend(done.creates);
        }
    }
    assert!(asked < 48 * 60 * 3, "{asked}");
}

#[test]
fn a_procedure_whose_creates_fail_holds_a_quarter_of_the_places_and_the_other_goes_on() {
    let refusals = [status(403), status(404), status(429), status(503), page(200), timed_out()];
    for refusal in refusals {
        let (sent, done) = tickets_beside_leads_that_meet(&refusal);
        assert!(sent >= 1950 && done + 16 >= sent, "{refusal:?}: {done} of {sent} of 2000");
    }
}

/// Ten seconds of both kinds, 200 of each a second; answers how many tickets were taken, and how many of them created.
fn tickets_beside_leads_that_meet(refusal: &Reply) -> (usize, usize) {
    let (mut bench, mut tickets, mut done_tickets) = (Bench::new(16), BTreeSet::new(), 0);
    for round in 0..2000_u32 {
        let mut begun = bench.after(SECOND / 200).creates;
        for kind in ["lead", "ticket"] {
            if bench.machine.held() < 16 {
                let (receipt, done) = bench.event(kind, &format!("{kind}{round}"));
                tickets.extend((kind == "ticket").then_some(receipt));
                begun.extend(done.creates);
            }
        }
        while let Some(event) = begun.pop() {
            let is_good = tickets.contains(&event);
            let done = bench.replied(event, if is_good { created() } else { refusal.clone() });
            done_tickets += usize::from(is_good);
            begun.extend(done.creates);
        }
    }
    (tickets.len(), done_tickets)
}

#[test]
fn creates_that_hang_hold_a_quarter_of_the_places_once_they_take_longer_than_is_usual() {
    let mut bench = Bench::new(64);
    let (mut hanging, mut refused, mut done_tickets) = (Vec::new(), 0, 0);
    for round in 0..2000_u32 {
        let mut begun = bench.after(SECOND / 200).creates;
        for kind in ["lead", "ticket"] {
            if bench.machine.held() >= 64 {
                refused += 1;
                continue;
            }
            let (receipt, done) = bench.event(kind, &format!("{kind}{round}"));
            if kind == "lead" {
                hanging.push(receipt)
            }
            begun.extend(done.creates);
        }
        while let Some(event) = begun.pop() {
            if !hanging.contains(&event) {
                done_tickets += 1;
                begun.extend(bench.replied(event, created()).creates);
            }
        }
        assert!(bench.machine.running() <= 17, "{}", bench.machine.running());
    }
    assert!(refused == 0 && done_tickets == 2000, "{refused} found no place, {done_tickets} of 2000 created");
}

#[test]
fn a_crowd_whose_creates_hang_does_not_hold_all_places_against_those_behind_it() {
    let mut bench = Bench::new(64);
    let mut queue: Vec<(&str, usize)> =
        (0..320).rev().map(|id| (if id < 300 { "lead" } else { "ticket" }, id)).collect();
    let (mut hanging, mut created_at) = (Vec::new(), Vec::new());
    let began = bench.now;
    for _ in 0..20 * 20 {
        let mut begun = bench.after(SECOND / 20).creates;
        while bench.machine.held() < 64
            && let Some((kind, id)) = queue.pop()
        {
            let (receipt, done) = bench.event(kind, &format!("m{id}"));
            if kind == "lead" {
                hanging.push(receipt);
            }
            begun.extend(done.creates);
        }
        while let Some(event) = begun.pop() {
            if !hanging.contains(&event) {
                begun.extend(bench.replied(event, created()).creates);
                created_at.push(bench.now - began);
            }
        }
    }
    assert_eq!(created_at.len(), 20);
    assert!(created_at.iter().all(|at| *at <= 10 * SECOND), "{created_at:?}");
}

#[test]
fn one_place_is_enough_for_a_procedure_whose_answers_take_their_time() {
    let mut bench = Bench::new(1);
    let (receipt, done) = bench.event("lead", "m1");
    assert_eq!(done.creates, [receipt]);
    assert_eq!(bench.replied(receipt, created()).settled, [(receipt, Settlement::Ack)]);
}

#[test]
fn bad_events_that_hold_every_place_before_the_first_was_refused_give_way_to_those_behind_them() {
    let mut bench = Bench::new(8);
    let one = "[[rule]]\nname = \"lead\"\nprocedure = \"lead\"\n[rule.data]\nevent_key = \"{{ key }}\"";
    drop(bench.on(Input::Command(Command::NewRules(Arc::new(rules(one))))));
    let (bad, _) = bench.event("lead", "m0");
    drop(bench.replied(bad, page(200)));
    let mut bads: Vec<_> = (1..8).map(|id| bench.event("lead", &format!("m{id}")).0).collect();
    bads.push(bad);
    let mut queue: Vec<usize> = (8..30).rev().collect();
    let (mut created_at, began) = (Vec::new(), bench.now);
    for _ in 0..200 {
        let mut begun = bench.after(SECOND / 20).creates;
        while bench.machine.held() < 8
            && let Some(next) = queue.pop()
        {
            let (receipt, done) = bench.event("lead", &format!("m{next}"));
            if next < 10 {
                bads.push(receipt);
            }
            begun.extend(done.creates);
        }
        while let Some(event) = begun.pop() {
            let done = bench.replied(event, if bads.contains(&event) { page(200) } else { created() });
            begun.extend(done.creates);
            created_at.extend(done.told.iter().filter(|told| told.result == "created").map(|_| bench.now - began));
        }
    }
    assert!(created_at.len() >= 14, "{created_at:?}: the others were delayed once, and come back");
}
