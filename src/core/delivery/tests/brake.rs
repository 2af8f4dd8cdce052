//! The brake for rejections: a wrong mapping costs some dead letters and not the queue.
//!
//! Not here: the same on a real broker.

use super::*;
use crate::core::reason::Reason;

fn refused() -> Reply {
    json(
        422,
        Wrapper {
            has_errors: true,
            is_api_word: true,
            error_text: Some("no such attribute".into()),
            ..Wrapper::default()
        },
    )
}

/// A queue of events that go into the machine as there are places, and come back after their delay.
struct Feed {
    queue: std::collections::VecDeque<Message>,
    delayed: Vec<(Duration, Message)>,
    messages: std::collections::HashMap<ReceiptId, Message>,
    dead: usize,
    created: usize,
}

impl Feed {
    fn new(messages: impl IntoIterator<Item = Message>) -> Self {
        let (delayed, messages_held) = (Vec::new(), std::collections::HashMap::new());
        Self { queue: messages.into_iter().collect(), delayed, messages: messages_held, dead: 0, created: 0 }
    }

    /// For so many steps of 50 ms; each create is answered by `reply`.
    fn run(&mut self, bench: &mut Bench, places: usize, steps: u32, mut reply: impl FnMut(&Message) -> Reply) {
        for _ in 0..steps {
            let (due, later): (Vec<_>, Vec<_>) = self.delayed.drain(..).partition(|(due, _)| *due <= bench.now);
            self.delayed = later;
            self.queue.extend(due.into_iter().map(|(_, message)| message));
            let done = bench.after(SECOND / 20);
            let mut begun = self.note(bench, done);
            while bench.machine.held() < places
                && let Some(message) = self.queue.pop_front()
            {
                self.messages.insert(bench.receipts, message.clone());
                let (_, done) = bench.message(message);
                begun.extend(self.note(bench, done));
            }
            while let Some(event) = begun.pop() {
                let answer = reply(&self.messages[&event]);
                let done = bench.replied(event, answer);
                begun.extend(self.note(bench, done));
            }
        }
    }

    fn note(&mut self, bench: &Bench, done: Done) -> Vec<EventId> {
        for (receipt, settlement) in done.settled {
            let message = self.messages.remove(&receipt).expect("it was sent");
            match settlement {
                Settlement::Ack => self.created += 1,
                Settlement::DeadLetter(_) => self.dead += 1,
                Settlement::Delay(queue, state) => {
                    let message = Message { delayed_state: Some(state.encode()), ..message };
                    self.delayed.push((bench.now + queue.wait, message));
                }
                Settlement::Release => self.queue.push_back(message),
            }
        }
        done.creates
    }
}

#[test]
fn a_rule_whose_events_are_all_refused_costs_some_dead_letters_and_goes_on_once_it_is_mended() {
    for places in [64, 256] {
        let mut bench = Bench::new(places);
        let mut feed = Feed::new((0..400).map(|id| event("lead", &format!("m{id}"))));
        feed.run(&mut bench, places, 15 * 20, |_| refused());
        assert!((20..=25).contains(&feed.dead), "{} dead letters at {places} places", feed.dead);
        let rules = Arc::clone(&bench.machine.setup.rules);
        drop(bench.on(Input::Command(Command::NewRules(rules))));
        feed.run(&mut bench, places, 90 * 20, |_| created());
        assert_eq!(feed.dead + feed.created, 400, "{} dead, {} created", feed.dead, feed.created);
        assert!(feed.dead <= 25);
    }
}

#[test]
fn a_held_rule_goes_on_by_itself_when_one_of_its_events_is_created() {
    let mut bench = Bench::new(64);
    let mut feed = Feed::new((0..100).map(|id| event("lead", &format!("m{id}"))));
    feed.run(&mut bench, 64, 10 * 20, |_| refused());
    let dead = feed.dead;
    feed.run(&mut bench, 64, 90 * 20, |_| created());
    assert_eq!((feed.dead, feed.created), (dead, 100 - dead));
}

#[test]
fn one_bad_event_in_three_delays_nothing() {
    let mut bench = Bench::new(64);
    let mut feed = Feed::new((0..300).map(|id| event("lead", &format!("m{id}"))));
    let is_bad = |message: &Message| message.message_id.as_deref().unwrap()[1..].parse::<u32>().unwrap() % 3 == 0;
    feed.run(&mut bench, 64, 3 * 20, |message| if is_bad(message) { refused() } else { created() });
    assert_eq!((feed.dead, feed.created), (100, 200));
}

#[test]
fn what_cannot_be_mapped_holds_its_rule_as_well_and_no_other() {
    let mut bench = Bench::new(64);
    bench.machine.setup.rules = Arc::new(rules(&RULES.replacen("{{ key }}", "{{ event.missing }}", 1)));
    let kinds = ["lead", "ticket"];
    let mut feed = Feed::new((0..400).map(|id| event(kinds[id % 2], &format!("m{id}"))));
    feed.run(&mut bench, 64, 4 * 20, |_| created());
    assert_eq!((feed.dead, feed.created), (20, 200));
    feed.run(&mut bench, 64, 11 * 20, |_| created());
    assert!(feed.dead <= 25, "{}", feed.dead);
}

#[test]
fn without_delay_queues_the_events_of_a_held_rule_wait_and_are_no_dead_letters() {
    let mut bench = Bench::new(64);
    drop(bench.on(Input::Connected { can_delay: false }));
    let mut feed = Feed::new((0..200).map(|id| event("lead", &format!("m{id}"))));
    feed.run(&mut bench, 64, 15 * 20, |_| refused());
    assert!((20..=25).contains(&feed.dead), "{}", feed.dead);
    drop(bench.on(Input::Command(Command::ResumeRule("lead".into()))));
    feed.run(&mut bench, 64, 90 * 20, |_| created());
    assert_eq!(feed.dead + feed.created, 200);
}

#[test]
fn nought_never_holds_a_rule() {
    let mut bench = Bench::new(64);
    bench.machine.setup.gate.rejections = 0;
    let mut feed = Feed::new((0..100).map(|id| event("lead", &format!("m{id}"))));
    feed.run(&mut bench, 64, 20, |_| refused());
    assert_eq!(feed.dead, 100);
}

#[test]
fn the_dead_letter_of_what_cannot_be_mapped_names_its_rule() {
    let mut bench = Bench::new(64);
    bench.machine.setup.rules = Arc::new(rules(&RULES.replacen("{{ key }}", "{{ event.missing }}", 1)));
    let (_, mut done) = bench.event("lead", "m1");
    let (_, Settlement::DeadLetter(letter)) = done.settled.remove(0) else { panic!("expected a dead letter") };
    assert_eq!((letter.fault.reason, letter.rule.as_deref()), (Reason::Unmappable, Some("lead")));
    assert_eq!(done.told[0].rule.as_deref(), Some("lead"));
}
