//! The record of dependencies: each direct one has its reason beside it, and each known advisory is recorded with a
//! reason exactly as long as its crate is there.

mod cases;

use std::collections::BTreeSet;

use super::finding::Finding;
use toml::{Table, Value};

/// Direct dependencies of the daemon stay below this; those of its tests never run beside an event, and need reasons only.
const DIRECT_BELOW: usize = 35;

/// The advisories that we live with, and the crates they are about.
const RECORDED: [(&str, &str); 2] = [("RUSTSEC-2025-0012", "backoff"), ("RUSTSEC-2024-0384", "instant")];

/// Every line of a dependency table ends in `# reason`, and the daemon's own table stays short.
pub(crate) fn reasons(manifest: &str) -> Vec<Finding> {
    let (mut is_inside, mut is_own, mut direct, mut found) = (false, false, BTreeSet::new(), Vec::new());
    for (number, line) in (1..).zip(manifest.lines()) {
        if line.starts_with('[') {
            let table = line.trim_matches(['[', ']', ' ']);
            is_inside = table.ends_with("dependencies");
            is_own = is_inside && !table.ends_with("dev-dependencies");
            found.extend(
                line.contains("dependencies.").then(|| unreasoned(number, "write it as one line, with its reason")),
            );
        } else if let Some(name) = name(line).filter(|_| is_inside) {
            direct.extend(is_own.then_some(name));
            found.extend(reason(line).is_empty().then(|| unreasoned(number, "no `# reason` on its line")));
        }
    }
    if direct.len() >= DIRECT_BELOW {
        found.push(unreasoned(
            1,
            format!("{} direct dependencies of the daemon, not below {DIRECT_BELOW}", direct.len()),
        ));
    }
    found
}

/// The crate that a line of a dependency table is about.
fn name(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    Some(name.trim()).filter(|name| !name.starts_with('#'))
}

/// Names and versions of crates hold no `#`, so the first one begins the comment.
fn reason(line: &str) -> &str {
    line.split_once('#').map_or("", |(_, reason)| reason.trim())
}

fn unreasoned(line: usize, what: impl Into<String>) -> Finding {
    Finding::new("Cargo.toml", line, "dependency", what)
}

/// What we live with is said openly, and no longer than it is true.
pub(crate) fn record(deny: &str, lock: &str) -> Vec<Finding> {
    let (Ok(deny), Ok(lock)) = (deny.parse::<Table>(), lock.parse::<Table>()) else {
        return vec![stale("deny.toml or Cargo.lock is no TOML")];
    };
    let ignored = list(deny.get("advisories").and_then(|table| table.get("ignore")));
    let crates: Vec<_> = list(lock.get("package")).iter().filter_map(|package| text(package, "name")).collect();
    let kept = RECORDED.iter().filter_map(|(id, name)| {
        let entry = ignored.iter().find(|entry| text(entry, "id") == Some(id));
        kept(entry, crates.contains(name)).map(|what| stale(format!("{id} of {name}: {what}")))
    });
    let strange = ignored.iter().filter(|entry| !RECORDED.iter().any(|(id, _)| text(entry, "id") == Some(id)));
    let strange = strange.map(|entry| stale(format!("{entry} is ignored and not known to tests/tidy/manifest.rs")));
    kept.chain(strange).collect()
}

/// What is wrong between an entry and the lock file.
fn kept(entry: Option<&Value>, is_locked: bool) -> Option<&'static str> {
    match (entry, is_locked) {
        (None, true) => Some("the crate is in Cargo.lock and the advisory is not recorded"),
        (Some(_), false) => Some("is recorded, and the crate is no longer in Cargo.lock"),
        (Some(entry), true) => {
            text(entry, "reason").is_none_or(str::is_empty).then_some("is recorded without a reason")
        }
        (None, false) => None,
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str).map(str::trim)
}

fn stale(what: impl Into<String>) -> Finding {
    Finding::new(".cargo/deny.toml", 1, "record", what)
}
