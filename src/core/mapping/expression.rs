//! One expression, compiled at load time and run by the engine for each event, within bounds.
//!
//! Not here: reading it (`grammar`), what a lone path is (`path`).

use std::collections::HashMap;
use std::error::Error as _;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock, OnceLock};

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use serde_json::Value as Json;

use super::answer::is_omit;
use super::answer::{Budget, Omit, Refusal, to_json};
use super::chain::Chain;
use super::grammar::{self, Form};
use super::lone_path::Read;
use super::path::{Path, Scope};
use super::place::Place;
use super::strict::Strict;
use super::{checks, engine_value, filters};
use crate::core::json;
use crate::core::mistake::Mistake;

/// The work one expression may do for one event: an instruction costs 1, and so do 64 bytes read or made.
/// Some 32 MB of text, far above what a mapping does and far below what hurts.
const FUEL: u64 = 500_000;

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
            Self::Code(code) => {
                code.thorough(scope, budget).map_err(|refusal| Refusal(format!("`{}`: {refusal}", code.source)))
            }
        }
    }

    /// What it gives for one event.
    ///
    /// # Errors
    /// In words, with paths and the expression itself but never a value, if that is missing, null or not JSON,
    /// if a filter refuses it, or if it takes too much work or room.
    pub(super) fn run(&self, scope: Scope<'_>, budget: &mut Budget) -> Result<Given, Refusal> {
        match self {
            Self::Path(path) => follow(path, scope, budget).map(Given::Value),
            Self::Code(code) => {
                code.run(scope, budget).map_err(|refusal| Refusal(format!("`{}`: {refusal}", code.source)))
            }
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

fn follow(path: &Path, scope: Scope<'_>, budget: &mut Budget) -> Result<Json, Refusal> {
    let value = scope.find(path).map_err(|taken| Refusal(path.missing(taken)))?;
    if value.is_null() {
        return Err(Refusal(format!(
            "{path} is null; write `{path} | default(…)`, or `default(omit)` to leave it out"
        )));
    }
    budget.spend_on(&value).map_err(|refusal| unheld(path, &value).unwrap_or(refusal))?;
    Ok(value.into_owned())
}

/// Whether what a path leads to is a number that 64 bits cannot hold, or has one below it. The names below are not told:
/// they can be data.
fn unheld(path: &Path, value: &Json) -> Option<Refusal> {
    let wide = "a number that 64 bits cannot hold, and it would be altered";
    let words = match value {
        Json::String(text) if json::unheld(text).is_some() => {
            format!(
                "{path} is {wide}: the producer must send it as a text, or write `{path} | string` to send it as one"
            )
        }
        other if json::holds_unheld(other) => {
            format!("{path} holds {wide}: the producer must send it as a text, or name the members that are needed")
        }
        _ => return None,
    };
    Some(Refusal(words))
}

/// What an answer is that is neither missing nor null.
fn given(answer: &Value, budget: &mut Budget) -> Result<Given, Refusal> {
    if is_omit(answer) { Ok(Given::Omit) } else { to_json(answer, budget).map(Given::Value) }
}

impl Code {
    fn run(&self, scope: Scope<'_>, budget: &mut Budget) -> Result<Given, Refusal> {
        let quick = self.chain.as_ref().and_then(|chain| chain.run(scope));
        if let Some(answer) = quick.filter(|answer| !answer.is_undefined() && !answer.is_none()) {
            return given(&answer, budget);
        }
        self.thorough(scope, budget)
    }

    /// By the engine, whatever it is.
    fn thorough(&self, scope: Scope<'_>, budget: &mut Budget) -> Result<Given, Refusal> {
        let answer = self.answer(scope).map_err(|error| self.words(scope, &error))?;
        if answer.is_undefined() {
            return Err(self.missing(scope));
        }
        if answer.is_none() {
            return Err(Refusal("gives null; write `| default(…)`, or `default(omit)` to leave it out".to_owned()));
        }
        given(&answer, budget)
    }

    fn answer(&self, scope: Scope<'_>) -> Result<Value, Error> {
        let found = |(name, read): &(String, Read)| {
            let value = scope.find(&read.path).ok()?;
            Some((name.clone(), engine_value::of_json(&value)))
        };
        let context = Value::from_pairs(self.reads.iter().filter_map(found));
        let engine = self.engine.get_or_init(|| {
            // It was made once before, and found good.
            Box::new(engine(&self.template, &self.ready).unwrap_or_else(|_| ENGINE.clone()))
        });
        let captured = engine.get_template(TEMPLATE)?.render_captured(context)?;
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
        let missing: Vec<_> =
            needed.filter_map(|read| scope.find(&read.path).err().map(|taken| read.path.missing(taken))).collect();
        if missing.is_empty() {
            let hint = "write `| default(…)`, or `default(omit)` to leave it out";
            return Refusal(format!("gives nothing: what it asks for is missing; {hint}"));
        }
        Refusal(missing.join("; "))
    }
}
