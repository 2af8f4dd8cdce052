//! References within a schema: they stay within it, and lead in no circle. So what a schema costs grows with the size of an
//! event and never with the powers of its depth: a circle through `anyOf` tries each level twice, and twice again below.
//!
//! Not here: what a reference means (`jsonschema`).

use std::collections::HashMap;

use serde_json::Value as Json;

/// What is wrong with the references of a schema, and what was expected.
pub(super) type Wrong = (String, &'static str);

/// How far a part of the schema has been followed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Followed {
    Begun,
    Done,
}

/// Follows every reference.
///
/// # Errors
/// The first that is none of the form `#/…`, leads nowhere, or leads back; and an `$id` below the top, from which the
/// others would be counted.
pub(super) fn check(schema: &Json) -> Result<(), Wrong> {
    let is_old = schema.get("$schema").and_then(Json::as_str).is_some_and(|draft| draft.contains("/draft-04/"));
    if is_old {
        return Err(("is of draft 4".to_owned(), "draft 6 or newer"));
    }
    Follower { root: schema, followed: HashMap::new() }.follow(schema)
}

struct Follower<'s> {
    root: &'s Json,
    /// By the place of a part in memory: the schema is not moved meanwhile.
    followed: HashMap<*const Json, Followed>,
}

impl<'s> Follower<'s> {
    fn follow(&mut self, part: &'s Json) -> Result<(), Wrong> {
        let place: *const Json = part;
        match self.followed.insert(place, Followed::Begun) {
            Some(Followed::Done) => {}
            Some(Followed::Begun) => {
                return Err(("refers to itself".to_owned(), "references that lead in no circle"));
            }
            None => self.below(part)?,
        }
        self.followed.insert(place, Followed::Done);
        Ok(())
    }

    fn below(&mut self, part: &'s Json) -> Result<(), Wrong> {
        match part {
            Json::Array(items) => items.iter().try_for_each(|item| self.follow(item)),
            Json::Object(members) => members.iter().try_for_each(|(name, member)| {
                if let (true, Some(text)) = (name.starts_with('$'), member.as_str()) {
                    self.word(part, name, text)?;
                }
                self.follow(member)
            }),
            _ => Ok(()),
        }
    }

    fn word(&mut self, part: &Json, name: &str, text: &str) -> Result<(), Wrong> {
        let expected = "references within the schema, such as \"#/$defs/…\"";
        match name {
            "$ref" => match text.strip_prefix('#').filter(|pointer| pointer.starts_with('/')) {
                Some(pointer) => match self.root.pointer(pointer) {
                    Some(target) => self.follow(target),
                    None => Err((format!("has a reference that leads nowhere, {text:?}"), expected)),
                },
                None => Err((format!("has the reference {text:?}"), expected)),
            },
            "$dynamicRef" | "$recursiveRef" => Err((format!("has a {name}"), expected)),
            "$id" if !std::ptr::eq(part, self.root) => Err(("has an $id below its top".to_owned(), expected)),
            _ => Ok(()),
        }
    }
}
