//! The fields that a rule writes, each by its path in the request.
//!
//! Not here: what stands in them (`leaf`).

use std::fmt;

use serde_json::Value as Json;

use super::leaf::Leaf;
use super::request::Request;

/// A field of the request, such as `record.data.email`. A list is one field, whatever it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field(Vec<String>);

impl Field {
    /// Whether this name is a part of its path.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.0.iter().any(|part| part == name)
    }

    /// Whether a request has it.
    #[must_use]
    pub fn is_in(&self, request: &Json) -> bool {
        self.0.iter().try_fold(request, |value, name| value.get(name)).is_some()
    }
}

impl fmt::Display for Field {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.join("."))
    }
}

/// Every field of a request but its procedure, in the order of the request.
pub(super) fn of(request: &Request) -> Vec<Field> {
    let mut fields = Vec::new();
    let tables = [("data", &request.data), ("record", &request.record)];
    for (name, members) in tables {
        let members = members.iter().flatten();
        members.for_each(|(member, leaf)| add(vec![name.to_owned(), member.clone()], leaf, &mut fields));
    }
    let single = [
        ("status", &request.status),
        ("state", &request.state),
        ("nextActionAt", &request.next_action_at),
        ("assignedTo", &request.assigned_to),
    ];
    let written = single.into_iter().filter(|(_, leaf)| leaf.is_some());
    fields.extend(written.map(|(name, _)| Field(vec![name.to_owned()])));
    fields
}

fn add(path: Vec<String>, leaf: &Leaf, fields: &mut Vec<Field>) {
    match leaf {
        Leaf::Table(members) if !members.is_empty() => {
            for (name, member) in members {
                let path = path.iter().chain([name]).cloned().collect();
                add(path, member, fields);
            }
        }
        _ => fields.push(Field(path)),
    }
}
