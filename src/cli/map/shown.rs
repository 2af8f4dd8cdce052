//! One verdict on a page for a person: what was read, which rules were asked, what would be sent.
//!
//! Not here: what the verdict is (`verdict`), JSON for programs.

use serde_json::Value;

use super::verdict::{MapResult, Read, Verdict};
use crate::cli::color::Color;
use crate::core::reason::Fault;

fn title(text: &str, color: Color) -> String {
    format!("\n{}{text}{}\n", color.bold, color.plain)
}

/// The page, in sections; the outcome stands first. Counted from 1, the number of its event stands above it.
pub(in crate::cli) fn page(verdict: &Verdict, number: usize, color: Color) -> String {
    let mut page = title(&format!("event {number}"), color) + &outcome(&verdict.result, color);
    if let Some(read) = &verdict.read {
        page += &considered(read, color);
        page += &variables(read, color);
    }
    page + &photos(verdict, color) + &request(&verdict.result, color)
}

fn outcome(result: &Result<MapResult, Fault>, color: Color) -> String {
    let Color { good, bad, plain, .. } = color;
    let words = match result {
        Ok(MapResult::Create { rule, request_parts, .. }) => {
            format!("{good}create{plain}: rule {rule:?} asks for a process, POST {}", request_parts.url)
        }
        Ok(MapResult::Skip { rule }) => format!("{good}skip{plain}: rule {rule:?} acknowledges it and creates nothing"),
        Err(fault) => format!("{bad}dead letter{plain}: {}, {}", fault.reason.as_str(), fault.text),
    };
    format!("{}  {words}\n", title("result", color))
}

fn considered(read: &Read, color: Color) -> String {
    let Color { good, plain, .. } = color;
    let longest = read.considered.iter().map(|each| each.rule.chars().count()).max().unwrap_or_default();
    let mut section = title("rules, in their order", color);
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

fn variables(read: &Read, color: Color) -> String {
    let mut section = title("what rules can read", color);
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

fn photos(verdict: &Verdict, color: Color) -> String {
    let words = match &verdict.result {
        _ if verdict.photos.is_empty() => return String::new(),
        Ok(_) => "photos, uploaded first to /v1/ext/photo/ and the id",
        Err(_) => "photos",
    };
    let lines: String = verdict.photos.iter().map(|photo| format!("  {}\n", photo.line())).collect();
    title(words, color) + &lines
}

fn request(result: &Result<MapResult, Fault>, color: Color) -> String {
    let Ok(MapResult::Create { request_parts, curl, .. }) = result else { return String::new() };
    let mut section = title("request, as it would be sent", color);
    section += &format!("  POST {}\n  authorization: Bearer ***\n", request_parts.url);
    for (name, value) in &request_parts.headers {
        section += &format!("  {name}: {value}\n");
    }
    section += &format!("\n  {}\n", String::from_utf8_lossy(&request_parts.body));
    section + &title("the same as a command; it creates a process", color) + curl + "\n"
}
