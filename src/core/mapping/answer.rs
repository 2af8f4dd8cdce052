//! Values between the engine and JSON, and the strict checks on the way back.
//!
//! Not here: which expression they come from (`expression`).

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value, ValueKind};
use serde_json::{Map, Number, Value as Json};

use super::engine_value;
use crate::core::bounds::{Bounds, LIST_WEIGHT, OBJECT_WEIGHT, too_many};
use crate::core::json;

/// What a number is that 64 bits cannot hold.
const UNHELD: &str = "a number that 64 bits cannot hold";

/// Why a value cannot be sent, in words. Never holds the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) String);

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

/// The most refusals of one event that are told, and the longest text of them, in bytes.
const TOLD_MAX: usize = 10;
const TOLD_BYTES_MAX: usize = 1500;

/// Everything that is refused while one request is made: a person mends all of it at once.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    told: Vec<String>,
    more: usize,
}

impl Refusals {
    /// What was given; a refusal is kept.
    pub(super) fn take<T>(&mut self, given: Result<T, Refusal>) -> Option<T> {
        given.map_err(|refusal| self.add(refusal)).ok()
    }

    /// Whether no more would be told.
    pub(super) fn is_full(&self) -> bool {
        self.told.len() >= TOLD_MAX || self.more > 0
    }

    fn add(&mut self, Refusal(words): Refusal) {
        let length: usize = self.told.iter().map(String::len).sum();
        let fits = self.told.is_empty() || length + words.len() <= TOLD_BYTES_MAX;
        match fits && self.told.len() < TOLD_MAX && self.more == 0 {
            true if self.told.contains(&words) => {}
            true => self.told.push(words),
            false => self.more += 1,
        }
    }

    /// All of them as one; none if nothing was refused.
    pub(super) fn all(self) -> Option<Refusal> {
        let more = if self.more == 0 { String::new() } else { format!("; and {} more", self.more) };
        (!self.told.is_empty()).then(|| Refusal(format!("{}{more}", self.told.join("; "))))
    }
}

/// What `omit` is: leaves its field out.
#[derive(Debug)]
pub(super) struct Omit;

impl Object for Omit {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// Whether a value is `omit`.
pub(super) fn is_omit(value: &Value) -> bool {
    value.kind() == ValueKind::Plain && value.downcast_object_ref::<Omit>().is_some()
}

/// What is left of the bounds of a request, counted while it grows rather than when it is too late.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: usize,
    values: usize,
    work: u64,
    kept: Kept,
    bounds: Bounds,
}

/// What becomes of a number that 64 bits cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is refused: it would be altered.
    Held,
    /// It is kept as it was written: the value is not sent.
    Unheld,
}

/// The work that all items of all lists of one request may take, in units of an expression's fuel.
const ITEMS_WORK: u64 = 1_000_000;

impl Budget {
    /// The budget of one request.
    pub(super) fn of(bounds: Bounds) -> Self {
        let (bytes, values) = (bounds.max_request, bounds.max_values);
        Self { bytes, values, work: ITEMS_WORK, kept: Kept::Held, bounds }
    }

    /// Runs this with room of its own, for what is not sent as it is. The work counts all the same.
    pub(super) fn apart<T>(&mut self, kept: Kept, run: impl FnOnce(&mut Self) -> T) -> T {
        let mut apart = Self { work: self.work, kept, ..Self::of(self.bounds) };
        let given = run(&mut apart);
        self.work = apart.work;
        given
    }

    /// Takes so much work from it.
    ///
    /// # Errors
    /// If less is left.
    pub(super) fn work(&mut self, work: u64) -> Result<(), Refusal> {
        let left = self.work.checked_sub(work);
        self.work = left.unwrap_or_default();
        left.map(drop).ok_or_else(|| Refusal("the items of lists take more work than one request may".to_owned()))
    }

    /// Takes an object of a list from it.
    ///
    /// # Errors
    /// If less is left.
    pub(super) fn spend_on_item(&mut self) -> Result<(), Refusal> {
        self.spend_value(OBJECT_WEIGHT, 2)
    }

    /// Takes a list from it.
    ///
    /// # Errors
    /// If less is left.
    pub(super) fn spend_on_list(&mut self) -> Result<(), Refusal> {
        self.spend_value(LIST_WEIGHT, 2)
    }

    /// The budget of what an expression gives that makes no request.
    pub(super) fn of_one() -> Self {
        Self::of(Bounds::DEFAULT)
    }

