//! The path of every event, from receive to settle, and the one owner of all that waits on it.
//!
//! Not here: how any step is done. One dispatcher owns the gate, the unacknowledged events and the running requests as
//! plain values; one request is one task, and a task never sleeps.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};

use super::Bridge;
use super::ending::{Ending, EventContext};
use super::hand::{Hand, Slot};
use super::held_event::{HeldEvent, Stage};
use super::lookup_checks;
use super::open::{What, open};
use super::tell::Reporter;
use crate::clock::{Clock, epoch_ms};
use crate::core::gate::{Gate, Moment, Pass};
use crate::core::judge::Outcome;
use crate::core::lookup::Lookup;
use crate::core::lookup_check::LookupChecks;
use crate::core::mapping::rules::Rule;
use crate::core::message::Message;
use crate::core::process::CreateProcess;
use crate::core::progress::{Progress, Step};
use crate::core::recent::Recent;
use crate::core::reply::Reply;
use crate::core::request_limits::{RequestLimits, Try};
use crate::handover::inbound::Inbound;
use crate::handover::receipt::Receipt;

/// The dispatcher wakes at least this often, so that standing still can be told from having nothing to do.
const TICK: Duration = Duration::from_secs(5);

/// What gave way to a copy of its own is looked at again after this.
const GIVEN_WAY: Duration = Duration::from_millis(20);

/// One request that came to its end.
pub(super) struct Delivered {
    slot: Slot,
    reply: Reply,
    took: Duration,
}

/// What a running request came to: its end, or a panic.
pub(super) type Ended = Result<(Id, Delivered), JoinError>;

/// See the head of this file.
pub(super) struct Dispatcher {
    pub(super) bridge: Bridge,
    pub(super) clock: Clock,
    pub(super) gate: Gate,
    pub(super) request_limits: RequestLimits,
    pub(super) recent: Recent,
    pub(super) hand: Hand,
    pub(super) running: JoinSet<Delivered>,
    pub(super) lookup_checks: LookupChecks,
    pub(super) checking: JoinSet<lookup_checks::Asked>,
    pub(super) reporter: Reporter,
    pub(super) is_draining: bool,
    /// Whether the connection that stands lets us delay.
    pub(super) can_delay: bool,
    is_connected: bool,
    /// Connections lost since the start: what they gave back this process did not die of.
    lost: u32,
    pub(super) slots: HashMap<Id, Slot>,
}

impl Dispatcher {
    pub(super) fn new(bridge: Bridge) -> Self {
        Self {
            clock: Clock::start(),
            gate: Gate::new(bridge.gate, bridge.policy.retry_after_max),
            request_limits: RequestLimits::new(bridge.request_limits),
            recent: Recent::default(),
            hand: Hand::default(),
            running: JoinSet::new(),
            lookup_checks: LookupChecks::of(bridge.rules.iter().filter_map(Rule::lookup_target)),
            checking: JoinSet::new(),
            reporter: Reporter::new(&bridge.metrics, &bridge.shut),
            is_draining: false,
            can_delay: false,
            is_connected: false,
            lost: 0,
            slots: HashMap::new(),
            bridge,
        }
    }

