//! The brake for rejections: a wrong mapping costs some dead letters and not the queue.
//!
//! Not here: the same on a real broker.

use super::*;
use crate::core::reason::Reason;

pub(super) fn refused() -> Reply {
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
pub(super) struct Feed {
    queue: std::collections::VecDeque<Message>,
    delayed: Vec<(Duration, Message)>,
    messages: std::collections::HashMap<ReceiptId, Message>,
    begun: Vec<EventId>,
    pub(super) dead: usize,
    pub(super) created: usize,
}

impl Feed {
    pub(super) fn new(messages: impl IntoIterator<Item = Message>) -> Self {
        let (delayed, begun, messages_held) = (Vec::new(), Vec::new(), std::collections::HashMap::new());
        Self { queue: messages.into_iter().collect(), delayed, messages: messages_held, begun, dead: 0, created: 0 }
    }

    /// Something else happens between two runs.
    pub(super) fn on(&mut self, bench: &mut Bench, input: Input) {
        if let Input::Message { receipt, message, .. } = &input {
            self.messages.insert(*receipt, Message::clone(message));
        }
        let done = bench.on(input);
        let begun = self.note(bench, done);
        self.begun.extend(begun);
    }

    /// For so many steps of 50 ms; each create is answered by `reply`.
    pub(super) fn run(
        &mut self,
        bench: &mut Bench,
        places: usize,
        steps: u32,
        mut reply: impl FnMut(&Message) -> Reply,
    ) {
        for _ in 0..steps {
            let (due, later): (Vec<_>, Vec<_>) = self.delayed.drain(..).partition(|(due, _)| *due <= bench.now);
            self.delayed = later;
            self.queue.extend(due.into_iter().map(|(_, message)| message));
            let done = bench.after(SECOND / 20);
            let mut begun = std::mem::take(&mut self.begun);
            begun.extend(self.note(bench, done));
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
                Settlement::Ack | Settlement::Tell(_) => self.created += 1,
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

#[test]
fn a_held_rule_whose_probe_is_gone_is_asked_by_another_event() {
    let replied = |event, reply| Input::Replied { event, reply, took: Duration::ZERO, epoch: None };
    let gone: [&dyn Fn(EventId) -> Vec<Input>; 3] = [
        &|event| vec![Input::Panicked { event }],
        &|event| vec![Input::Disconnected, replied(event, page(401)), Input::Connected { can_delay: true }],
        &|event| vec![replied(event, timed_out())],
    ];
    for gone in gone {
        let mut bench = Bench::new(64);
        bench.machine.setup.gate.failures = 1000;
        let mut feed = Feed::new((0..20).map(|id| event("lead", &format!("m{id}"))));
        feed.run(&mut bench, 64, 20, |_| refused());
        assert!(feed.dead == 20 && bench.machine.holds_rule("lead"));
        bench.now += 6 * SECOND;
        let probe = 1000;
        feed.on(
            &mut bench,
            Input::Message { receipt: probe, message: Box::new(event("lead", "probe")), is_live: true },
        );
        assert_eq!(std::mem::take(&mut feed.begun), [probe]);
        let inputs = gone(probe);
        inputs.into_iter().for_each(|input| feed.on(&mut bench, input));
        feed.queue.push_back(event("lead", "other"));
        feed.run(&mut bench, 64, 30 * 20, |_| created());
        assert!(feed.created > 0 && !bench.machine.holds_rule("lead"), "{} created", feed.created);
    }
}

#[test]
fn a_rule_that_a_reload_removes_is_held_no_longer_than_there_are_events_of_it() {
    let mut bench = Bench::new(64);
    drop(bench.on(Input::Connected { can_delay: false }));
    let mut feed = Feed::new((0..70).map(|id| event("lead", &format!("m{id}"))));
    feed.run(&mut bench, 64, 20, |_| refused());
    assert!(bench.machine.holds_rule("lead"));
    let others = RULES.replacen("name = \"lead\"\ntype = \"lead\"", "name = \"lead2\"\ntype = \"lead\"", 1);
    feed.on(&mut bench, Input::Command(Command::NewRules(Arc::new(rules(&others)))));
    feed.run(&mut bench, 64, 7 * 20, |_| refused());
    assert!(bench.machine.holds_rule("lead"), "what is held keeps its rule, and is refused again");
    feed.run(&mut bench, 64, 300 * 20, |_| refused());
    assert_eq!((feed.dead, bench.machine.holds_rule("lead")), (70, false));
}
