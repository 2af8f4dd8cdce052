//! The loop around the delivery machine: feeds it what happens, and carries out what it says.
//!
//! Not here: any decision (`core::delivery`), and the words of log lines (`report`).

mod traced;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::Parts;
use super::aside::aside;
use super::commands::{Commands, Next};
use super::photos::bring_up;
use super::report::{Gates, Reporter};
use super::tasks::{Purpose, Tasks};
use super::traces::Tracer;
use crate::admin::resume::{ResumeRule, RuleResumed};
use crate::chakra::Client;
use crate::clock::{Clock, epoch_ms};
use crate::core::delivery::{Command, Effect, Input, Machine, Now, ReceiptId};
use crate::core::gate::Moment;
use crate::core::settlement::Settlement;
use crate::handover::inbound::Inbound;
use crate::handover::prefetch::WantedPrefetch;
use crate::handover::receipt::{Connection, Receipt};
use crate::photos::Fetcher;
use crate::states::phase::Pulse;

/// How the dispatcher ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Requests that were still under way at the deadline and were cut off; their events were given back.
    pub cut_off: usize,
}

/// See the head of this file.
pub(super) struct Dispatcher {
    machine: Machine,
    client: Client,
    fetcher: Fetcher,
    clock: Clock,
    reporter: Reporter,
    commands: Commands,
    wanted_prefetch: watch::Sender<WantedPrefetch>,
    pulse: Arc<Pulse>,
    receipts: HashMap<ReceiptId, Receipt>,
    next_receipt: ReceiptId,
    /// What is published and neither kept nor refused yet, by the number of its message on the present connection.
    publishes: HashMap<u64, ReceiptId>,
    /// The connection that the last message came by.
    connection: Option<Connection>,
    tasks: Tasks,
    /// Makes spans, if they are wanted.
    tracer: Option<Tracer>,
    wake: Moment,
}

impl Dispatcher {
    pub(super) fn new(parts: Parts) -> Self {
        let gates = Gates::new(parts.ways.client.host(), parts.gates);
        let tracer = parts.traces.map(|traces| Tracer::new(traces, &parts.ways.client, Arc::clone(&parts.metrics)));
        Self {
            tasks: Tasks::new(parts.ledger, parts.setup.ledger.map_or(Duration::MAX, |ledger| ledger.timeout)),
            machine: Machine::new(parts.setup),
            client: parts.ways.client,
            fetcher: parts.ways.fetcher,
            clock: Clock::start(),
            reporter: Reporter::new(parts.metrics, parts.shut, gates, parts.waits, parts.letters),
            commands: parts.commands,
            wanted_prefetch: parts.wanted_prefetch,
            pulse: parts.pulse,
            receipts: HashMap::new(),
            next_receipt: 0,
            publishes: HashMap::new(),
            connection: None,
            tracer,
            wake: Moment::ZERO,
        }
    }

