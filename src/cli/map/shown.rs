//! One verdict on a page for a person: what was read, which rules were asked, what would be sent.
//!
//! Not here: what the verdict is (`verdict`), JSON for programs.

use serde_json::Value;

use super::verdict::{Fate, Read, Verdict};
use crate::cli::color::Ink;
use crate::core::reason::Fault;

fn title(text: &str, ink: Ink) -> String {
    format!("\n{}{text}{}\n", ink.bold, ink.plain)
}

/// The page, in sections; the outcome stands first. Counted from 1, the number of its event stands above it.
pub(super) fn page(verdict: &Verdict, number: usize, ink: Ink) -> String {
    let mut page = title(&format!("event {number}"), ink) + &outcome(&verdict.fate, ink);
    if let Some(read) = &verdict.read {
        page += &considered(read, ink);
        page += &variables(read, ink);
    }
    page + &request(&verdict.fate, ink)
}

fn outcome(fate: &Result<Fate, Fault>, ink: Ink) -> String {
    let Ink { good, bad, plain, .. } = ink;
    let words = match fate {
        Ok(Fate::Create { rule, letter, .. }) => {
            format!("{good}create{plain}: rule {rule:?} asks for a process, POST {}", letter.url)
        }
        Ok(Fate::Skip { rule }) => format!("{good}skip{plain}: rule {rule:?} acknowledges it and creates nothing"),
        Err(fault) => format!("{bad}dead letter{plain}: {}, {}", fault.reason.as_str(), fault.text),
    };
    format!("{}  {words}\n", title("outcome", ink))
}

fn considered(read: &Read, ink: Ink) -> String {
    let Ink { good, plain, .. } = ink;
    let longest = read.considered.iter().map(|each| each.rule.chars().count()).max().unwrap_or_default();
    let mut section = title("rules, in their order", ink);
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

fn variables(read: &Read, ink: Ink) -> String {
    let mut section = title("what rules can read", ink);
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

fn request(fate: &Result<Fate, Fault>, ink: Ink) -> String {
    let Ok(Fate::Create { letter, curl, .. }) = fate else { return String::new() };
    let mut section = title("request, as it would be sent", ink);
    section += &format!("  POST {}\n  authorization: Bearer ***\n", letter.url);
    for (name, value) in &letter.headers {
        section += &format!("  {name}: {value}\n");
    }
    section += &format!("\n  {}\n", String::from_utf8_lossy(&letter.body));
    section + &title("the same as a command; it creates a process", ink) + curl + "\n"
}
