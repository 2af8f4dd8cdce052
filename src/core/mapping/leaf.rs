//! A value of the request as a rule writes it, compiled: literals, expressions, and both in one text.
//!
//! Not here: which fields there are and what they must be (`request`).

use std::fmt;

use serde_json::{Map, Value as Json};

use super::answer::{Budget, Refusal, Refusals};
use super::each::{self, Each, Keys};
use super::expression::{Expression, Given};
use super::mixed::{Part, lone, mixed, parts};
use super::path::Variable;
use super::place::{Inside, Label, Place};
use super::scan::{Piece, pieces};
use super::scope::Scope;
use super::written::{Member, Spot, Written};
use crate::core::mistake::Mistake;

/// A compiled value.
#[derive(Clone, Debug)]
pub(super) enum Leaf {
    /// Sent as it is.
    Literal(Json),
    /// A lone expression: keeps its type, and may leave the field out.
    One(Label, Expression),
    /// Text with expressions in it.
    Mixed(Vec<Part>),
    /// A list.
    List(Vec<Leaf>),
    /// An object.
    Table(Vec<(String, Leaf)>),
    /// A list of what each item of a list becomes.
    Each(Box<Each<Leaf>>),
}

impl Leaf {
    /// Compiles a written value; `rule` and `field` say where it stands, such as `rule "lead"` and `data.email`.
    pub(super) fn compile(
        rule: &str,
        field: &str,
        written: &Spot<Written>,
        inside: Inside,
        mistakes: &mut Vec<Mistake>,
    ) -> Self {
        match &written.value {
            Written::Text(text) => {
                let key = format!("{rule}.{field}");
                Self::text(Place { text, span: &written.span, key: &key, inside }, field, mistakes)
            }
            Written::Integer(number) => Self::Literal(Json::from(*number)),
            Written::Bool(truth) => Self::Literal(Json::from(*truth)),
            Written::Float(number) => {
                let place = Place { text: "", span: &written.span, key: &format!("{rule}.{field}"), inside };
                if !number.is_finite() {
                    mistakes.push(place.whole("JSON has no such number", "a finite number"));
                }
                Self::Literal(Json::from(*number))
            }
            Written::List(items) => {
                let item = |(at, item)| Self::compile(rule, &format!("{field}[{at}]"), item, inside, mistakes);
                Self::List(items.iter().enumerate().map(item).collect())
            }
            Written::Table(members) => {
                let place = Place { text: "", span: &written.span, key: &format!("{rule}.{field}"), inside };
                match Keys::read(place, members) {
                    Some(keys) => Self::each_of(rule, field, &keys, inside, mistakes),
                    None => Self::Table(table(rule, field, members, inside, mistakes)),
                }
            }
        }
    }

    /// Compiles a table with `each`.
    fn each_of(rule: &str, field: &str, keys: &Keys<'_>, inside: Inside, mistakes: &mut Vec<Mistake>) -> Self {
        let (known, within) = (mistakes.len(), inside.one_more());
        keys.check(mistakes);
        let mut gives = match keys.gives {
            Some(written) => Self::compile(rule, &format!("{field}.give"), written, within, mistakes),
            None => Self::Table(table(rule, field, keys.members.iter().copied(), within, mistakes)),
        };
        // Where something is wrong already, that is what is told.
        let mut reads_item = known < mistakes.len();
        gives.each(&mut |_, expression| reads_item |= expression.paths().any(|path| path.variable.is_of_an_item()));
        let each = each::compile(keys, field, (gives, reads_item), mistakes);
        each.map_or(Self::Literal(Json::Null), |each| Self::Each(Box::new(each)))
    }

    /// Compiles a text.
    pub(super) fn text(place: Place<'_>, field: &str, mistakes: &mut Vec<Mistake>) -> Self {
        let pieces = match pieces(place.text) {
            Ok(pieces) => pieces,
            Err(stray) => {
                mistakes.push(place.mistake(stray.range, stray.what, stray.expected));
                return Self::Literal(Json::Null);
            }
        };
        if !pieces.iter().any(|piece| matches!(piece, Piece::Expression(_))) {
            return Self::Literal(Json::from(place.text));
        }
        let Some(lone) = lone(place.text, &pieces) else {
            return Self::Mixed(parts(place, field, pieces, mistakes));
        };
        match Expression::compile(place, lone.clone()) {
            Ok(expression) => Self::One(place.label(field, lone), expression),
            Err(found) => {
                mistakes.extend(found);
                Self::Literal(Json::Null)
            }
        }
    }

    /// Whether it is the same for every event.
    pub(super) fn is_literal(&self) -> bool {
        match self {
            Self::Literal(_) => true,
            Self::One(..) | Self::Mixed(..) | Self::Each(_) => false,
            Self::List(items) => items.iter().all(Self::is_literal),
            Self::Table(members) => members.iter().all(|(_, member)| member.is_literal()),
        }
    }

    /// Whether it is a text that reads something of the event.
    pub(super) fn reads_event(&self) -> bool {
        self.any_expression(|expression| expression.paths().next().is_some())
    }

