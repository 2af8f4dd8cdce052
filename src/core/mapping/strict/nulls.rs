//! Null written where a value is given: no field takes one, so that it would be a dead letter of every such event.
//!
//! Not here: null to compare with (`operators`), and null that an event brings (`expression`).

use minijinja::machinery::ast::{CallArg, Expr};

use super::Reader;

impl Reader<'_> {
    /// Finds null in what an expression gives.
    pub(super) fn nulls(&mut self, tree: &Expr<'_>) {
        match tree {
            Expr::Const(constant) if constant.value.is_none() => {
                let expected = "a value, or `omit`, which leaves the field out";
                self.mistake(constant.span(), "null, which no field takes", expected);
            }
            Expr::IfExpr(choice) => {
                self.nulls(&choice.true_expr);
                choice.false_expr.iter().for_each(|otherwise| self.nulls(otherwise));
            }
            Expr::Filter(filter) if filter.name == "default" => {
                for argument in &filter.args {
                    if let CallArg::Pos(tree) = argument {
                        self.nulls(tree);
                    }
                }
            }
            _ => {}
        }
    }
}
