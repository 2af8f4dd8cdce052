//! How deep the blocks of a function lie in each other.
//!
//! Counted is what holds statements: the bodies of `if`, `else`, `for`, `while`, `loop`, `unsafe`, `async`, closures,
//! `match` arms, inner functions, and bare blocks. Not counted are the braces of a `match` itself (its arms count if
//! they are blocks), of struct literals and patterns, of inner items, of macro input, and of a block that is a plain
//! argument or field.

use crate::tidy::source::is_word;

/// The depth of the deepest block and its offset in the body; 0 if there is none.
pub(crate) fn deepest(body: &str) -> (usize, usize) {
    let mut walk = Walk { body, frames: vec![Frame::default()], last: "", deepest: (0, 0) };
    let mut at = 0;
    while let Some(token) = token(body, at) {
        walk.take(token.0, token.1);
        at = token.1 + token.0.len();
    }
    walk.deepest
}

/// The next token: a word, or a sign; and its offset.
fn token(body: &str, from: usize) -> Option<(&str, usize)> {
    let at = from + body[from..].find(|sign: char| !sign.is_whitespace())?;
    let rest = &body[at..];
    let word = rest.bytes().take_while(|byte| is_word(*byte)).count();
    let two = rest.get(..2).filter(|two| ["=>", "->", "..", "::"].contains(two));
    Some((two.unwrap_or(&rest[..word.max(1)]), at))
}

/// What the next brace of a head opens.
#[derive(Clone, Copy, Default, PartialEq)]
enum Head {
    #[default]
    None,
    Block,
    Match,
    Item,
}

/// One open bracket.
#[derive(Clone, Copy, Default)]
struct Frame {
    depth: usize,
    head: Head,
    /// Between `let` and `=`, or `for` and `in`: braces are those of a pattern.
    is_pattern: bool,
}

struct Walk<'a> {
    body: &'a str,
    frames: Vec<Frame>,
    last: &'a str,
    deepest: (usize, usize),
}

impl<'a> Walk<'a> {
    fn take(&mut self, token: &'a str, at: usize) {
        match token {
            "{" => self.open(at),
            "(" | "[" => self.push(0),
            "}" | ")" | "]" if self.frames.len() > 1 => _ = self.frames.pop(),
            _ => self.note(token),
        }
        self.last = &self.body[at..at + token.len()];
    }

    fn top(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame::default());
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn push(&mut self, more: usize) {
        let depth = self.top().depth + more;
        self.frames.push(Frame { depth, ..Frame::default() });
    }

    fn note(&mut self, token: &str) {
        let is_item = self.top().head == Head::Item;
        let top = self.top();
        match token {
            "if" | "while" | "loop" | "unsafe" | "async" | "else" | "fn" | "->" => top.head = Head::Block,
            "for" if !is_item => (top.head, top.is_pattern) = (Head::Block, true),
            "match" => top.head = Head::Match,
            "impl" | "struct" | "enum" | "mod" | "union" | "trait" => top.head = Head::Item,
            "let" => top.is_pattern = true,
            "=" | "in" => top.is_pattern = false,
            "=>" | ";" => (top.head, top.is_pattern) = (Head::None, false),
            _ => {}
        }
    }

    fn open(&mut self, at: usize) {
        let top = *self.top();
        if top.is_pattern {
            return self.push(0);
        }
        self.top().head = Head::None;
        let is_block = match top.head {
            Head::Block => true,
            Head::Match | Head::Item => false,
            Head::None => ["=>", "|", "=", ";", "{", "}", ")", "", "move"].contains(&self.last),
        };
        self.push(usize::from(is_block));
        let depth = self.top().depth;
        if depth > self.deepest.0 {
            self.deepest = (depth, at);
        }
    }
}
