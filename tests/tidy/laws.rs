//! What tests owe: a name that is a law, no sleep, a deadline.

mod cases;

use std::collections::BTreeSet;

use super::finding::Finding;
use super::shape::{Function, functions};
use super::source::{Source, find, is_word};

/// The rules about one file.
pub(crate) const RULES: [fn(&Source) -> Vec<Finding>; 3] = [names, ignored, sleeps];

/// What counts as a deadline when it is called: tokio's, or a function of `tests/support` that wraps it.
const DEADLINES: [&str; 3] = ["timeout", "deadline", "within"];

/// On the line of a sleep, with a reason behind it.
const SLEEP_ALLOWED: &str = "// tidy: allow sleep, ";

/// A name says what holds, not that it is a test.
fn names(source: &Source) -> Vec<Finding> {
    let tests = functions(&source.tests).into_iter().filter(|function| function.name.starts_with("test_"));
    tests.map(|test| finding(source, test.open, format!("{}: a name states a law", test.name))).collect()
}

/// A test that is not run proves nothing.
fn ignored(source: &Source) -> Vec<Finding> {
    let marks = find(&source.tests, "#[ignore");
    marks.map(|at| finding(source, at, "`#[ignore`: a test that is not run proves nothing")).collect()
}

/// A test waits for what it wants to see, not for a while.
fn sleeps(source: &Source) -> Vec<Finding> {
    let calls = ["sleep", "sleep_until", "sleep_ms"].into_iter().flat_map(|word| find(&source.tests, word));
    let calls = calls.filter(|at| is_called(&source.tests[*at..]) && !is_allowed(source, *at));
    calls.map(|at| finding(source, at, format!("sleeps: wait for an event, or say `{SLEEP_ALLOWED}…`"))).collect()
}

fn is_allowed(source: &Source, at: usize) -> bool {
    let line = source.text.lines().nth(source.line(at) - 1).unwrap_or_default();
    line.split_once(SLEEP_ALLOWED).is_some_and(|(_, reason)| !reason.trim().is_empty())
}

/// A call of a function or a macro, of the word that stands first.
fn is_called(code: &str) -> bool {
    let rest = code.trim_start_matches(|sign: char| sign.is_ascii() && is_word(sign as u8));
    rest.starts_with('(') || rest.starts_with("!(")
}

/// An asynchronous test that waits for ever is a test that never fails. A test may leave its deadline to a function of
/// its own file, or of the modules that the file lies in.
pub(crate) fn deadlines(sources: &[Source]) -> Vec<Finding> {
    let around = |source: &Source| -> Vec<_> { sources.iter().filter(|outer| source.may_call(outer)).collect() };
    sources.iter().flat_map(|source| late(source, &bounded(&around(source)))).collect()
}

fn late(source: &Source, bounded: &BTreeSet<&str>) -> Vec<Finding> {
    let marks = find(&source.tests, "#[tokio::test").chain(find(&source.tests, "#[test]"));
    let tests = marks.filter_map(|at| Some((at, first_function(&source.tests[at..])?)));
    let late = tests.filter_map(|(at, test)| {
        let body = test.body(&source.tests[at..]);
        let waits = source.tests[at..].starts_with("#[tokio") || find(body, "block_on").next().is_some();
        let what = format!("{} has no deadline: call {}", test.name, DEADLINES.join(", "));
        (waits && !calls_any(body, bounded)).then(|| finding(source, at, what))
    });
    late.collect()
}

/// The functions that keep a deadline: the known ones, and those that call one of them.
fn bounded<'a>(files: &[&'a Source]) -> BTreeSet<&'a str> {
    let all: Vec<_> =
        files.iter().flat_map(|file| functions(&file.tests).into_iter().map(|f| (f, &file.tests))).collect();
    let mut names = BTreeSet::from(DEADLINES);
    loop {
        let callers = all.iter().filter(|(function, code)| calls_any(function.body(code), &names));
        let more: BTreeSet<_> = callers.map(|(function, _)| function.name).chain(names.iter().copied()).collect();
        if more.len() == names.len() {
            return names;
        }
        names = more;
    }
}

fn calls_any(body: &str, names: &BTreeSet<&str>) -> bool {
    names.iter().any(|word| find(body, word).any(|at| is_called(&body[at..])))
}

fn first_function(code: &str) -> Option<Function<'_>> {
    functions(code).into_iter().next()
}

fn finding(source: &Source, at: usize, what: impl Into<String>) -> Finding {
    Finding::new(&source.path, source.line(at), "law", what)
}
