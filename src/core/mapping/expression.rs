//! One expression, compiled at load time and run by the engine for each event, within bounds.
//!
//! Not here: reading it (`grammar`), what a lone path is (`path`).

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error as _;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock, OnceLock};

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use serde_json::Value as Json;

use super::answer::{Budget, Kept, Omit, Refusal, is_omit, kind_of_json, to_json};
use super::chain::Chain;
use super::checks::refuse;
use super::follow::{find, follow, paid, weight};
use super::grammar::{self, Form};
use super::lone_path::Read;
use super::path::{Path, Variable};
use super::place::Place;
use super::scope::{Origin, Scope};
use super::strict::Strict;
use super::{checks, engine_value, filters};
use crate::core::mistake::Mistake;

/// The work one expression may do for one event: an instruction costs 1, and so do 64 bytes read or made.
/// Some 32 MB of text, far above what a mapping does and far below what hurts.
const FUEL: u64 = 500_000;

/// What an expression counts as that failed for an item of a list: what it used is not known.
const FUEL_OF_AN_ERROR: u64 = FUEL / 10;

/// The name of the one template in an expression's engine.
const TEMPLATE: &str = "expression";

/// The variable that the template leaves the answer in.
const ANSWER: &str = "answer";

/// What every engine knows. Cloning it is cheap: the filters are shared.
static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::empty();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(FUEL));
    engine.set_debug(false);
    engine.add_global("omit", Value::from_object(Omit));
    checks::add(&mut engine);
    filters::add(&mut engine);
    engine
});

/// What an expression gives.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    /// A value; never null.
    Value(Json),
    /// The field is left out.
    Omit,
}

/// Expressions for the engine, by their source.
pub(super) type Seen = HashMap<String, Arc<Code>>;

/// A compiled expression.
#[derive(Clone)]
pub(super) enum Expression {
    /// A lone path, resolved without the engine.
    Path(Path),
    /// Anything else; equal ones are shared by the rules.
    Code(Arc<Code>),
}

/// An expression for the engine.
pub(super) struct Code {
    source: String,
    /// What the engine takes.
    template: String,
    /// Arguments made ready, which the template names.
    ready: Vec<Value>,
    /// Made when it is asked for the first time: of many rules, most expressions are never asked, or are chains.
    engine: OnceLock<Box<Environment<'static>>>,
    reads: Vec<(String, Read)>,
    chain: Option<Chain>,
    is_hashed: bool,
}

impl fmt::Debug for Expression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(out, "{path}"),
            Self::Code(code) => out.write_str(&code.source),
        }
    }
}

impl Expression {
    /// Compiles the expression that stands at `range` of a written text.
    ///
    /// # Errors
    /// Every mistake in it.
    pub(super) fn compile(place: Place<'_>, range: Range<usize>) -> Result<Self, Vec<Mistake>> {
        let source = place.text[range.clone()].trim().to_owned();
        let (Strict { code, reads, ready, is_hashed }, chain) = match grammar::read(place, range.clone())? {
            Form::Path(path) => return Ok(Self::Path(path)),
            Form::Code(strict, chain) => (strict, chain),
        };
        // Sound because the expression was parsed alone before: it cannot close the statement around it.
        let template = format!("{{% set {ANSWER} = ({code}) %}}");
        let deep = |_| vec![place.mistake(range, "the expression is nested too deeply", "several shorter fields")];
        engine(&template, &ready).map_err(deep)?;
        let reads = reads.into_iter().enumerate().map(|(at, read)| (format!("p{at}"), read)).collect();
        let engine = OnceLock::new();
        Ok(Self::Code(Arc::new(Code { source, template, ready, engine, reads, chain, is_hashed })))
    }

    /// Takes the place of an equal one that was seen before, if there was one: what it does depends on its source alone.
    pub(super) fn share(&mut self, seen: &mut Seen) {
        if let Self::Code(code) = self {
            *code = Arc::clone(seen.entry(code.source.clone()).or_insert_with(|| Arc::clone(code)));
        }
    }

