//! Reads one expression: a lone path, or something for the engine.
//!
//! Not here: how the engine's source is made strict (`strict`), or running it (`expression`).

use std::ops::Range;

use minijinja::machinery::ast::Expr;
use minijinja::machinery::parse_expr;

use super::chain::Chain;
use super::lone_path::lone_path;
use super::path::Path;
use super::place::Place;
use super::strict::{self, Strict};
use crate::core::mistake::Mistake;

/// The longest expression taken, in bytes: bounds the depth of the parser.
pub(super) const EXPRESSION_BYTES_MAX: usize = 2048;

/// What an expression turned out to be.
#[derive(Debug)]
pub(super) enum Form {
    /// A lone path.
    Path(Path),
    /// Anything else: as strict source for the engine, and as a chain if it is one.
    Code(Strict, Option<Chain>),
}

/// Reads the expression that stands at `range` of the written text.
///
/// # Errors
/// Every mistake in it.
pub(super) fn read(place: Place<'_>, range: Range<usize>) -> Result<Form, Vec<Mistake>> {
    let source = &place.text[range.clone()];
    if source.trim().is_empty() {
        return Err(vec![place.mistake(range, "an empty expression", "a path such as `event.data.id`")]);
    }
    if source.len() > EXPRESSION_BYTES_MAX {
        let what = format!("the expression is {} bytes long", source.len());
        return Err(vec![place.mistake(range, what, format!("at most {EXPRESSION_BYTES_MAX}"))]);
    }
    let tree = parse_expr(source).map_err(|error| vec![syntax(place, &range, &error)])?;
    let form = match lone_path(&tree) {
        Some(path) => Form::Path(path),
        None => strict::rewrite(place, range.start, &tree).map(|strict| Form::Code(strict, Chain::read(&tree)))?,
    };
    let nowhere = nowhere(place, &range, &form);
    if nowhere.is_empty() { Ok(form) } else { Err(nowhere) }
}

/// A mistake for each path that no event can have.
fn nowhere(place: Place<'_>, range: &Range<usize>, form: &Form) -> Vec<Mistake> {
    let paths: Vec<&Path> = match form {
        Form::Path(path) => vec![path],
        Form::Code(strict, _) => strict.reads.iter().map(|read| &read.path).collect(),
    };
    let is_lone = matches!(form, Form::Path(_));
    let wrong = |path: &Path| place.inside.lacks(path.variable).or_else(|| path.is_nowhere());
    let wrong = |path: &Path| wrong(path).or_else(|| path.stands_alone().filter(|_| !is_lone));
    let found = paths.into_iter().filter_map(|path| Some((path, wrong(path)?)));
    found.map(|(path, (what, expected))| place.mistake(whereabouts(place, range, path), what, expected)).collect()
}

/// The path as it stands in the expression, if it is written as we would; otherwise the whole expression.
fn whereabouts(place: Place<'_>, range: &Range<usize>, path: &Path) -> Range<usize> {
    let (source, written) = (&place.text[range.clone()], path.to_string());
    let spellings = [written.replace('"', "'"), written];
    let found = spellings.iter().find_map(|written| Some((source.find(written.as_str())?, written.len())));
    let (from, length) = found.unwrap_or_else(|| (source.len() - source.trim_start().len(), source.trim().len()));
    range.start + from..range.start + from + length
}

fn syntax(place: Place<'_>, range: &Range<usize>, error: &minijinja::Error) -> Mistake {
    let found = error.range().unwrap_or_default();
    let from = (range.start + found.start).min(range.end);
    let to = (range.start + found.end).clamp(from, range.end);
    if let Some(expected) = behind_a_filter(place.text, range, from) {
        return place.mistake(from..to, "what stands behind the parentheses of a filter is not read", expected);
    }
    let what = error.detail().unwrap_or("not an expression").to_owned();
    place.mistake(from..to, format!("syntax: {what}"), "an expression such as `event.data.name | trim`")
}

/// How `… | find('id', 1).name` is written, if the parser stopped at that point or bracket.
fn behind_a_filter(text: &str, range: &Range<usize>, stopped: usize) -> Option<String> {
    let (before, rest) = (text[range.start..stopped].trim(), &text[stopped..range.end]);
    let is_filter = matches!(parse_expr(before), Ok(Expr::Filter(_)));
    let rest = rest.split_whitespace().next().filter(|rest| is_filter && rest.starts_with(['.', '[']))?;
    Some(format!("parentheses around what comes before: `({before}){rest}`"))
}
