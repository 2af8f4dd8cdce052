//! The configuration in force, fit to be shown: secrets are stars, and there is a bound.
//!
//! Not here: reading it (`config`), what is promised (`ready`), and who shows it (`admin`).

use std::sync::Arc;

/// So many rules are shown, the first of the file.
pub const RULES_MAX: usize = 200;

/// Where the value of a key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The file.
    File,
    /// A variable of the environment.
    Variable,
    /// Neither says anything.
    Default,
}

impl Origin {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Variable => "variable",
            Self::Default => "default",
        }
    }
}

/// A key outside the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInForce {
    /// Its name, such as `broker.queue`.
    pub key: String,
    /// Its value as it would be written; stars if it is a secret.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInForce {
    /// Its name.
    pub name: Arc<str>,
    /// What is promised for its events, in a sentence.
    pub guarantee: String,
    /// Whether it creates processes; otherwise it skips.
    pub creates: bool,
    /// The rule in TOML, without its comments; none where it is too long to be shown.
    pub text: Option<String>,
}

/// See the head of this file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InForce {
    /// The path of the file.
    pub file: String,
    /// Every key outside the rules that has a value, secrets as stars.
    pub keys: Vec<KeyInForce>,
    /// The first [`RULES_MAX`] rules.
    pub rules: Vec<RuleInForce>,
    /// How many rules there are.
    pub rules_in_all: usize,
}
