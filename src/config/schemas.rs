//! `[[schema]]`: the shapes that a procedure asks of its attributes.
//!
//! Not here: what a schema means (`core::mapping::schemas`), and the JSON in files (`documents`).

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use toml::de::DeTable;

use super::tables::{List, Table};
use super::{documents, names, rules};
use crate::core::mapping::written::{Spot, WrittenSchema};
use crate::core::mistake::Mistake;

/// The list of schemas.
pub(super) const LIST: List = List { section: "schema", named_by: "procedure", keys: &["procedure", "data", "record"] };

/// All schemas whose pieces could be read, and every mistake in the others. Paths in them begin in `folder`.
pub(super) fn schemas(file: &DeTable<'_>, folder: &Path, mistakes: &mut Vec<Mistake>) -> Vec<WrittenSchema> {
    let (created, mut seen) = (rules::LIST.texts(file, "procedure"), HashSet::new());
    LIST.read(file, mistakes, |table| {
        let procedure = procedure(table, &created);
        if let Some(copy) = procedure.as_ref().filter(|procedure| !seen.insert(procedure.value.clone())) {
            table.wrong(copy.span.clone(), "procedure", "another schema is for it", "one schema for each procedure");
        }
        if table.find("data").is_none() && table.find("record").is_none() {
            table.wrong(table.span.clone(), "data", "is missing", "a JSON Schema here, or in `record`");
        }
        let (data, record) = (schema(table, "data", folder), schema(table, "record", folder));
        Some(WrittenSchema { procedure: procedure?, data, record })
    })
}

/// The files that schemas stand in.
pub(super) fn paths(file: &DeTable<'_>, folder: &Path) -> Vec<PathBuf> {
    let named = ["data", "record"].into_iter().flat_map(|key| LIST.texts(file, key));
    named.filter_map(|text| documents::path(folder, text)).collect()
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

fn schema(table: &mut Table<'_, '_>, key: &str, folder: &Path) -> Option<Spot<Value>> {
    let text = table.text(key)?;
    match documents::json(folder, &text.value) {
        Ok(value) => Some(Spot { value, span: text.span }),
        Err(wrong) => {
            table.wrong(text.span, key, &wrong.what, &wrong.expected);
            None
        }
    }
}
