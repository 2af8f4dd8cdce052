//! A configuration as it may be shown while it is in force: its keys, and its first rules with what is promised for each.
//!
//! Not here: what is secret in it (`config`), and who shows it (`admin`).

use std::sync::Arc;

use super::{Promise, Ready};
use crate::config::{Source, keys_in_force, rule_texts};
use crate::core::mapping::rules::Rule;
use crate::states::in_force::{InForce, RULES_MAX, RuleInForce};

impl Ready {
    /// What may be shown of it, in a daemon that was started with `start` and promised this.
    #[must_use]
    pub fn in_force(&self, start: &Source, promise: Promise) -> InForce {
        let texts = rule_texts(&self.source).into_iter().chain(std::iter::repeat(None));
        let rules = self.rules.iter().take(RULES_MAX).zip(texts);
        InForce {
            file: start.path().display().to_string(),
            keys: keys_in_force(start, &self.source),
            rules: rules.map(|(rule, text)| shown(rule, promise, text)).collect(),
            rules_in_all: self.rules.names().count(),
        }
    }
}

fn shown(rule: &Rule, promise: Promise, text: Option<String>) -> RuleInForce {
    let (name, whole) = (Arc::clone(rule.name()), promise.of(rule));
    // The name stands beside it.
    let guarantee = whole.strip_prefix(&format!("rule \"{name}\": ")).unwrap_or(&whole).to_owned();
    RuleInForce { name, guarantee, creates: !rule.is_skip(), text }
}
