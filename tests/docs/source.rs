//! What the source says where it tells nobody: the words of a type, the headers of a message, the fields of a log line.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::page::root;

/// Every file of the daemon.
pub(crate) fn files() -> Vec<String> {
    let mut files = Vec::new();
    gather(&root("src"), &mut files);
    files
}

fn gather(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            let text = fs::read_to_string(path).unwrap();
            files.push(text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned());
        }
    }
}

/// What `as_str` of a type says.
pub(crate) fn words_of(name: &str) -> BTreeSet<String> {
    let head = format!("\nimpl {name} {{\n");
    let all = files();
    let found: Vec<&str> = all.iter().filter_map(|text| text.split_once(&head)).map(|(_, rest)| rest).collect();
    let words = |rest: &&str| {
        let body = rest.split("\n}\n").next().unwrap_or_default();
        let body = body.split_once("fn as_str(").map_or("", |(_, body)| body);
        let body = body.split("\n    }\n").next().unwrap_or_default();
        body.lines()
            .filter_map(|line| line.split_once("=> \"")?.1.split('"').next())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let words: BTreeSet<String> = found.iter().flat_map(words).collect();
    assert!(words.len() > 1, "no words of {name} in the source");
    words
}

/// The first text behind each of these calls.
pub(crate) fn first_texts(call: &str) -> BTreeSet<String> {
    let all = files();
    let behind = all.iter().flat_map(|text| text.match_indices(call).map(|(at, _)| &text[at + call.len()..]));
    behind.filter_map(|rest| rest.split('"').nth(usize::from(rest.starts_with('"')))).map(str::to_owned).collect()
}

/// The fields of every log line with this text.
pub(crate) fn fields_of(text: &str) -> BTreeSet<String> {
    let quoted = format!("\"{text}\"");
    let all = files();
    let calls = all.iter().flat_map(|file| file.match_indices(&quoted).map(|(at, _)| &file[..at]));
    let arguments = calls.filter_map(|before| before.rsplit_once("tracing::")?.1.split_once('('));
    arguments
        .flat_map(|(_, list)| list.split(','))
        .map(|field| field.trim().to_owned())
        .filter(|f| !f.is_empty())
        .collect()
}

/// The tests of a target, each as `module::name`; `src` is the library.
pub(crate) fn tests_of(target: &str) -> Vec<String> {
    let mut files = Vec::new();
    let folder = if target == "src" { root("src") } else { root(&format!("tests/{target}")) };
    let single = root(&format!("tests/{target}.rs"));
    paths(&folder, &mut files);
    files.extend(Some(single).filter(|path| path.exists()));
    files.iter().flat_map(|path| named(path, &fs::read_to_string(path).unwrap())).collect()
}

fn paths(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            paths(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// Every function counts: a test may be marked in more than one way.
fn named(path: &Path, text: &str) -> Vec<String> {
    let modules: Vec<_> = path.iter().map(|part| part.to_string_lossy().trim_end_matches(".rs").to_owned()).collect();
    let modules = modules.join("::");
    let names = text.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
    names.map(|name| format!("{modules}::{name}")).collect()
}
