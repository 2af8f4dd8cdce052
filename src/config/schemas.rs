//! `[[schema]]`: the shapes that a procedure asks of its attributes.
//!
//! Not here: what a schema means (`core::mapping::schemas`), and the JSON in files (`documents`).

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;
use toml::de::DeTable;

use super::tables::{List, Table};
use super::{documents, names, rules};
use crate::core::mapping::written::{Spot, WrittenSchema};
use crate::core::mistake::Mistake;
use crate::files::Seen;

/// The list of schemas.
pub(super) const LIST: List = List { section: "schema", named_by: "procedure", keys: &["procedure", "data", "record"] };

/// All schemas whose pieces could be read, every mistake in the others, and the files that they stand in, as those were
/// read. Paths in them begin in `folder`.
pub(super) fn schemas(file: &DeTable<'_>, folder: &Path, mistakes: &mut Vec<Mistake>) -> (Vec<WrittenSchema>, Seen) {
    let (created, mut seen) = (rules::LIST.texts(file, "procedure"), HashSet::new());
    let mut files = Seen::default();
    let schemas = LIST.read(file, mistakes, |table| {
        let procedure = procedure(table, &created);
        if let Some(copy) = procedure.as_ref().filter(|procedure| !seen.insert(procedure.value.clone())) {
            table.wrong(copy.span.clone(), "procedure", "another schema is for it", "one schema for each procedure");
        }
        if table.find("data").is_none() && table.find("record").is_none() {
            table.wrong(table.span.clone(), "data", "is missing", "a JSON Schema here, or in `record`");
        }
        let [data, record] = ["data", "record"].map(|key| schema(table, key, folder, &mut files));
        Some(WrittenSchema { procedure: procedure?, data, record })
    });
    (schemas, files)
}

/// A schema for what no rule creates is a slip; where an event names the procedure, nobody can tell.
fn procedure(table: &mut Table<'_, '_>, created: &[&str]) -> Option<Spot<String>> {
    let procedure = table.required("procedure", "the short id of a procedure")?;
    let is_created = |written: &&str| *written == procedure.value || written.contains("{{");
    if !created.iter().any(is_created) {
        let expected = names::suggest(&procedure.value, created);
        table.wrong(procedure.span.clone(), "procedure", &format!("no rule creates {:?}", procedure.value), &expected);
    }
    Some(procedure)
}

fn schema(table: &mut Table<'_, '_>, key: &str, folder: &Path, files: &mut Seen) -> Option<Spot<Value>> {
    let text = table.text(key)?;
    let read = documents::bytes(folder, &text.value);
    if let Some(path) = documents::path(folder, &text.value) {
        files.note(path, read.as_deref().ok());
    }
    match read.and_then(|bytes| documents::parse(&text.value, &bytes)) {
        Ok(value) => Some(Spot { value, span: text.span }),
        Err(wrong) => {
            table.wrong(text.span, key, &wrong.what, &wrong.expected);
            None
        }
    }
}
