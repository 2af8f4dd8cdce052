//! Words that the project had for itself where the field has its own: they stand nowhere any more, and each has a
//! replacement.
//!
//! Not here: common English that was one of them in its own sense only (look, window, rest, post).

use std::path::Path;
use std::{fs, io};

use super::finding::Finding;
use super::source::is_word;

/// What is not used any more, and what is used. Case does not matter, and a blank stands for `_` and `-` as well.
const RETIRED: &[(&str, &str)] = &[
    ("a look", "lookup"),
    ("appetite", "wanted prefetch"),
    ("corridor", "dispatcher"),
    ("corridors", "dispatchers"),
    ("deaf", "stalled"),
    ("deafness", "stall"),
    ("each look", "lookup"),
    ("far shore", "API client"),
    ("fate", "result"),
    ("fates", "results"),
    ("hinges", "plain words"),
    ("in hand", "unacknowledged, held"),
    ("journey", "progress"),
    ("journeys", "progress"),
    ("ladder", "delay queues"),
    ("let go", "release"),
    ("letter box", "publisher"),
    ("look lag", "lookup.lag"),
    ("look proved", "lookup_verified"),
    ("luggage", "delayed state"),
    ("near shore", "consumer"),
    ("no look", "no lookup"),
    ("park", "delay"),
    ("parked", "delayed"),
    ("parking", "delaying"),
    ("parks", "delays"),
    ("proved", "verified"),
    ("rung", "delay queue"),
    ("rungs", "delay queues"),
    ("shore", "consumer, API client"),
    ("shores", "consumer, API client"),
    ("teller", "report"),
    ("the look", "the lookup"),
    ("twin", "copy"),
    ("twins", "copies, duplicates"),
    ("unproved", "unverified"),
    ("wait queue", "delay queue"),
    ("wait queues", "delay queues"),
];

/// Where a retired word stands rightly: names that messages carry, and what RabbitMQ's people call otherwise.
const ALLOWED: &[&str] =
    &["chakra-bridge-journey", "parked-by-0.1.0.json", "\"journey\"", "parking lot", "look-around"];

/// Files that list old names beside the new ones.
const LISTS: [&str; 5] = [
    "src/config/renamed.rs",
    "tests/config/seeded.txt",
    "tests/tidy/retired.rs",
    "tests/upgrade/previous.rs",
    "tests/upgrade/previous.toml",
];

/// What is read, from the root.
const PLACES: [&str; 8] = ["src", "tests", "config", "deploy", "docs", "README.md", "ARCHITECTURE.md", "EVIDENCE.md"];

/// All texts that must do without, as path and text.
pub(crate) fn texts() -> io::Result<Vec<(String, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for place in PLACES {
        gather(root, &root.join(place), &mut found)?;
    }
    Ok(found)
}

fn gather(root: &Path, path: &Path, found: &mut Vec<(String, String)>) -> io::Result<()> {
    let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
    if path.is_dir() && name != "tests/tmp" {
        for entry in fs::read_dir(path)? {
            gather(root, &entry?.path(), found)?;
        }
    } else if path.is_file()
        && !LISTS.contains(&name.as_str())
        // Names of crates, which are not ours.
        && !name.ends_with("Cargo.lock")
        && let Ok(text) = fs::read_to_string(path)
    {
        found.push((name, text));
    }
    Ok(())
}

/// Every retired word of one text.
pub(crate) fn retired(path: &str, text: &str) -> Vec<Finding> {
    let mut plain = text.to_owned();
    for allowed in ALLOWED {
        plain = plain.replace(allowed, &"~".repeat(allowed.len()));
    }
    let plain = plain.to_lowercase().replace(['_', '-'], " ");
    let mut found = Vec::new();
    for (word, instead) in RETIRED {
        for (at, _) in plain.match_indices(word).filter(|(at, _)| stands_alone(&plain, *at, word.len())) {
            let line = plain[..at].matches('\n').count() + 1;
            found.push(Finding::new(path, line, "retired", format!("`{word}`: say {instead}")));
        }
    }
    found
}

fn stands_alone(text: &str, at: usize, length: usize) -> bool {
    let bytes = text.as_bytes();
    let is_part = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(|byte| is_word(*byte));
    !is_part(at.checked_sub(1)) && !is_part(Some(at + length))
}

#[test]
fn a_retired_word_is_found_in_every_spelling_and_no_longer_word_is() {
    let found = |text: &str| retired("src/a.rs", text).len();
    assert_eq!(found("the near shore"), 2, "as a phrase and as a word");
    assert_eq!(found("fn parked_events() {} // Parked"), 2);
    assert_eq!(found("let wait_queue = \"wait-queue\";"), 2);
    assert_eq!(found("chakra-bridge-journey, a sparkling ashore parkour"), 0);
}
