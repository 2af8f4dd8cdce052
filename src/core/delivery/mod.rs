//! The delivery machine: everything that decides between a message's arrival and its settlement, as one value.
//! [`Machine::on`] takes one input, the time and a random number, and says what is to be done.
//!
//! Not here: doing any of it. The dispatcher holds receipts, requests and timers, carries the effects out, and decides
//! nothing; the model in the tests drives this same machine by hand.

mod away;
mod begin;
mod brake;
mod checks;
mod claims;
mod commands;
mod company;
mod compares;
mod connection;
mod context;
mod copies;
mod crash;
mod delay;
mod doubt;
mod effect;
mod event;
mod held;
mod input;
mod lanes;
mod letters;
mod letters_state;
mod levels;
mod open;
mod others;
mod outcome;
mod outcomes;
mod photo_report;
mod photos;
mod places;
mod provenance;
mod publishes;
mod records;
mod release;
mod remembered;
mod repeats;
mod report;
mod settled;
mod setup;
mod shortage;
mod sources;
mod survived;
mod telling;
#[cfg(test)]
mod tests;
mod ticket;
mod told;
mod traced;
mod tries;
mod waiting;
mod walk;
mod windows;

use std::time::Duration;

pub use self::delay::DELAY_REASONS;
pub use self::effect::{Effect, Effects, WantedPrefetch};
pub use self::input::{Command, Input, Now, RecordId};
pub use self::photo_report::PhotoReport;
pub use self::report::{Doubt, Ended, GateReport, Report, Settled};
pub use self::settled::CameIn;
pub use self::setup::Setup;
pub use self::told::{CameBack, Delayed, FailedTry, LettersState, OutcomeTold, Place, Traced};

use self::away::Away;
use self::brake::Brakes;
use self::company::Company;
use self::connection::Connection;
use self::copies::Creates;
use self::doubt::Doubts;
use self::held::Held;
use self::others::Reused;
use self::outcomes::Outcomes;
use self::places::{Arrivals, Outstanding, Probed, Worked};
use self::publishes::Publishes;
use self::records::Records;
use self::sources::Sources;
use self::survived::Survived;
use self::tries::Redeliveries;
use self::waiting::WaitingMessages;
use self::windows::Windows;
use crate::core::gate::{Gate, Moment};
use crate::core::lookup_check::LookupChecks;
use crate::core::mapping::rules::Rule;
use crate::core::process::Procedure;
use crate::core::recent::Recent;
use crate::core::request_limits::RequestLimits;

/// The machine asks to be woken at least this often, so that standing still can be told from having nothing to do.
const TICK: Duration = Duration::from_secs(5);

/// The number of a receipt; the dispatcher gives each receipt its own, counting up.
pub type ReceiptId = u64;

/// The number of an event that the machine holds: that of the receipt it came with.
pub type EventId = u64;

/// See the head of this file.
#[derive(Debug)]
pub struct Machine {
    setup: Setup,
    gate: Gate,
    request_limits: RequestLimits,
    recent: Recent,
    creates: Creates,
    held: Held,
    lookup_checks: LookupChecks,
    probed: Probed,
    /// The procedure whose probe was refused just now.
    refused_probe: Option<Procedure>,
    worked: Worked,
    outstanding: Outstanding,
    arrivals: Arrivals,
    sources: Sources,
    /// Of events whose pictures are to be fetched, by their host, and of all others.
    source_arrivals: Arrivals,
    brakes: Brakes,
    reused: Reused,
    doubts: Doubts,
    windows: Windows,
    redeliveries: Redeliveries,
    publishes: Publishes,
    outcomes: Outcomes,
    waiting: WaitingMessages,
    records: Records,
    away: Away,
    /// Of the last claim.
    last_ticket: u64,
    company: Company,
    letters_state: LettersState,
    /// Whether events may go to more than one procedure.
    has_procedures: bool,
    connection: Connection,
    survived: Survived,
    wanted: WantedPrefetch,
    /// When it is next looked what has become old.
    next_round: Moment,
    is_draining: bool,
    now: Now,
    dice: f64,
    effects: Vec<Effect>,
}

