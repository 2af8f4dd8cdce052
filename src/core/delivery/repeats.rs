//! A producer that repeats itself: of the messages of one event that are held here one is sent, and the others follow it.
//!
//! Not here: what is known of an event that arrives (`open`), and copies that were looked up before the other's create (`copies`).
//!
//! What became of an event is remembered as it leaves (`core::recent`). So a message that is about to begin asks only for what was
//! heard of its event since it came.

use std::time::Duration;

use super::event::{HeldEvent, Stage};
use super::report::Ended;
use super::{EventId, Machine};
use crate::core::process_id::ProcessId;
use crate::core::recent::{Dead, Known};

/// A follower is woken when the one before it leaves, and looks by itself after this.
const FOLLOWS: Duration = Duration::from_secs(5);

/// What was heard of an event since it came here.
enum News {
    /// It is a process.
    Created(Option<String>),
    /// It is a dead letter, or it goes on elsewhere.
    Other,
}

impl Machine {
    /// Whether this event, about to begin, is not to: since it is a process or a dead letter already, since there is news of it, or
    /// since another message of it goes first.
    pub(super) fn minds_repeats(&mut self, id: EventId) -> bool {
        let Some(event) = self.held.get(id) else { return true };
        let Some(identity) = event.context.identity else { return false };
        let slot = self.recent.recall(identity).filter(|slot| slot.heard > event.heard);
        let news = slot.map(|slot| match &slot.known {
            Known::Created(process) => News::Created(process.as_ref().map(ProcessId::text)),
            Known::Dead(_) | Known::Underway(..) => News::Other,
        });
        match news {
            Some(News::Created(process)) => {
                let ended = event.context.done_before(process);
                self.end(id, ended);
                true
            }
            Some(News::Other) if self.goes_on(id) => true,
            Some(News::Other) | None => self.follows(id) || self.meets_others(id),
        }
    }

    /// Another message of it left here since this one came: its verdict is this one's too, or this one goes on from where that one
    /// stood, if that one knows more. Answers whether anything came of it.
    fn goes_on(&mut self, id: EventId) -> bool {
        let slot = self.held.get(id).and_then(|event| self.recent.recall(event.context.identity?));
        match slot.map(|slot| (&slot.known, slot.heard)) {
            Some((Known::Underway(progress, sent), heard)) => {
                return self.held.goes_on(id, heard, progress, sent.as_deref());
            }
            Some((Known::Dead(dead), _)) => {
                let dead = Dead::clone(dead);
                if let Some(event) = self.held.take(id) {
                    self.brakes.gave_up(event.context.rule(), id);
                    // What was sent for this one, here or by an earlier owner of its row, is no less in doubt for the other's verdict.
                    let sent = event.lookup.as_deref().filter(|_| event.progress.unsure_creates > 0);
                    let dead = dead.after((&event.progress, sent.cloned().map(Box::new)));
                    self.judged_before(event.context, dead.of_another(), &dead.progress, false);
                }
            }
            Some((Known::Created(_), _)) | None => return false,
        }
        true
    }

    /// Whether another message of the same event goes first: the one whose request is under way, or that came first. What is only
    /// looked up may go beside it.
    fn follows(&mut self, id: EventId) -> bool {
        let Some(event) = self.held.get(id).filter(|event| event.seeks().is_none()) else { return false };
        let goes_first = |other: &HeldEvent| (other.id < id || other.is_creating()) && event.is_one_with(other);
        if !self.held.copies(id).any(goes_first) {
            return false;
        }
        let until = self.now.moment.saturating_add(FOLLOWS);
        self.held.stage(id, Stage::Waiting(until));
        if let Some(event) = self.held.get_mut(id) {
            event.is_following = true;
        }
        true
    }
}

impl HeldEvent {
    /// Whether both, of one key, are messages of one event, or may be.
    fn is_one_with(&self, other: &Self) -> bool {
        self.context.identity == other.context.identity || self.context.compares.by_key()
    }

    /// Whether it waits for another message of its event.
    pub(super) fn waits_for_another(&self) -> bool {
        self.is_following && matches!(self.stage, Stage::Waiting(_))
    }
}

impl super::context::Context {
    /// How it ends if it is a process already: the broker delivered a copy of it, or a producer repeats itself.
    pub(super) fn done_before(&self, process: Option<String>) -> Ended {
        if self.is_new { Ended::Duplicate(process) } else { Ended::AlreadyCreated(process) }
    }
}
