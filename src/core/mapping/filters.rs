//! The filters that rules may write: each with its name, what it takes and the function that it is.
//!
//! Not here: what the functions do (`filters/`), what an argument may be (`arguments`).

mod choices;
mod decimals;
pub(super) mod digests;
mod documents;
mod lists;
pub(super) mod members;
pub(super) mod moments;
mod numbers;
pub(super) mod patterns;
pub(super) mod questions;
mod texts;

use minijinja::value::{Rest, Value, ValueKind};
use minijinja::{Environment, Error, State};

use super::answer::is_omit;
use super::arguments::Argument::{
    self, Any, Compared, Constant, Count, Group, Length, Member, Namespace, Object, Pattern,
};
use super::arguments::Argument::{Places, Replacement, SignOrValue, Telling, Text, Zone};
use super::arguments::Signature;
use super::checks::wants;

/// The longest text that a filter makes, in bytes.
pub(super) const TEXT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How often an argument that may be repeated may be.
const REPEATED_MAX: usize = 64;

/// What a filter does: with the value before the bar, and with the arguments.
type Run = fn(&Value, &[Value]) -> Result<Value, Error>;

/// One filter.
#[derive(Debug)]
pub(super) struct Filter {
    /// Its name and arguments.
    pub(super) signature: Signature,
    run: Run,
    /// Whether it makes of little no more than little, in little time: may run without the engine, which counts both.
    pub(super) is_light: bool,
    /// Whether what it gives can be missing or null, so that `default` has a meaning behind it.
    pub(super) may_lack: bool,
    /// Whether it makes a list, whose items count as work: the engine counts texts only.
    makes_items: bool,
    /// Whether it looks at each item of a list and may make none: that counts as work as well.
    looks_at_items: bool,
}

impl Filter {
    const fn new(name: &'static str, run: Run) -> Self {
        let signature = Signature::new(name);
        Self { signature, run, is_light: false, may_lack: false, makes_items: false, looks_at_items: false }
    }

    const fn taking(self, least: usize, most: usize, arguments: &'static [Argument]) -> Self {
        let signature = self.signature.taking(least, most, arguments);
        Self { signature, ..self }
    }

    const fn light(self) -> Self {
        Self { is_light: true, ..self }
    }

    const fn listing(self) -> Self {
        Self { makes_items: true, ..self }
    }

    const fn looking(self) -> Self {
        Self { looks_at_items: true, ..self }
    }

    const fn lacking(self) -> Self {
        Self { may_lack: true, ..self }
    }

    /// What it costs beside what the engine counts by itself: to read JSON takes longer than to copy it.
    fn fuel(&self, value: &Value) -> u64 {
        let read = value.as_str().filter(|_| self.signature.name == documents::NAME).map_or(0, str::len);
        let looked_at = if self.looks_at_items { value.len().unwrap_or_default() } else { 0 };
        (read / documents::BYTES_PER_FUEL + looked_at) as u64
    }

    /// What the list that it made costs.
    fn fuel_of(&self, made: &Value) -> u64 {
        if self.makes_items && made.kind() == ValueKind::Seq { made.len().unwrap_or_default() as u64 } else { 0 }
    }

    /// What it makes of a value. `omit` passes through each of them: what is left out stays left out.
    ///
    /// # Errors
    /// In words, never with the value, if it cannot take it.
    pub(super) fn apply(&self, value: &Value, arguments: &[Value]) -> Result<Value, Error> {
        if is_omit(value) { Ok(value.clone()) } else { (self.run)(value, arguments) }
    }
}

