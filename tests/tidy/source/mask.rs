//! Masks comments and the inside of literals, so that rules read code only.

use super::is_word;

/// The same text with every byte of a comment blank and every byte inside a text or character literal `_`.
/// Line ends stay.
pub(crate) fn mask(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut masked = Vec::with_capacity(bytes.len());
    while masked.len() < bytes.len() {
        let at = masked.len();
        let inside_word = at > 0 && is_word(bytes[at - 1]) && is_word(bytes[at]);
        let piece = if inside_word { Piece::Code } else { Piece::of(&bytes[at..]) };
        piece.write(&bytes[at..], &mut masked);
    }
    String::from_utf8_lossy(&masked).into_owned()
}

/// What begins at a place.
enum Piece {
    /// One byte of code.
    Code,
    /// A comment of this many bytes.
    Comment(usize),
    /// A literal: bytes before its inside, bytes until after its inside.
    Literal(usize, usize),
}

impl Piece {
    fn of(rest: &[u8]) -> Self {
        if rest.starts_with(b"//") {
            return Self::Comment(position(rest, b"\n", 2));
        }
        if rest.starts_with(b"/*") {
            return Self::Comment(block_comment(rest));
        }
        text(rest).or_else(|| character(rest)).unwrap_or(Self::Code)
    }

    fn write(&self, rest: &[u8], masked: &mut Vec<u8>) {
        let (open, end, fill) = match *self {
            Self::Code => (1, 1, b' '),
            Self::Comment(end) => (0, end, b' '),
            Self::Literal(open, end) => (open, end, b'_'),
        };
        masked.extend_from_slice(&rest[..open]);
        masked.extend(rest[open..end].iter().map(|byte| if *byte == b'\n' { b'\n' } else { fill }));
        if matches!(self, Self::Literal(..)) && end < rest.len() {
            masked.push(rest[end]);
        }
    }
}

/// The offset of `wanted` from `from` on, or the end.
fn position(rest: &[u8], wanted: &[u8], from: usize) -> usize {
    let found = rest.get(from..).and_then(|tail| tail.windows(wanted.len()).position(|window| window == wanted));
    found.map_or(rest.len(), |at| from + at)
}

/// Block comments nest.
fn block_comment(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (2, 1_usize);
    while depth > 0 && at < rest.len() {
        let step = match rest[at..] {
            [b'/', b'*', ..] => 1,
            [b'*', b'/', ..] => -1,
            _ => 0,
        };
        depth = depth.saturating_add_signed(step);
        at += if step == 0 { 1 } else { 2 };
    }
    at.min(rest.len())
}

/// `"…"`, `r#"…"#` and both behind `b` or `c`.
fn text(rest: &[u8]) -> Option<Piece> {
    let kind = rest.iter().take_while(|byte| matches!(byte, b'b' | b'c' | b'r')).count();
    let is_raw = kind > 0 && rest[kind - 1] == b'r';
    let hashes = if is_raw { rest[kind..].iter().take_while(|byte| **byte == b'#').count() } else { 0 };
    let open = kind + hashes + 1;
    if kind > 2 || rest.get(open - 1) != Some(&b'"') {
        return None;
    }
    if !is_raw {
        return Some(Piece::Literal(open, unescaped(rest, open, b'"')));
    }
    let mut closing = vec![b'"'];
    closing.resize(hashes + 1, b'#');
    Some(Piece::Literal(open, position(rest, &closing, open)))
}

/// A character literal; a lifetime is none.
fn character(rest: &[u8]) -> Option<Piece> {
    let [b'\'', first, ..] = *rest else { return None };
    if first == b'\\' {
        return Some(Piece::Literal(1, unescaped(rest, 1, b'\'')));
    }
    let end = 1 + rest[1..].iter().skip(1).take_while(|byte| (0x80..0xC0).contains(*byte)).count() + 1;
    (rest.get(end) == Some(&b'\'')).then_some(Piece::Literal(1, end))
}

fn unescaped(rest: &[u8], from: usize, closing: u8) -> usize {
    let mut at = from;
    while at < rest.len() && rest[at] != closing {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at.min(rest.len())
}
