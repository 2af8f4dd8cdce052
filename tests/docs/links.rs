//! Links lead somewhere, pages say whom they are for, and the short pages stay short.

use super::page::{Page, all, manual, named, root};
use super::source::tests_of;

/// Every link of a page that leads nowhere.
fn broken(page: &Page) -> Vec<String> {
    let wrong = |(line, target): (usize, &str)| {
        let (file, section) = target.split_once('#').unwrap_or((target, ""));
        let folder = root(&page.name).parent().unwrap().to_owned();
        let path = if file.is_empty() { root(&page.name) } else { folder.join(file) };
        let is_there = path.exists() && (section.is_empty() || has_section(&path, section));
        (!is_there).then(|| format!("{}:{line}: {target}", page.name))
    };
    let inside = page.links().into_iter().filter(|(_, target)| !target.contains("://"));
    inside.filter_map(wrong).collect()
}

fn has_section(path: &std::path::Path, section: &str) -> bool {
    let text = std::fs::read_to_string(path).unwrap();
    Page { name: path.display().to_string(), text }.anchors().contains(section)
}

#[test]
fn every_link_leads_to_a_file_and_a_section_that_is_there() {
    let broken: Vec<String> = all().iter().flat_map(broken).collect();
    assert!(broken.is_empty(), "these lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn every_page_is_linked_from_the_readme_and_says_whom_it_is_for() {
    let readme = Page::read("README.md");
    for page in manual().iter().filter(|page| page.name != "README.md") {
        assert!(readme.links().iter().any(|(_, target)| *target == page.name), "no link to {}", page.name);
        let opening: String = page.text.lines().take(4).collect();
        assert!(opening.contains("**Who needs this page:**"), "{} does not say who needs it", page.name);
    }
}

#[test]
fn the_readme_is_short_and_keeps_the_promise() {
    let readme = Page::read("README.md");
    let lines = readme.text.lines().count();
    assert!(lines <= 150, "{lines} lines");
    let promise = "Every event ends as **a process**, as **a dead letter that says why**, or is **still queued**";
    assert!(readme.text.contains(promise));
    for command in ["make demo", "make test"] {
        assert!(readme.blocks("sh").iter().any(|block| block.text.contains(command)), "{command}");
    }
}

#[test]
fn twelve_questions_are_answered_each_by_one_section() {
    let page = Page::read("docs/questions.md");
    let questions: Vec<&str> =
        page.text.lines().filter(|line| line.split_once(". ").is_some_and(|(n, _)| n.parse::<u8>().is_ok())).collect();
    assert_eq!(questions.len(), 12);
    for question in questions {
        assert_eq!(question.matches("](").count(), 1, "one section: {question}");
        assert!(question.contains('?') && question.contains(".md#"), "{question}");
    }
}

#[test]
fn the_glossary_has_at_most_fifteen_words() {
    let words = named(&Page::read("docs/glossary.md").table("Glossary"));
    assert!((1..=15).contains(&words.len()), "{words:?}");
}

/// The folders whose files documents name.
const FOLDERS: [&str; 5] = ["src/", "tests/", "config/", "deploy/", "docs/"];

#[test]
fn every_file_that_a_document_names_is_there() {
    // What the changelog names was there when it was written.
    for page in all().iter().filter(|page| page.name != "CHANGELOG.md") {
        let is_path =
            |code: &str| FOLDERS.iter().any(|folder| code.starts_with(folder)) && !code.contains(['*', ' ', '{']);
        for (line, path) in page.code().into_iter().filter(|(_, code)| is_path(code)) {
            assert!(root(path).exists(), "{}:{line}: there is no {path}", page.name);
        }
    }
}

#[test]
fn every_test_that_a_document_tells_to_run_is_there() {
    for page in all() {
        for (line, command) in page.code().into_iter().filter(|(_, code)| code.contains("cargo test ")) {
            let words = command.split(' ').skip_while(|word| *word != "test").skip(1);
            let how = ["--config", ".ci/bench.toml", "--release", "--", "--nocapture"];
            let words: Vec<&str> = words.filter(|word| !how.contains(word)).collect();
            let (target, filter) = match words.as_slice() {
                ["--lib", filter] => ("src", Some(filter)),
                ["--test", target] => (*target, None),
                ["--test", target, filter] => (*target, Some(filter)),
                other => panic!("{}:{line}: {other:?}", page.name),
            };
            let tests = tests_of(target);
            let matches = filter.is_none_or(|filter| tests.iter().any(|name| name.contains(filter)));
            assert!(matches && !tests.is_empty(), "{}:{line}: no test of {command}", page.name);
        }
    }
}
