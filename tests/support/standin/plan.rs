//! Draws the fault of each request from the plan, and counts for it.
//!
//! Not here: what a fault does.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::faults::{Fault, On, Rule};

/// What a rule looks at.
pub struct Visit<'a> {
    /// Create or list.
    pub on: On,
    /// The procedure in the path.
    pub procedure: &'a str,
    /// `data` of a create, `where` of a list.
    pub attributes: Option<&'a Map<String, Value>>,
    /// The event, for `times`.
    pub event: u64,
}

/// What the plan has for one request.
#[derive(Default)]
pub struct Drawn {
    /// How long to wait first.
    pub delay: Duration,
    /// What to do then.
    pub fault: Option<Fault>,
    /// Whether to create all the same, where the rule says.
    pub applied: Option<bool>,
}

/// The rules in force, with what they have counted.
#[derive(Default)]
pub struct Plan(Vec<Counted>);

struct Counted {
    rule: Rule,
    seen: u64,
    tries: HashMap<u64, u64>,
}

impl Plan {
    /// A plan of these rules, nothing counted.
    pub fn new(rules: Vec<Rule>) -> Self {
        let mut plan = Self::default();
        rules.into_iter().for_each(|rule| plan.add(rule));
        plan
    }

    /// Adds a rule behind the others.
    pub fn add(&mut self, rule: Rule) {
        self.0.push(Counted { rule, seen: 0, tries: HashMap::new() });
    }

    /// The first rule that takes the request plays its fault; delays add up on the way to it.
    pub fn draw(&mut self, visit: &Visit) -> Drawn {
        let mut drawn = Drawn::default();
        for counted in &mut self.0 {
            if !counted.takes(visit) {
                continue;
            }
            match &counted.rule.fault {
                Fault::Delay { ms } => drawn.delay += Duration::from_millis(*ms),
                fault => {
                    return Drawn { fault: Some(fault.clone()), applied: counted.rule.applied, ..drawn };
                }
            }
        }
        drawn
    }
}

impl Counted {
    fn takes(&mut self, visit: &Visit) -> bool {
        if !fits(&self.rule, visit) {
            return false;
        }
        self.seen += 1;
        self.is_turn() && self.has_tries_left(visit.event)
    }

    fn is_turn(&self) -> bool {
        let rule = &self.rule;
        rule.nth.is_none_or(|nth| self.seen == nth)
            && rule.every.is_none_or(|every| every > 0 && self.seen.is_multiple_of(every))
            && rule.first.is_none_or(|first| self.seen <= first)
    }

    fn has_tries_left(&mut self, event: u64) -> bool {
        let Some(times) = self.rule.times else { return true };
        let tries = self.tries.entry(event).or_default();
        *tries += 1;
        *tries <= times
    }
}

fn fits(rule: &Rule, visit: &Visit) -> bool {
    let value = |name: &String| visit.attributes.and_then(|attributes| attributes.get(name));
    (rule.on == On::Any || rule.on == visit.on)
        && rule.procedure.as_deref().is_none_or(|procedure| procedure == visit.procedure)
        && rule.attribute.as_ref().is_none_or(|name| value(name).is_some())
        && rule.value.as_ref().is_none_or(|wanted| rule.attribute.as_ref().and_then(value) == Some(wanted))
}
