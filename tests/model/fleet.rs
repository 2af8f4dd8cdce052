//! Several replicas at once: whose turn it is, what each has to itself, and how one stands still while the others go on.
//!
//! Not here: what a replica does (`shell`), and the ledger that they share (`claims`).

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chakra_bridge::core::delivery::{EventId, ReceiptId};
use chakra_bridge::core::ledger::Claimed;
use chakra_bridge::core::process::CreateProcess;
use chakra_bridge::core::settlement::Settlement;

use crate::adversary::Sabotage;
use crate::broker::{Copy, Later};
use crate::shell::Shell;
use crate::stage::{LEASE, SECOND, TIMEOUT};
use crate::world::World;

/// What a replica has to itself while it is another's turn.
#[derive(Default)]
struct Seat {
    number: usize,
    delivered: BTreeMap<ReceiptId, Copy>,
    publishing: BTreeMap<ReceiptId, Settlement>,
}

/// How a replica stands still.
#[derive(Clone, Copy, Debug)]
struct Frozen {
    /// Since when it renews no lease: then the last one runs out.
    lease_until: Duration,
    until: Duration,
}

/// The replicas whose turn it is not, and which stand still, by their life.
#[derive(Default)]
pub(crate) struct Fleet {
    others: Vec<(Seat, Shell)>,
    frozen: BTreeMap<u32, Frozen>,
}

impl World<'_> {
    /// The other replicas begin.
    pub(crate) fn muster(&mut self) {
        for number in 1..self.setting.replicas {
            self.lives += 1;
            let shell = Shell::new(self.setup.clone(), self.lives, 0, 0);
            self.fleet.others.push((Seat { number, ..Seat::default() }, shell));
            self.turn_to(number);
            self.connects();
        }
    }

    /// It is this one's turn: what the world calls the daemon is this replica.
    pub(crate) fn turn_to(&mut self, number: usize) {
        let Some((seat, shell)) = self.fleet.others.iter_mut().find(|(seat, _)| seat.number == number) else { return };
        std::mem::swap(&mut seat.number, &mut self.agenda.of);
        std::mem::swap(&mut seat.delivered, &mut self.broker.delivered);
        std::mem::swap(&mut seat.publishing, &mut self.broker.publishing);
        std::mem::swap(shell, &mut self.shell);
    }

    /// The same for each in turn.
    pub(crate) fn each(&mut self, mut does: impl FnMut(&mut Self)) {
        for number in 0..self.setting.replicas {
            self.turn_to(number);
            does(self);
        }
    }

    /// The broker delivers as much as is wanted, to each in turn.
    pub(crate) fn deliver(&mut self) {
        let mut idle = 0;
        while idle < self.setting.replicas {
            idle = if self.takes_one() { 0 } else { idle + 1 };
            self.turn_to((self.agenda.of + 1) % self.setting.replicas);
        }
        if self.setting.replicas > 1 {
            let number = self.choices.of(self.setting.replicas);
            self.turn_to(number);
        }
    }

    fn takes_one(&mut self) -> bool {
        let wants = self.shell.is_up && !self.shell.is_draining && self.broker.delivered.len() < self.shell.places;
        let Some(copy) = (wants && !self.is_frozen()).then(|| self.broker.work.pop_front()).flatten() else {
            return false;
        };
        self.arrives(copy, true);
        true
    }

    /// Whoever was told to end and holds nothing any more ends.
    pub(crate) fn ends_what_is_drained(&mut self) {
        let turn = self.agenda.of;
        self.each(|world| {
            if world.shell.is_draining && world.shell.machine.held() == 0 && !world.is_frozen() {
                world.endpoints();
            }
        });
        self.turn_to(turn);
    }

    fn shells(&self) -> impl Iterator<Item = (usize, &Shell)> {
        let others = self.fleet.others.iter().map(|(seat, shell)| (seat.number, shell));
        others.chain([(self.agenda.of, &self.shell)])
    }

    pub(crate) fn is_any_held(&self) -> bool {
        self.shells().any(|(_, shell)| shell.machine.held() > 0)
    }

    /// Who is to be woken next, and when. While nothing is held there is nothing to be woken for but checks, which may wait; and of
    /// several, one that holds nothing may have to give back what another waits for.
    pub(crate) fn next_wake(&self) -> Option<(Duration, usize)> {
        let is_one = self.setting.replicas == 1;
        let held = self.shells().filter(|(_, shell)| !is_one || shell.machine.held() > 0);
        let held = held.filter(|_| is_one || self.is_any_held());
        held.map(|(number, shell)| (shell.wake.max(self.thaws(shell.life)), number)).min()
    }

    fn thaws(&self, life: u32) -> Duration {
        self.fleet.frozen.get(&life).map_or(Duration::ZERO, |frozen| frozen.until)
    }

    /// Whether this replica stands still.
    pub(crate) fn is_frozen(&self) -> bool {
        self.now < self.thaws(self.shell.life)
    }

    /// Until when the lease of this life runs, if it stands still.
    pub(crate) fn frozen_lease(&self, life: u32) -> Option<Duration> {
        self.fleet.frozen.get(&life).filter(|frozen| self.now < frozen.until).map(|frozen| frozen.lease_until)
    }

    /// It stands still; the broker may miss its heartbeats meanwhile, and give what it holds to others.
    pub(crate) fn freeze(&mut self) {
        if self.is_frozen() {
            return;
        }
        self.count.frozen += 1;
        let until = self.now + SECOND * self.choices.one(&[3, 25, 90]);
        self.tell(|| format!("  replica {} stands still until {until:?}", self.agenda.of));
        self.reason(until + TIMEOUT);
        self.leaves_doubts(self.shell.life);
        self.fleet.frozen.insert(self.shell.life, Frozen { lease_until: self.now + LEASE, until });
        if self.choices.happens(2) {
            self.disconnect();
        }
        self.agenda.freeze(Some(until));
        self.agenda.add(until, Later::Thaws);
        self.shell.wake = self.shell.wake.max(until);
    }

    /// It stands still between its claim and its create. What is left of its lease is too short when it wakes.
    pub(crate) fn freezes_with(&mut self, event: EventId, request: &CreateProcess, claimed: Claimed) {
        self.freeze();
        self.count.withheld += 1;
        self.shell.running.insert(event, None);
        let request = Box::new(request.clone());
        let sends = self.setting.sabotage == Sabotage::SendsWhenItWakes;
        let later = if sends { Later::SendsAnyway { event, request } } else { Later::Withheld { event, claimed } };
        self.agenda.add(self.now, later);
    }

    /// The creates of unknown outcome that a replica which begins again does not forget: what came with messages, and what others hold.
    pub(crate) fn known_by_others(&self) -> HashMap<usize, u32> {
        let mut known = self.ledger.brought.clone();
        let held = self.fleet.others.iter().flat_map(|(seat, _)| seat.delivered.values());
        known.extend(held.filter_map(|copy| Some((copy.id, *self.ledger.unsure_creates.get(&copy.id)?))));
        known
    }
}
