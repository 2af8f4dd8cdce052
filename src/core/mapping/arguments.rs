//! What the arguments of filters and tests must be. What a rule writes out is checked when it is loaded, and made
//! ready: a pattern is compiled once, and a zone is looked up once.
//!
//! Not here: the filters and tests themselves (`filters`).

use minijinja::machinery::ast::{Expr, UnaryOpKind};
use minijinja::value::{Value, ValueKind};

use super::checks::Wrong;
use super::filters::members::SIGNS;
use super::filters::{digests, moments, patterns};

/// What one argument must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// Anything.
    Any,
    /// An object.
    Object,
    /// A text.
    Text,
    /// A text that is not empty.
    Telling,
    /// A whole number, at least 1.
    Count,
    /// A number of decimal places.
    Places,
    /// A time zone.
    Zone,
    /// A duration.
    Length,
    /// The name of a member, written out.
    Member,
    /// What to compare with; or the sign to compare by, where one more argument follows.
    SignOrValue,
    /// What to compare with by the sign before it.
    Compared,
    /// A text, a number, true or false, written out.
    Constant,
    /// A regular expression, written out.
    Pattern,
    /// A group of the pattern before it, written out.
    Group,
    /// What takes the place of what the pattern before it finds, written out.
    Replacement,
    /// The namespace of a UUID, written out.
    Namespace,
}

/// A name and what may stand in the parentheses behind it.
#[derive(Debug)]
pub(super) struct Signature {
    /// The name.
    pub(super) name: &'static str,
    /// The least number of arguments.
    pub(super) least: usize,
    /// The greatest number of arguments.
    pub(super) most: usize,
    arguments: &'static [Argument],
}

impl Signature {
    /// A name that takes no arguments.
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, least: 0, most: 0, arguments: &[] }
    }

    /// The same, taking from `least` to `most` arguments; the last kind is that of all that follow.
    pub(super) const fn taking(self, least: usize, most: usize, arguments: &'static [Argument]) -> Self {
        Self { least, most, arguments, ..self }
    }

    /// Checks the next argument: `written` is its value where the rule writes it out, `before` are those before it.
    /// What comes back takes its place, if it was made ready.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn ready(&self, written: Option<&Value>, before: &[Value]) -> Result<Option<Value>, Wrong> {
        let kind = self.arguments.get(before.len()).or(self.arguments.last()).copied().unwrap_or(Argument::Any);
        if kind == Argument::Compared
            && !before.last().and_then(Value::as_str).is_some_and(|sign| SIGNS.contains(&sign))
        {
            return Err(("the argument before this one is no sign to compare by".to_owned(), kind.words().to_owned()));
        }
        match written {
            Some(value) => kind.ready(value, before),
            None if kind.is_written_out() => {
                Err(("an argument that is not written out".to_owned(), kind.words().to_owned()))
            }
            None => Ok(None),
        }
    }
}

impl Argument {
    fn is_written_out(self) -> bool {
        use Argument::{Any, Compared, Count, Length, Object, Places, SignOrValue, Telling, Text, Zone};
        !matches!(self, Any | Object | Text | Telling | Count | Places | Zone | Length | SignOrValue | Compared)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Object => "an object to look in, such as {'low': 'P3'}",
            Self::Text => "a quoted text",
            Self::Telling => "a quoted text that is not empty",
            Self::Count => "a whole number, at least 1",
            Self::Places => "0 to 15 decimal places",
            Self::Zone => "a time zone such as \"Asia/Kolkata\", or an offset such as \"+05:30\"",
            Self::Length => "a duration such as \"2h\" or \"90m\"",
            Self::SignOrValue | Self::Compared => {
                "a value, or one of \"==\", \"!=\", \"<\", \"<=\", \">\" and \">=\" with a value behind it"
            }
            Self::Member => "the quoted name of a member",
            Self::Constant => "a quoted text, a number, true or false",
            Self::Pattern => "a quoted regular expression",
            Self::Group => "the number or the quoted name of a group of the pattern",
            Self::Replacement => "a quoted text; `$1` or `${name}` stand for groups of the pattern",
            Self::Namespace => "a quoted UUID, or \"dns\", \"url\", \"oid\" or \"x500\"",
        }
    }

    fn ready(self, value: &Value, before: &[Value]) -> Result<Option<Value>, Wrong> {
        let text = value.as_str();
        let fits = match self {
            Self::Any | Self::Compared => true,
            // Kept for the argument behind it.
            Self::SignOrValue => return Ok(Some(value.clone())),
            Self::Object => value.kind() == ValueKind::Map,
            Self::Text => text.is_some(),
            Self::Telling | Self::Member => text.is_some_and(|text| !text.is_empty()),
            Self::Count => value.is_integer() && value.as_usize().is_some_and(|count| count > 0),
            Self::Places => value.is_integer() && value.as_usize().is_some_and(|places| places <= 15),
            Self::Constant => matches!(value.kind(), ValueKind::String | ValueKind::Number | ValueKind::Bool),
            Self::Length => return self.made(text, moments::length),
            Self::Zone => return self.made(text, moments::zone_named),
            Self::Pattern => return self.made(text, patterns::compile),
            Self::Namespace => return self.made(text, digests::namespace),
            Self::Replacement => return self.made(text, |text| patterns::replacement(text, before)),
            Self::Group => return patterns::group(value, before).map(Some).map_err(|wrong| self.wrong(wrong)),
        };
        if fits { Ok(None) } else { Err(self.wrong("not what is taken here".to_owned())) }
    }

    fn made(self, text: Option<&str>, make: impl Fn(&str) -> Result<Value, Wrong>) -> Result<Option<Value>, Wrong> {
        let text = text.ok_or_else(|| self.wrong("not what is taken here".to_owned()))?;
        make(text).map(Some)
    }

    fn wrong(self, what: String) -> Wrong {
        (what, self.words().to_owned())
    }
}

/// The value of an argument that the rule writes out: a constant, a negative number, or an object of constants.
pub(super) fn written_out(tree: &Expr<'_>) -> Option<Value> {
    match tree {
        Expr::Const(constant) => Some(constant.value.clone()),
        Expr::UnaryOp(unary) if matches!((&unary.op, &unary.expr), (UnaryOpKind::Neg, Expr::Const(_))) => {
            tree.as_const()
        }
        _ => None,
    }
}
