//! The paths that code names: `use` groups written out, `super` and `self` resolved.

use super::is_word;

/// One path and where it begins.
#[derive(Debug, PartialEq)]
pub(crate) struct Name {
    pub(crate) path: String,
    pub(crate) at: usize,
}

/// Every path in `code`, which stands in `module`. Fields and methods (after a dot) are none. A `super` inside an
/// inline module is resolved as if it stood outside, which only tests do.
pub(crate) fn names(code: &str, module: &str) -> Vec<Name> {
    let mut reader = Reader { code: code.as_bytes(), at: 0, names: Vec::new() };
    while reader.at < reader.code.len() {
        reader.step();
    }
    for name in &mut reader.names {
        name.path = resolved(&name.path, module);
    }
    reader.names
}

/// Whether `path` is `pattern` or lies in it. A pattern that begins with `*::` may stand anywhere in the path.
pub(crate) fn names_it(path: &str, pattern: &str) -> bool {
    let path = format!("::{path}::");
    match pattern.strip_prefix('*') {
        Some(anywhere) => path.contains(&format!("{anywhere}::")),
        None => path.starts_with(&format!("::{pattern}::")),
    }
}

struct Reader<'a> {
    code: &'a [u8],
    at: usize,
    names: Vec<Name>,
}

impl Reader<'_> {
    fn byte(&self) -> u8 {
        self.code.get(self.at).copied().unwrap_or(b'}')
    }

    fn step(&mut self) {
        let follows_dot = self.at > 0 && self.code[self.at - 1] == b'.';
        let begins = is_word(self.byte()) && !self.byte().is_ascii_digit();
        match (begins, is_word(self.byte())) {
            (true, _) if !follows_dot => self.tree(""),
            (_, true) => _ = self.word(),
            _ => self.at += 1,
        }
    }

    fn word(&mut self) -> String {
        let from = self.at;
        while self.at < self.code.len() && is_word(self.code[self.at]) {
            self.at += 1;
        }
        String::from_utf8_lossy(&self.code[from..self.at]).into_owned()
    }

    fn skip_blank(&mut self) {
        while self.byte().is_ascii_whitespace() {
            self.at += 1;
        }
    }

    /// One path, with the group at its end if it has one.
    fn tree(&mut self, prefix: &str) {
        let from = self.at;
        let mut path = joined(prefix, &self.word());
        while self.code[self.at..].starts_with(b"::") {
            self.at += 2;
            match self.byte() {
                b'{' => return self.group(&path),
                b'*' => path.push_str("::*"),
                byte if is_word(byte) => path = joined(&path, &self.word()),
                _ => break,
            }
        }
        self.names.push(Name { path, at: from });
    }

    fn group(&mut self, prefix: &str) {
        self.at += 1;
        while self.at < self.code.len() && self.byte() != b'}' {
            self.skip_blank();
            match self.byte() {
                b'}' => {}
                byte if is_word(byte) => self.tree(prefix),
                _ => self.at += 1,
            }
            self.skip_alias();
        }
        self.at += 1;
    }

    fn skip_alias(&mut self) {
        self.skip_blank();
        if self.code[self.at.min(self.code.len())..].starts_with(b"as ") {
            self.at += 3;
            self.word();
        }
    }
}

fn joined(prefix: &str, word: &str) -> String {
    if prefix.is_empty() { word.to_owned() } else { format!("{prefix}::{word}") }
}

fn resolved(path: &str, module: &str) -> String {
    let path = path.strip_suffix("::self").unwrap_or(path);
    let (mut from, mut rest) = (module, path);
    while let Some(inner) = rest.strip_prefix("super::") {
        from = from.rsplit_once("::").map_or(from, |(outer, _)| outer);
        rest = inner;
    }
    let inner = rest.strip_prefix("self::");
    if inner.is_none() && rest == path {
        return path.to_owned();
    }
    joined(from, inner.unwrap_or(rest))
}
