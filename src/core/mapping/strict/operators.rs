//! Operators, written down strictly.
//!
//! Not here: the checks that they pass their operands to (`checks`).

use minijinja::machinery::ast::{BinOp, BinOpKind, Compare, CompareOpKind, Expr, UnaryOp, UnaryOpKind};

use super::Reader;
use crate::core::mapping::lone_path::lone_path;

impl Reader<'_> {
    pub(super) fn unary(&mut self, unary: &UnaryOp<'_>) -> String {
        match unary.op {
            UnaryOpKind::Not => format!("not {}", self.truth(&unary.expr)),
            UnaryOpKind::Neg => format!("-{}", self.checked("_number", &unary.expr)),
        }
    }

    pub(super) fn truth(&mut self, tree: &Expr<'_>) -> String {
        let code = self.atom(tree);
        if gives_truth(tree) { code } else { format!("({code}|_truth)") }
    }

    fn text(&mut self, tree: &Expr<'_>) -> String {
        let code = self.atom(tree);
        let is_text = matches!(tree, Expr::BinOp(binary) if matches!(binary.op, BinOpKind::Concat));
        if is_text { code } else { format!("({code}|_text)") }
    }

    pub(super) fn binary(&mut self, binary: &BinOp<'_>) -> String {
        let (left, right) = (&binary.left, &binary.right);
        let sign = match binary.op {
            BinOpKind::ScAnd => return format!("{} and {}", self.truth(left), self.truth(right)),
            BinOpKind::ScOr => return format!("{} or {}", self.truth(left), self.truth(right)),
            BinOpKind::Concat => return format!("{} ~ {}", self.text(left), self.text(right)),
            BinOpKind::Lt => return self.ordered("_lt", left, right),
            BinOpKind::Lte => return self.ordered("_le", left, right),
            BinOpKind::Gt => return self.ordered("_gt", left, right),
            BinOpKind::Gte => return self.ordered("_ge", left, right),
            BinOpKind::In => return format!("{} in ({}|_some)", self.atom(left), self.atom(right)),
            BinOpKind::Eq => return format!("{} == {}", self.atom(left), self.atom(right)),
            BinOpKind::Ne => return format!("{} != {}", self.atom(left), self.atom(right)),
            BinOpKind::Add => {
                return format!("{} + {}", self.checked("_summand", left), self.checked("_summand", right));
            }
            BinOpKind::Sub => "-",
            BinOpKind::Mul => "*",
            BinOpKind::Div => "/",
            BinOpKind::FloorDiv => "//",
            BinOpKind::Rem => "%",
            BinOpKind::Pow => "**",
        };
        format!("{} {sign} {}", self.checked("_number", left), self.checked("_number", right))
    }

    /// An operand behind its check; a number as it is written needs none.
    fn checked(&mut self, check: &str, tree: &Expr<'_>) -> String {
        let code = self.atom(tree);
        let is_number = matches!(tree, Expr::Const(constant) if constant.value.is_number());
        if is_number { code } else { format!("({code}|{check})") }
    }

    fn ordered(&mut self, check: &str, left: &Expr<'_>, right: &Expr<'_>) -> String {
        format!("{}|{check}({})", self.atom(left), self.bare(right))
    }

    /// `a < b <= c` as its pairs: the middle is written twice, which nothing can notice. Only what is short stands there: a chain
    /// within a chain would double with each level.
    pub(super) fn comparisons(&mut self, compare: &Compare<'_>) -> String {
        let mut middles = compare.ops.iter().take(compare.ops.len().saturating_sub(1));
        if let Some(long) = middles.find(|next| !is_short(&next.expr)) {
            self.mistake(
                long.expr.span(),
                "stands between two comparisons",
                "a path or a number, or two comparisons and `and`",
            );
            return String::new();
        }
        let mut left = &compare.expr;
        let mut pairs = Vec::new();
        for next in &compare.ops {
            pairs.push(format!("({})", self.comparison(next.op, left, &next.expr)));
            left = &next.expr;
        }
        pairs.join(" and ")
    }

    fn comparison(&mut self, sign: CompareOpKind, left: &Expr<'_>, right: &Expr<'_>) -> String {
        match sign {
            CompareOpKind::Lt => self.ordered("_lt", left, right),
            CompareOpKind::Lte => self.ordered("_le", left, right),
            CompareOpKind::Gt => self.ordered("_gt", left, right),
            CompareOpKind::Gte => self.ordered("_ge", left, right),
            CompareOpKind::Eq => format!("{} == {}", self.atom(left), self.atom(right)),
            CompareOpKind::Ne => format!("{} != {}", self.atom(left), self.atom(right)),
            CompareOpKind::In => format!("{} in ({}|_some)", self.atom(left), self.atom(right)),
            CompareOpKind::NotIn => format!("{} not in ({}|_some)", self.atom(left), self.atom(right)),
        }
    }
}

/// A path, or a value that is written out.
fn is_short(tree: &Expr<'_>) -> bool {
    matches!(tree, Expr::Const(_)) || lone_path(tree).is_some()
}

/// Whether an expression can only be true or false.
fn gives_truth(tree: &Expr<'_>) -> bool {
    match tree {
        Expr::Test(_) | Expr::Compare(_) => true,
        Expr::UnaryOp(unary) => matches!(unary.op, UnaryOpKind::Not),
        Expr::BinOp(binary) => !matches!(
            binary.op,
            BinOpKind::Add
                | BinOpKind::Sub
                | BinOpKind::Mul
                | BinOpKind::Div
                | BinOpKind::FloorDiv
                | BinOpKind::Rem
                | BinOpKind::Pow
                | BinOpKind::Concat
        ),
        _ => false,
    }
}
