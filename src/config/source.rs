//! The text of the configuration file, for printing mistakes as `file:line: key: what, expected what`
//! with the line itself and a caret below.
//!
//! Not here: finding mistakes. What is hidden was decided before (`hidden`).

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::environment;
use crate::core::mistake::{Mistake, Span};
use crate::files::Seen;
use crate::states::in_force::KeyInForce;

/// Where a key is set.
#[derive(Clone)]
pub(super) struct Place {
    /// Its name, or that of the variable that sets it.
    pub(super) key: String,
    /// Its value in the file, or else its section there; none where a variable sets it.
    pub(super) span: Option<Span>,
}

/// Places of keys by their names.
pub(super) type Places = BTreeMap<String, Place>;

/// The configuration file as it was read.
#[derive(Clone)]
pub struct Source {
    path: PathBuf,
    text: String,
    /// Where each line begins, but the first.
    lines: Vec<usize>,
    hidden: Vec<Span>,
    places: Places,
    keys: Vec<KeyInForce>,
    seen: Seen,
}

impl Source {
    /// The pieces in `hidden` are printed as stars.
    pub(super) fn new(path: &Path, text: String, hidden: Vec<Span>) -> Self {
        let lines = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        Self {
            path: path.to_owned(),
            text,
            lines,
            hidden,
            places: Places::new(),
            keys: Vec::new(),
            seen: Seen::default(),
        }
    }

    /// With more of the files that it was read from: itself, and those that it names and whose content counts as its own.
    pub(super) fn read_from(self, seen: Seen) -> Self {
        Self { seen: self.seen.and(seen), ..self }
    }

    /// With the places of its keys, and what may be shown of them.
    pub(super) fn with(self, places: Places, keys: Vec<KeyInForce>) -> Self {
        Self { places, keys, ..self }
    }

    /// The keys outside the rules that have a value, by the file and the variables; secrets are stars.
    #[must_use]
    pub fn keys(&self) -> &[KeyInForce] {
        &self.keys
    }

    /// The path that was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every file that this configuration was read from, as it was then: what a running daemon watches.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen.clone()
    }

    /// The text of the file, secrets and all.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a variable sets this key, and the file is not asked.
    pub(super) fn is_overridden(&self, key: &str) -> bool {
        self.places.get(key).is_some_and(|place| place.span.is_none() && environment::is_ours(&place.key))
    }

    /// The line of this byte, counted from 1.
    #[must_use]
    pub fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at) + 1
    }

    /// The column of this byte in its line, in characters, counted from 1.
    #[must_use]
    pub fn column(&self, at: usize) -> usize {
        let at = self.boundary(at);
        let line = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        self.text[line..at].chars().count() + 1
    }

    /// What is wrong with a key such as `broker.queue`, found after reading: at its place.
    #[must_use]
    pub fn mistake(&self, key: &str, what: String) -> Mistake {
        let place = self.places.get(key).cloned().unwrap_or_else(|| Place { key: key.to_owned(), span: None });
        Mistake { span: place.span, key: place.key, what, expected: String::new() }
    }

    /// One mistake: its place and words, and below them the line and a caret where it has a place in the file.
    #[must_use]
    pub fn render(&self, mistake: &Mistake, colour: bool) -> String {
        let (bold, red, plain) = if colour { ("\x1b[1m", "\x1b[31m", "\x1b[0m") } else { ("", "", "") };
        let mut out = format!("{bold}{}{plain}: {}", self.place(mistake), words(mistake));
        if let Some(span) = &mistake.span {
            let number = self.line(span.start).to_string();
            let (line, carets) = self.marked(span);
            let gap = " ".repeat(number.len());
            let row = format!("  {number} | {line}");
            out += &format!("\n{}\n  {gap} | {red}{carets}{plain}", row.trim_end());
        }
        out
    }

    /// One mistake on one line: its place and words, and nothing of the file.
    #[must_use]
    pub fn told(&self, mistake: &Mistake) -> String {
        let line = format!("{}: {}", self.place(mistake), words(mistake));
        line.chars().map(|each| if each.is_control() { ' ' } else { each }).collect()
    }

    fn place(&self, mistake: &Mistake) -> String {
        match &mistake.span {
            Some(span) => format!("{}:{}", self.path.display(), self.line(span.start)),
            None if environment::is_ours(&mistake.key) => "environment".to_owned(),
            None => self.path.display().to_string(),
        }
    }

    /// The first line of the span as it may be printed, and the carets below it.
    fn marked(&self, span: &Span) -> (String, String) {
        let start = self.boundary(span.start);
        let first = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let last = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        let (mut line, mut carets) = (String::new(), String::new());
        for (offset, character) in self.text[first..last].trim_end().char_indices() {
            let (shown, at) = (self.shown(first + offset, character), first + offset);
            let mark = if at >= start && at < span.end { '^' } else { ' ' };
            carets.extend(shown.chars().map(|_| mark));
            line += &shown;
        }
        let carets = carets.trim_end();
        let carets =
            if carets.is_empty() { format!("{}^", " ".repeat(line.chars().count())) } else { carets.to_owned() };
        (line, carets)
    }

    fn boundary(&self, at: usize) -> usize {
        let at = self.text.len().min(at);
        (0..=at).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }

    /// What is printed for this character: a hidden piece is one row of stars, whatever its length.
    fn shown(&self, at: usize, character: char) -> String {
        match self.hidden.iter().find(|span| span.contains(&at)) {
            Some(span) if span.start == at || self.text[..at].ends_with('\n') => "***".to_owned(),
            Some(_) => String::new(),
            None if character.is_control() => " ".to_owned(),
            None => character.to_string(),
        }
    }
}

fn words(mistake: &Mistake) -> String {
    let key = if mistake.key.is_empty() { String::new() } else { format!("{}: ", mistake.key) };
    let expected = if mistake.expected.is_empty() { String::new() } else { format!(", expected {}", mistake.expected) };
    format!("{key}{}{expected}", mistake.what)
}

impl fmt::Debug for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Source").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Every mistake of one configuration, in the order of their places. Prints without colour.
#[derive(Clone, Debug)]
pub struct Mistakes {
    /// The file.
    pub source: Source,
    /// At least one.
    pub list: Vec<Mistake>,
}

impl Mistakes {
    /// Sorts the mistakes by their place; what has none comes last.
    #[must_use]
    pub fn new(source: Source, mut list: Vec<Mistake>) -> Self {
        list.sort_by_key(|mistake| mistake.span.as_ref().map_or(usize::MAX, |span| span.start));
        Self { source, list }
    }

    /// All of them, one below the other.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let texts: Vec<String> = self.list.iter().map(|mistake| self.source.render(mistake, colour)).collect();
        texts.join("\n")
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.render(false))
    }
}

impl std::error::Error for Mistakes {}
