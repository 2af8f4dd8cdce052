//! One event, all copies of it, the API that it is created in, and a clock that is wound by hand.
//!
//! Not here: who chooses (`adversary`), and what is held against the outcome (`laws`).

use std::time::Duration;

use chakra_bridge::core::delayed_state::DelayedState;
use chakra_bridge::core::event::{Key, KeyOrigin};
use chakra_bridge::core::judge::{Outcome, judge};
use chakra_bridge::core::lookup::judge_lookup;
use chakra_bridge::core::policy::{OnAbsent, OnUnknown, Policy};
use chakra_bridge::core::progress::{CREATES_MAX, Next, Progress, Step, StepContext};
use chakra_bridge::core::recent::{Known, Recent};

use crate::adversary::Choices;
use crate::api::{self, Seen};
use crate::laws::Count;

/// The longest a request takes, and the longest after it that a server may still apply it.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(8);
/// The longest until a process shows in a lookup.
pub(crate) const LAG: Duration = Duration::from_secs(4);
/// Requests after which a walk ends, whatever is left.
const REQUESTS_MAX: u32 = 200;
/// How long a shut gate holds an event.
const HOLD: Duration = Duration::from_secs(5);

/// What a walk is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) can_look_up: bool,
    pub(crate) on_unknown: OnUnknown,
    pub(crate) on_absent: OnAbsent,
    /// Creates that the adversary may bend, kills and lost connections, and other troubles.
    pub(crate) creates: u32,
    pub(crate) strikes: u32,
    pub(crate) reasons: u32,
    /// How often an event may be delayed; otherwise it waits in memory.
    pub(crate) delays: u32,
    pub(crate) sins: Sins,
}

/// What a bad daemon would do: to see that the walk notices.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sins {
    pub(crate) is_mute: bool,
    pub(crate) lookups_never: bool,
    pub(crate) window_is_short: bool,
    pub(crate) acks_first: bool,
}

impl Sins {
    pub(crate) const NONE: Self =
        Self { is_mute: false, lookups_never: false, window_is_short: false, acks_first: false };
}

/// A copy of the event: in the broker, or unacknowledged.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    /// The message it goes back to: redelivered, it is the same; delayed and not acknowledged, there are two.
    pub(super) line: usize,
    pub(super) due: Duration,
    pub(super) place: Place,
}

#[derive(Clone, Debug)]
pub(super) enum Place {
    Queue { delayed_state: Option<String>, redelivered: bool },
    Hand(Held),
}

#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) progress: Progress,
    pub(super) told: Duration,
    pub(super) is_doubtful: bool,
    pub(super) looked: Duration,
}

pub(super) struct Process {
    line: usize,
    shows: Duration,
}

/// One walk.
pub(crate) struct World<'a> {
    pub(super) setting: Setting,
    pub(super) policy: Policy,
    pub(super) choices: &'a mut Choices,
    pub(super) count: &'a mut Count,
    pub(super) now: Duration,
    pub(super) copies: Vec<Copy>,
    pub(super) processes: Vec<Process>,
    pub(super) recent: Recent,
    pub(super) lines: usize,
    pub(super) dead_letters: u32,
    pub(super) is_announced: bool,
}

fn policy(setting: Setting) -> Policy {
    let second = Duration::from_secs(1);
    Policy {
        initial: second,
        multiplier: 2.0,
        max_interval: 60 * second,
        max_local_delay: 10 * second,
        give_up_after: 24 * 3600 * second,
        retry_after_max: second,
        on_unknown: setting.on_unknown,
        lookup_window: if setting.sins.window_is_short { second } else { TIMEOUT + LAG },
        on_absent: setting.on_absent,
    }
}

pub(super) fn key() -> Key {
    Key { text: "key".to_owned(), origin: KeyOrigin::MessageId }
}

impl<'a> World<'a> {
    /// Walks once, and counts.
    pub(crate) fn walk(setting: Setting, choices: &'a mut Choices, count: &'a mut Count) {
        let place = Place::Queue { delayed_state: None, redelivered: false };
        let mut world = Self {
            policy: policy(setting),
            setting,
            choices,
            count,
            now: Duration::ZERO,
            copies: vec![Copy { line: 0, due: Duration::ZERO, place }],
            processes: Vec::new(),
            recent: Recent::default(),
            lines: 1,
            dead_letters: 0,
            is_announced: false,
        };
        for _ in 0..REQUESTS_MAX {
            let Some(copy) = world.next() else { break };
            world.go_on(copy);
        }
        world.close();
    }

    fn close(self) {
        let count = self.count;
        count.walks += 1;
        count.unfinished += u64::from(!self.copies.is_empty());
        count.doubled += u64::from(self.processes.len() > 1);
        count.lost += u64::from(self.copies.is_empty() && self.processes.is_empty() && self.dead_letters == 0);
    }

    fn next(&mut self) -> Option<Copy> {
        let first = self.copies.iter().enumerate().min_by_key(|(_, copy)| copy.due).map(|(at, _)| at)?;
        let copy = self.copies.swap_remove(first);
        self.now = self.now.max(copy.due);
        Some(copy)
    }

