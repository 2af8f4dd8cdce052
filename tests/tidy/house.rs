//! The files that the rules are about, read from the disk.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

use super::source::Source;

/// The house: its sources in the order of their paths, and the files about its dependencies.
pub(crate) struct House {
    pub(crate) sources: Vec<Source>,
    pub(crate) manifest: String,
    pub(crate) lock: String,
    pub(crate) deny: String,
}

impl House {
    pub(crate) fn read() -> io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        for folder in ["src", "tests"] {
            gather(root, &root.join(folder), &mut files)?;
        }
        files.sort();
        Ok(Self {
            sources: sources(&files),
            manifest: fs::read_to_string(root.join("Cargo.toml"))?,
            lock: fs::read_to_string(root.join("Cargo.lock"))?,
            deny: fs::read_to_string(root.join(".cargo/deny.toml"))?,
        })
    }
}

/// `tests/tmp` holds what tests leave behind, not source.
fn gather(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if path.is_dir() && name != "tests/tmp" {
            gather(root, &path, files)?;
        } else if name.ends_with(".rs") {
            files.push((name, fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

/// A file is for tests only as well when its `mod` line is marked so in another file.
pub(crate) fn sources(files: &[(String, String)]) -> Vec<Source> {
    let mut sources: Vec<_> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
    let marked: BTreeSet<_> = sources.iter().flat_map(Source::modules_for_tests).collect();
    for source in &mut sources {
        if marked.iter().any(|module| source.is_within(module)) {
            source.is_for_tests_only();
        }
    }
    sources
}

#[test]
fn a_file_that_only_tests_declare_is_no_code_of_the_daemon() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let files = [
        file("src/core/gate.rs", "//! Gate.\n#[cfg(test)]\nmod walk;\nmod ramp;\n"),
        file("src/core/gate/ramp.rs", "fn b() {}\n"),
        file("src/core/gate/walk.rs", "fn a() {}\n"),
    ];
    let daemon: Vec<_> = sources(&files).iter().map(|source| source.daemon.contains("fn")).collect();
    assert_eq!(daemon, [false, true, false]);
}