/// Every filter.
pub(super) static FILTERS: [Filter; 54] = [
    Filter::new("abs", numbers::abs).light(),
    Filter::new("bool", numbers::bool).light(),
    Filter::new("capitalize", texts::capitalize).light(),
    Filter::new("capture", patterns::capture).taking(1, 2, &[Pattern, Group]).light().lacking(),
    Filter::new("compact", lists::compact).listing(),
    Filter::new("default", choices::default).taking(1, 1, &[Any]).light().lacking(),
    Filter::new("digits", texts::digits).light(),
    Filter::new("entries", members::entries).listing(),
    Filter::new("epoch_ms", moments::epoch_ms).taking(0, 1, &[Zone]).light(),
    Filter::new("find", members::find).taking(2, 3, &[Member, SignOrValue, Compared]).lacking().looking(),
    Filter::new("first", lists::first).light().lacking(),
    Filter::new("first_non_empty", choices::first_non_empty).lacking(),
    Filter::new("fixed", decimals::fixed).taking(0, 1, &[Places]).light(),
    Filter::new("flatten", lists::flatten).listing(),
    Filter::new("float", numbers::float).light(),
    Filter::new("from_epoch_ms", moments::from_epoch_ms).light(),
    Filter::new("from_epoch_ns", moments::from_epoch_ns).light(),
    Filter::new("from_epoch_s", moments::from_epoch_s).light(),
    Filter::new("from_epoch_us", moments::from_epoch_us).light(),
    Filter::new(documents::NAME, documents::from_json).light().lacking(),
    Filter::new("from_minor", decimals::from_minor).taking(0, 1, &[Places]).light(),
    Filter::new("initials", texts::initials).light(),
    Filter::new("int", numbers::int).light(),
    Filter::new("join", lists::join).taking(0, 1, &[Text]),
    Filter::new("json", texts::json),
    Filter::new("last", lists::last).light().lacking(),
    Filter::new("length", lists::length).light(),
    Filter::new("lookup", choices::lookup).taking(1, 1, &[Object]).lacking().listing(),
    Filter::new("lower", texts::lower).light(),
    Filter::new("map", members::map).taking(1, 2, &[Member, Any]).listing(),
    Filter::new("max", lists::max).lacking(),
    Filter::new("min", lists::min).lacking(),
    Filter::new("minus", moments::minus).taking(1, 1, &[Length]).light(),
    Filter::new("one_of", choices::one_of).taking(1, REPEATED_MAX, &[Constant]).light(),
    Filter::new("pick", members::pick).taking(1, REPEATED_MAX, &[Member]),
    Filter::new("plus", moments::plus).taking(1, 1, &[Length]).light(),
    Filter::new("regex_replace", patterns::replace).taking(2, 2, &[Pattern, Replacement]),
    Filter::new("replace", texts::replace).taking(2, 2, &[Telling, Text]),
    Filter::new("reverse", lists::reverse).listing(),
    Filter::new("round", numbers::round).taking(0, 1, &[Places]).light(),
    Filter::new("sha256", digests::sha256).light(),
    Filter::new("sort", members::sort).taking(0, 1, &[Member]).listing(),
    Filter::new("split", lists::split).taking(0, 1, &[Telling]).light().listing(),
    Filter::new("string", texts::string_of).light(),
    Filter::new("sum", decimals::sum).looking(),
    Filter::new("title", texts::title).light(),
    Filter::new("to_minor", decimals::to_minor).taking(0, 1, &[Places]).light(),
    Filter::new("tojson", texts::json),
    Filter::new("trim", texts::trim).light(),
    Filter::new("truncate", texts::truncate).taking(1, 1, &[Count]).light(),
    Filter::new("unique", lists::unique).listing(),
    Filter::new("upper", texts::upper).light(),
    Filter::new("uuid5", digests::uuid5).taking(1, 1, &[Namespace]).light(),
    Filter::new("where", members::r#where).taking(2, 3, &[Member, SignOrValue, Compared]).listing().looking(),
];

/// The filter of this name.
pub(super) fn named(name: &str) -> Option<&'static Filter> {
    FILTERS.iter().find(|filter| filter.signature.name == name)
}

/// Adds them and the tests to an engine.
pub(super) fn add(engine: &mut Environment<'static>) {
    for filter in &FILTERS {
        let run = move |state: &State, value: &Value, arguments: Rest<Value>| {
            state.consume_fuel(filter.fuel(value))?;
            let made = filter.apply(value, &arguments)?;
            state.consume_fuel(filter.fuel_of(&made))?;
            Ok::<_, Error>(made)
        };
        engine.add_filter(filter.signature.name, run);
    }
    questions::add(engine);
}

/// The text of a value that must be one.
pub(super) fn text<'a>(who: &str, value: &'a Value) -> Result<&'a str, Error> {
    value.as_str().ok_or_else(|| wants(who, "text", value))
}

/// Whether a value is a list.
pub(super) fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

/// The items of a value that must be a list.
pub(super) fn items(who: &str, value: &Value) -> Result<impl Iterator<Item = Value>, Error> {
    if is_list(value) { value.try_iter() } else { Err(wants(who, "a list", value)) }
}

/// The argument at a place: missing where it is not written.
fn argument(arguments: &[Value], at: usize) -> &Value {
    arguments.get(at).unwrap_or(&Value::UNDEFINED)
}
