//! The books of a walk: what was published, announced, created and buried, held against what is promised.
//!
//! Not here: the counters (`laws`), and the machine (`shell`).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chakra_bridge::core::delayed_state::DelayedState;
use chakra_bridge::core::delivery::{Doubt, ReceiptId};
use chakra_bridge::core::event::Key;
use chakra_bridge::core::outcome::EventOutcome;
use chakra_bridge::core::process::Procedure;
use chakra_bridge::core::reason::Reason;
use chakra_bridge::core::settlement::Settlement;

use crate::api::Process;
use crate::broker::Copy;
use crate::stage::Kind;
use crate::world::World;

/// One publish of a producer.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) key: usize,
    pub(crate) kind: Kind,
    pub(crate) is_published: bool,
    /// When it was settled as it ends, and how; a copy may come to another end later.
    pub(crate) done: Option<(Duration, &'static str)>,
}

/// What happened to the events of one key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    pub(crate) published: usize,
    announced: usize,
    /// Doubles that were counted.
    counted: usize,
    pub(crate) is_refused: bool,
    /// Whether one copy of an event has taken the place of another.
    pub(crate) is_mixed: bool,
    /// Whether there were two messages of one publish.
    pub(crate) is_copied: bool,
    pub(crate) unsure_creates: u32,
    /// Creates whose outcome no life of the daemon knows.
    pub(crate) unknown: u32,
    pub(crate) panics: u32,
    pub(crate) returns: u32,
    /// Whether the broker keeps a letter of it.
    pub(crate) is_buried: bool,
    /// What its producer was told.
    pub(crate) outcomes: Vec<EventOutcome>,
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) lines: Vec<Line>,
    pub(crate) accounts: Vec<Account>,
    /// Creates of unknown outcome by copy, in this life of the daemon.
    pub(crate) unsure_creates: HashMap<usize, u32>,
    /// The same, as a copy brings it through a delay queue.
    pub(crate) brought: HashMap<usize, u32>,
    /// When and where a copy was last looked up in truth.
    pub(crate) looked: HashMap<usize, (Duration, Procedure)>,
    /// The copies on which a verdict stands, each with the life of the daemon that knows it and with what it brought along then:
    /// what another replica delayed since brings that one's create, which is looked for.
    verdicts: HashSet<(u32, usize, Option<String>)>,
    /// Those that were delayed without a verdict, each with what it brought along before.
    without_verdict: HashSet<(usize, Option<String>)>,
    /// The copies whose letter that life knows to be kept.
    letters: HashSet<(u32, usize)>,
    /// The same of the publishes that the copies are of.
    letters_of: HashSet<(u32, usize)>,
    /// Whether the machine said of what it settles now that its letter is kept already.
    pub(crate) is_told_dead: bool,
    /// What the machine said last of a message that it settles.
    pub(crate) told: &'static str,
    /// Whether it said that what it acknowledges now is not in its ledger.
    pub(crate) is_told_unrecorded: bool,
}

impl Ledger {
    /// One more publish; of an earlier key, or of a new one.
    pub(crate) fn add(&mut self, key: Option<usize>, kind: Kind) -> usize {
        let key = key.unwrap_or(self.accounts.len());
        if key == self.accounts.len() {
            self.accounts.push(Account::default());
        }
        self.lines.push(Line { key, kind, is_published: false, done: None });
        self.lines.len() - 1
    }
}

/// The text of a key.
pub(crate) fn key_text(key: usize) -> String {
    format!("k{key}")
}

/// The key of this text.
pub(crate) fn key_of(text: &str) -> usize {
    text.trim_start_matches('k').parse().expect("a key of the model")
}

