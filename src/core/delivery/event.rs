//! One event that the machine holds: what it asks next, and what the answer means for it.
//!
//! Not here: which of many goes first (`held`, `lanes`), and the walk itself (`walk`).

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use super::{EventId, ReceiptId};
use crate::core::gate::{Moment, Probe};
use crate::core::lookup::Lookup;
use crate::core::process::{CreateProcess, Procedure};
use crate::core::progress::{Next, Progress};

use super::context::Context;
use super::provenance::Provenance;
use super::report::Doubt;

/// What an event is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It may begin as soon as the gate lets it.
    Ready,
    /// It waits until this moment.
    Waiting(Moment),
    /// Its request is under way.
    Running {
        /// What of the gate it probes.
        probe: Probe,
        /// Since when.
        began: Moment,
    },
}

/// One event.
#[derive(Debug)]
pub(super) struct HeldEvent {
    pub(super) id: EventId,
    pub(super) context: Context,
    pub(super) request: Arc<CreateProcess>,
    /// Where it is looked up, if it can be.
    pub(super) lookup: Option<Arc<Lookup>>,
    pub(super) progress: Progress,
    pub(super) provenance: Provenance,
    /// When it probed last, in epoch milliseconds; 0 for never.
    pub(super) probed_ms: u64,
    /// When it was looked up last.
    pub(super) looked_up: Option<Moment>,
    /// Whether a photo of it was begun since.
    pub(super) has_begun_photo: bool,
    /// Whether it was looked up again for what had passed since.
    pub(super) is_looked_up_anew: bool,
    /// Whether it was counted among those that wait for the window of their lookup.
    pub(super) is_in_window: bool,
    /// How long the gate had been open when it arrived: its age counts from here.
    pub(super) open_time: Duration,
    /// How often no descriptor was left for its request.
    pub(super) shortages: u32,
    /// What was heard of its event up to this number it knows.
    pub(super) heard: u64,
    /// With what was heard up to this number it was compared.
    pub(super) compared: u64,
    /// Whether it waits for another message of its event.
    pub(super) is_following: bool,
    /// Whether it waits for the ledger to answer.
    pub(super) awaits_ledger: bool,
    /// Until when time has been told to its progress.
    told: Moment,
    pub(super) stage: Stage,
}

/// The order of probes: what was never asked in vain, or longest ago; those that look before those that create; the fewest creates
/// of unknown outcome; the newest: what is refused for its own words was there before.
pub(super) type ProbeOrder = (u64, bool, u32, Reverse<EventId>);

impl HeldEvent {
    /// One that has just arrived, its time counted from then.
    pub(super) fn new(
        context: Context,
        request: Arc<CreateProcess>,
        lookup: Option<Arc<Lookup>>,
        progress: Progress,
        redelivered: bool,
    ) -> Self {
        let provenance = Provenance::of(&progress, redelivered, lookup.is_some());
        let (told, open_time, stage) = (context.received, Duration::ZERO, Stage::Ready);
        let (id, probed_ms, looked_up) = (context.receipt, 0, None);
        // It was looked for before it went to a delay queue.
        let is_in_window = !redelivered && progress.lookups > 0;
        Self {
            id,
            context,
            request,
            lookup,
            progress,
            provenance,
            probed_ms,
            looked_up,
            has_begun_photo: false,
            is_looked_up_anew: false,
            is_in_window,
            open_time,
            shortages: 0,
            heard: 0,
            compared: 0,
            is_following: false,
            awaits_ledger: false,
            told,
            stage,
        }
    }

    /// Where it looks next, if a lookup is next.
    pub(super) fn seeks(&self) -> Option<&Arc<Lookup>> {
        self.lookup.as_ref().filter(|_| self.progress.next == Next::Lookup)
    }

    /// The procedure that its next request goes to.
    pub(super) fn procedure(&self) -> &Procedure {
        if self.photo().is_some() {
            return Procedure::uploads();
        }
        self.seeks().map_or(&self.request.procedure, |lookup| &lookup.procedure)
    }

    /// How often it was tried before, for the limits of requests. A lookup is a try again, unless nothing was ever sent: what waited
    /// for a shut gate must not be held to the budget of retries.
    pub(super) fn tries(&self) -> u32 {
        if self.photo().is_some() {
            return self.progress.photos.tries;
        }
        let Progress { attempts, unsure_creates, lookups, since_create, .. } = &self.progress;
        let was_never_sent = *attempts == 0 && *unsure_creates == 0 && *lookups == 0 && since_create.is_none();
        (*attempts).max(u32::from(self.seeks().is_some() && !was_never_sent))
    }

