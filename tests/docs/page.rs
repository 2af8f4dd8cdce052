//! One document as its reader sees it: sections, tables, fenced blocks and links.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of the project.
pub(crate) fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A document.
pub(crate) struct Page {
    /// Its path from the root of the project.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A fenced block.
pub(crate) struct Block {
    /// Where it is: `file:line`.
    pub(crate) place: String,
    pub(crate) text: String,
}

/// One line, and whether it stands within a fenced block or is a fence.
struct Line<'p> {
    number: usize,
    text: &'p str,
    is_code: bool,
}

impl Page {
    pub(crate) fn read(name: &str) -> Self {
        let text = fs::read_to_string(root(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name: name.to_owned(), text }
    }

    fn lines(&self) -> Vec<Line<'_>> {
        let mut is_open = false;
        let mut lines = Vec::new();
        for (index, text) in self.text.lines().enumerate() {
            let is_fence = text.trim_start().starts_with("```");
            is_open ^= is_fence;
            lines.push(Line { number: index + 1, text, is_code: is_open || is_fence });
        }
        assert!(!is_open, "{}: a fence is never closed", self.name);
        lines
    }

    /// The lines outside of fenced blocks, each with its number.
    pub(crate) fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().into_iter().filter(|line| !line.is_code).map(|line| (line.number, line.text))
    }

    /// The fenced blocks of a language, without the indentation that they have in a list.
    pub(crate) fn blocks(&self, language: &str) -> Vec<Block> {
        let fence = format!("```{language}");
        let lines: Vec<&str> = self.text.lines().collect();
        let starts = lines.iter().enumerate().filter(|(_, line)| line.trim() == fence);
        let block = |(at, open): (usize, &&str)| {
            let indent = open.len() - open.trim_start().len();
            let inside = lines[at + 1..].iter().take_while(|line| line.trim() != "```");
            let text = inside.map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect();
            Block { place: format!("{}:{}", self.name, at + 2), text }
        };
        starts.map(block).collect()
    }

    fn headings(&self) -> Vec<(usize, &str)> {
        let marked = self.prose().filter(|(_, line)| line.starts_with('#'));
        marked.map(|(number, line)| (number, line.trim_start_matches('#').trim())).collect()
    }

    /// What its sections are linked by.
    pub(crate) fn anchors(&self) -> BTreeSet<String> {
        self.headings().into_iter().map(|(_, heading)| anchor(heading)).collect()
    }

    /// The rows of the first table below a heading, without its head.
    pub(crate) fn table(&self, heading: &str) -> Vec<Vec<String>> {
        self.tables(heading).into_iter().next().unwrap_or_default()
    }

    /// The rows of every table of the section with this heading, its subsections aside.
    pub(crate) fn tables(&self, heading: &str) -> Vec<Vec<Vec<String>>> {
        let (start, _) = *self.headings().iter().find(|(_, known)| *known == heading).unwrap_or_else(|| {
            panic!("{}: no section {heading:?}", self.name);
        });
        let mut tables: Vec<Vec<Vec<String>>> = Vec::new();
        let mut is_in_table = false;
        for (_, line) in self.prose().skip_while(|(number, _)| *number <= start) {
            if line.starts_with('#') {
                break;
            }
            match (line.starts_with('|'), is_in_table) {
                (true, true) => tables.last_mut().unwrap().push(cells(line)),
                (true, false) => tables.push(vec![cells(line)]),
                (false, _) => {}
            }
            is_in_table = line.starts_with('|');
        }
        assert!(!tables.is_empty(), "{}: no table under {heading:?}", self.name);
        tables.into_iter().map(|table| table.into_iter().skip(2).collect()).collect()
    }

    /// The names in the first column of the first table below a heading.
    pub(crate) fn names(&self, heading: &str) -> BTreeSet<String> {
        named(&self.table(heading))
    }

    /// What it links to, each with its line.
    pub(crate) fn links(&self) -> Vec<(usize, &str)> {
        let of = |(number, line)| {
            let line: &str = line;
            let targets =
                line.match_indices("](").filter_map(move |(at, open)| line[at + open.len()..].split(')').next());
            targets.map(move |target| (number, target))
        };
        self.prose().flat_map(of).collect()
    }

    /// The texts between backticks, each with its line.
    pub(crate) fn code(&self) -> Vec<(usize, &str)> {
        self.prose().flat_map(|(number, line)| inline(line).map(move |code| (number, code))).collect()
    }
}

/// The names in the first column of a table.
pub(crate) fn named(rows: &[Vec<String>]) -> BTreeSet<String> {
    rows.iter().map(|row| name(&row[0])).collect()
}

/// The name in a cell: what stands between backticks, arguments aside; or else the text.
pub(crate) fn name(cell: &str) -> String {
    let code = inline(cell).next().unwrap_or(cell);
    code.split('(').next().unwrap_or_default().to_owned()
}

fn inline(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The cells of a row; a bar behind a backslash is none of its borders.
fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_matches('|').replace("\\|", "\u{1}");
    row.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
}

/// What a heading is linked by: small letters, blanks as hyphens, signs left out.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|sign| sign.is_alphanumeric() || [' ', '-', '_'].contains(sign));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// The manual: the README, and every page of `docs/`.
pub(crate) fn manual() -> Vec<Page> {
    let names = fs::read_dir(root("docs")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}")).collect();
    names.sort();
    assert!(names.len() >= 7, "{names:?}");
    ["README.md".to_owned()].into_iter().chain(names).map(|name| Page::read(&name)).collect()
}

/// The manual, and what else is written for people.
pub(crate) fn all() -> Vec<Page> {
    let others = [
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "EVIDENCE.md",
        "SECURITY.md",
        "deploy/kubernetes/README.md",
        "deploy/rabbitmq/README.md",
    ];
    manual().into_iter().chain(others.map(Page::read)).collect()
}

#[test]
fn a_page_is_read_as_it_is_shown() {
    let text = "# A b: `c`\n\n| x | y |\n| --- | --- |\n| `a(1)` | `p \\| q` |\n\n```sh\n# no heading\n```\n\n[t](u#v)\n## D\n";
    let page = Page { name: "t.md".to_owned(), text: text.to_owned() };
    assert_eq!(page.anchors(), ["a-b-c", "d"].map(str::to_owned).into());
    assert_eq!(page.table("A b: `c`"), [["`a(1)`", "`p | q`"].map(str::to_owned)]);
    assert_eq!(page.names("A b: `c`"), ["a".to_owned()].into());
    assert_eq!(page.blocks("sh")[0].text, "# no heading\n");
    assert_eq!(page.links(), [(11, "u#v")]);
}
