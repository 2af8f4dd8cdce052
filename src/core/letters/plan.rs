//! What is to be done with the dead letters that are meant: noted in one pass, said with its counts, and then carried out letter by
//! letter. Two letters of one event are one.
//!
//! Not here: publishing and acknowledging (`amqp`), and which letters are meant (`filter`).

use std::collections::{BTreeMap, BTreeSet};

use super::Read;
use crate::core::bounds::Bounds;
use crate::core::event::Identity;
use crate::core::mapping::rules::{Mapped, Rules, map};

/// What would become of an event by the rules of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prospect {
    /// A dead letter again, for the reason with this word.
    Dead(&'static str),
    /// A rule skips it.
    Skipped,
    /// A process; and whether it is looked up before it is created.
    Created {
        /// It is looked up first.
        is_looked_up: bool,
    },
}

/// What would become of the event of a letter.
#[must_use]
pub fn prospect(read: &Read, rules: &Rules, bounds: Bounds) -> Prospect {
    let event = match &read.event {
        Ok(event) => event,
        Err(fault) => return Prospect::Dead(fault.reason.as_str()),
    };
    match map(event, rules, bounds) {
        Ok(Mapped::Skip { .. }) => Prospect::Skipped,
        Ok(Mapped::Create { request, .. }) => Prospect::Created { is_looked_up: request.lookup.is_some() },
        Err(unmapped) => Prospect::Dead(unmapped.fault.reason.as_str()),
    }
}

/// What is to be done with one letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It stays.
    Leave,
    /// It goes; and whether its event may be a process, by all letters of it.
    Take {
        /// It may be a process.
        may_exist: bool,
    },
    /// Another letter of its event went: it goes with that one.
    Join,
}

/// What is known of an event that has letters.
#[derive(Clone, Copy, Debug)]
struct Noted {
    may_exist: bool,
    is_looked_up: bool,
}

/// How many of each. All but `letters` and `copies` count events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Letters that go.
    pub letters: u64,
    /// Those of them that go with another letter of their event.
    pub copies: u64,
    /// Events.
    pub events: u64,
    /// Those that may be processes, and are looked up before they are created.
    pub looked_up: u64,
    /// Those that may be processes, and cannot be looked up: a second process cannot be excluded.
    pub may_double: u64,
    /// Those that a rule skips.
    pub skipped: u64,
    /// Letters that stay, since they would be dead letters again, by reason.
    pub left: BTreeMap<&'static str, u64>,
}

/// See the head of this file.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    noted: BTreeMap<Identity, Noted>,
    taken: BTreeSet<Identity>,
    /// Letters of which nothing tells one from another: so many of them, in their order, are still to be taken.
    strangers: u64,
    strangers_in_doubt: u64,
    skipped: u64,
    copies: u64,
    left: BTreeMap<&'static str, u64>,
    limit: Option<u64>,
    /// Whether what would be a dead letter again goes too.
    is_forced: bool,
}

impl Plan {
    /// With so many events at most. What would be a dead letter again stays, unless `is_forced`.
    #[must_use]
    pub fn new(limit: Option<u64>, is_forced: bool) -> Self {
        Self { limit, is_forced, ..Self::default() }
    }

    /// Notes a letter that is meant.
    pub fn note(&mut self, read: &Read, prospect: Prospect) {
        if let Prospect::Dead(reason) = prospect
            && !self.is_forced
        {
            *self.left.entry(reason).or_default() += 1;
            return;
        }
        let may_exist = read.letter.may_exist;
        let is_looked_up = prospect == Prospect::Created { is_looked_up: true } || prospect == Prospect::Skipped;
        if let Some(noted) = read.letter.identity.and_then(|identity| self.noted.get_mut(&identity)) {
            noted.may_exist |= may_exist;
            self.copies += 1;
            return;
        }
        if self.limit.is_some_and(|limit| self.events() >= limit) {
            return;
        }
        self.skipped += u64::from(prospect == Prospect::Skipped);
        match read.letter.identity {
            Some(identity) => drop(self.noted.insert(identity, Noted { may_exist, is_looked_up })),
            None => {
                self.strangers += 1;
                self.strangers_in_doubt += u64::from(may_exist && prospect != Prospect::Skipped);
            }
        }
    }

    fn events(&self) -> u64 {
        self.noted.len() as u64 + self.strangers
    }

