//! One rule that runs: what it takes, and what it does.
//!
//! Not here: how it is compiled (`compile`), and which of many takes an event (`rules`).

use std::fmt;
use std::sync::Arc;

use wildmatch::WildMatch;

use super::answer::{Budget, Refusal};
use super::expression::Expression;
use super::fields::{self, Field};
use super::mapped::Unmapped;
use super::place::Label;
use super::repeats::{Keys, Repeats};
use super::request::Request;
use super::scope::Scope;
use crate::core::event::KeyOrigin;
use crate::core::lookup_check::LookupTarget;
use crate::core::outcome::OutcomeKinds;
use crate::core::reason::{Fault, Reason};

/// One compiled rule.
#[derive(Clone)]
pub struct Rule {
    pub(super) name: Arc<str>,
    pub(super) kinds: Vec<WildMatch>,
    pub(super) when: Option<(Label, Expression)>,
    pub(super) procedure: Option<String>,
    pub(super) repeats: Repeats,
    pub(super) outcomes: Option<OutcomeKinds>,
    pub(super) does: Does,
}

/// What a rule does.
#[derive(Clone)]
pub(super) enum Does {
    /// Creates nothing.
    Skip,
    /// Makes this request.
    Create(Box<Request>),
}

impl fmt::Debug for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Rule").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Rule {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The attribute in `data` that carries the event's key, if the rule names one.
    #[must_use]
    pub fn reconcile_by(&self) -> Option<&str> {
        match &self.does {
            Does::Create(request) => request.reconcile_by.as_deref(),
            Does::Skip => None,
        }
    }

    /// Whether two messages of one key that make the same request are one event, whatever else is in them.
    #[must_use]
    pub fn takes_same_request(&self) -> bool {
        self.repeats.same_request
    }

    /// Which outcomes of its events are told, if it says so itself.
    #[must_use]
    pub fn outcomes(&self) -> Option<OutcomeKinds> {
        self.outcomes
    }

    /// Whether an event with a key of this origin is looked up before its first create.
    #[must_use]
    pub fn looks_first(&self, origin: KeyOrigin) -> bool {
        match self.repeats.looks_first {
            None => false,
            Some(Keys::CloudEvents) => origin == KeyOrigin::CloudEvents,
            Some(Keys::Unique) => origin.identifies(),
        }
    }

    /// What it looks its events up by, if it names an attribute.
    #[must_use]
    pub fn lookup_target(&self) -> Option<LookupTarget> {
        let attribute = self.reconcile_by()?.to_owned();
        let procedure = self.procedure.clone().filter(|_| self.procedure_is_literal());
        Some(LookupTarget { rule: Arc::clone(&self.name), procedure, attribute })
    }

    /// The procedure as it was written, expressions and all; none where the rule skips.
    #[must_use]
    pub fn procedure(&self) -> Option<&str> {
        self.procedure.as_deref()
    }

    /// Whether every event of this rule goes to one procedure, which [`Rule::procedure`] names.
    #[must_use]
    pub fn procedure_is_literal(&self) -> bool {
        matches!(&self.does, Does::Create(request) if request.procedure.is_literal())
    }

    /// Whether it makes photos, and whether any of them is to be fetched.
    #[must_use]
    pub fn photos(&self) -> (bool, bool) {
        match &self.does {
            Does::Create(request) => (!request.photos.is_empty(), request.photos.fetches()),
            Does::Skip => (false, false),
        }
    }

    /// Whether it acknowledges its events and creates nothing.
    #[must_use]
    pub fn is_skip(&self) -> bool {
        matches!(self.does, Does::Skip)
    }

    /// The fields that it writes, each in every request unless it is left out.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        match &self.does {
            Does::Create(request) => fields::of(request),
            Does::Skip => Vec::new(),
        }
    }

    /// Whether one of its fields has this name in its path: it is a word of the rule, and not of an event.
    pub(super) fn writes(&self, name: &str) -> bool {
        self.fields().iter().any(|field| field.holds(name))
    }

    pub(super) fn takes(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|glob| glob.matches(kind))
    }

    pub(super) fn holds(&self, scope: Scope<'_>) -> Result<bool, Refusal> {
        let Some((label, when)) = &self.when else { return Ok(true) };
        when.holds(scope, &mut Budget::of_one()).map_err(|refusal| refusal.of(label))
    }

    /// Does this with each of its expressions.
    pub(super) fn each(&mut self, does: &mut impl FnMut(&mut Label, &mut Expression)) {
        self.when.iter_mut().for_each(|(label, when)| does(label, when));
        if let Does::Create(request) = &mut self.does {
            request.each(does);
        }
    }

    pub(super) fn unmapped(&self, reason: Reason, words: &impl fmt::Display) -> Unmapped {
        let fault = Fault::new(reason, format!("rule {:?}, {words}", self.name));
        Unmapped { rule: Some(Arc::clone(&self.name)), fault }
    }
}