impl Machine {
    /// A machine that holds nothing, its gate open.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self {
            gate: Gate::new(setup.gate, setup.policy.retry_after_max),
            request_limits: RequestLimits::new(setup.request_limits),
            recent: Recent::with_room(setup.repeats.memory),
            creates: Creates::default(),
            held: Held::default(),
            lookup_checks: LookupChecks::of(setup.rules.iter().filter_map(Rule::lookup_target)),
            probed: Probed::default(),
            refused_probe: None,
            worked: Worked::default(),
            outstanding: Outstanding::default(),
            arrivals: Arrivals::default(),
            sources: Sources::default(),
            source_arrivals: Arrivals::default(),
            brakes: Brakes::default(),
            reused: Reused::default(),
            doubts: Doubts::default(),
            windows: Windows::default(),
            redeliveries: Redeliveries::default(),
            publishes: Publishes::default(),
            outcomes: Outcomes::default(),
            waiting: WaitingMessages::default(),
            records: Records::default(),
            away: Away::default(),
            last_ticket: 0,
            company: Company::default(),
            letters_state: LettersState::Kept,
            has_procedures: setup.rules.has_procedures(),
            connection: Connection::default(),
            survived: Survived::default(),
            wanted: WantedPrefetch::Full,
            next_round: Moment::ZERO,
            is_draining: false,
            now: Now { moment: Moment::ZERO, epoch_ms: 0 },
            dice: 0.0,
            effects: Vec::new(),
            setup,
        }
    }

    /// Takes one input in. `dice` is a random number, 0.0 to 1.0, drawn anew for each input.
    pub fn on(&mut self, input: Input, now: Now, dice: f64) -> Effects {
        (self.now, self.dice) = (now, dice);
        match input {
            Input::Message { receipt, message, is_live } => self.arrived(receipt, *message, is_live),
            Input::Connected { can_delay } => self.connected(can_delay),
            Input::CanDelay(can_delay) => self.connection.can_delay = can_delay,
            Input::Disconnected => self.disconnected(),
            Input::Kept { receipt } => self.kept(receipt),
            Input::KeptFirst { receipt } => self.kept_first(receipt),
            Input::Refused { receipt } => self.refused(receipt),
            Input::Replied { event, reply, took, epoch } => {
                self.granted(event, epoch);
                self.replied(event, &reply, took);
            }
            Input::PhotoReplied { event, reply, took, epoch } => {
                self.granted(event, epoch);
                self.photo_replied(event, &reply, took);
            }
            Input::Withheld { event, claimed } => self.withheld(event, claimed),
            Input::Recorded { record, recorded } => self.recorded(record, recorded),
            Input::Panicked { event } => self.panicked(event),
            Input::Checked { rule, lookup, reply } => self.checked(&rule, &lookup, reply.as_ref()),
            Input::Listed { procedure, reply } => self.listed(&procedure, reply.as_ref()),
            Input::Command(command) => self.command(command),
            Input::Timer => {}
        }
        let wake = self.go_on();
        Effects { list: std::mem::take(&mut self.effects), wake }
    }

    /// After each input: delays what stands in the way of others, begins whatever may begin, and says when to come back.
    fn go_on(&mut self) -> Moment {
        if self.is_draining {
            self.give_back_idle();
            self.give_waiting_back(|| Ended::Requeued);
            self.give_publishes_back();
            self.give_outcomes_back();
            let tick = self.now.moment.saturating_add(TICK);
            return self.tell_records().map_or(tick, |told| told.min(tick));
        }
        self.held.wake(self.now.moment);
        self.wake_probes_of_sources();
        let told = self.tell_records();
        let reopened = self.reopen_what_may();
        let published = self.publish_again();
        let outcomes = self.tell_again();
        self.mind_prefetch();
        self.make_room();
        self.make_room_of_sources();
        let begun = self.begin_what_may();
        self.once_in_a_while();
        self.tell_windows();
        let checked = self.check_what_may();
        let lettered = self.mind_letters();
        self.tell_redeliveries();
        let tick = self.now.moment.saturating_add(TICK);
        let next = [begun, checked, published, reopened, lettered, told, self.held.next_due(), self.redeliveries.due()];
        let of_sources = self.sources.next_due(self.now.moment, self.least_of_source(), self.setup.photos);
        let next = next.into_iter().chain([of_sources, outcomes]);
        next.flatten().fold(tick, Moment::min)
    }

    /// What walks over all events is done once a tick.
    fn once_in_a_while(&mut self) {
        if self.now.moment >= self.next_round {
            self.next_round = self.now.moment.saturating_add(TICK);
            self.release_old();
            self.release_old_outcomes();
            self.forget_removed_rules();
        }
    }

    fn tell(&mut self, report: Report) {
        self.effects.push(Effect::Tell(report));
    }

    fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
}
