//! Two messages of one key with different bodies: one event, if both make the same request and their key promises that; otherwise a
//! key that was used again.
//!
//! Not here: messages with equal bodies (`repeats`), and what keys promise (`mapping::repeats`, `core::policy`).
//!
//! CloudEvents are one event wherever source and id are equal, so that one whose request differs too is wrong. Message ids often name
//! an order, or restart at 1: there another body is another event, unless the rule says otherwise.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::compares::Compares;
use super::context::Context;
use super::report::Ended;
use super::{EventId, Machine};
use crate::core::event::{KeyOrigin, digest_of_request};
use crate::core::lookup::Lookup;
use crate::core::policy::OnReusedKey;
use crate::core::process_id::ProcessId;
use crate::core::progress::Progress;
use crate::core::reason::{Fault, Reason};
use crate::core::recent::Known;

/// The rules of which it was told that keys are used again: no more than there are.
#[derive(Debug, Default)]
pub(super) struct Reused(BTreeSet<Arc<str>>);

impl Reused {
    /// Whether it was not told of this rule before.
    pub(super) fn is_first(&mut self, rule: &Arc<str>) -> bool {
        self.0.insert(Arc::clone(rule))
    }
}

/// What another message of its key means for an event.
enum Meets {
    /// It is the same event, and a process.
    Same(Option<String>),
    /// It is the same event, and may have been created, where it was sent.
    Doubt(Box<Progress>, Option<Box<Lookup>>),
    /// It is another event, and a process.
    Other(Option<String>),
}

impl Machine {
    /// What an event is compared by.
    pub(super) fn compares(&self, context: &Context) -> Compares {
        let Some(key) = &context.key else { return Compares::default() };
        let is_cloud_event = key.origin == KeyOrigin::CloudEvents;
        let policy = self.setup.repeats;
        let on_reuse = if is_cloud_event { policy.cloud_events } else { policy.message_ids };
        let rule = context.rule.as_deref().and_then(|rule| self.setup.rules.named(rule));
        let same_request = is_cloud_event || rule.is_some_and(|rule| rule.takes_same_request());
        Compares { same_request, refuses: on_reuse == OnReusedKey::DeadLetter }
    }

    /// Whether an event about to be created is not to, since other messages of its key were here: each is asked about once.
    pub(super) fn meets_others(&mut self, id: EventId) -> bool {
        let met = self.met(id);
        let heard = self.recent.heard();
        let Some(event) = self.held.get_mut(id) else { return true };
        event.compared = heard;
        let context = &event.context;
        match met {
            None => return false,
            Some(Meets::Same(process)) => {
                let request = Some(event.request.digest());
                if let Some(identity) = context.identity {
                    self.recent.remember(identity, Known::created(process.as_deref()), context.rule.as_ref(), request);
                }
                let ended = context.done_before(process);
                self.end(id, ended);
            }
            Some(Meets::Doubt(progress, sent)) => {
                let heard = event.heard;
                return self.held.goes_on(id, heard, &progress, sent.as_deref());
            }
            Some(Meets::Other(process)) if context.compares.refuses => {
                self.end(id, Ended::DeadLettered(reused(process.as_deref())));
            }
            Some(Meets::Other(process)) => {
                self.tell_reused(id, process);
                return false;
            }
        }
        true
    }

    /// What the others of its key mean for it; of several, that it is the same event first.
    fn met(&self, id: EventId) -> Option<Meets> {
        let event = self.held.get(id).filter(|event| event.seeks().is_none() && !event.context.is_retry)?;
        let (compares, compared) = (event.context.compares, event.compared);
        let mut others = self.recent.others(event.context.identity?).filter(|slot| slot.heard > compared).peekable();
        others.peek()?;
        let request = compares.same_request.then(|| event.request.digest());
        let (mut doubt, mut other) = (None, None);
        for slot in others {
            match &slot.known {
                Known::Created(process) if request.is_some() && slot.request == request => {
                    return Some(Meets::Same(process.as_ref().map(ProcessId::text)));
                }
                Known::Created(process) => other = Some(Meets::Other(process.as_ref().map(ProcessId::text))),
                Known::Dead(dead) if compares.same_request && dead.progress.unsure_creates > 0 => {
                    doubt = Some(Meets::Doubt(Box::new(dead.progress.retried()), dead.sent.clone()));
                }
                Known::Underway(progress, sent) if compares.same_request && progress.unsure_creates > 0 => {
                    doubt = Some(Meets::Doubt(progress.clone(), sent.clone()));
                }
                Known::Dead(_) | Known::Underway(..) => {}
            }
        }
        other.or(doubt)
    }
}

impl Context {
    /// A digest of its request, where others of its key may be asked for theirs.
    pub(super) fn digest_of_request(&self) -> Option<u64> {
        self.request.as_ref().filter(|_| self.compares.same_request).map(|request| request.digest())
    }
}

impl crate::core::process::CreateProcess {
    /// A digest of what it asks for.
    pub(super) fn digest(&self) -> u64 {
        // A photo is told by where it comes from: what it is uploaded under also tells the rule.
        self.photos.digest().unwrap_or_else(|| digest_of_request(self.procedure.as_str(), &self.body))
    }
}

pub(super) fn reused(process: Option<&str>) -> Fault {
    let process = process.map_or_else(|| "a process".to_owned(), |process| format!("the process {process}"));
    let text = format!(
        "another event had its key, with another body and another request, and is {process}: the producer must give each \
         event a key of its own"
    );
    Fault::new(Reason::KeyReused, text)
}
