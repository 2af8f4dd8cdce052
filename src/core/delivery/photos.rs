//! Photos first, then the create: what an event asks while a photo of it is not up, and what follows from that.
//!
//! Not here: fetching and uploading (`crate::photos`, `chakra`), what an answer means (`core::photo`), and the hosts (`sources`).
//!
//! Where there is a ledger, the row is claimed before the first photo: what is a process already has all that it needs.

use std::sync::Arc;
use std::time::Duration;

use super::event::{HeldEvent, Stage};
use super::photo_report::PhotoReport;
use super::report::{Ended, Report};
use super::sources::Said;
use super::{Effect, EventId, Machine};
use crate::core::gate::Seen;
use crate::core::judge::Judgement;
use crate::core::photo::{Missed, Photo, PhotoReply, judge_upload};
use crate::core::process::Procedure;
use crate::core::progress::{PhotoStep, StepContext};
use crate::core::reason::Fault;
use crate::core::reason::Reason;
use crate::core::reply::Reply;
use crate::core::request_limits::Try;

impl HeldEvent {
    /// The photo that is to be brought up next; none where all that its request names are there, and while it is looked up.
    pub(super) fn photo(&self) -> Option<&Arc<Photo>> {
        if self.request.photos.is_empty() || self.seeks().is_some() {
            return None;
        }
        self.request.photos.iter().find(|photo| !self.progress.photos.has(photo.id))
    }

    /// The host that its next photo comes from.
    pub(super) fn source(&self) -> Option<Arc<str>> {
        self.photo()?.source.host().map(Arc::from)
    }

    /// What it goes without is not in its request.
    pub(super) fn leave_photos_out(&mut self) {
        if self.request.photos.is_empty() {
            return;
        }
        for id in &self.progress.photos.without {
            if self.request.photos.iter().any(|photo| photo.id == *id) {
                self.request = Arc::new(self.request.without(*id));
            }
        }
    }
}

impl Machine {
    /// Begins to bring the next photo of an event up, or lets it wait for that; answers false where every photo of it is up.
    pub(super) fn begins_photo(&mut self, id: EventId) -> bool {
        if self.held.get(id).is_none_or(|event| event.photo().is_none()) {
            return false;
        }
        if self.waits_for_its_source(id) {
            return true;
        }
        let now = self.now.moment;
        let Some(event) = self.held.get_mut(id) else { return true };
        let Some(photo) = event.photo().cloned() else { return true };
        event.has_begun_photo = true;
        let tries = event.tries();
        let probe = self.gate.begun(Procedure::uploads(), now);
        self.request_limits.take(Try::of(tries, probe.asks()), now);
        if let Some(host) = event.source() {
            self.sources.begun(&host, id, now);
        }
        let claim = if event.context.claim.epoch.is_none() {
            event.claims_without_sending(&mut self.last_ticket)
        } else {
            None
        };
        if claim.is_some() {
            self.away.asks(now);
        }
        if probe.asks() {
            event.probed_ms = self.now.epoch_ms;
            self.tell(Report::Probe);
        }
        self.held.stage(id, Stage::Running { probe, began: now });
        self.push(Effect::Photo { event: id, photo, claim });
        true
    }

