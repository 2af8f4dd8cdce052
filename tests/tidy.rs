//! The rules of the house, held by reading its source: sizes, walls between the rooms, bans, laws of tests, and
//! the record of dependencies. All findings of all rules are reported at once, as `file:line: rule: what`.
//!
//! What the rules are made of stands in `tidy/walls/table.rs`; each rule has a bad source that it must find.

mod tidy {
    pub(crate) mod finding;
    pub(crate) mod house;
    pub(crate) mod laws;
    pub(crate) mod manifest;
    pub(crate) mod retired;
    pub(crate) mod shape;
    pub(crate) mod source;
    pub(crate) mod walls;
}

use tidy::finding::{Finding, list};
use tidy::house::House;
use tidy::{laws, manifest, retired, shape, walls};

fn findings(house: &House) -> Vec<Finding> {
    let mut found = shape::lengths(&house.sources);
    found.extend(walls::counted(&house.sources));
    found.extend(laws::deadlines(&house.sources));
    found.extend(manifest::reasons(&house.manifest));
    found.extend(manifest::record(&house.deny, &house.lock));
    for source in &house.sources {
        found.extend(shape::RULES.iter().flat_map(|rule| rule(source)));
        found.extend(walls::RULES.iter().flat_map(|rule| rule(source)));
        found.extend(laws::RULES.iter().flat_map(|rule| rule(source)));
    }
    found.sort();
    found
}

#[test]
fn the_house_keeps_its_rules() {
    let house = House::read().expect("the source is readable");
    let found = findings(&house);
    assert!(found.is_empty(), "{} findings\n{}", found.len(), list(&found));
}

#[test]
fn no_rooms_name_each_other_in_a_circle() {
    let house = House::read().expect("the source is readable");
    assert_eq!(walls::directions::circle(&house.sources), [""; 0]);
}

#[test]
fn no_files_name_each_other_in_a_circle() {
    let house = House::read().expect("the source is readable");
    assert_eq!(walls::files::circles(&house.sources), [""; 0]);
}

#[test]
fn retired_words_stand_nowhere() {
    let texts = retired::texts().expect("the texts are readable");
    assert!(texts.len() > 250, "only {} texts were read", texts.len());
    let found: Vec<Finding> = texts.iter().flat_map(|(path, text)| retired::retired(path, text)).collect();
    assert!(found.is_empty(), "{} findings\n{}", found.len(), list(&found));
}

#[test]
fn the_rules_read_the_whole_house() {
    let house = House::read().expect("the source is readable");
    for path in ["src/main.rs", "src/core/mod.rs", "src/core/mapping/mod.rs", "tests/tidy.rs", "tests/tidy/source.rs"] {
        assert!(house.sources.iter().any(|source| source.path == path), "{path} is not read");
    }
    let functions: usize = house.sources.iter().map(|source| shape::functions(&source.daemon).len()).sum();
    assert!(functions > 5, "only {functions} functions of the daemon were seen");
}