    pub(super) fn probe_order(&self) -> ProbeOrder {
        let asked_ms = self.progress.refused_ms.max(self.progress.unsure_ms).max(self.probed_ms);
        (asked_ms, self.seeks().is_none(), self.progress.unsure_creates, Reverse(self.id))
    }

    /// It goes on as if it had come out of a delay queue.
    pub(super) fn came_back(&mut self) {
        let can_look_up = self.lookup.is_some();
        self.progress = Progress::opened(Some(std::mem::take(&mut self.progress)), false, can_look_up);
        self.provenance = Provenance::of(&self.progress, false, can_look_up);
    }

    /// Whether another message of its event sent, or may have sent, what it does not know of.
    pub(super) fn is_behind(&self, other: &Progress) -> bool {
        let is_doubt = self.progress.since_create.is_none() && other.since_create.is_some();
        self.progress.lacks(other) || is_doubt
    }

    /// It goes on from where another message of its event stood, as if it had come out of a delay queue.
    pub(super) fn goes_on_from(&mut self, other: &Progress, sent: Option<&Lookup>) {
        if let Some(sent) = sent {
            self.lookup = Some(Arc::new(sent.clone()));
        }
        self.progress = std::mem::take(&mut self.progress).joined(other);
        let was = self.provenance;
        self.came_back();
        self.provenance = self.provenance.or(was);
        self.leave_photos_out();
    }

    /// A lookup did not find it, and its create is next: at its next turn, not after the turns of all others. By then it would be looked
    /// up again, for ever.
    pub(super) fn is_not_found(&mut self) {
        self.provenance.cleared();
        self.probed_ms = 0;
    }

    /// It looks before anything else, if it can be looked up at the procedure that it asks.
    pub(super) fn look_up_first(&mut self) {
        if self.lookup.as_ref().is_some_and(|lookup| lookup.procedure == self.request.procedure) {
            self.progress.next = Next::Lookup;
        }
    }

    /// Its create goes out: from now on it is looked up where that one goes. It was elsewhere if it came back to other rules
    /// than it was sent by, and was not found there.
    pub(super) fn goes_out(&mut self) {
        let own = self.request.lookup.as_ref();
        if self.seeks().is_none() && self.lookup.as_deref() != own {
            self.lookup = own.cloned().map(Arc::new);
        }
    }

    /// Whether it is about to create what another copy of it may be creating: one that can be looked up, so that its key
    /// names one process.
    pub(super) fn may_have_copies(&self) -> bool {
        self.provenance.is_copy() && self.lookup.is_some() && self.seeks().is_none()
    }

    /// Why its next request may make a second process; said once.
    pub(super) fn doubt(&mut self) -> Option<Doubt> {
        if self.seeks().is_some() {
            return None;
        }
        let is_doubtful = self.provenance.announced();
        let doubt = match (self.progress.may_double(), self.progress.lookups) {
            (true, 0) => Doubt::Resent,
            (true, _) => Doubt::Absent,
            (false, _) => return is_doubtful.then_some(Doubt::Redelivered),
        };
        let said = Some((self.progress.unsure_creates, doubt));
        let claim = &mut self.context.claim;
        // What was not let create since the same was said says it no second time.
        let is_said = claim.is_used && std::mem::replace(&mut claim.announced, said) == said;
        (!is_said).then_some(doubt)
    }

    /// A copy takes the place of this one, whose connection died under its request. Another replica may have had it
    /// meanwhile: it is looked up before it is sent again, or that is announced.
    pub(super) fn adopted(&mut self, receipt: ReceiptId, now: Moment) {
        (self.context.receipt, self.context.is_live) = (receipt, true);
        self.told = now;
        if self.context.claim.is_used {
            // Nobody else can have had it meanwhile, or its next claim tells.
            return;
        }
        self.provenance = Provenance::ADOPTED;
        self.progress.since_create = Some(Duration::ZERO);
    }

    /// How long its lookups may still go on without finding it.
    pub(super) fn window_left(&self, window: Duration, now: Moment) -> Duration {
        let passed = now.saturating_sub(self.told);
        self.progress.since_create.map_or(Duration::ZERO, |since| window.saturating_sub(since.saturating_add(passed)))
    }

    /// Tells its progress that time has passed.
    pub(super) fn pass_time(&mut self, now: Moment) {
        self.progress.passed(now.saturating_sub(self.told));
        self.told = now;
    }

    /// What of the gate its request probes; nothing while none is under way.
    pub(super) fn probe(&self) -> Probe {
        match self.stage {
            Stage::Running { probe, .. } => probe,
            Stage::Ready | Stage::Waiting(_) => Probe::default(),
        }
    }

    /// Whether its create is under way.
    pub(super) fn is_creating(&self) -> bool {
        self.is_running() && self.seeks().is_none()
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Running { .. })
    }
}
