//! One file of source, and the views of it that rules measure: with comments and literals masked, and parted into
//! what the daemon runs and what only its tests run. All views keep the length and the lines of the text.

mod cases;
pub(crate) mod mask;
pub(crate) mod names;

use mask::mask;

/// One file.
pub(crate) struct Source {
    /// Its path from the root, with `/`.
    pub(crate) path: String,
    /// As it stands in the file.
    pub(crate) text: String,
    /// Comments masked by blanks, the inside of literals by `_`.
    pub(crate) code: String,
    /// `code` without what stands under `cfg(test)`; empty for a file of tests.
    pub(crate) daemon: String,
    /// `code` without what stands in `daemon`.
    pub(crate) tests: String,
}

const MARK: &str = "#[cfg(test)]";

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = mask(text);
        let marked: Vec<_> = find(&code, MARK).map(|at| at..item_end(&code, at + MARK.len())).collect();
        let view = |keep: bool| blank(&code, |at| marked.iter().any(|range| range.contains(&at)) == keep);
        let mut source =
            Self { path: path.to_owned(), text: text.to_owned(), daemon: view(false), tests: view(true), code };
        if !path.starts_with("src/") || path.ends_with("/tests.rs") || path.contains("/tests/") {
            source.is_for_tests_only();
        }
        source
    }

    /// Takes the whole file for one of tests.
    pub(crate) fn is_for_tests_only(&mut self) {
        self.tests.clone_from(&self.code);
        self.daemon = blank(&self.code, |_| false);
    }

    pub(crate) fn is_test_file(&self) -> bool {
        self.tests == self.code
    }

    /// The line of an offset, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        line(&self.code, at)
    }

    /// Paths, without `.rs`, of the modules that this file declares for tests only.
    pub(crate) fn modules_for_tests(&self) -> Vec<String> {
        let folder = module_folder(&self.path);
        let items = find(&self.code, MARK).map(|at| &self.code[at + MARK.len()..item_end(&self.code, at + MARK.len())]);
        items.filter_map(|item| declared(item).map(|name| format!("{folder}/{name}"))).collect()
    }

    /// Whether this is the file of a module, given without `.rs`, or lies below it.
    pub(crate) fn is_within(&self, module: &str) -> bool {
        self.path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    }

    /// Whether `outer` is this file, or that of a module around it: what tests may leave their deadline to.
    pub(crate) fn may_call(&self, outer: &Source) -> bool {
        let folder = module_folder(&outer.path);
        outer.path == self.path || folder.contains('/') && self.is_within(folder)
    }
}

/// The name in `mod name;`.
fn declared(item: &str) -> Option<&str> {
    let item = item.trim().strip_suffix(';')?;
    let (_, name) = item.rsplit_once("mod ")?;
    Some(name.trim())
}

/// Where the modules that a file declares lie.
fn module_folder(path: &str) -> &str {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    ["/mod", "/lib", "/main"].iter().find_map(|name| stem.strip_suffix(name)).unwrap_or(stem)
}

/// The module of a file: `crate::core::mapping` for `src/core/mapping/mod.rs`.
pub(crate) fn module(path: &str) -> String {
    module_folder(path).replacen("src", "crate", 1).replace('/', "::")
}

pub(crate) fn line(code: &str, at: usize) -> usize {
    code.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Offsets of a word: where it begins or ends with a letter, it is not a piece of a longer one.
pub(crate) fn find<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let starts = at == 0 || !is_word(bytes[at - 1]) || !is_word(bytes[at]);
        let end = at + word.len();
        starts && (end == bytes.len() || !is_word(bytes[end]) || !is_word(bytes[end - 1]))
    })
}

pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// The offset of the brace that closes the one at `open`; the end of the code if none does.
pub(crate) fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return at,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// The first `{` or `;` from `at` on that stands in no round or square bracket.
pub(crate) fn head_end(code: &str, at: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(at) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b'{' | b';' if depth == 0 => return at,
            _ => {}
        }
    }
    code.len()
}

/// Where the item that begins at `at` ends, its last brace or semicolon included.
fn item_end(code: &str, at: usize) -> usize {
    let end = head_end(code, at);
    let last = if code[end..].starts_with('{') { closing(code, end) } else { end };
    code.len().min(last + 1)
}

fn blank(code: &str, keep: impl Fn(usize) -> bool) -> String {
    code.char_indices().map(|(at, sign)| if sign == '\n' || keep(at) { sign } else { ' ' }).collect()
}