    /// Takes `bytes` from it.
    ///
    /// # Errors
    /// If fewer are left.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or_else(|| too_large(self.bounds.max_request))?;
        Ok(())
    }

    /// Takes a value from it that counts as `weight`, and takes `bytes` at least: what it takes is seen when it is written.
    fn spend_value(&mut self, weight: usize, bytes: usize) -> Result<(), Refusal> {
        let most = self.bounds.max_values;
        let too_many = || Refusal(format!("the request would hold {}", too_many(most)));
        self.values = self.values.checked_sub(weight).ok_or_else(too_many)?;
        self.spend(bytes)
    }

    /// Takes what a JSON value weighs.
    ///
    /// # Errors
    /// If less is left.
    pub(super) fn spend_on(&mut self, value: &Json) -> Result<(), Refusal> {
        match value {
            Json::Null | Json::Bool(_) => self.spend_value(1, 4),
            Json::Number(_) => self.spend_value(1, 1),
            Json::String(text) if self.kept == Kept::Held && json::unheld(text).is_some() => {
                Err(Refusal(UNHELD.to_owned()))
            }
            Json::String(text) => self.spend_value(1, text.len() + 2),
            Json::Array(items) => {
                self.spend_value(LIST_WEIGHT, 2 + items.len())?;
                items.iter().try_for_each(|item| self.spend_on(item))
            }
            Json::Object(members) => {
                self.spend_value(OBJECT_WEIGHT, 2)?;
                members.iter().try_for_each(|(name, member)| {
                    self.spend(name.len() + 4)?;
                    self.spend_on(member)
                })
            }
        }
    }
}

/// The refusal of a request of more than `most` bytes.
pub(super) fn too_large(most: usize) -> Refusal {
    Refusal(format!("the request would be larger than {most} bytes (api.max_request)"))
}

/// What a value is, in the words of JSON.
pub(super) fn kind(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "missing",
        ValueKind::None => "null",
        ValueKind::Bool => "true or false",
        ValueKind::Number => "a number",
        ValueKind::String => "text",
        ValueKind::Bytes => "bytes",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        ValueKind::Map => "an object",
        _ if value.downcast_object_ref::<Omit>().is_some() => "`omit`",
        _ if engine_value::unheld(value).is_some() => UNHELD,
        _ => "no value of JSON",
    }
}

/// What a JSON value is, in the same words.
pub(super) fn kind_of_json(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// The JSON of a value.
///
/// # Errors
/// If it is missing, infinite, not a number, wider than 64 bits, or not JSON at all, at any depth; or over budget.
pub(super) fn to_json(value: &Value, budget: &mut Budget) -> Result<Json, Refusal> {
    match value.kind() {
        ValueKind::None => budget.spend_value(1, 4).map(|()| Json::Null),
        ValueKind::Bool => budget.spend_value(1, 4).map(|()| Json::Bool(value.is_true())),
        ValueKind::Number => budget.spend_value(1, 1).and_then(|()| number(value).map(Json::Number)),
        ValueKind::String => text(value, budget),
        ValueKind::Seq | ValueKind::Iterable => list(value, budget),
        ValueKind::Map => object(value, budget),
        _ if budget.kept == Kept::Unheld && engine_value::unheld(value).is_some() => {
            budget.spend_value(1, 1)?;
            Ok(Json::from(json::marked_as_unheld(engine_value::unheld(value).unwrap_or_default())))
        }
        _ if engine_value::unheld(value).is_some() => {
            Err(Refusal(format!("gives {UNHELD}, and it would be altered; `| string` sends it as a text")))
        }
        _ => Err(Refusal(format!("{} where JSON is needed", kind(value)))),
    }
}

fn text(value: &Value, budget: &mut Budget) -> Result<Json, Refusal> {
    let text = value.as_str().unwrap_or_default();
    budget.spend_value(1, text.len() + 2)?;
    Ok(Json::from(text))
}

fn number(value: &Value) -> Result<Number, Refusal> {
    if value.is_integer() {
        let signed = value.as_i64().map(Number::from);
        let wide = || u64::try_from(value.clone()).ok().map(Number::from);
        return signed.or_else(wide).ok_or_else(|| Refusal("an integer wider than 64 bits".to_owned()));
    }
    let finite = f64::try_from(value.clone()).ok().and_then(Number::from_f64);
    finite.ok_or_else(|| Refusal("a number that is infinite or not a number".to_owned()))
}

fn list(value: &Value, budget: &mut Budget) -> Result<Json, Refusal> {
    let items = value.try_iter().map_err(|_| Refusal("a list that cannot be read".to_owned()))?;
    budget.spend_value(LIST_WEIGHT, 2)?;
    let mut list = Vec::new();
    for item in items {
        budget.spend(1)?;
        list.push(to_json(&item, budget)?);
    }
    Ok(Json::Array(list))
}

fn object(value: &Value, budget: &mut Budget) -> Result<Json, Refusal> {
    let names = value.try_iter().map_err(|_| Refusal("an object that cannot be read".to_owned()))?;
    budget.spend_value(OBJECT_WEIGHT, 2)?;
    let mut object = Map::new();
    for name in names {
        let member = value.get_item(&name).unwrap_or_default();
        let name = name.as_str().ok_or_else(|| Refusal("an object with a name that is no text".to_owned()))?;
        budget.spend(name.len() + 4)?;
        object.insert(name.to_owned(), to_json(&member, budget)?);
    }
    Ok(Json::Object(object))
}
