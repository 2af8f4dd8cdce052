//! What came of all cases, for eyes.
//!
//! Not here: running them, and the same for scripts (`report`).

use serde_json::Value;

use super::report::Report;
use crate::cli::color::Color;
use crate::core::case::{Case, Verdict, Wrong};

/// A line for each case, more for one that failed; then what is untried, and what to do next.
pub(super) fn text(report: &Report<'_>, color: Color, is_strict: bool) -> String {
    let mut out: String = report.each().map(|(case, verdict)| one(report, case, verdict, color)).collect();
    if report.cases.is_empty() {
        out += &no_cases(report);
    } else {
        out += &untried(report, color);
        let passed = report.cases.len() - report.failed();
        out += &format!("{passed} passed, {} failed. ", report.failed());
        out += &format!("Next: {}\n", next(report, is_strict));
    }
    out
}

fn one(report: &Report<'_>, case: &Case, verdict: &Verdict, color: Color) -> String {
    let Color { good, bad, bold, plain } = color;
    let name = &case.name.value;
    if verdict.passed() {
        return format!("{good}ok{plain}     {name}\n");
    }
    let place = format!("{}:{}", report.source.path().display(), report.line(case));
    let mut out = format!("{bad}failed{plain} {bold}{name}{plain} ({place})\n");
    for wrong in &verdict.wrong {
        let (about, expected, got) = sides(wrong);
        out += &format!("         {bold}{about}{plain}\n");
        out += &format!("           expected {good}{expected}{plain}\n");
        out += &format!("           got      {bad}{got}{plain}\n");
    }
    out
}

fn sides(wrong: &Wrong) -> (&str, String, String) {
    let side = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
    match wrong {
        Wrong::Field(difference) => (&difference.path, side(&difference.expected), side(&difference.got)),
        Wrong::Words { about, expected, got } => (about, expected.clone(), got.clone()),
    }
}

fn untried(report: &Report<'_>, color: Color) -> String {
    let Color { bold, plain, .. } = color;
    let mut out = String::new();
    for rule in &report.gaps.rules {
        out += &format!("untried: {bold}rule {rule:?}{plain}: no passing case reaches it\n");
    }
    for (rule, field) in &report.gaps.fields {
        out += &format!("untried: {bold}rule {rule:?}, {field}{plain}: no passing case produces it\n");
    }
    out
}

fn next(report: &Report<'_>, is_strict: bool) -> String {
    if report.failed() > 0 {
        return "correct the rule, or the case if the rule is right, and run this again".to_owned();
    }
    if !report.gaps.is_empty() {
        let why = if is_strict { "--strict asks for a case for each of these" } else { "a case for each of these" };
        return why.to_owned();
    }
    format!("chakra-bridge --config {} check --online", report.source.path().display())
}

fn no_cases(report: &Report<'_>) -> String {
    format!(
        r#"no cases yet. Beside the rules in {}, write for instance:

[[case]]
name = "an event becomes what it should"
event = '''{{ "specversion": "1.0", "id": "1", "source": "/acme", "type": "…", "data": {{}} }}'''
rule = {:?}
request = '''{{ "procedure": "…", "data": {{}} }}'''   # or: reason = "unmappable", or: skip = true

Next: put a real event in, and run this again: it says what differs
"#,
        report.source.path().display(),
        report.first_rule,
    )
}
