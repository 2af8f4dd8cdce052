//! What the cases leave untried: rules that no passing case reached, and fields that none of them produced.
//!
//! Not here: which paths inside an expression were taken.

use std::sync::Arc;

use super::{Made, Verdict};
use crate::core::mapping::fields::Field;
use crate::core::mapping::rules::{Rule, Rules};

/// What no passing case shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Rules that took no event.
    pub rules: Vec<Arc<str>>,
    /// Fields of other rules that were in no request, for instance since each time they were left out.
    pub fields: Vec<(Arc<str>, Field)>,
}

impl Gaps {
    /// Whether everything was tried.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.fields.is_empty()
    }
}

/// The gaps that these verdicts leave.
#[must_use]
pub fn gaps(rules: &Rules, verdicts: &[Verdict]) -> Gaps {
    let mut gaps = Gaps::default();
    for rule in rules {
        let of_rule = |verdict: &&Verdict| verdict.passed() && verdict.rule.as_ref() == Some(rule.name());
        let passed: Vec<&Verdict> = verdicts.iter().filter(of_rule).collect();
        if passed.is_empty() {
            gaps.rules.push(Arc::clone(rule.name()));
        } else {
            gaps.fields.extend(unproduced(rule, &passed).map(|field| (Arc::clone(rule.name()), field)));
        }
    }
    gaps
}

fn unproduced<'v>(rule: &Rule, passed: &'v [&Verdict]) -> impl Iterator<Item = Field> + 'v {
    let is_made = |field: &Field| {
        passed.iter().any(|verdict| matches!(&verdict.made, Made::Request(request) if field.is_in(request)))
    };
    rule.fields().into_iter().filter(move |field| !is_made(field))
}
