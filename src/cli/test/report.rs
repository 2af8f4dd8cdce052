//! What came of all cases, and the same for scripts.
//!
//! Not here: the same for eyes (`print`).

use serde_json::{Value, json};

use crate::config::Source;
use crate::core::case::coverage::{Gaps, gaps};
use crate::core::case::{Case, Verdict, Wrong, run};
use crate::ready::Ready;

/// What came of all cases.
pub(super) struct Report<'r> {
    /// The file they stand in.
    pub(super) source: &'r Source,
    /// The cases, in their order.
    pub(super) cases: &'r [Case],
    /// What came of each.
    pub(super) verdicts: Vec<Verdict>,
    /// What no passing case tries.
    pub(super) gaps: Gaps,
    /// The name of the first rule: what an example is about.
    pub(super) first_rule: &'r str,
}

impl<'r> Report<'r> {
    /// Runs all cases of a configuration.
    pub(super) fn of(ready: &'r Ready) -> Self {
        let verdicts: Vec<_> = ready.cases.iter().map(|case| run(case, &ready.limits, &ready.rules)).collect();
        let gaps = gaps(&ready.rules, &verdicts);
        let first_rule = ready.rules.names().next().map_or("", |name| name);
        Self { source: &ready.source, cases: &ready.cases, verdicts, gaps, first_rule }
    }

    /// How many cases did not pass.
    pub(super) fn failed(&self) -> usize {
        self.verdicts.iter().filter(|verdict| !verdict.passed()).count()
    }

    /// Each case with its verdict.
    pub(super) fn each(&self) -> impl Iterator<Item = (&'r Case, &Verdict)> {
        self.cases.iter().zip(&self.verdicts)
    }

    /// The line that a case begins at, from 1.
    pub(super) fn line(&self, case: &Case) -> usize {
        self.source.line(case.name.span.start)
    }

    /// One object: `cases` with `name`, `line`, `passed`, `rule` and `wrong`; `untried` with `rules` and `fields`.
    pub(super) fn json(&self) -> Value {
        let cases = self.each().map(|(case, verdict)| {
            let wrong: Vec<Value> = verdict.wrong.iter().map(wrong).collect();
            let (name, line, passed) = (&case.name.value, self.line(case), verdict.passed());
            json!({ "name": name, "line": line, "passed": passed, "rule": verdict.rule.as_deref(), "wrong": wrong })
        });
        let rules: Vec<&str> = self.gaps.rules.iter().map(|name| &**name).collect();
        let fields = self.gaps.fields.iter();
        let fields = fields.map(|(rule, field)| json!({ "rule": &**rule, "field": field.to_string() }));
        json!({
            "file": self.source.path(),
            "passed": self.cases.len() - self.failed(),
            "failed": self.failed(),
            "cases": cases.collect::<Vec<_>>(),
            "untried": { "rules": rules, "fields": fields.collect::<Vec<_>>() },
        })
    }
}

/// `field` or `about`, with `expected` and `got`: where one of them is absent, there is nothing.
fn wrong(wrong: &Wrong) -> Value {
    let mut object = match wrong {
        Wrong::Field(difference) => json!({ "field": difference.path }),
        Wrong::Words { about, .. } => json!({ "about": about }),
    };
    let (expected, got) = match wrong {
        Wrong::Field(difference) => (difference.expected.clone(), difference.got.clone()),
        Wrong::Words { expected, got, .. } => (Some(json!(expected)), Some(json!(got))),
    };
    for (name, value) in [("expected", expected), ("got", got)] {
        if let Some(value) = value {
            object[name] = value;
        }
    }
    object
}