    /// Whether it is a text that reads the event's key.
    pub(super) fn reads_key(&self) -> bool {
        self.any_expression(|expression| expression.paths().any(|path| path.variable == Variable::Key))
    }

    /// Whether it is a text that hashes content.
    pub(super) fn is_hashed(&self) -> bool {
        self.any_expression(Expression::is_hashed)
    }

    fn any_expression(&self, holds: impl Fn(&Expression) -> bool) -> bool {
        match self {
            Self::One(_, expression) => holds(expression),
            Self::Mixed(parts) => parts.iter().any(|part| matches!(part, Part::Expression(_, each) if holds(each))),
            _ => false,
        }
    }

    /// The expressions of a text that holds more than one of them alone.
    pub(super) fn mixed_expressions(&self) -> impl Iterator<Item = &Expression> {
        let parts = if let Self::Mixed(parts) = self { &parts[..] } else { &[] };
        parts.iter().filter_map(|part| if let Part::Expression(_, expression) = part { Some(expression) } else { None })
    }

    /// Does this with each of its expressions.
    pub(super) fn each(&mut self, does: &mut impl FnMut(&mut Label, &mut Expression)) {
        match self {
            Self::Literal(_) => {}
            Self::One(label, expression) => does(label, expression),
            Self::Mixed(parts) => parts.iter_mut().for_each(|part| match part {
                Part::Literal(_) => {}
                Part::Expression(label, expression) => does(label, expression),
            }),
            Self::List(items) => items.iter_mut().for_each(|item| item.each(does)),
            Self::Table(members) => members.iter_mut().for_each(|(_, member)| member.each(does)),
            Self::Each(each) => {
                each.expressions().for_each(|(label, expression)| does(label, expression));
                each.gives.each(does);
            }
        }
    }

    /// The label of its first expression.
    pub(super) fn label(&self) -> Option<&Label> {
        match self {
            Self::One(label, _) => Some(label),
            Self::Mixed(parts) => parts.iter().find_map(|part| match part {
                Part::Literal(_) => None,
                Part::Expression(label, _) => Some(label),
            }),
            Self::Each(each) => Some(each.label()),
            _ => None,
        }
    }

    /// What it gives for one event.
    ///
    /// # Errors
    /// Names the field, and why; see [`Expression::run`].
    pub(super) fn run(&self, scope: Scope<'_>, budget: &mut Budget) -> Result<Given, Refusal> {
        match self {
            Self::Literal(json) => budget.spend_on(json).map(|()| Given::Value(json.clone())),
            Self::One(label, expression) => expression.run(scope, budget).map_err(|refusal| refusal.of(label)),
            Self::Mixed(parts) => mixed(parts, scope, budget).map(|text| Given::Value(Json::from(text))),
            Self::List(items) => {
                let (mut list, mut refusals) = (Vec::new(), Refusals::default());
                for item in items {
                    list.extend(refusals.take(item.run(scope, budget)).and_then(Given::value));
                }
                refusals.all().map_or(Ok(Given::Value(Json::Array(list))), Err)
            }
            Self::Table(members) => run_table(members, scope, budget).map(|table| Given::Value(Json::Object(table))),
            Self::Each(each) => each.run(scope, budget, Self::run),
        }
    }
}

impl Given {
    /// The value, unless it is left out.
    pub(super) fn value(self) -> Option<Json> {
        match self {
            Self::Value(json) => Some(json),
            Self::Omit => None,
        }
    }
}

impl Refusal {
    /// The same, of this field.
    pub(super) fn of(self, field: &impl fmt::Display) -> Self {
        Self(format!("{field}: {}", self.0))
    }
}

/// Compiles the members of a table.
pub(super) fn table<'a>(
    rule: &str,
    field: &str,
    members: impl IntoIterator<Item = &'a Member>,
    inside: Inside,
    mistakes: &mut Vec<Mistake>,
) -> Vec<(String, Leaf)> {
    let mut table = Vec::new();
    for (name, member) in members {
        if name.value.trim().is_empty() {
            let place = Place { text: &name.value, span: &name.span, key: &format!("{rule}.{field}"), inside };
            mistakes.push(place.whole("an empty name", "the short id of an attribute"));
        }
        let leaf = Leaf::compile(rule, &format!("{field}.{}", name.value), member, inside, mistakes);
        table.push((name.value.clone(), leaf));
    }
    table
}

/// What the members of a table give; those left out are left out.
pub(super) fn run_table(
    members: &[(String, Leaf)],
    scope: Scope<'_>,
    budget: &mut Budget,
) -> Result<Map<String, Json>, Refusal> {
    let (mut table, mut refusals) = (Map::new(), Refusals::default());
    for (name, member) in members {
        budget.spend(name.len() + 4)?;
        if let Some(Given::Value(json)) = refusals.take(member.run(scope, budget)) {
            table.insert(name.clone(), json);
        }
    }
    refusals.all().map_or(Ok(table), Err)
}
