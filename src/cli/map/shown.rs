//! One verdict on a page for a person: what was read, which rules were asked, what would be sent.
//!
//! Not here: what the verdict is (`verdict`), JSON for programs.

use serde_json::Value;

use super::verdict::{Fate, Read, Verdict};
use crate::core::words::Fault;

/// How a page looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    bold: &'static str,
    good: &'static str,
    bad: &'static str,
    plain: &'static str,
}

impl Style {
    /// With colour on a terminal, unless its user wants none.
    pub(super) fn of_output(is_terminal: bool) -> Self {
        let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if is_terminal && !wants_none {
            Self { bold: "\x1b[1m", good: "\x1b[32m", bad: "\x1b[31m", plain: "\x1b[0m" }
        } else {
            Self { bold: "", good: "", bad: "", plain: "" }
        }
    }

    fn title(self, text: &str) -> String {
        format!("\n{}{text}{}\n", self.bold, self.plain)
    }
}

/// The page, in sections; the outcome stands first. Counted from 1, the number of its event stands above it.
pub(super) fn page(verdict: &Verdict, number: usize, style: Style) -> String {
    let mut page = style.title(&format!("event {number}")) + &outcome(&verdict.fate, style);
    if let Some(read) = &verdict.read {
        page += &considered(read, style);
        page += &variables(read, style);
    }
    page + &request(&verdict.fate, style)
}

fn outcome(fate: &Result<Fate, Fault>, style: Style) -> String {
    let Style { good, bad, plain, .. } = style;
    let words = match fate {
        Ok(Fate::Create { rule, letter, .. }) => {
            format!("{good}create{plain}: rule {rule:?} asks for a process, POST {}", letter.url)
        }
        Ok(Fate::Skip { rule }) => format!("{good}skip{plain}: rule {rule:?} acknowledges it and creates nothing"),
        Err(fault) => format!("{bad}dead letter{plain}: {}, {}", fault.reason.as_str(), fault.text),
    };
    format!("{}  {words}\n", style.title("outcome"))
}

fn considered(read: &Read, style: Style) -> String {
    let Style { good, plain, .. } = style;
    let longest = read.considered.iter().map(|each| each.rule.chars().count()).max().unwrap_or_default();
    let mut section = style.title("rules, in their order");
    for each in &read.considered {
        let (mark, colour) = if each.matched { ("yes", good) } else { ("no ", "") };
        section += &format!("  {colour}{mark}{plain}  {:longest$}  {}\n", each.rule, each.why);
    }
    match read.unasked {
        0 => section,
        1 => section + "  1 rule after it was not asked\n",
        count => section + &format!("  {count} rules after it were not asked\n"),
    }
}

fn variables(read: &Read, style: Style) -> String {
    let mut section = style.title("what rules can read");
    for (name, value) in &read.variables {
        let from = if name == "key" { format!("   (from {})", read.key.1) } else { String::new() };
        section += &format!("  {name:<11} = {}{from}\n", indented(value));
    }
    section
}

/// JSON over several lines, all but the first set in below the name.
fn indented(value: &Value) -> String {
    format!("{value:#}").replace('\n', "\n  ")
}

fn request(fate: &Result<Fate, Fault>, style: Style) -> String {
    let Ok(Fate::Create { letter, curl, .. }) = fate else { return String::new() };
    let mut section = style.title("request, as it would be sent");
    section += &format!("  POST {}\n  authorization: Bearer ***\n", letter.url);
    for (name, value) in &letter.headers {
        section += &format!("  {name}: {value}\n");
    }
    section += &format!("\n  {}\n", String::from_utf8_lossy(&letter.body));
    section + &style.title("the same as a command; it creates a process") + curl + "\n"
}
