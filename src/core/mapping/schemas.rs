//! The shapes that procedures ask of their attributes, as JSON Schemas: what they refuse is not sent.
//!
//! Not here: reading schemas (`config`), and which rule makes which request (`rules`).

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value as Json};

use super::content::Content;
use super::references;
use super::written::{Spot, WrittenSchema};
use crate::core::mistake::Mistake;
use crate::core::process::Procedure;

/// How large the side of a request may be for the place of a finding to be looked up, in bytes of JSON: a schema's `anyOf`
/// keeps everything that is wrong below it, some hundred bytes for each two of a list.
const SEARCHED_BYTES_MAX: usize = 64 * 1024;

/// The most findings about one side of a request that are told.
const FINDINGS_MAX: usize = 5;

/// How much is told of where a finding is, and of what is wrong with a schema, in characters.
const CHARS_MAX: usize = 200;

/// Compiled schemas, each by its procedure.
#[derive(Clone, Default)]
pub struct Schemas(HashMap<String, Shape>);

/// What one procedure asks.
#[derive(Clone)]
struct Shape {
    data: Option<Arc<Validator>>,
    record: Option<Arc<Validator>>,
    /// Every name in the schemas: what may be told although an event has it too.
    names: Arc<HashSet<String>>,
}

impl fmt::Debug for Schemas {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

impl Schemas {
    /// Compiles schemas. What they hold is taken as draft 2020-12 unless `$schema` says otherwise, and `format` counts.
    /// Patterns run in linear time: what only backtracking could match is a mistake. So is a reference to another
    /// document or in a circle, and a format that nobody knows.
    ///
    /// # Errors
    /// Every mistake.
    pub fn compile(written: &[WrittenSchema]) -> Result<Self, Vec<Mistake>> {
        let (mut schemas, mut mistakes) = (HashMap::new(), Vec::new());
        for WrittenSchema { procedure, data, record } in written {
            let mut validator = |part: &str, written: &Option<Spot<Json>>| {
                let Spot { value, span } = written.as_ref()?;
                let (span, key) = (Some(span.clone()), format!("schema {:?}.{part}", procedure.value));
                let mistake = |(what, expected)| Mistake { span, key, what, expected };
                compile(value).map_err(|wrong| mistakes.push(mistake(wrong))).ok()
            };
            let mut names = HashSet::new();
            [data, record].into_iter().flatten().for_each(|schema| collect_names(&schema.value, &mut names));
            let (data, record) = (validator("data", data), validator("record", record));
            let shape = Shape { data, record, names: Arc::new(names) };
            schemas.insert(procedure.value.clone(), shape);
        }
        if mistakes.is_empty() { Ok(Self(schemas)) } else { Err(mistakes) }
    }

    /// Why the schemas of its procedure refuse a request, in words that name attributes and never their values. A name
    /// is told if a schema has it, or if `is_written` by the rule; any other is the event's own.
    pub(super) fn refuse(
        &self,
        procedure: &Procedure,
        content: &Content,
        is_written: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let shape = self.0.get(procedure.as_str())?;
        let record = content.record.as_ref().and_then(|record| record.get("data"));
        shape.refuse(procedure.as_str(), content.data.as_ref(), record, is_written)
    }

