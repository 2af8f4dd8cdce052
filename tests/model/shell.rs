//! The shell around the machine, as the dispatcher is one: feeds it, and carries out what it says.
//!
//! Not here: what becomes of requests (`requests`) and of what is settled (`settling`).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chakra_bridge::core::delivery::{
    Command, Effect, EventId, Input, Machine, Now, PhotoReport, ReceiptId, Report, Setup, WantedPrefetch,
};
use chakra_bridge::core::settlement::Settlement;

use crate::adversary::Sabotage;
use crate::broker::Copy;
use crate::ledger::key_text;
use crate::stage::{self, SECOND};
use crate::world::World;

/// When the walks begin, in milliseconds since the Unix epoch.
const EPOCH_MS: u64 = 1_700_000_000_000;

/// How often a machine may ask to be woken within a second, with one event about; more of them may ask more often.
const WAKES_MAX: u32 = 120;

/// What a receipt stands for.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) copy: Copy,
    /// The connection that it belongs to.
    connection: u32,
    pub(crate) is_settled: bool,
}

/// The daemon: one life of it.
pub(crate) struct Shell {
    pub(crate) machine: Machine,
    pub(crate) life: u32,
    pub(crate) wake: Duration,
    pub(crate) places: usize,
    pub(crate) receipts: BTreeMap<ReceiptId, Slot>,
    next_receipt: ReceiptId,
    /// Events whose receipt is that of a copy which took their place.
    adopted: HashMap<EventId, ReceiptId>,
    /// Requests under way, each with the process that it makes, if it makes one.
    pub(crate) running: BTreeMap<EventId, Option<usize>>,
    pub(crate) connection: u32,
    pub(crate) is_up: bool,
    pub(crate) is_unheard: bool,
    pub(crate) is_paused: bool,
    pub(crate) is_draining: bool,
    /// The second of the last wakes, and how many there were in it.
    wakes: (u64, u32),
    is_spinning: bool,
}

impl Shell {
    pub(crate) fn new(setup: Setup, life: u32, next_receipt: ReceiptId, connection: u32) -> Self {
        Self {
            places: setup.places,
            machine: Machine::new(setup),
            life,
            wake: Duration::ZERO,
            receipts: BTreeMap::new(),
            next_receipt,
            adopted: HashMap::new(),
            running: BTreeMap::new(),
            connection,
            is_up: false,
            is_unheard: false,
            is_paused: false,
            is_draining: false,
            wakes: (0, 0),
            is_spinning: false,
        }
    }

    /// The next life of the same replica.
    pub(crate) fn reborn(&self, setup: Setup, life: u32) -> Self {
        Self::new(setup, life, self.next_receipt, self.connection + 1)
    }

    /// What the event's receipt stands for.
    pub(crate) fn slot(&self, event: EventId) -> Option<&Slot> {
        self.receipts.get(self.adopted.get(&event).unwrap_or(&event))
    }

    /// Whether the broker still waits to hear of it.
    pub(crate) fn is_live(&self, slot: &Slot) -> bool {
        self.is_up && slot.connection == self.connection
    }

    /// The event whose receipt this is, if its connection is lost and the machine knows.
    fn orphan(&self, receipt: ReceiptId) -> Option<EventId> {
        if self.is_unheard {
            return None;
        }
        self.receipts.get(&receipt).filter(|slot| !self.is_live(slot) && !slot.is_settled)?;
        let adopted = self.adopted.iter().find(|(_, copy)| **copy == receipt);
        Some(adopted.map_or(receipt, |(event, _)| *event))
    }
}