impl World<'_> {
    pub(crate) fn announced(&mut self, key: Option<&Key>, doubt: Doubt) {
        let Some(key) = key.map(|key| key_of(&key.text)) else { return };
        self.count.announced += 1;
        let can_look_up = self.ledger.lines.iter().any(|line| line.key == key && line.kind.can_look_up());
        // What no lookup found for the whole window is not there: saying that it may be does not make up for a second one.
        if !(can_look_up && doubt == Doubt::Absent) {
            self.ledger.accounts[key].announced += 1;
        }
    }

    /// A create of this copy is, or will be, applied.
    pub(crate) fn applies(&mut self, copy: &Copy, procedure: &Procedure, after: Duration, lag: Duration) -> usize {
        let key = self.ledger.lines[copy.line].key;
        let account = &self.ledger.accounts[key];
        let there = self.api.of(key).count();
        if there + 1 > 1 + account.announced + account.counted {
            self.doubled(copy, key, procedure);
        } else if self.is_second_by_other_rules(copy, key, procedure) {
            // Where the event was published again meanwhile, the process of that message is the one too many.
            self.count.doubled_by_other_rules += 1;
            self.ledger.accounts[key].counted += 1;
        } else if there > 0 {
            self.count.doubled += 1;
        }
        let (applied, procedure) = (self.now + after, procedure.clone());
        let (life, shows) = (self.shell.life, applied + lag);
        self.api.processes.push(Process { key, copy: copy.id, life, procedure, applied, shows });
        self.api.processes.len() - 1
    }

    /// Whether an earlier process of its key was made in another life, by rules that sent or looked elsewhere.
    fn is_elsewhere(&self, copy: &Copy, key: usize, procedure: &Procedure) -> bool {
        let looked_elsewhere = self.ledger.looked.get(&copy.id).is_some_and(|(_, place)| place != procedure);
        let is_elsewhere = |process: &Process| looked_elsewhere || process.procedure != *procedure;
        self.api.of(key).any(|process| is_elsewhere(process) && process.life != self.shell.life)
    }

    /// Whether this copy itself makes a second process for that reason.
    fn is_second_by_other_rules(&self, copy: &Copy, key: usize, procedure: &Procedure) -> bool {
        let can_look_up = self.ledger.lines[copy.line].kind.can_look_up();
        let is_second = self.api.of(key).any(|process| process.copy == copy.id);
        can_look_up && is_second && self.is_elsewhere(copy, key, procedure)
    }

    /// A second process that nobody announced.
    fn doubled(&mut self, copy: &Copy, key: usize, procedure: &Procedure) {
        let can_look_up = self.ledger.lines[copy.line].kind.can_look_up();
        let looked = self.ledger.looked.get(&copy.id).cloned();
        let life = self.shell.life;
        let earlier = || self.api.of(key);
        let elsewhere = self.is_elsewhere(copy, key, procedure);
        let is_unseen = |process: &Process| looked.as_ref().is_some_and(|(looked, _)| process.shows >= *looked);
        let Account { published, announced, counted, .. } = self.ledger.accounts[key];
        let is_repeat =
            earlier().count() < published + announced + counted && earlier().all(|process| process.life != life);
        let count = &mut self.count;
        let counted = if self.setting.has_ledger && !elsewhere {
            &mut count.sins.doubled_with_a_ledger
        } else if is_repeat {
            &mut count.doubled_by_producers
        } else if !can_look_up {
            &mut count.sins.doubled_without_a_word
        } else if elsewhere {
            &mut count.doubled_by_other_rules
        } else if earlier().any(|process| process.copy == copy.id) {
            &mut count.sins.doubled_by_one_copy
        } else if earlier().any(|process| process.life == life) {
            &mut count.sins.doubled_in_one_life
        } else if earlier().all(is_unseen) {
            &mut count.doubled_by_copies
        } else {
            &mut count.sins.doubled_without_a_word
        };
        *counted += 1;
        self.ledger.accounts[key].counted += 1;
        let word = if self.count.is_clean() { "not promised" } else { "A SIN" };
        self.tell(|| format!("  k{key} is doubled by message {} ({word}), looked up at {looked:?}", copy.id));
    }

    /// It is acknowledged as a process, or since its letter is known to be kept.
    pub(crate) fn acknowledged(&mut self, copy: &Copy) {
        let line = copy.line;
        let Line { key, kind, .. } = self.ledger.lines[line];
        if std::mem::take(&mut self.ledger.is_told_dead) && self.has_letter(key) {
            if self.ledger.lines[line].done.is_none() {
                self.done(line, "dead");
            }
            return;
        }
        let is_there = self.api.of(key).any(|process| process.applied <= self.now);
        self.count.sins.acknowledged_without_a_process += u64::from(kind != Kind::Noise && !is_there);
        self.minds_records(key, kind);
        self.done(line, "acknowledged");
    }

    /// Whether this life knows that a letter of this key is kept. All publishes of a key have one body here: they are one event.
    fn has_letter(&self, key: usize) -> bool {
        let mut lines = self.ledger.lines.iter().enumerate().filter(|(_, line)| line.key == key);
        lines.any(|(at, line)| {
            line.done.is_some_and(|(_, how)| how == "dead") && self.ledger.letters_of.contains(&(self.shell.life, at))
        })
    }

    /// Its verdict stands from now on, in this life; what is delayed with it takes it along.
    pub(crate) fn verdict_stands(&mut self, receipt: ReceiptId, settlement: &Settlement) {
        let Some(copy) = self.shell.receipts.get(&receipt).map(|slot| &slot.copy) else { return };
        let stands = match settlement {
            Settlement::DeadLetter(_) => true,
            Settlement::Delay(_, state) => state.is_ended(),
            Settlement::Ack | Settlement::Tell(_) | Settlement::Release => return,
        };
        if stands {
            self.ledger.verdicts.insert((self.shell.life, copy.id, copy.state.clone()));
        } else {
            self.ledger.without_verdict.insert((copy.id, copy.state.clone()));
        }
    }

    /// The API is asked for it: never where its verdict stands. Where a producer repeats, one key is two events.
    pub(crate) fn is_asked(&mut self, copy: &Copy) {
        let is_one = self.ledger.accounts[self.ledger.lines[copy.line].key].published == 1;
        let state = copy.state.as_deref().and_then(|state| DelayedState::decode(state).ok());
        let has_verdict = state.is_some_and(|state| state.is_ended());
        let is_known = self.ledger.verdicts.contains(&(self.shell.life, copy.id, copy.state.clone()));
        self.count.sins.asked_after_the_verdict += u64::from(has_verdict || (is_one && is_known));
    }

    /// This life learns that the letter of a copy is kept. What it or another delayed before may be another message of its key to it.
    pub(crate) fn hears_of_letter(&mut self, receipt: ReceiptId) {
        let Some(copy) = self.shell.receipts.get(&receipt).map(|slot| &slot.copy) else { return };
        if !self.ledger.without_verdict.contains(&(copy.id, copy.state.clone())) {
            self.ledger.letters.insert((self.shell.life, copy.id));
        }
        self.ledger.letters_of.insert((self.shell.life, copy.line));
    }

    /// A copy is delayed. To the other replicas it is a message from a delay queue by now, of which they know nothing: it may be another
    /// one of its key.
    pub(crate) fn is_delayed(&mut self, copy: usize) {
        let life = self.shell.life;
        self.ledger.letters.retain(|(other, of)| *of != copy || *other == life);
        self.ledger.verdicts.retain(|(other, of, _)| *of != copy || *other == life);
    }

    /// It is a dead letter: of its own fault, or never, and once for a daemon that knows it.
    pub(crate) fn buried(&mut self, copy: &Copy, reason: Reason) {
        let line = copy.line;
        let account = &self.ledger.accounts[self.ledger.lines[line].key];
        let is_one = account.published == 1 && !account.is_copied;
        let is_known = self.ledger.letters.contains(&(self.shell.life, copy.id));
        self.count.sins.buried_twice += u64::from(is_one && is_known);
        let account = &self.ledger.accounts[self.ledger.lines[line].key];
        let is_its_own = match reason {
            Reason::Refused => account.is_refused,
            Reason::Unknown => account.unsure_creates > 0,
            Reason::Crashing => account.panics + account.returns / 5 >= 3,
            Reason::PhotoGone | Reason::PhotoExpired | Reason::PhotoType => self.is_missed(line),
            Reason::Exhausted | Reason::Blocked => self.now >= self.setup.policy.give_up_after,
            _ => false,
        };
        self.count.sins.dead_for_our_fault += u64::from(!is_its_own);
        let key = self.ledger.lines[line].key;
        if !is_its_own {
            self.tell(|| format!("  k{key} is dead by {reason:?}, which is not its own (A SIN)"));
        }
        self.ledger.accounts[key].is_buried = true;
        self.done(line, "dead");
    }

    pub(crate) fn done(&mut self, line: usize, how: &'static str) {
        self.ledger.lines[line].done.get_or_insert((self.now, how));
        let waited = self.now.saturating_sub(self.troubled_until);
        self.count.latest = self.count.latest.max(waited.as_secs());
    }

    /// At the end of a walk: whether anything is nowhere.
    pub(crate) fn missing(&self) -> usize {
        let lines = self.ledger.lines.iter().enumerate();
        let gone = lines.filter(|(at, line)| {
            let is_process = self.api.of(line.key).next().is_some();
            let is_dead = line.done.is_some_and(|(_, how)| how == "dead");
            let is_kept = !line.is_published || self.broker.copies_of(*at) > 0;
            !(is_process || is_dead || is_kept || (line.kind == Kind::Noise && line.done.is_some()))
        });
        gone.count()
    }
}