    /// The same, of a request that stands in the configuration, as an object with its `procedure`.
    #[must_use]
    pub fn refuse_written(&self, request: &Json) -> Option<String> {
        let procedure = request.get("procedure")?.as_str()?;
        let record = request.get("record").and_then(|record| record.get("data"));
        self.0.get(procedure)?.refuse(procedure, request.get("data"), record, |_| true)
    }
}

impl Shape {
    /// What a request does not have counts as an empty object: what is required is missing from it.
    fn refuse(
        &self,
        procedure: &str,
        data: Option<&Json>,
        record: Option<&Json>,
        is_written: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let may_tell = |name: &str| self.names.contains(name) || is_written(name);
        let nothing = Json::Object(Map::new());
        let sides = [("data", &self.data, data), ("record.data", &self.record, record)];
        let found = sides.into_iter().filter_map(|(name, validator, value)| {
            let (validator, value) = (validator.as_ref()?, value.unwrap_or(&nothing));
            (!validator.is_valid(value)).then(|| findings(name, validator, value, may_tell))
        });
        let found: Vec<String> = found.flatten().collect();
        let text = || format!("{}: the schema of {procedure:?} refuses it", found.join("; "));
        (!found.is_empty()).then(text)
    }
}

/// The findings about a side of a request that is not valid, the first [`FINDINGS_MAX`] of them.
fn findings(side: &str, validator: &Validator, value: &Json, may_tell: impl Fn(&str) -> bool) -> Vec<String> {
    let is_small = serde_json::to_vec(value).is_ok_and(|bytes| bytes.len() <= SEARCHED_BYTES_MAX);
    let mut found: Vec<String> = Vec::new();
    if is_small {
        let errors = validator.iter_errors(value).take(FINDINGS_MAX);
        found.extend(errors.map(|error| finding(side, &error, &may_tell)));
        found.dedup();
    }
    if found.is_empty() { vec![format!("{side} (somewhere: it is too large to say where)")] } else { found }
}

/// Names the attribute and the rule of the schema.
fn finding(side: &str, error: &ValidationError<'_>, may_tell: impl Fn(&str) -> bool) -> String {
    let missing = match error.kind() {
        ValidationErrorKind::Required { property } => property.as_str(),
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => unexpected.first().map(String::as_str),
        _ => None,
    };
    let path = path(side, error.instance_path(), missing, may_tell);
    let keyword = match error.kind() {
        ValidationErrorKind::FalseSchema => "false",
        kind => kind.keyword(),
    };
    let place = cut(error.schema_path().as_str());
    format!("{path} (`{keyword}`, at {place})")
}

fn path(side: &str, location: &Location, more: Option<&str>, may_tell: impl Fn(&str) -> bool) -> String {
    let named = |name: &str| if may_tell(name) { format!(".{name}") } else { ".…".to_owned() };
    let step = |segment: LocationSegment<'_>| match segment {
        LocationSegment::Property(name) => named(&name),
        LocationSegment::Index(at) => format!("[{at}]"),
    };
    let steps: String = location.iter().map(step).chain(more.map(named)).collect();
    cut(&format!("{side}{steps}"))
}

/// Compiles one schema, or says what is wrong with it and what was expected.
fn compile(schema: &Json) -> Result<Arc<Validator>, (String, String)> {
    references::check(schema).map_err(|(what, expected)| (cut(&what), expected.to_owned()))?;
    let options = jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .offline();
    options.build(schema).map(Arc::new).map_err(|error| {
        let place = error.instance_path().as_str();
        let place = if place.is_empty() { String::new() } else { format!("at {}: ", cut(place)) };
        let expected = match error.kind() {
            ValidationErrorKind::Format { format } if format == "regex" => {
                "a pattern without look-around and back-references, so that it runs in linear time"
            }
            ValidationErrorKind::Referencing(_) => "references within the schema, such as \"#/$defs/…\"",
            _ => "a valid schema",
        };
        (format!("is no valid schema: {place}{}", cut(&error.to_string())), expected.to_owned())
    })
}

fn collect_names(schema: &Json, names: &mut HashSet<String>) {
    match schema {
        Json::Object(members) => members.iter().for_each(|(name, member)| {
            names.insert(name.clone());
            collect_names(member, names);
        }),
        Json::Array(items) => items.iter().for_each(|item| collect_names(item, names)),
        Json::String(text) => {
            names.insert(text.clone());
        }
        _ => {}
    }
}

fn cut(text: &str) -> String {
    text.chars().take(CHARS_MAX).map(|sign| if sign.is_control() { ' ' } else { sign }).collect()
}