    /// Walks every event that arrives, until `stop`.
    pub(super) async fn run(&mut self, intake: &mut mpsc::Receiver<Inbound>, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let wake = self.begin_what_may();
            self.show();
            tokio::select! {
                biased;
                () = &mut stop => return,
                command = self.bridge.commands.next() => self.commanded(command),
                Some(ended) = self.running.join_next_with_id() => self.ended(ended),
                Some(check_result) = self.checking.join_next() => self.check_result(check_result),
                Some(inbound) = intake.recv() => self.arrived(inbound),
                () = tokio::time::sleep_until(self.clock.instant(wake)) => {}
            }
        }
    }

    pub(super) fn arrived(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Message(message, receipt) => self.receive(*message, receipt),
            Inbound::Connected { can_delay } => (self.can_delay, self.is_connected) = (can_delay, true),
            Inbound::Disconnected => {
                // One that did not come to stand gave nothing back.
                self.lost = self.lost.saturating_add(u32::from(std::mem::take(&mut self.is_connected)));
                self.disconnected();
            }
        }
    }

    /// The first half of the path: receive, open (decode and map); it is delivered as soon as the gate lets it.
    fn receive(&mut self, mut message: Message, receipt: Receipt) {
        self.bridge.metrics.received();
        message.deliveries = message.deliveries.map(|returns| returns.saturating_sub(self.lost));
        let (redelivered, is_new) = (message.redelivered, !message.redelivered && message.delayed_state.is_none());
        let opened = open(message, self.can_delay, &self.bridge.limits, &self.bridge.rules, &self.recent);
        if is_new && let Some(key) = &opened.key {
            self.recent.revive(key);
        }
        let mut context = EventContext::new(receipt, opened.key, opened.delayed_state, self.clock.now());
        match opened.what {
            What::Dead { fault, progress } => self.settle(context, Ending::Dead(fault), &progress),
            What::AlreadyCreated { process } => {
                self.settle(context, Ending::AlreadyCreated(process), &Progress::default())
            }
            What::Newer => self.pass_on(context),
            What::Crashed => {
                let (progress, sent) = (context.delayed_state.progress.clone(), context.delayed_state.sent.clone());
                // Whoever died of it may have created it a moment ago.
                let since_create = if redelivered { Some(Duration::ZERO) } else { progress.since_create };
                self.crashed(context, Progress { since_create, ..progress }, sent.as_ref());
            }
            What::Skip { rule } => {
                context.rule = Some(rule);
                self.settle(context, Ending::Skipped, &Progress::default());
            }
            What::Create { rule, request, lookup, progress } => {
                context.rule = Some(rule);
                self.take(context, request, lookup, progress, redelivered);
            }
        }
    }

    /// The second half: its request has ended; judge, decide, settle.
    pub(super) fn ended(&mut self, ended: Ended) {
        let Some(Delivered { slot, reply, took }) = self.delivered(ended) else { return };
        let Some(event) = self.hand.get_mut(slot) else { return };
        let (now, dice) = (self.clock.now(), fastrand::f64());
        let outcome = event.judge(&reply, &self.lookup_checks);
        let procedure = event.procedure().clone();
        let probe = event.probe();
        let changes = self.gate.observe(&procedure, &outcome, probe, now, dice);
        self.reporter.seen(&outcome, &event.context);
        let step = event.decide(&outcome, &self.gate, now, dice, &self.bridge.policy);
        let held = event.held_back(&outcome, self.gate.openings(), &self.bridge.policy);
        self.reporter.answered(&outcome, reply.status(), took);
        self.reporter.gate(&self.gate, &changes, reply.detail());
        if let (Outcome::Created { .. }, Some(lookup)) = (&outcome, &event.lookup) {
            self.lookup_checks.created(event.context.rule(), lookup, now);
        }
        match step {
            Step::Wait(delay) => self.wait(slot, delay, delay, now),
            Step::Hold => self.wait(slot, held, Duration::ZERO, now),
            Step::Done { process } if matches!(outcome, Outcome::Found { .. }) => {
                self.end(slot, Ending::Found(process))
            }
            Step::Done { process } => self.end(slot, Ending::Created(process)),
            Step::Dead(fault) => self.end(slot, Ending::Dead(fault)),
        }
    }

    /// Puts an unacknowledged event, or in the place of an earlier copy whose connection died under its request.
    fn take(
        &mut self,
        context: EventContext,
        request: Arc<CreateProcess>,
        lookup: Option<Arc<Lookup>>,
        progress: Progress,
        redelivered: bool,
    ) {
        let now = self.clock.now();
        if let Some(orphan) = self.hand.orphan(context.key.as_ref()).filter(|_| redelivered) {
            return orphan.adopted(context.receipt, now);
        }
        let open_time = self.gate.open_time(&request.procedure, now);
        let rest = context.delayed_state.remaining;
        let context = context.for_procedure(&request.procedure);
        let mut event = HeldEvent::new(context, request, lookup, progress, now);
        event.is_copy |= redelivered;
        event.is_doubtful |= redelivered;
        // What is left of its wait was counted when it was delayed.
        event.open_time = open_time.saturating_add(rest);
        let slot = self.hand.add(event);
        if !rest.is_zero() {
            self.wait(slot, rest, Duration::ZERO, now);
        }
    }

    /// Begins every request that the gate lets through, at the pace that is allowed; answers when to look again.
    fn begin_what_may(&mut self) -> Moment {
        let now = self.clock.now();
        self.update_wanted_prefetch(now);
        self.make_room(now);
        let look_up_again = now.saturating_add(TICK);
        let mut wake = self.hand.wake(now).map_or(look_up_again, |due| due.min(look_up_again));
        let is_open = self.gate.everything_shut_for(now).is_none();
        for slot in if is_open { self.hand.ready_in_turn() } else { self.hand.ready_to_probe() } {
            let Some(event) = self.hand.get(slot) else { continue };
            let pass = self.gate.pass(event.procedure(), now);
            match self.request_limits.pass(pass, event.tries(), now) {
                Pass::Go | Pass::Probe => {
                    if !self.begin(slot) {
                        wake = now.saturating_add(GIVEN_WAY);
                    }
                }
                Pass::Shut(until) => wake = wake.min(until.unwrap_or(look_up_again)),
            }
        }
        self.delay_the_old(now);
        self.prove_what_may(now).map_or(wake, |due| wake.min(due))
    }

    /// Deliver; answers whether it is out of the way, or gave way to a copy of its own. Nothing is begun for a dead connection:
    /// the broker has given the event to somebody again.
    fn begin(&mut self, slot: Slot) -> bool {
        let now = self.clock.now();
        let Some(event) = self.hand.get_mut(slot) else { return true };
        if !event.context.receipt.is_live() {
            self.end(slot, Ending::Released);
            return true;
        }
        event.pass_time(now);
        if event.may_have_a_copy() && self.gives_way(slot, now) {
            return false;
        }
        let Some(event) = self.hand.get_mut(slot) else { return true };
        if self.gate.wants_a_lookup(event.procedure()) {
            event.look_up_first();
        }
        if let Some(doubt) = event.doubt() {
            self.reporter.doubt(doubt, &event.context);
        }
        event.goes_out();
        let probe = self.gate.begun(event.procedure(), now);
        self.request_limits.take(Try::of(event.tries(), probe.asks()), now);
        if probe.asks() {
            self.bridge.metrics.probe();
        }
        let (client, asked) = (self.bridge.client.clone(), event.asked());
        let task = self.running.spawn(async move {
            let began = tokio::time::Instant::now();
            let reply = asked.of(&client).await;
            Delivered { slot, reply, took: began.elapsed() }
        });
        self.slots.insert(task.id(), slot);
        self.hand.stage(slot, Stage::Running { probe });
        true
    }

    /// Which request ended, and how; a panic is the end of its event and touches no other.
    fn delivered(&mut self, ended: Ended) -> Option<Delivered> {
        match ended {
            Ok((id, delivered)) => {
                self.slots.remove(&id);
                Some(delivered)
            }
            Err(error) => {
                let slot = self.slots.remove(&error.id())?;
                let mut event = self.hand.take(slot)?;
                self.gate.lost(event.procedure(), event.probe());
                event.progress.cut_off();
                self.crashed(event.context, event.progress, event.lookup.as_deref());
                None
            }
        }
    }

    fn show(&self) {
        let (held_event, in_flight) = (self.hand.len(), self.running.len());
        self.bridge.metrics.unacknowledged(held_event);
        self.bridge.metrics.in_flight(in_flight);
        self.bridge.metrics.waiting(held_event.saturating_sub(in_flight));
        self.bridge.metrics.ramp(self.gate.ramp(self.clock.now()).unwrap_or(0));
        self.bridge.pulse.beat(epoch_ms());
    }
}
