//! The paths in an expression, and the one that it is if it is nothing else.
//!
//! Not here: resolving a path (`path`), and all other expressions (`grammar`).

use minijinja::machinery::ast::Expr;

use super::path::{Path, Step, Variable};

/// A path that an expression reads.
#[derive(Clone, Debug)]
pub(super) struct Read {
    /// The path.
    pub(super) path: Path,
    /// Whether it is read anywhere without `default` or `is defined` at once behind it.
    pub(super) needed: bool,
}

/// The path that an expression is, if it is nothing else and begins with a known variable.
pub(super) fn lone_path(tree: &Expr<'_>) -> Option<Path> {
    match tree {
        Expr::Var(var) => Some(Path { variable: Variable::named(var.id)?, steps: Vec::new() }),
        Expr::GetAttr(attr) => lone_path(&attr.expr).map(|path| path.then(Step::Member(attr.name.to_owned()))),
        Expr::GetItem(item) => lone_path(&item.expr)?.then_const(&item.subscript_expr),
        _ => None,
    }
}

impl Path {
    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    fn then_const(self, subscript: &Expr<'_>) -> Option<Self> {
        let Expr::Const(constant) = subscript else { return None };
        let value = &constant.value;
        match value.as_str() {
            Some(name) => Some(self.then(Step::Member(name.to_owned()))),
            None if value.is_integer() => value.as_usize().map(|index| self.then(Step::Item(index))),
            None => None,
        }
    }
}
