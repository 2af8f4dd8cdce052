//! Which room may name which: the floors of `table::FLOORS`, and that no rooms name each other in a circle.
//!
//! Not here: what stands outside of the crate (`WALLS`).

use std::collections::{BTreeMap, BTreeSet};

use super::table::FLOORS;
use crate::tidy::finding::Finding;
use crate::tidy::source::names::names;
use crate::tidy::source::{Source, module};

/// The files that stand above all rooms.
const TOP: [&str; 2] = ["src/lib.rs", "src/main.rs"];

/// The room of a file of the daemon; none for what stands above all rooms, and for tests.
fn room(path: &str) -> Option<&str> {
    let inner = path.strip_prefix("src/").filter(|_| !TOP.contains(&path))?;
    inner.split(['/', '.']).next()
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The rooms that a file names, other than its own, and where.
fn named<'a>(source: &'a Source, own: &'a str) -> impl Iterator<Item = (String, usize)> + 'a {
    let all = names(&source.daemon, &module(&source.path)).into_iter();
    all.filter_map(move |name| {
        let room = name.path.strip_prefix("crate::")?.split("::").next()?.to_owned();
        (room != own).then_some((room, name.at))
    })
}

/// What a room names that does not stand on a floor before its own.
pub(crate) fn directions(source: &Source) -> Vec<Finding> {
    let Some(own) = room(&source.path) else { return Vec::new() };
    let finding = |at: usize, what: String| Finding::new(&source.path, source.line(at), "direction", what);
    let Some(here) = floor(own) else { return vec![finding(0, format!("{own} stands on no floor of the table"))] };
    let wrong = named(source, own).filter(|(room, _)| floor(room).is_none_or(|there| there >= here));
    wrong.map(|(room, at)| finding(at, format!("{own} names {room}, which is not before it"))).collect()
}

/// The rooms that name each other in a circle, whatever the table says: what is left once every room is taken away that
/// names none of the others, or that none of the others names.
pub(crate) fn circle(sources: &[Source]) -> Vec<String> {
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources {
        let Some(own) = room(&source.path) else { continue };
        uses.entry(own.to_owned()).or_default().extend(named(source, own).map(|(room, _)| room));
    }
    loop {
        let before = uses.len();
        let left: BTreeSet<String> = uses.keys().cloned().collect();
        uses.retain(|_, names| names.iter().any(|name| left.contains(name)));
        let used: BTreeSet<String> = uses.values().flatten().cloned().collect();
        uses.retain(|room, _| used.contains(room));
        if uses.len() == before {
            return uses.into_keys().collect();
        }
    }
}

#[test]
fn a_room_names_only_what_stands_before_it() {
    let found = |path: &str, text: &str| directions(&Source::new(path, text)).len();
    assert_eq!(found("src/amqp/session.rs", "use crate::{core::event, handover::receipt};"), 0);
    assert_eq!(found("src/amqp/session.rs", "use crate::chakra::Client;"), 1, "the same floor");
    assert_eq!(found("src/amqp/session.rs", "use super::super::dispatch;"), 1);
    assert_eq!(found("src/core/gate.rs", "fn a() { crate::clock::epoch_ms(); }"), 1);
    assert_eq!(found("src/attic/a.rs", "fn a() {}"), 1, "a room that nobody has placed");
    assert_eq!(found("src/amqp/session.rs", "#[cfg(test)]\nmod tests { use crate::ready::load; }"), 0);
    assert_eq!(found("src/main.rs", "use crate::cli;") + found("tests/a.rs", "use crate::cli;"), 0);
}

#[test]
fn rooms_that_name_each_other_are_found_and_those_that_only_name_them_are_not() {
    let file = |path: &str, text: &str| Source::new(path, text);
    let tree = [file("src/a.rs", "use crate::b;"), file("src/b/mod.rs", "use crate::c::d;"), file("src/c.rs", "")];
    assert_eq!(circle(&tree), [""; 0]);
    let ring =
        [file("src/a.rs", "use crate::b;"), file("src/b/x.rs", "use crate::c;"), file("src/c.rs", "use crate::b;")];
    assert_eq!(circle(&ring), ["b", "c"]);
}
