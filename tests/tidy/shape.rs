//! Sizes: how long functions and files are, how deep functions nest, how files begin.
//!
//! The length of a function is the number of lines between its braces that hold more than blanks and comments; a
//! function within a function counts for both. Its depth is that of the deepest block (see `nesting`).

mod cases;
pub(crate) mod nesting;

use super::finding::Finding;
use super::source::{Source, closing, find, head_end, is_word};

pub(crate) const MEDIAN_MAX: usize = 8;
pub(crate) const PERCENTILE_95_MAX: usize = 40;
pub(crate) const LENGTH_MAX: usize = 60;
pub(crate) const DEPTH_MAX: usize = 4;
pub(crate) const FILE_LINES_MAX: usize = 300;

/// The rules about one file.
pub(crate) const RULES: [fn(&Source) -> Vec<Finding>; 4] = [length, depth, file_lines, head];

/// One function: its name and the offsets of its braces.
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    pub(crate) open: usize,
    pub(crate) close: usize,
}

impl<'a> Function<'a> {
    pub(crate) fn body(&self, code: &'a str) -> &'a str {
        code.get(self.open + 1..self.close).unwrap_or_default()
    }

    /// Lines of the body that hold code.
    pub(crate) fn length(&self, code: &str) -> usize {
        self.body(code).lines().filter(|line| !line.trim().is_empty()).count()
    }
}

/// Every function with a body.
pub(crate) fn functions(code: &str) -> Vec<Function<'_>> {
    find(code, "fn").filter_map(|at| function(code, at)).collect()
}

fn function(code: &str, at: usize) -> Option<Function<'_>> {
    let name = code[at + 2..].trim_start();
    let end = name.bytes().position(|byte| !is_word(byte)).unwrap_or(name.len());
    let open = head_end(code, at);
    let has_body = end > 0 && code[open..].starts_with('{');
    has_body.then(|| Function { name: &name[..end], open, close: closing(code, open) })
}

/// No function is long; tests included.
fn length(source: &Source) -> Vec<Finding> {
    let long = functions(&source.code).into_iter().filter(|function| function.length(&source.code) > LENGTH_MAX);
    long.map(|function| {
        let what = format!("{} has {} lines, over {LENGTH_MAX}", function.name, function.length(&source.code));
        Finding::new(&source.path, source.line(function.open), "length", what)
    })
    .collect()
}

/// Most functions of the daemon are short.
pub(crate) fn lengths(sources: &[Source]) -> Vec<Finding> {
    let of = |source: &Source| functions(&source.daemon).iter().map(|f| f.length(&source.daemon)).collect::<Vec<_>>();
    let mut all: Vec<_> = sources.iter().flat_map(of).collect();
    all.sort_unstable();
    let bars = [("median", 50, MEDIAN_MAX), ("95th percentile", 95, PERCENTILE_95_MAX)];
    let over = bars.into_iter().filter_map(|(name, percent, most)| {
        let found = percentile(&all, percent);
        (found > most).then(|| format!("the {name} of {} functions is {found} lines, over {most}", all.len()))
    });
    over.map(|what| Finding::new("src", 1, "lengths", what)).collect()
}

/// The smallest length that at least so many of a hundred do not exceed.
fn percentile(sorted: &[usize], percent: usize) -> usize {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

/// No function nests deep; tests included.
fn depth(source: &Source) -> Vec<Finding> {
    let deep = functions(&source.code).into_iter().filter_map(|function| {
        let (depth, at) = nesting::deepest(function.body(&source.code));
        (depth > DEPTH_MAX).then(|| {
            let what = format!("{} nests {depth} deep, over {DEPTH_MAX}", function.name);
            Finding::new(&source.path, source.line(function.open + 1 + at), "nesting", what)
        })
    });
    deep.collect()
}

fn file_lines(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().count();
    let is_long = lines > FILE_LINES_MAX;
    let what = format!("{lines} lines, over {FILE_LINES_MAX}");
    is_long.then(|| Finding::new(&source.path, lines, "file", what)).into_iter().collect()
}

/// Every file says first what it is for; one of the daemon also what it does not do.
fn head(source: &Source) -> Vec<Finding> {
    let head: Vec<_> = source.text.lines().take_while(|line| line.starts_with("//!")).collect();
    let says = head.first().is_some_and(|line| line.len() > "//! ".len());
    let refuses = source.is_test_file() || head.iter().any(|line| line.starts_with("//! Not here: "));
    let missing =
        [(says, "does not begin with `//!` and what it is for"), (refuses, "its head has no `//! Not here: `")];
    let missing = missing.into_iter().filter(|(is_there, _)| !is_there);
    missing.map(|(_, what)| Finding::new(&source.path, 1, "head", what)).collect()
}
