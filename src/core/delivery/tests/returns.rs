//! Events that come round through delay queues: those that are always refused must not stand before one that never was.
//!
//! Not here: what has no delay queues.

use super::*;

/// The queue of the broker: what is due at which time, in that order.
struct Queue(Vec<(Duration, Message)>);

impl Queue {
    /// The next that is due, while there is a place.
    fn next(&mut self, now: Duration, has_place: bool) -> Option<Message> {
        let due = self.0.iter().enumerate().filter(|(_, (at, _))| has_place && *at <= now);
        let next = due.min_by_key(|(_, (at, _))| *at).map(|(index, _)| index)?;
        Some(self.0.remove(next).1)
    }
}

/// When a lead without a lookup is created among leads with one that a page always answers, with so many places.
fn created_at(bad: usize, places: usize) -> Option<Duration> {
    let mut bench = Bench::new(places);
    let began = bench.now;
    let mut queue = Queue((0..bad).map(|id| (began, event("found.lead", &format!("bad{id}")))).collect());
    queue.0.push((began + 60 * SECOND, event("lead", "good")));
    let mut held: std::collections::HashMap<ReceiptId, Message> = std::collections::HashMap::new();
    while bench.now < began + 900 * SECOND {
        let mut done = bench.after(SECOND / 4);
        loop {
            for (receipt, settlement) in std::mem::take(&mut done.settled) {
                let message = held.remove(&receipt).unwrap();
                match settlement {
                    Settlement::Ack => return Some(bench.now - began),
                    Settlement::Delay(queued, state) => {
                        let delayed_state = Some(state.encode());
                        queue.0.push((bench.now + queued.wait, Message { delayed_state, ..message }));
                    }
                    other => panic!("{other:?}"),
                }
            }
            done = if let Some(event) = done.lookups.pop() {
                let rest = std::mem::take(&mut done);
                joined(
                    rest,
                    bench.replied(
                        event,
                        json(200, Wrapper { has_data: true, rows: Some(vec![]), ..Wrapper::default() }),
                    ),
                )
            } else if let Some(event) = done.creates.pop() {
                let reply = if held[&event].kind.as_deref() == Some("lead") { created() } else { page(200) };
                let rest = std::mem::take(&mut done);
                joined(rest, bench.replied(event, reply))
            } else if let Some(message) = queue.next(bench.now, bench.machine.held() < places) {
                let (receipt, done) = bench.message(message.clone());
                held.insert(receipt, message);
                done
            } else {
                break;
            };
        }
    }
    None
}

fn joined(mut one: Done, other: Done) -> Done {
    one.creates.extend(other.creates);
    one.lookups.extend(other.lookups);
    one.settled.extend(other.settled);
    one
}

#[test]
fn events_that_are_always_refused_and_looked_up_do_not_stand_before_one_that_never_was_asked() {
    for (bad, places) in [(6, 4), (20, 8), (40, 64)] {
        let created = created_at(bad, places);
        assert!(created.is_some_and(|at| at < 360 * SECOND), "{bad} at {places} places: {created:?}");
    }
}

/// An API that applies each create, loses its answer, and shows it 3 s later.
#[derive(Default)]
struct Losing(std::collections::HashMap<EventId, Duration>);

impl Losing {
    /// Answers whatever is asked until nothing is, and says how many events were acknowledged.
    fn answers(&mut self, bench: &mut Bench, mut done: Done) -> usize {
        let mut acknowledged = 0;
        loop {
            acknowledged += done.settled.drain(..).filter(|(_, settlement)| *settlement == Settlement::Ack).count();
            let (event, reply) = if let Some(event) = done.creates.pop() {
                self.0.insert(event, bench.now);
                (event, Reply::Lost { why: Lost::Reset, detail: String::new() })
            } else if let Some(event) = done.lookups.pop() {
                let is_shown = self.0.get(&event).is_some_and(|at| bench.now >= *at + 3 * SECOND);
                let row = Row { process: Some("p1".to_owned()), value: Some(format!("e{event}").into()) };
                let rows = Some(is_shown.then_some(row).into_iter().collect());
                (event, json(200, Wrapper { has_data: true, rows, ..Wrapper::default() }))
            } else {
                return acknowledged;
            };
            let rest = std::mem::take(&mut done);
            done = joined(rest, bench.replied(event, reply));
        }
    }
}

#[test]
fn where_each_first_create_loses_its_answer_a_lookup_opens_the_gate_before_all_were_tried() {
    for events in [8, 20, 60] {
        let (mut bench, mut api) = (Bench::new(64), Losing::default());
        drop(bench.on(Input::Connected { can_delay: false }));
        let (began, mut found) = (bench.now, 0);
        for id in 0..events {
            let (_, done) = bench.event("found.lead", &format!("e{id}"));
            found += api.answers(&mut bench, done);
        }
        while found < events && bench.now < began + 600 * SECOND {
            let done = bench.after(SECOND / 4);
            found += api.answers(&mut bench, done);
        }
        assert!(bench.now < began + 60 * SECOND, "{found} of {events} after {:?}", bench.now - began);
    }
}