    /// A try to bring a photo of an event up has ended: judge, decide, and go on, wait or settle.
    pub(super) fn photo_replied(&mut self, id: EventId, reply: &PhotoReply, took: Duration) {
        let Some(photo) = self.held.get(id).and_then(|event| event.photo().cloned()) else { return };
        self.source_said(id, said(reply));
        let (outcome, asked) = match reply {
            PhotoReply::Missed(missed) => (outcome_of(missed), None),
            PhotoReply::Asked { reply, .. } if reply.is_for_want_of_descriptors() => {
                return self.short_of_descriptors(id, reply, took);
            }
            PhotoReply::Asked { reply, bytes } => (judge_upload(reply), Some((reply, *bytes))),
        };
        self.tell_photo(reply, &outcome, took);
        let Some(event) = self.held.get(id) else { return };
        let probe = event.probe();
        match asked {
            Some((reply, _)) => {
                let procedure = Procedure::uploads();
                let has_others = self.may_have_others(procedure);
                let seen = Seen { procedure, event: id, outcome: &outcome, probe, is_alone: false, has_others };
                let changes = self.gate.observe(&seen, self.now.moment, self.dice);
                self.tell_gate(changes, Some(reply));
            }
            // The API was not asked.
            None => self.gate.lost(Procedure::uploads(), probe),
        }
        let status = asked.and_then(|(reply, _)| reply.status());
        let tried = self.photo_tried(id, &photo, &outcome, reply);
        let Some(event) = self.held.get_mut(id) else { return };
        event.progress.status = status.or(event.progress.status);
        let now = self.now.moment;
        let open = self.gate.open_time(&event.request.procedure, now).saturating_sub(event.open_time);
        let age = event.context.state.age.saturating_add(open);
        let is_probe = probe.asks() && asked.is_some();
        let at = StepContext { is_probe, can_look_up: false, age, dice: self.dice, refusal: None };
        match event.progress.photo_step(&photo, &outcome, at, &self.setup.policy) {
            PhotoStep::Next => return self.wait(id, Duration::ZERO, Duration::ZERO),
            PhotoStep::Without(reason) => return self.goes_without(id, &photo, reason),
            PhotoStep::Wait(delay) => self.wait(id, delay, delay),
            PhotoStep::Hold => self.wait(id, Duration::ZERO, Duration::ZERO),
            PhotoStep::Dead(fault) if !self.is_dead(id, &fault) => {}
            PhotoStep::Dead(fault) => self.end(id, Ended::DeadLettered(fault)),
        }
        self.tell_try(id, tried);
    }

    /// A picture cannot be had, and the rule does without it: the request names it no longer.
    fn goes_without(&mut self, id: EventId, photo: &Photo, reason: Reason) {
        let Some(event) = self.held.get_mut(id) else { return };
        event.leave_photos_out();
        let (key, rule, trace) = (event.context.key.clone(), event.context.rule.clone(), event.context.trace_id());
        let host = photo.source.host().map(str::to_owned);
        let (photo, reason) = (Arc::clone(&photo.name), reason.as_str());
        self.tell(Report::Photos(PhotoReport::LeftOut { key, rule, trace, photo, host, reason }));
        self.wait(id, Duration::ZERO, Duration::ZERO);
    }

    fn tell_photo(&mut self, reply: &PhotoReply, outcome: &Judgement, took: Duration) {
        let (word, bytes) = match reply {
            PhotoReply::Missed(missed) => (missed.as_str(), 0),
            PhotoReply::Asked { reply, bytes } => {
                self.tell(Report::Answered { outcome: outcome.as_str(), status: reply.status(), took });
                let is_up = matches!(outcome, Judgement::Created { .. });
                (if is_up { "up" } else { outcome.as_str() }, if is_up { *bytes } else { 0 })
            }
        };
        self.tell(Report::Photos(PhotoReport::Tried { outcome: word, bytes, took }));
    }
}

/// What a try says of the host that the picture comes from.
fn said(reply: &PhotoReply) -> Said<'_> {
    match reply {
        // It was not asked.
        PhotoReply::Missed(Missed::NotAllowed(_)) => Said::Nothing,
        PhotoReply::Missed(missed @ Missed::Failed { after, .. }) => Said::Failed(missed, *after),
        PhotoReply::Missed(_) | PhotoReply::Asked { reply: Reply::Response(_), .. } => Said::Good,
        PhotoReply::Asked { .. } => Said::Nothing,
    }
}

/// What it means for the event that a picture could not be had.
fn outcome_of(missed: &Missed) -> Judgement {
    match (missed.fault(), missed) {
        (Some((reason, text)), _) => Judgement::Reject(Fault::new(reason, text)),
        (None, Missed::Failed { cause, after, .. }) => Judgement::Retry { cause: *cause, after: *after },
        (None, _) => Judgement::Reject(Fault::new(Reason::PhotoDenied, "it cannot be had")),
    }
}
