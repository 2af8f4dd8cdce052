//! Writes an expression down again so that the engine takes it strictly, and finds every mistake on the way.
//!
//! The engine is lenient where a mapping must not be (`null ~ 'x'` is a text, `'10' > 9` has an answer, any value
//! is true or false), so each operand passes one of our checks, named with a leading `_`, on its way. Each
//! path becomes one variable, looked up in the event before the expression runs: `default` then works at
//! any depth, and an error can name the whole path.
//!
//! Not here: operators (`strict/operators`), names and arguments (`strict/calls`), the checks and filters
//! themselves (`checks`, `filters`).

mod calls;
mod nulls;
mod numbers;
mod omits;
mod operators;

use minijinja::machinery::Span;
use minijinja::machinery::ast::{CallArg, Expr, Filter, IfExpr, Slice, Spanned};
use minijinja::value::{Value, ValueKind};

use self::omits::may_omit;
use super::filters;
use super::filters::questions::TESTS;
use super::lone_path::{Read, lone_path};
use super::names;
use super::path::{Path, Variable};
use super::place::{Inside, Place};
use crate::core::mistake::Mistake;

/// How deep an expression may nest, each operator of a row counting once.
const DEPTH_MAX: usize = 60;

/// The filters that hash, and those that write content down: together they give the same for two events of equal content.
const HASHES: [&str; 2] = ["sha256", "uuid5"];
const CONTENT: [&str; 2] = ["json", "tojson"];

/// An expression written down again.
#[derive(Debug)]
pub(super) struct Strict {
    /// The strict source.
    pub(super) code: String,
    /// What it reads; `p0` is the first of them.
    pub(super) reads: Vec<Read>,
    /// Arguments made ready; `c0` is the first of them.
    pub(super) ready: Vec<Value>,
    /// Whether it hashes content.
    pub(super) is_hashed: bool,
}

/// Writes an expression down again that stands `offset` bytes into the written text.
///
/// # Errors
/// Every mistake in it.
pub(super) fn rewrite(place: Place<'_>, offset: usize, tree: &Expr<'_>) -> Result<Strict, Vec<Mistake>> {
    let (reads, ready, mistakes) = (Vec::new(), Vec::new(), Vec::new());
    let mut reader = Reader {
        place,
        offset,
        reads,
        ready,
        mistakes,
        depth: 0,
        is_too_deep: false,
        hashes: false,
        has_content: false,
    };
    let code = reader.bare(tree);
    reader.nulls(tree);
    let Reader { reads, ready, mistakes, hashes, has_content, .. } = reader;
    let is_hashed = hashes && has_content;
    if mistakes.is_empty() { Ok(Strict { code, reads, ready, is_hashed }) } else { Err(mistakes) }
}

struct Reader<'a> {
    place: Place<'a>,
    offset: usize,
    reads: Vec<Read>,
    ready: Vec<Value>,
    mistakes: Vec<Mistake>,
    depth: usize,
    is_too_deep: bool,
    hashes: bool,
    has_content: bool,
}