impl World<'_> {
    /// A message comes through the channel; its connection may be lost by then.
    pub(crate) fn arrives(&mut self, copy: Copy, is_live: bool) {
        let line = &self.ledger.lines[copy.line];
        let mut message = stage::message(line.kind, &key_text(line.key));
        message.redelivered = copy.redelivered;
        message.delayed_state.clone_from(&copy.state);
        message.deliveries = self.counts_returns.then_some(copy.returns);
        let receipt = self.shell.next_receipt;
        self.shell.next_receipt += 1;
        let connection = if is_live { self.shell.connection } else { u32::MAX };
        self.shell.receipts.insert(receipt, Slot { copy: copy.clone(), connection, is_settled: false });
        self.tell(|| format!("message {receipt}, live {is_live}: {copy:?}"));
        if is_live {
            self.broker.delivered.insert(receipt, copy.clone());
        }
        let is_repeat = is_live && !copy.redelivered && copy.state.is_none() && self.has_come(copy.line, receipt);
        match self.setting.sabotage {
            Sabotage::SwallowsRepeats if is_repeat => {
                self.name(receipt, None);
                return self.settle(receipt, Settlement::Ack);
            }
            Sabotage::ForgetsRepeats => message.body = Arc::new(format!("{{\"n\":{}}}", copy.line).into_bytes()),
            _ => {}
        }
        self.on(Input::Message { receipt, message: Box::new(message), is_live });
    }

    /// Whether another message of its event came before this receipt.
    fn has_come(&self, line: usize, receipt: ReceiptId) -> bool {
        let key = self.ledger.lines[line].key;
        let mut before = self.shell.receipts.range(..receipt).map(|(_, slot)| slot.copy.line);
        before.any(|other| other != line && self.ledger.lines[other].key == key)
    }

    /// Nothing is begun for a connection that is gone: the machine hears of it first.
    pub(crate) fn on(&mut self, input: Input) {
        if std::mem::take(&mut self.shell.is_unheard) {
            self.feed(Input::Disconnected);
        }
        let life = self.shell.life;
        self.feed(input);
        let (held, running) = (self.shell.machine.held(), self.shell.machine.running());
        if self.shell.life == life && (running > held || running != self.shell.running.len()) {
            self.count.sins.running_beyond_held += 1;
            self.tell(|| format!("  {running} running of {held}, not {:?}", self.shell.running));
        }
    }

    fn feed(&mut self, input: Input) {
        self.count.inputs += 1;
        let is_timer = matches!(input, Input::Timer);
        let arrived = if let Input::Message { receipt, .. } = &input { Some(*receipt) } else { None };
        if arrived.is_none() {
            self.tell(|| format!("{input:?}"));
        }
        self.note_command(&input);
        let epoch_ms = EPOCH_MS + u64::try_from(self.now.as_millis()).expect("a time of the model");
        let (life, dice) = (self.shell.life, self.choices.dice());
        let effects = self.shell.machine.on(input, Now { moment: self.now, epoch_ms }, dice);
        self.shell.wake = effects.wake;
        self.is_it_busy(is_timer && effects.list.is_empty(), is_timer);
        for effect in effects.list {
            if self.shell.life != life {
                return;
            }
            self.tell(|| format!("  {effect:?}"));
            self.carry_out(effect, arrived);
        }
    }

    fn note_command(&mut self, input: &Input) {
        match input {
            Input::Command(Command::Pause) => self.shell.is_paused = true,
            Input::Command(Command::Resume) => self.shell.is_paused = false,
            Input::Command(Command::Drain | Command::CutOff) => self.shell.is_draining = true,
            _ => {}
        }
    }

    /// Nothing twice in the same moment, and not many times a second.
    fn is_it_busy(&mut self, is_for_nothing: bool, is_timer: bool) {
        let is_past = self.shell.wake <= self.now;
        let spins = std::mem::replace(&mut self.shell.is_spinning, is_for_nothing && is_past);
        let second = self.now.as_secs();
        let (last, times) = self.shell.wakes;
        let times = if last == second { times + u32::from(is_timer) } else { u32::from(is_timer) };
        self.shell.wakes = (second, times);
        let most = WAKES_MAX * u32::try_from(self.shell.machine.held().max(1)).expect("few events");
        self.count.sins.busy += u64::from((spins && is_for_nothing && is_past) || times == most);
    }

    fn carry_out(&mut self, effect: Effect, arrived: Option<ReceiptId>) {
        match effect {
            Effect::Create { event, request, claim: None, .. } => self.create(event, &request, None),
            Effect::Create { event, request, claim: Some(claim), .. } => self.claim(event, &request, *claim),
            Effect::Photo { event, photo, claim } => self.photo(event, &photo, claim),
            Effect::Record { id, record } => self.record(id, *record),
            Effect::LookUp { event, lookup } => self.look_up(event, &lookup),
            Effect::Check { rule, lookup } => self.check(rule, lookup),
            // No repeat waits here (`resend_after` is zero), so no list is asked for.
            Effect::List { .. } => {}
            Effect::Want(WantedPrefetch::Full) => self.shell.places = self.setup.places,
            Effect::Want(WantedPrefetch::One) => self.shell.places = 1,
            Effect::Want(WantedPrefetch::Double) => self.shell.places = 2 * self.setup.places,
            Effect::Tell(report) => self.told(report),
            Effect::Settle { receipt, settlement } => {
                self.name(receipt, arrived);
                self.settle(receipt, settlement);
            }
        }
    }

    fn told(&mut self, report: Report) {
        match report {
            Report::PossibleDuplicate { doubt, key, .. } if self.setting.sabotage != Sabotage::Mute => {
                self.announced(key.as_ref(), doubt);
            }
            Report::Photos(PhotoReport::LeftOut { .. }) => self.count.left_out += 1,
            Report::Unrecorded { .. } => self.ledger.is_told_unrecorded = true,
            Report::Settled(settled) => {
                self.ledger.told = settled.result;
                let count = &mut self.count;
                match settled.result {
                    "created" => count.created += 1,
                    "found" => count.found += 1,
                    "already_created" => count.already_created += 1,
                    "duplicate" => count.duplicates += 1,
                    "skipped" => count.skipped += 1,
                    "dead_lettered" => count.dead += 1,
                    "delayed" => count.delayed += 1,
                    "already_dead_lettered" => self.ledger.is_told_dead = !self.setting.tells,
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// A receipt is named: once, and if a copy has come for it, the event goes on under that one's.
    fn name(&mut self, receipt: ReceiptId, arrived: Option<ReceiptId>) {
        if let Some(copy) = arrived.filter(|arrived| *arrived != receipt)
            && let Some(event) = self.shell.orphan(receipt)
        {
            let [before, now] =
                [receipt, copy].map(|receipt| self.shell.receipts.get(&receipt).map(|slot| slot.copy.clone()));
            self.shell.adopted.insert(event, copy);
            if let (Some(before), Some(now)) = (before, now) {
                let key = self.ledger.lines[now.line].key;
                self.ledger.accounts[key].is_mixed |= before.id != now.id;
            }
        }
        let was_settled =
            self.shell.receipts.get_mut(&receipt).map(|slot| std::mem::replace(&mut slot.is_settled, true));
        self.count.sins.settled_twice += u64::from(was_settled != Some(false));
    }

    /// A request begins for this event: what its receipt stands for, unless it has none any more.
    pub(crate) fn begins(&mut self, event: EventId) -> Option<Copy> {
        let slot = self
            .shell
            .slot(event)
            .filter(|slot| !slot.is_settled && (self.shell.is_unheard || self.shell.is_live(slot)));
        let slot = slot.map(|slot| slot.copy.clone());
        if let Some(copy) = &slot {
            self.is_asked(copy);
        }
        let is_amiss = slot.is_none() || self.shell.running.contains_key(&event);
        self.count.sins.sent_for_nobody += u64::from(is_amiss);
        self.count.sins.sent_while_paused += u64::from(self.shell.is_paused || self.shell.is_draining);
        slot
    }

    /// At the end of a life that nothing cut short, every receipt was named.
    pub(crate) fn all_are_settled(&mut self) {
        let forgotten = self.shell.receipts.values().filter(|slot| !slot.is_settled).count();
        self.count.sins.never_settled += u64::from(forgotten > 0 && self.shell.machine.held() == 0);
    }

    /// The machine is woken at the moment that it named.
    pub(crate) fn wakes(&mut self) {
        self.now = self.now.max(self.shell.wake);
        if self.setting.sabotage == Sabotage::NeverWakes {
            self.now += 60 * SECOND;
            return;
        }
        self.on(Input::Timer);
    }
}
