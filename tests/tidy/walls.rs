//! Walls between the rooms, things that have one home, and things that have none. The tables are in `table`.

mod cases;
pub(crate) mod directions;
pub(crate) mod files;
pub(crate) mod table;

use super::finding::Finding;
use super::source::names::{Name, names, names_it};
use super::source::{Source, find, module};
use table::{BANNED_MODULES, BANNED_NAMES, BANNED_WORDS, COUNTED, HOMES, Read, UNFINISHED, WALLS};

/// The rules about one file.
pub(crate) const RULES: [fn(&Source) -> Vec<Finding>; 7] =
    [directions::directions, walls, homes, banned_names, banned_words, unfinished, modules];

fn is_source(source: &Source) -> bool {
    source.path.starts_with("src/")
}

/// What a room names that it must not know.
fn walls(source: &Source) -> Vec<Finding> {
    let around = WALLS.iter().filter(|wall| source.path.starts_with(wall.room) || source.path == wall.file());
    let named = names(&source.daemon, &module(&source.path));
    let over = around.flat_map(|wall| named.iter().filter(|name| wall.forbids(&name.path)));
    over.map(|name| Finding::new(&source.path, source.line(name.at), "wall", format!("names {}", name.path))).collect()
}

/// What stands outside its only home.
fn homes(source: &Source) -> Vec<Finding> {
    let named = names(&source.daemon, &module(&source.path));
    let away = HOMES.iter().filter(|home| is_source(source) && source.path != home.file);
    away.flat_map(|home| {
        let words = home.words.iter().flat_map(|word| find(&source.daemon, word).map(|at| (at, (*word).to_owned())));
        let paths = home.names.iter().flat_map(|pattern| outside(&named, pattern));
        words.chain(paths).map(|(at, what)| {
            let what = format!("{what} belongs to {} only: {}", home.file, home.why);
            Finding::new(&source.path, source.line(at), "home", what)
        })
    })
    .collect()
}

/// Uses of a name, unless the file gives that name to a module of ours.
fn outside(named: &[Name], pattern: &str) -> Vec<(usize, String)> {
    let ours = format!("::{pattern}");
    let is_declared = named.windows(2).any(|pair| pair[0].path == "mod" && pair[1].path == pattern);
    if is_declared || named.iter().any(|name| name.path.ends_with(&ours)) && !pattern.starts_with('*') {
        return Vec::new();
    }
    named.iter().filter(|name| names_it(&name.path, pattern)).map(|name| (name.at, name.path.clone())).collect()
}

fn banned_names(source: &Source) -> Vec<Finding> {
    let named = names(&source.daemon, &module(&source.path));
    let found = BANNED_NAMES.iter().filter(|_| is_source(source)).flat_map(|(pattern, why)| {
        let hits: Vec<_> =
            named.iter().filter(|name| names_it(&name.path, pattern)).map(|name| (name.at, *why)).collect();
        hits.into_iter().map(move |(at, why)| (at, *pattern, why))
    });
    found.map(|(at, name, why)| ban(source, at, name, why)).collect()
}

fn banned_words(source: &Source) -> Vec<Finding> {
    let words = BANNED_WORDS.iter().filter(|_| is_source(source)).flat_map(|(word, read, why)| {
        let code = if *read == Read::Daemon { &source.daemon } else { &source.code };
        find(code, word).map(move |at| (at, *word, *why))
    });
    words.map(|(at, word, why)| ban(source, at, word, why)).collect()
}

/// Marks of unfinished work, in comments too.
fn unfinished(source: &Source) -> Vec<Finding> {
    let marks = UNFINISHED.iter().filter(|_| is_source(source));
    let found = marks.flat_map(|mark| find(&source.text, mark).map(move |at| (at, *mark)));
    found.map(|(at, mark)| ban(source, at, mark, "finish it, or leave it out")).collect()
}

fn ban(source: &Source, at: usize, what: &str, why: &str) -> Finding {
    Finding::new(&source.path, source.line(at), "ban", format!("`{what}`: {why}"))
}

/// Names that say nothing about a module, of files and folders and in code.
fn modules(source: &Source) -> Vec<Finding> {
    let path = source.path.trim_end_matches(".rs").split('/').map(|part| (0, part.to_owned()));
    let code = find(&source.code, "mod").map(|at| {
        let name = source.code[at + 3..].trim_start();
        (at, name.split(|sign: char| !sign.is_alphanumeric() && sign != '_').next().unwrap_or_default().to_owned())
    });
    let empty = path.chain(code).filter(|(_, name)| BANNED_MODULES.contains(&name.as_str()));
    empty.map(|(at, name)| ban(source, at, &name, "the name says nothing: use a word of the field")).collect()
}

/// What the whole daemon may hold only so often.
pub(crate) fn counted(sources: &[Source]) -> Vec<Finding> {
    COUNTED
        .iter()
        .flat_map(|(word, most, why)| {
            let daemon = sources.iter().filter(|source| is_source(source));
            let hits = daemon.flat_map(|source| find(&source.daemon, word).map(move |at| (source, source.line(at))));
            let hits: Vec<_> = hits.collect();
            let what = format!("`{word}` stands {} times in all, over {most}: {why}", hits.len());
            let over = hits.into_iter().skip(*most);
            over.map(move |(source, line)| Finding::new(&source.path, line, "count", what.clone()))
        })
        .collect()
}
