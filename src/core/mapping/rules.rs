//! All rules, in their order: the first that matches an event makes its request.
//!
//! Not here: how one rule is compiled (`compile`) or fills its fields (`request`), and why each matched or not (`considered`).

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;
use wildmatch::WildMatch;

use super::answer::{Budget, Refusal, kind_of_json};
use super::expression::{Expression, Given, Seen};
use super::fields::{self, Field};
use super::path::Scope;
use super::place::Label;
use super::request::Request;
use super::schemas::Schemas;
use super::written::WrittenRule;
use super::{compile, names, order};
use crate::core::bounds::Bounds;
use crate::core::event::Event;
use crate::core::lookup_check::LookupTarget;
use crate::core::mistake::Mistake;
use crate::core::reason::{Fault, Reason};

pub use super::mapped::{Mapped, Unmapped};

/// How much of an event's type a fault repeats, in characters.
const KIND_CHARS_MAX: usize = 200;

/// Compiled rules, in their order, and what the procedures ask of their requests. Owned as a whole: a reload drops the
/// old ones.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    list: Vec<Rule>,
    expressions: usize,
    schemas: Schemas,
}

/// One compiled rule.
#[derive(Clone)]
pub struct Rule {
    pub(super) name: Arc<str>,
    pub(super) kinds: Vec<WildMatch>,
    pub(super) when: Option<(Label, Expression)>,
    pub(super) procedure: Option<String>,
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
    fn writes(&self, name: &str) -> bool {
        self.fields().iter().any(|field| field.holds(name))
    }

    pub(super) fn takes(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|glob| glob.matches(kind))
    }

    pub(super) fn holds(&self, scope: Scope<'_>) -> Result<bool, Refusal> {
        let Some((label, when)) = &self.when else { return Ok(true) };
        let kind = match when.run(scope, &mut Budget::of_one()).map_err(|refusal| refusal.of(label))? {
            Given::Value(Json::Bool(truth)) => return Ok(truth),
            Given::Value(other) => kind_of_json(&other),
            Given::Omit => "`omit`",
        };
        Err(Refusal(format!("`{when:?}` is {kind}, not true or false")).of(label))
    }

    /// Does this with each of its expressions.
    fn each(&mut self, does: &mut impl FnMut(&mut Label, &mut Expression)) {
        self.when.iter_mut().for_each(|(label, when)| does(label, when));
        if let Does::Create(request) = &mut self.does {
            request.each(does);
        }
    }

    fn unmapped(&self, reason: Reason, words: &impl fmt::Display) -> Unmapped {
        let fault = Fault::new(reason, format!("rule {:?}, {words}", self.name));
        Unmapped { rule: Some(Arc::clone(&self.name)), fault }
    }
}

impl Rules {
    /// Compiles rules.
    ///
    /// # Errors
    /// Every mistake of every rule, in the order of the file.
    pub fn compile(written: &[WrittenRule]) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut seen = Seen::new();
        let compiled = written.iter().map(|rule| {
            let mut rule = compile::rule(rule, &mut mistakes);
            rule.each(&mut |_, expression| expression.share(&mut seen));
            rule
        });
        let rules = compiled.collect();
        order::check(written, &mut mistakes);
        mistakes.sort_by_key(|mistake| mistake.span.as_ref().map(|span| span.start));
        if mistakes.is_empty() {
            Ok(Self { list: rules, expressions: seen.len(), schemas: Schemas::default() })
        } else {
            Err(mistakes)
        }
    }

    /// The same rules, whose requests must pass these schemas.
    #[must_use]
    pub fn with(self, schemas: Schemas) -> Self {
        Self { schemas, ..self }
    }

    /// What the procedures ask.
    #[must_use]
    pub fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    /// How many different expressions they have that are more than a path.
    #[must_use]
    pub fn expressions(&self) -> usize {
        self.expressions
    }

    /// The same, with the line of each expression in what its faults say. `line` tells the line of a byte of the file.
    #[must_use]
    pub fn located(mut self, line: impl Fn(usize) -> usize) -> Self {
        self.list.iter_mut().for_each(|rule| rule.each(&mut |label, _| label.locate(&line)));
        self
    }

    /// Whether events may go to more than one procedure.
    #[must_use]
    pub fn has_procedures(&self) -> bool {
        let mut procedures = self.list.iter().filter_map(|rule| rule.procedure.as_deref());
        let first = procedures.next();
        let is_named_by_events = self.list.iter().any(|rule| !rule.is_skip() && !rule.procedure_is_literal());
        is_named_by_events || procedures.any(|procedure| Some(procedure) != first)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.list.iter().map(Rule::name)
    }

    /// The rules, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Rule> {
        self.list.iter()
    }

    /// The rule of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Rule> {
        self.list.iter().find(|rule| &*rule.name == name)
    }

    /// The name of a rule that this one was most likely meant to be.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&str> {
        let known: Vec<&str> = self.names().map(|name| &**name).collect();
        names::nearest(name, &known)
    }

    /// The names of the rules that create, in order.
    pub fn creating(&self) -> impl Iterator<Item = &str> {
        self.list.iter().filter(|rule| !rule.is_skip()).map(|rule| &*rule.name)
    }
}

impl<'a> IntoIterator for &'a Rules {
    type Item = &'a Rule;
    type IntoIter = std::slice::Iter<'a, Rule>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What the first rule that matches makes of an event.
///
/// # Errors
/// [`Reason::NoRule`] if none matches; [`Reason::Unmappable`], with rule, field and path, if `when` is neither
/// true nor false or fields cannot be filled, all of them within bounds; [`Reason::Schema`], with the attributes, if its
/// procedure asks for another shape. The text never holds a value of the event.
pub fn map(event: &Event, rules: &Rules, bounds: Bounds) -> Result<Mapped, Unmapped> {
    let scope = Scope::of(event);
    for rule in rules.iter().filter(|rule| rule.takes(&event.kind)) {
        if rule.holds(scope).map_err(|refusal| rule.unmapped(Reason::Unmappable, &refusal))? {
            return apply(rule, scope, &rules.schemas, bounds);
        }
    }
    let kind: String = event.kind.chars().take(KIND_CHARS_MAX).collect();
    let fault = Fault::new(Reason::NoRule, format!("no rule matches an event of type {kind:?}"));
    Err(Unmapped { rule: None, fault })
}

/// The rule that [`map`] takes for an event, or whose `when` it failed at; none if none matches.
#[must_use]
pub fn taker<'r>(event: &Event, rules: &'r Rules) -> Option<&'r Rule> {
    let mut fitting = rules.iter().filter(|rule| rule.takes(&event.kind));
    fitting.find(|rule| rule.holds(Scope::of(event)).unwrap_or(true))
}

fn apply(rule: &Rule, scope: Scope<'_>, schemas: &Schemas, bounds: Bounds) -> Result<Mapped, Unmapped> {
    let name = Arc::clone(&rule.name);
    let Does::Create(request) = &rule.does else { return Ok(Mapped::Skip { rule: name }) };
    let unmappable = |refusal| rule.unmapped(Reason::Unmappable, &refusal);
    let (head, content) = request.make(scope, bounds).map_err(unmappable)?;
    if let Some(words) = schemas.refuse(&head.procedure, &content, |name| rule.writes(name)) {
        let words = format!("{words}; correct the event, the rule or the schema");
        return Err(rule.unmapped(Reason::Schema, &words));
    }
    let request = head.with(content.body(bounds.max_request).map_err(unmappable)?);
    Ok(Mapped::Create { rule: name, request, content })
}
