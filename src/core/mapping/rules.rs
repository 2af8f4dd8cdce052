//! All rules, in their order: the first that matches an event makes its request.
//!
//! Not here: how one rule is compiled (`compile`) or fills its fields (`request`), and why each matched or not (`considered`).

use std::sync::Arc;

use super::expression::Seen;
use super::rule::Does;
use super::schemas::Schemas;
use super::scope::Scope;
use super::written::WrittenRule;
use super::{compile, names, order};
use crate::core::bounds::Bounds;
use crate::core::event::Event;
use crate::core::mistake::Mistake;
use crate::core::reason::{Fault, Reason};

pub use super::mapped::{Mapped, Unmapped};
pub use super::rule::Rule;

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