    /// Delivers every event that arrives, until `stop`.
    pub(super) async fn run(&mut self, intake: &mut mpsc::Receiver<Inbound>, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            self.show();
            tokio::select! {
                biased;
                () = &mut stop => return,
                next = self.commands.next() => self.commanded(next),
                Some(ended) = self.tasks.next() => self.ended(ended),
                Some(inbound) = intake.recv() => self.arrived(inbound),
                () = tokio::time::sleep_until(self.clock.instant(self.wake)) => self.on(Input::Timer),
            }
        }
    }

    /// Gives back what waits, finishes what is under way, and cuts off what is not finished at `deadline`.
    pub(super) async fn drain(mut self, intake: &mut mpsc::Receiver<Inbound>, deadline: Instant) -> Drained {
        self.commands.end();
        self.on(Input::Command(Command::Drain));
        // Past the deadline what counts is what is still held, not how the waiting ended.
        drop(tokio::time::timeout_at(deadline, self.finish(intake)).await);
        while let Some(ended) = self.tasks.try_next() {
            self.ended(ended);
        }
        let cut_off = self.machine.running();
        self.tasks.abort_all();
        self.on(Input::Command(Command::CutOff));
        // No more than there were places for when the channel was made.
        for _ in 0..intake.len() {
            if let Ok(inbound) = intake.try_recv() {
                self.arrived(inbound);
            }
        }
        self.show();
        self.end_traces();
        self.reporter.catch_up(Moment::MAX);
        Drained { cut_off }
    }

    async fn finish(&mut self, intake: &mut mpsc::Receiver<Inbound>) {
        while !self.machine.is_idle() {
            self.show();
            let is_recorded = self.machine.is_recorded();
            tokio::select! {
                Some(ended) = self.tasks.next() => self.ended(ended),
                () = tokio::time::sleep_until(self.clock.instant(self.wake)), if !is_recorded => self.on(Input::Timer),
                Some(inbound) = intake.recv() => self.arrived(inbound),
                else => return,
            }
        }
    }

    fn commanded(&mut self, next: Next) {
        match next {
            Next::Command(command) => self.on(Input::Command(command)),
            Next::ResumeRule(ResumeRule { rule, answer }) => {
                let said = self.resume_rule(&rule);
                // Whoever asked may have gone; the rule goes on all the same.
                drop(answer.send(said));
            }
        }
    }

    fn resume_rule(&mut self, rule: &str) -> RuleResumed {
        if self.machine.holds_rule(rule) {
            self.on(Input::Command(Command::ResumeRule(rule.into())));
            return RuleResumed::Released;
        }
        let rules = self.machine.rules();
        if rules.named(rule).is_some() {
            return RuleResumed::NotHeld;
        }
        RuleResumed::Unknown { nearest: rules.nearest(rule).map(str::to_owned) }
    }

    fn arrived(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Connected { can_delay } => {
                self.publishes.clear();
                self.on(Input::Connected { can_delay });
            }
            Inbound::CanDelay(can_delay) => self.on(Input::CanDelay(can_delay)),
            Inbound::Kept(number) => {
                if let Some(receipt) = self.publishes.remove(&number) {
                    self.published(receipt, true);
                    self.on(Input::Kept { receipt });
                }
            }
            Inbound::KeptFirst(receipt) => self.again(receipt, true, |receipt| Input::KeptFirst { receipt }),
            Inbound::Refused(receipt) => self.again(receipt, false, |receipt| Input::Refused { receipt }),
            Inbound::Disconnected => self.on(Input::Disconnected),
            Inbound::Message(mut message, receipt) => {
                self.mind_connection();
                let (id, is_live) = (self.next_receipt, receipt.is_live());
                let bytes = message.body.len() + message.headers.bytes();
                self.next_receipt += 1;
                if is_live {
                    self.connection = Some(receipt.connection());
                }
                self.receipts.insert(id, receipt);
                self.trace(id, &mut message);
                aside(bytes, || self.on(Input::Message { receipt: id, message, is_live }));
            }
        }
    }

    /// A message that was answered for is to be answered for again.
    fn again(&mut self, receipt: Receipt, is_kept: bool, input: impl FnOnce(ReceiptId) -> Input) {
        if let Some(id) = self.publishes.remove(&receipt.number()) {
            self.receipts.insert(id, receipt);
            self.published(id, is_kept);
            self.on(input(id));
        }
    }

    /// A connection may be lost before word of it comes through the channel of messages.
    fn mind_connection(&mut self) {
        if self.connection.take_if(|connection| connection.is_lost()).is_some() {
            self.feed(Input::Disconnected);
        }
    }

    fn ended(&mut self, input: Option<Input>) {
        if let Some(input) = input {
            self.trace_end(&input);
            self.on(input);
        }
    }

    /// Nothing is begun for a connection that is gone: the machine hears of it first.
    fn on(&mut self, input: Input) {
        self.mind_connection();
        self.feed(input);
    }

    fn feed(&mut self, input: Input) {
        let now = Now { moment: self.clock.now(), epoch_ms: epoch_ms() };
        self.reporter.catch_up(now.moment);
        let effects = self.machine.on(input, now, fastrand::f64());
        self.wake = effects.wake;
        for effect in effects.list {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Tell(report) => self.tell(report),
            Effect::Want(wanted) => drop(self.wanted_prefetch.send_replace(wanted)),
            Effect::Settle { receipt, mut settlement } => {
                let Some(held) = self.receipts.remove(&receipt) else { return };
                self.settles(receipt, &mut settlement);
                if matches!(settlement, Settlement::DeadLetter(_) | Settlement::Tell(_) | Settlement::Delay(..)) {
                    self.publishes.insert(held.number(), receipt);
                }
                held.settle(settlement);
            }
            Effect::Create { event, request, is_repeat, claim } => {
                let client = self.client(event, Tracer::creates, &request.procedure);
                self.tasks.create(event, claim, async move {
                    if is_repeat { client.create_apart(&request).await } else { client.create(&request).await }
                });
            }
            Effect::Photo { event, photo, claim } => {
                let bringing_up = bring_up(self.uploader(event, &photo), self.fetcher.clone(), photo);
                self.tasks.photo(event, claim, bringing_up);
            }
            Effect::Record { id, record } => self.tasks.record(id, record),
            Effect::LookUp { event, lookup } => {
                let client = self.client(event, Tracer::looks_up, &lookup.procedure);
                self.tasks.send(Purpose::Event(event), async move { client.look_up(&lookup).await });
            }
            Effect::List { procedure } => {
                let (client, asked) = (self.client.clone(), procedure.clone());
                self.tasks.send(Purpose::List(procedure), async move { client.check_access(&asked).await });
            }
            Effect::Check { rule, lookup } => {
                let (client, asked) = (self.client.clone(), Arc::clone(&lookup));
                self.tasks.send(Purpose::Check(rule, lookup), async move { client.look_up(&asked).await });
            }
        }
    }

    fn show(&self) {
        let ramp = self.machine.ramp(self.clock.now()).unwrap_or(0);
        self.reporter.levels(self.machine.held(), self.machine.running(), self.tasks.len(), ramp);
        self.reporter.letters(self.machine.letters_waiting(self.clock.now()));
        self.reporter.outcomes(self.machine.outcomes_waiting());
        self.pulse.beat(Instant::now());
    }
}
