//! Finds the `{{ expressions }}` in a written text.
//!
//! Not here: what stands inside the braces (`grammar`).

use std::ops::Range;

/// A piece of a written text, as a range of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text that is sent as it is.
    Literal(Range<usize>),
    /// What stands between the braces, with the spaces around it.
    Expression(Range<usize>),
}

/// Something that looks like an expression and is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stray {
    /// Where in the text.
    pub(super) range: Range<usize>,
    /// What is wrong.
    pub(super) what: &'static str,
    /// What was expected.
    pub(super) expected: &'static str,
}

/// Cuts a text into its pieces; empty literals are left out.
///
/// # Errors
/// At the first statement, comment, unclosed or unopened brace pair, or brace pair with a whitespace mark.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, Stray> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while let Some(open) = next_mark(text, from)? {
        let close = closing(text, open)?;
        pieces.extend((open > from).then_some(Piece::Literal(from..open)));
        pieces.push(Piece::Expression(open + 2..close));
        from = close + 2;
    }
    pieces.extend((from < text.len()).then_some(Piece::Literal(from..text.len())));
    Ok(pieces)
}

/// The next `{{`; anything else that the template language would act on is refused.
fn next_mark(text: &str, from: usize) -> Result<Option<usize>, Stray> {
    let found = text.as_bytes()[from..].windows(2).position(|pair| matches!(pair, b"{{" | b"{%" | b"{#" | b"}}"));
    let Some(at) = found.map(|offset| from + offset) else { return Ok(None) };
    let range = at..at + 2;
    match &text.as_bytes()[range.clone()] {
        b"{{" => Ok(Some(at)),
        b"}}" => {
            Err(Stray { range, what: "`}}` without `{{`", expected: "`{{ expression }}`, or `{{ '}}' }}` to send it" })
        }
        b"{#" => Err(Stray { range, what: "`{#` begins a comment", expected: "a comment of the file: `# …`" }),
        _ => Err(Stray { range, what: "`{%` begins a statement", expected: "an expression: `{{ a if b else c }}`" }),
    }
}

/// The `}}` of the expression whose `{{` stands at `open`: quotes and nested braces are honoured.
fn closing(text: &str, open: usize) -> Result<usize, Stray> {
    let bytes = text.as_bytes();
    let range = open..open + 2;
    if matches!(bytes.get(open + 2), Some(b'-' | b'+')) {
        return Err(Stray {
            range,
            what: "`{{-` and `{{+` are not taken",
            expected: "`{{ expression }}` with a space",
        });
    }
    let (mut at, mut depth) = (open + 2, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            b'"' | b'\'' => at = quote_end(bytes, at),
            b'{' => depth += 1,
            b'}' if depth > 0 => depth -= 1,
            b'}' if bytes.get(at + 1) == Some(&b'}') => return Ok(at),
            _ => {}
        }
        at += 1;
    }
    Err(Stray { range, what: "`{{` is never closed", expected: "`}}`, outside of quotes" })
}

/// The quote that closes the one at `open`, or the end of the text.
fn quote_end(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while at < bytes.len() && bytes[at] != bytes[open] {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at
}