    /// How many of each.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let count = |is_it: fn(&Noted) -> bool| self.noted.values().filter(|noted| is_it(noted)).count() as u64;
        Counts {
            letters: self.events() + self.copies,
            copies: self.copies,
            events: self.events(),
            looked_up: count(|noted| noted.may_exist && noted.is_looked_up),
            may_double: count(|noted| noted.may_exist && !noted.is_looked_up) + self.strangers_in_doubt,
            skipped: self.skipped,
            left: self.left.clone(),
        }
    }

    /// What is to be done with a letter that is meant, which is done then. What came after the pass stays.
    pub fn turn(&mut self, read: &Read, prospect: Prospect) -> Turn {
        if matches!(prospect, Prospect::Dead(_)) && !self.is_forced {
            return Turn::Leave;
        }
        let Some(identity) = read.letter.identity else {
            let is_one = self.strangers > 0;
            self.strangers = self.strangers.saturating_sub(1);
            return if is_one { Turn::Take { may_exist: read.letter.may_exist } } else { Turn::Leave };
        };
        match self.noted.get(&identity) {
            None => Turn::Leave,
            Some(_) if self.taken.contains(&identity) => Turn::Join,
            Some(noted) => {
                self.taken.insert(identity);
                Turn::Take { may_exist: noted.may_exist || read.letter.may_exist }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{died, read_of};
    use super::*;

    const LOOKED_UP: Prospect = Prospect::Created { is_looked_up: true };
    const UNSEEN: Prospect = Prospect::Created { is_looked_up: false };

    fn letter(id: &str, reason: &str) -> Read {
        read_of(died(reason, "lead", 5), "{}", id)
    }

    #[test]
    fn two_letters_of_one_event_are_taken_once_with_the_doubt_of_both() {
        let mut plan = Plan::new(None, false);
        let (sure, doubtful, other) = (letter("m1", "refused"), letter("m1", "unknown"), letter("m2", "refused"));
        [&sure, &doubtful, &other].into_iter().for_each(|read| plan.note(read, UNSEEN));
        let counts = plan.counts();
        assert_eq!((counts.letters, counts.events, counts.copies, counts.may_double), (3, 2, 1, 1));
        assert_eq!(plan.turn(&sure, UNSEEN), Turn::Take { may_exist: true }, "its other letter says so");
        assert_eq!(plan.turn(&doubtful, UNSEEN), Turn::Join);
        assert_eq!(plan.turn(&other, UNSEEN), Turn::Take { may_exist: false });
        assert_eq!(plan.turn(&letter("m3", "refused"), UNSEEN), Turn::Leave, "it came after the pass");
    }

    #[test]
    fn what_would_die_again_stays_unless_it_is_forced() {
        let read = letter("m1", "refused");
        for (is_forced, turn, letters) in [(false, Turn::Leave, 0), (true, Turn::Take { may_exist: false }, 1)] {
            let mut plan = Plan::new(None, is_forced);
            plan.note(&read, Prospect::Dead("no_rule"));
            assert_eq!(plan.counts().letters, letters);
            assert_eq!(plan.counts().left.get("no_rule").copied(), (!is_forced).then_some(1));
            assert_eq!(plan.turn(&read, Prospect::Dead("no_rule")), turn);
        }
    }

    #[test]
    fn a_limit_counts_events_and_the_copies_of_those_go_with_them() {
        let mut plan = Plan::new(Some(1), false);
        let all = [letter("m1", "refused"), letter("m2", "refused"), letter("m1", "refused")];
        all.iter().for_each(|read| plan.note(read, LOOKED_UP));
        assert_eq!((plan.counts().events, plan.counts().letters), (1, 2));
        let turns = all.each_ref().map(|read| plan.turn(read, LOOKED_UP));
        assert_eq!(turns, [Turn::Take { may_exist: false }, Turn::Leave, Turn::Join]);
    }

    #[test]
    fn letters_that_nothing_tells_apart_are_each_their_own_and_no_more_of_them_go_than_were_seen() {
        let mut plan = Plan::new(None, false);
        let read = letter("", "unknown");
        assert!(read.letter.identity.is_none());
        plan.note(&read, UNSEEN);
        plan.note(&read, UNSEEN);
        assert_eq!((plan.counts().events, plan.counts().may_double), (2, 2));
        let turns = [(); 3].map(|()| plan.turn(&read, UNSEEN));
        assert_eq!(turns, [Turn::Take { may_exist: true }, Turn::Take { may_exist: true }, Turn::Leave]);
    }

    #[test]
    fn what_may_be_a_process_is_counted_by_whether_it_is_looked_up() {
        let mut plan = Plan::new(None, false);
        plan.note(&letter("m1", "unknown"), LOOKED_UP);
        plan.note(&letter("m2", "unknown"), UNSEEN);
        plan.note(&letter("m3", "unknown"), Prospect::Skipped);
        let counts = plan.counts();
        assert_eq!((counts.looked_up, counts.may_double, counts.skipped), (2, 1, 1));
    }
}