    fn go_on(&mut self, copy: Copy) {
        match copy.place {
            Place::Hand(held) => self.ask(copy.line, held),
            Place::Queue { delayed_state, redelivered } => self.open(copy.line, delayed_state.as_deref(), redelivered),
        }
    }

    /// What the dispatcher does with a message.
    fn open(&mut self, line: usize, delayed_state: Option<&str>, redelivered: bool) {
        let brought = delayed_state.map(|text| DelayedState::decode(text).expect("our own header"));
        let rest = brought.as_ref().map_or(Duration::ZERO, |delayed_state| delayed_state.remaining);
        let mut progress = brought.map(|delayed_state| delayed_state.progress);
        match self.recent.recall(&key()).filter(|_| redelivered).cloned() {
            Some(Known::Created(_)) => return self.acknowledge(line, false),
            Some(Known::Dead(fault, _)) => return self.bury(line, &fault),
            Some(Known::Underway(known, _)) => progress = Some(progress.unwrap_or_default().joined(&known)),
            None => {}
        }
        let progress = Progress::opened(progress, redelivered, self.setting.can_look_up);
        let was_doubtful = !self.setting.can_look_up && progress.since_create.is_some();
        let is_doubtful = redelivered || progress.next == Next::Lookup || was_doubtful;
        let held = Held { progress, told: self.now, is_doubtful, looked: self.now };
        // The gate may be shut: what came again may be delayed before its first request.
        if redelivered && self.setting.delays > 0 && self.choices.of(2) == 1 {
            return self.delay(line, held, rest);
        }
        self.hold(line, held, rest);
    }

    fn hold(&mut self, line: usize, held: Held, wait: Duration) {
        self.copies.push(Copy { line, due: self.now + wait, place: Place::Hand(held) });
    }

    /// One request of it, and everything that may follow.
    fn ask(&mut self, line: usize, mut held: Held) {
        held.progress.passed(self.now - held.told);
        held.told = self.now;
        if self.setting.sins.lookups_never {
            held.progress.next = Next::Create;
        }
        match held.progress.next {
            Next::Lookup => self.lookup(line, held),
            Next::Create => self.create(line, held),
        }
    }

    fn lookup(&mut self, line: usize, mut held: Held) {
        let is_there = self.processes.iter().any(|process| process.shows <= self.now);
        let seen = api::seen(&mut self.setting, self.choices);
        let reply = api::lookup_reply(seen, is_there);
        let outcome = judge_lookup(&reply, &api::lookup());
        held.looked = self.now;
        if matches!(seen, Seen::Killed) {
            return self.strike(line, held);
        }
        self.decide(line, held, &outcome);
    }

    fn create(&mut self, line: usize, mut held: Held) {
        let is_blind = !self.setting.can_look_up || held.progress.lookups == 0;
        let is_doubtful = (held.progress.may_double() && is_blind) || std::mem::take(&mut held.is_doubtful);
        self.is_announced |= is_doubtful && !self.setting.sins.is_mute && !self.setting.sins.lookups_never;
        let (act, until) = api::act(&mut self.setting, self.choices, self.now);
        if let Some(shows) = api::shows(act, self.now, self.choices) {
            self.apply(line, held.looked, shows);
        }
        let Some(reply) = api::create_reply(act) else { return self.strike(line, held) };
        held.told = until;
        let outcome = judge(&reply, true);
        self.decide(line, held, &outcome);
    }

    fn apply(&mut self, line: usize, looked: Duration, shows: Duration) {
        let by_itself = self.processes.iter().any(|process| process.line == line);
        let is_unseen = self.processes.iter().all(|process| process.shows >= looked);
        match (self.processes.is_empty() || self.is_announced, by_itself) {
            (true, _) => {}
            (false, true) => self.count.doubled_by_one_copy += 1,
            (false, false) if self.setting.can_look_up && is_unseen => self.count.doubled_by_copies += 1,
            (false, false) => self.count.doubled_without_a_word += 1,
        }
        self.processes.push(Process { line, shows });
    }

    fn decide(&mut self, line: usize, mut held: Held, outcome: &Outcome) {
        let dice = self.choices.one(&[0.5]);
        let at = StepContext { is_probe: false, can_look_up: self.setting.can_look_up, age: Duration::ZERO, dice };
        let step = held.progress.step(outcome, at, &self.policy);
        match outcome {
            Outcome::Absent if held.progress.next == Next::Create => held.is_doubtful = false,
            Outcome::Unavailable { .. } => held.is_doubtful = true,
            _ => {}
        }
        self.count.repeats_beyond_the_limit += u64::from(held.progress.unsure_creates > CREATES_MAX);
        match step {
            Step::Hold => self.hold(line, held, HOLD),
            Step::Wait(wait) => self.wait(line, held, wait),
            Step::Dead(fault) => {
                self.recent.remember(&key(), Known::Dead(fault.clone(), Box::new(held.progress)));
                self.bury(line, &fault);
            }
            Step::Done { process } => {
                self.count.acknowledged_without_a_process += u64::from(self.processes.is_empty());
                self.recent.remember(&key(), Known::Created(process));
                self.acknowledge(line, matches!(outcome, Outcome::Found { .. }));
            }
        }
    }
}
