//! Circles between the files of a room: files that name each other, whichever way round. A file and those below it are one thing
//! here.
//!
//! Not here: rooms that name each other (`directions`).

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::source::names::names;
use crate::tidy::source::{Source, module};

type Uses = BTreeMap<String, BTreeSet<String>>;

/// The files in circles, as `file: the others of its circle`.
pub(crate) fn circles(sources: &[Source]) -> Vec<String> {
    let uses = uses(sources);
    let reach: Uses = uses.keys().map(|file| (file.clone(), reached(&uses, file))).collect();
    let returns = |file: &str, other: &String| reach.get(other).is_some_and(|reached| reached.contains(file));
    let circle = |file: &String| reach[file].iter().filter(|other| returns(file, other)).cloned().collect::<Vec<_>>();
    uses.keys().map(|file| (file, circle(file))).filter(|(_, circle)| !circle.is_empty()).map(said).collect()
}

fn said((file, circle): (&String, Vec<String>)) -> String {
    format!("{file}: {}", circle.join(", "))
}

/// Which files name which.
fn uses(sources: &[Source]) -> Uses {
    let daemon = || sources.iter().filter(|source| source.path.starts_with("src/"));
    let files: BTreeSet<String> = daemon().map(|source| module(&source.path)).collect();
    let named = |source: &Source| {
        let own = module(&source.path);
        let names = names(&source.daemon, &own).into_iter().filter_map(|name| file_of(&files, &name.path));
        names.filter(|other| !is_below(other, &own) && !is_below(&own, other)).collect()
    };
    daemon().map(|source| (module(&source.path), named(source))).collect()
}

/// The file that a path names something of.
fn file_of(files: &BTreeSet<String>, path: &str) -> Option<String> {
    let mut path = path;
    loop {
        if files.contains(path) {
            return Some(path.to_owned());
        }
        path = path.rsplit_once("::")?.0;
    }
}

fn is_below(file: &str, other: &str) -> bool {
    file.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// All that a file names, and all that those name.
fn reached(uses: &Uses, file: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&String> = uses[file].iter().collect();
    while let Some(file) = next.pop() {
        if reached.insert(file.clone()) {
            next.extend(uses.get(file).into_iter().flatten());
        }
    }
    reached
}

#[test]
fn files_that_name_each_other_are_found_and_a_file_with_those_below_it_is_none() {
    let file = |path: &str, text: &str| Source::new(path, text);
    let tree = [
        file("src/a/mod.rs", "mod b; use self::b::B;"),
        file("src/a/b.rs", "use super::c::C; use super::Parent;"),
        file("src/a/c.rs", "use crate::a::d::{D, e};"),
        file("src/a/d.rs", ""),
    ];
    assert_eq!(circles(&tree), [""; 0]);
    let [head, one, other, last] = tree;
    let ring = [head, one, other, file("src/a/d.rs", "fn f() { super::b::g(); }")];
    assert_eq!(circles(&ring).len(), 3, "{:?}", circles(&ring));
    assert_eq!(circles(&[last, file("src/main.rs", "use crate::a;")]), [""; 0]);
}
