//! Names that an expression calls, and what it hands to them.
//!
//! Not here: which names there are (`names`).

use minijinja::machinery::Span;
use minijinja::machinery::ast::{CallArg, Expr};

use super::Reader;
use crate::core::mapping::names::{self, FILTERS, Known};

impl Reader<'_> {
    pub(super) fn check_name(&mut self, what: &str, name: &str, known: &[Known], given: usize, span: Span) {
        let Some((_, takes)) = known.iter().find(|(known, _)| *known == name) else {
            return self.mistake(span, format!("unknown {what} `{name}`"), names::expected(name, &names::names(known)));
        };
        if !takes.contains(&given) {
            let expected = if takes.start() == takes.end() {
                format!("{}", takes.start())
            } else {
                format!("{} to {}", takes.start(), takes.end())
            };
            self.mistake(span, format!("{what} `{name}` has {given} arguments"), expected);
        }
    }

    pub(super) fn arguments(&mut self, args: &[CallArg<'_>], span: Span) -> String {
        let mut codes = Vec::new();
        for arg in args {
            match arg {
                CallArg::Pos(tree) => codes.push(self.bare(tree)),
                _ => self.mistake(span, "named and unpacked arguments are not taken", "plain arguments"),
            }
        }
        codes.join(", ")
    }

    pub(super) fn call(&mut self, callee: &Expr<'_>, span: Span) -> String {
        match callee {
            Expr::Var(var) if var.id == "omit" => {
                self.mistake(span, "`omit` is no function", "`omit`, without parentheses");
            }
            Expr::Var(var) => {
                self.mistake(span, format!("unknown function `{}`", var.id), filter_for(var.id));
            }
            Expr::GetAttr(attr) => {
                self.mistake(span, format!("values have no method `{}`", attr.name), filter_for(attr.name));
            }
            _ => self.mistake(span, "nothing here can be called", "a filter: `value | name`"),
        }
        String::new()
    }
}

/// How the filter of about this name is written.
fn filter_for(name: &str) -> String {
    let known = names::names(&FILTERS);
    match names::nearest(name, &known) {
        Some(near) => format!("a filter: `value | {near}`"),
        None => format!("a filter: `value | name`; {}", names::expected(name, &known)),
    }
}