impl Reader<'_> {
    fn mistake(&mut self, span: Span, what: impl Into<String>, expected: impl Into<String>) {
        let from = self.offset + span.start_offset as usize;
        let to = self.offset + span.end_offset as usize;
        self.mistakes.push(self.place.mistake(from..to, what, expected));
    }

    /// The strict source of an expression, safe to stand as an operand.
    fn atom(&mut self, tree: &Expr<'_>) -> String {
        let code = self.bare(tree);
        if matches!(tree, Expr::Var(_) | Expr::Const(_)) || lone_path(tree).is_some() {
            code
        } else {
            format!("({code})")
        }
    }

    /// The strict source of an expression.
    fn bare(&mut self, tree: &Expr<'_>) -> String {
        if self.depth == DEPTH_MAX {
            self.too_deep(tree.span());
            return String::new();
        }
        self.depth += 1;
        let code = match lone_path(tree) {
            Some(path) => self.path(path, true),
            None => self.node(tree),
        };
        self.depth -= 1;
        code
    }

    fn too_deep(&mut self, span: Span) {
        if !std::mem::replace(&mut self.is_too_deep, true) {
            self.mistake(span, "nested too deeply", format!("at most {DEPTH_MAX} levels or operators in a row"));
        }
    }

    fn node(&mut self, tree: &Expr<'_>) -> String {
        match tree {
            Expr::Var(var) => self.variable(var.id, var.span()),
            Expr::Const(constant) => self.constant(&constant.value, constant.span()),
            Expr::GetAttr(attr) => format!("{}|_get({})", self.atom(&attr.expr), names::quoted(attr.name)),
            Expr::GetItem(item) => {
                format!("{}|_get({})", self.looked_up_in(&item.expr), self.bare(&item.subscript_expr))
            }
            Expr::Slice(slice) => self.slice(slice),
            Expr::UnaryOp(unary) => self.unary(unary),
            Expr::BinOp(binary) => self.binary(binary),
            Expr::Compare(compare) => self.comparisons(compare),
            Expr::IfExpr(choice) => self.choice(choice, tree.span()),
            Expr::Filter(filter) => self.filtered(filter),
            Expr::Test(test) => self.test(test.name, &test.expr, &test.args, test.span()),
            Expr::Call(call) => self.call(&call.expr, call.span()),
            Expr::List(list) => self.list(&list.items),
            Expr::Tuple(tuple) => self.list(&tuple.items),
            Expr::Map(map) => self.map(&map.keys, &map.values),
        }
    }

    fn path(&mut self, path: Path, needed: bool) -> String {
        let at = self.reads.iter().position(|read| read.path == path).unwrap_or_else(|| {
            self.reads.push(Read { path, needed: false });
            self.reads.len() - 1
        });
        self.reads[at].needed |= needed;
        format!("p{at}")
    }

    /// An operand that may be missing, because what follows asks just that.
    fn may_be_missing(&mut self, tree: &Expr<'_>) -> String {
        match lone_path(tree) {
            Some(path) => self.path(path, false),
            None => self.atom(tree),
        }
    }

    fn variable(&mut self, name: &str, span: Span) -> String {
        if name != "omit" {
            self.mistake(span, format!("unknown variable `{name}`"), expected_variable(name, self.place.inside));
        }
        name.to_owned()
    }

    fn constant(&mut self, value: &Value, span: Span) -> String {
        match (value.as_str(), value.kind()) {
            (Some(text), _) => names::quoted(text),
            (None, ValueKind::Number) if !value.is_integer() => self.fraction(value, span),
            (None, ValueKind::Number) => self.integer(value, span),
            _ => value.to_string(),
        }
    }

    fn slice(&mut self, slice: &Slice<'_>) -> String {
        let ends = [&slice.start, &slice.stop, &slice.step];
        let ends = ends.map(|end| end.as_ref().map_or(String::new(), |end| self.atom(end)));
        let step = if ends[2].is_empty() { String::new() } else { format!(":{}", ends[2]) };
        format!("({}|_some)[{}:{}{step}]", self.atom(&slice.expr), ends[0], ends[1])
    }

    fn choice(&mut self, choice: &IfExpr<'_>, span: Span) -> String {
        let Some(otherwise) = &choice.false_expr else {
            self.mistake(span, "`if` without `else`", "`a if b else c`; `else omit` leaves the field out");
            return String::new();
        };
        let test = self.truth(&choice.test_expr);
        format!("{} if {test} else {}", self.atom(&choice.true_expr), self.atom(otherwise))
    }

    /// A filter; behind its name may stand members of what it gives, as in `event.items | first.title`.
    fn filtered(&mut self, filter: &Spanned<Filter<'_>>) -> String {
        let (input, span) = (filter.expr.as_ref(), filter.span());
        let Some((name, members)) = filter.name.split_once('.') else {
            return self.filter(filter.name, input, &filter.args, span);
        };
        if !filter.args.is_empty() {
            let expected = format!("parentheses: `(… | {name}(…)).{members}`");
            self.mistake(span, "a member and arguments behind one filter", expected);
            return String::new();
        }
        let code = self.filter(name, input, &[], span);
        let members = members.split('.').map(|member| format!("|_get({})", names::quoted(member)));
        format!("({code}){}", members.collect::<String>())
    }

    fn filter(&mut self, name: &str, input: Option<&Expr<'_>>, args: &[CallArg<'_>], span: Span) -> String {
        let filter = filters::named(name);
        self.hashes |= HASHES.contains(&name);
        self.has_content |= CONTENT.contains(&name);
        if filter.is_none() {
            self.mistake(span, format!("unknown filter `{name}`"), names::expected(name, &calls::filter_names()));
        }
        let input = input.map_or(String::new(), |input| match (name, input) {
            ("default", _) => self.defaulted(input, span),
            ("first_non_empty" | "compact", Expr::List(list)) => self.maybe_items(&list.items),
            ("first_non_empty" | "compact", Expr::Tuple(tuple)) => self.maybe_items(&tuple.items),
            _ => self.atom(input),
        });
        format!("{input}|{name}({})", self.arguments(filter.map(|filter| &filter.signature), args, span))
    }

    /// A list of which any item may be missing.
    fn maybe_items(&mut self, items: &[Expr<'_>]) -> String {
        let items: Vec<_> = items.iter().map(|item| self.may_be_missing(item)).collect();
        format!("[{}]", items.join(", "))
    }

    /// What `default` stands behind. Where that can never be missing, the rule means something else than it says.
    fn defaulted(&mut self, input: &Expr<'_>, span: Span) -> String {
        if let Expr::Filter(before) = input
            && filters::named(before.name).is_some_and(|filter| !filter.may_lack)
        {
            let what = format!("`default` behind `{}` never applies: that gives a value or refuses", before.name);
            self.mistake(span, what, format!("`… | default(…) | {}`", before.name));
        }
        self.may_be_missing(input)
    }

    fn test(&mut self, name: &str, input: &Expr<'_>, args: &[CallArg<'_>], span: Span) -> String {
        let test = TESTS.iter().find(|test| test.name == name);
        if test.is_none() {
            let known: Vec<_> = TESTS.iter().map(|test| test.name).collect();
            self.mistake(span, format!("unknown test `{name}`"), names::expected(name, &known));
        }
        let input = match name {
            "defined" | "undefined" => self.may_be_missing(input),
            _ => format!("({}|_known)", self.atom(input)),
        };
        format!("{input} is {name}({})", self.arguments(test, args, span))
    }

    fn list(&mut self, items: &[Expr<'_>]) -> String {
        let codes: Vec<_> = items.iter().map(|item| self.atom(item)).collect();
        let kept = if items.iter().any(may_omit) { "|_kept" } else { "" };
        format!("[{}]{kept}", codes.join(", "))
    }

    fn map(&mut self, keys: &[Expr<'_>], values: &[Expr<'_>]) -> String {
        let kept = if values.iter().any(may_omit) { "|_kept" } else { "" };
        format!("{}{kept}", self.members(keys, values))
    }

    fn members(&mut self, keys: &[Expr<'_>], values: &[Expr<'_>]) -> String {
        let mut codes = Vec::new();
        for (key, value) in keys.iter().zip(values) {
            if !matches!(key, Expr::Const(constant) if constant.value.as_str().is_some()) {
                self.mistake(key.span(), "a name that is not written out", "a quoted name");
            }
            codes.push(format!("{}: {}", self.atom(key), self.atom(value)));
        }
        format!("{{{}}}", codes.join(", "))
    }

    /// What something is looked up in: there, `omit` is one of the answers.
    fn looked_up_in(&mut self, tree: &Expr<'_>) -> String {
        match tree {
            Expr::Map(map) => format!("({})", self.members(&map.keys, &map.values)),
            _ => self.atom(tree),
        }
    }
}

/// What was meant: the usual slips are a null of another language, and a field without the event it is of.
fn expected_variable(name: &str, inside: Inside) -> String {
    let of_lists = Variable::OF_LISTS
        .into_iter()
        .filter(|name| Variable::named(name).is_some_and(|it| inside.lacks(it).is_none()));
    let known: Vec<_> = Variable::NAMES.into_iter().chain(of_lists).chain(["omit"]).collect();
    match name {
        "null" | "nil" | "undefined" => "`omit`, which leaves the field out".to_owned(),
        _ if names::nearest(name, &known).is_some() => names::expected(name, &known),
        _ if inside.items > 0 => format!("`item.{name}`, if it is a member of the item, or `event.{name}`"),
        _ => format!("`event.{name}`, if it is a field of the event. Known are {}", known.join(", ")),
    }
}