    /// The paths it reads.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        let (one, many) = match self {
            Self::Path(path) => (Some(path), &[][..]),
            Self::Code(code) => (None, &code.reads[..]),
        };
        one.into_iter().chain(many.iter().map(|(_, read)| &read.path))
    }

    /// Whether it hashes content: what it gives is the same for two events of equal content.
    pub(super) fn is_hashed(&self) -> bool {
        matches!(self, Self::Code(code) if code.is_hashed)
    }

    /// What the engine alone gives.
    #[cfg(test)]
    pub(super) fn thorough(&self, scope: Scope<'_>, budget: &mut Budget) -> Result<Given, Refusal> {
        match self {
            Self::Path(_) => self.run(scope, budget),
            Self::Code(code) => code.thorough(scope, budget).map_err(|refusal| code.told(scope, &refusal)),
        }
    }

    /// What it gives for one event.
    ///
    /// # Errors
    /// In words, with paths and the expression itself but never a value, if that is missing, null or not JSON,
    /// if a filter refuses it, or if it takes too much work or room.
    pub(super) fn run(&self, scope: Scope<'_>, budget: &mut Budget) -> Result<Given, Refusal> {
        match self {
            // One that its event does not have is left out, as its rule says.
            Self::Path(path) if path.variable == Variable::Photo && scope.find(path).is_err() => Ok(Given::Omit),
            Self::Path(path) => follow(path, scope, budget).map(Given::Value),
            Self::Code(code) => code.run(scope, budget).map_err(|refusal| code.told(scope, &refusal)),
        }
    }

    /// Whether it is true for one event.
    ///
    /// # Errors
    /// As [`Expression::run`]; and if it is neither true nor false.
    pub(super) fn holds(&self, scope: Scope<'_>, budget: &mut Budget) -> Result<bool, Refusal> {
        let kind = match self.run(scope, budget)? {
            Given::Value(Json::Bool(truth)) => return Ok(truth),
            Given::Value(other) => kind_of_json(&other),
            Given::Omit => "`omit`",
        };
        let of = scope.item().map(|item| format!(" of {item}")).unwrap_or_default();
        Err(Refusal(format!("`{self:?}`{of} is {kind}, not true or false")))
    }

    /// The list that it gives for one event, to make something of each item; none where it is left out. What no item reads
    /// is no part of the request, and may be a number that 64 bits cannot hold.
    ///
    /// # Errors
    /// As [`Expression::run`]; and if it gives no list.
    pub(super) fn list<'a>(&self, scope: Scope<'a>, budget: &mut Budget) -> Result<Option<Cow<'a, Json>>, Refusal> {
        let given = match self {
            Self::Path(path) => find(path, scope)?,
            Self::Code(code) => {
                let answer = budget.apart(Kept::Unheld, |budget| code.run(scope, budget));
                match answer.map_err(|refusal| code.told(scope, &refusal))? {
                    Given::Value(json) => Cow::Owned(json),
                    Given::Omit => return Ok(None),
                }
            }
        };
        match &*given {
            Json::Array(_) => Ok(Some(given)),
            other => Err(Refusal(format!("`{self:?}` is {}, not a list", kind_of_json(other)))),
        }
    }

    /// Where the items of a list come from that it gives.
    pub(super) fn origin(&self) -> Origin<'_> {
        match self {
            Self::Path(path) => Origin::Path(path),
            Self::Code(code) => Origin::Source(&code.source),
        }
    }
}

fn engine(template: &str, ready: &[Value]) -> Result<Environment<'static>, Error> {
    let mut engine = ENGINE.clone();
    for (at, value) in ready.iter().enumerate() {
        engine.add_global(format!("c{at}"), value.clone());
    }
    engine.add_template_owned(TEMPLATE, template.to_owned())?;
    Ok(engine)
}

