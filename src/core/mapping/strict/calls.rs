//! Names that an expression calls, and what it hands to them.
//!
//! Not here: which names there are (`names`).

use minijinja::machinery::Span;
use minijinja::machinery::ast::{CallArg, Expr};
use minijinja::value::Value;

use super::Reader;
use crate::core::mapping::arguments::{Signature, written_out};
use crate::core::mapping::filters::FILTERS;
use crate::core::mapping::names;

/// The names of all filters.
pub(super) fn filter_names() -> Vec<&'static str> {
    FILTERS.iter().map(|filter| filter.signature.name).collect()
}

impl Reader<'_> {
    /// The arguments handed to what has this signature, if it is known at all.
    pub(super) fn arguments(&mut self, signature: Option<&Signature>, args: &[CallArg<'_>], span: Span) -> String {
        let (mut codes, mut ready) = (Vec::new(), Vec::new());
        for arg in args {
            let CallArg::Pos(tree) = arg else {
                self.mistake(span, "named and unpacked arguments are not taken", "plain arguments");
                continue;
            };
            let is_lookup = signature.is_some_and(|signature| signature.name == "lookup");
            let code = if is_lookup { self.looked_up_in(tree) } else { self.bare(tree) };
            let value = signature.and_then(|signature| self.ready(signature, tree, &ready));
            ready.push(value.clone().unwrap_or_default());
            codes.push(value.map_or(code, |value| self.constant_of_ours(value)));
        }
        if let Some(Signature { name, least, most, .. }) = signature
            && !(*least..=*most).contains(&args.len())
        {
            let expected = if least == most { format!("{least}") } else { format!("{least} to {most}") };
            self.mistake(span, format!("`{name}` has {} arguments", args.len()), expected);
        }
        codes.join(", ")
    }

    fn ready(&mut self, signature: &Signature, tree: &Expr<'_>, before: &[Value]) -> Option<Value> {
        signature.ready(written_out(tree).as_ref(), before).unwrap_or_else(|(what, expected)| {
            self.mistake(tree.span(), what, expected);
            None
        })
    }

    /// The name under which the engine finds a value that was made ready.
    fn constant_of_ours(&mut self, value: Value) -> String {
        self.ready.push(value);
        format!("c{}", self.ready.len() - 1)
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
    let known = filter_names();
    match names::nearest(name, &known) {
        Some(near) => format!("a filter: `value | {near}`"),
        None => format!("a filter: `value | name`; {}", names::expected(name, &known)),
    }
}
