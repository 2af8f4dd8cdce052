//! Where `omit` may come from.
//!
//! Not here: what it does to the list or object that it stands in (`checks`).

use minijinja::machinery::ast::{CallArg, Expr};

/// Whether an item may turn out to be `omit`: by name, by `default`, by a choice, or through a filter.
pub(super) fn may_omit(tree: &Expr<'_>) -> bool {
    match tree {
        Expr::Var(var) => var.id == "omit",
        Expr::IfExpr(choice) => may_omit(&choice.true_expr) || choice.false_expr.as_ref().is_some_and(may_omit),
        Expr::Filter(filter) => {
            let passed = |arg: &CallArg<'_>| matches!(arg, CallArg::Pos(tree) if may_omit(tree));
            filter.expr.as_ref().is_some_and(may_omit) || filter.args.iter().any(passed)
        }
        Expr::Map(map) => map.values.iter().any(may_omit),
        Expr::GetItem(item) => may_omit(&item.expr),
        Expr::GetAttr(attr) => may_omit(&attr.expr),
        _ => false,
    }
}