/// What an answer is that is neither missing nor null.
fn given(answer: &Value, budget: &mut Budget) -> Result<Given, Refusal> {
    if is_omit(answer) { Ok(Given::Omit) } else { to_json(answer, budget).map(Given::Value) }
}

impl Code {
    /// A refusal of this expression: by its source, and by the item of the list that it was run for.
    fn told(&self, scope: Scope<'_>, refusal: &Refusal) -> Refusal {
        let of = scope.item().map(|item| format!(" of {item}")).unwrap_or_default();
        Refusal(format!("`{}`{of}: {refusal}", self.source))
    }

    fn run(&self, scope: Scope<'_>, budget: &mut Budget) -> Result<Given, Refusal> {
        paid(scope, budget, || 1)?;
        let quick = self.chain.as_ref().and_then(|chain| chain.run(scope));
        if let Some(answer) = quick.filter(|answer| !answer.is_undefined() && !answer.is_none()) {
            return given(&answer, budget);
        }
        self.thorough(scope, budget)
    }

    /// By the engine, whatever it is.
    fn thorough(&self, scope: Scope<'_>, budget: &mut Budget) -> Result<Given, Refusal> {
        let answer = self.answer(scope, budget).map_err(|error| self.words(scope, &error))?;
        if answer.is_undefined() {
            return Err(self.missing(scope));
        }
        if answer.is_none() {
            return Err(Refusal("gives null; write `| default(…)`, or `default(omit)` to leave it out".to_owned()));
        }
        given(&answer, budget)
    }

    fn answer(&self, scope: Scope<'_>, budget: &mut Budget) -> Result<Value, Error> {
        let found = |(name, read): &(String, Read)| {
            let value = scope.find(&read.path).ok()?;
            let paid = paid(scope, budget, || weight(&value)).map_err(|refusal| refuse(refusal.0));
            Some(paid.map(|()| (name.clone(), engine_value::of_json(&value))))
        };
        let context = self.reads.iter().filter_map(found).collect::<Result<Vec<_>, _>>()?;
        let engine = self.engine.get_or_init(|| {
            // It was made once before, and found good.
            Box::new(engine(&self.template, &self.ready).unwrap_or_else(|_| ENGINE.clone()))
        });
        let rendered = engine.get_template(TEMPLATE)?.render_captured(Value::from_pairs(context));
        let consumed =
            rendered.as_ref().map_or(FUEL_OF_AN_ERROR, |done| done.state().fuel_levels().map_or(0, |(used, _)| used));
        let paid = paid(scope, budget, || consumed);
        let captured = rendered?;
        paid.map_err(|refusal| refuse(refusal.0))?;
        Ok(captured.state().lookup(ANSWER).unwrap_or_default())
    }

    /// Our own words for an error of the engine, whose own may quote the event.
    fn words(&self, scope: Scope<'_>, error: &Error) -> Refusal {
        if let Some(refusal) = error.source().and_then(|source| source.downcast_ref::<Refusal>()) {
            return refusal.clone();
        }
        match error.kind() {
            ErrorKind::UndefinedError => self.missing(scope),
            ErrorKind::OutOfFuel => Refusal("takes more work than one expression may".to_owned()),
            _ => Refusal("an operator or filter cannot take these values".to_owned()),
        }
    }

    fn missing(&self, scope: Scope<'_>) -> Refusal {
        let needed = self.reads.iter().map(|(_, read)| read).filter(|read| read.needed);
        let missing: Vec<_> = needed
            .filter_map(|read| scope.find(&read.path).err().map(|taken| scope.missing(&read.path, taken)))
            .collect();
        if missing.is_empty() {
            let hint = "write `| default(…)`, or `default(omit)` to leave it out";
            return Refusal(format!("gives nothing: what it asks for is missing; {hint}"));
        }
        Refusal(missing.join("; "))
    }
}
