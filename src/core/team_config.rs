//! What Fetch Config tells of procedures: their attributes, types and states, as far as it can be made out.
//!
//! The shapes of its members are not documented. So each is looked for in the places where it may plausibly stand; what is
//! not found is not known, and nothing is concluded from it.
//!
//! Not here: asking for it (`chakra`), and what rules say (`cli`).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The names under which an object may say what it is called, the most telling first.
const NAMES: [&str; 3] = ["shortId", "short_id", "name"];

/// The names under which an attribute may say its type.
const TYPES: [&str; 4] = ["attributeType", "type", "dataType", "datatype"];

/// What a value of an attribute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
}

impl Kind {
    /// Of a type of the API; none where it may be several things.
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "string" | "text" | "name" | "email" | "phone" | "stringId" => Self::Text,
            "integer" | "number" | "integerId" | "date" | "time" | "datetime" => Self::Integer,
            "float" | "decimal" => Self::Number,
            "boolean" => Self::Boolean,
            _ => return None,
        })
    }

    /// Whether a value is of it.
    #[must_use]
    pub fn takes(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            // One sample of the API carries the text.
            Self::Boolean => value.is_boolean() || matches!(value.as_str(), Some("true" | "false")),
        }
    }

    /// The word of JSON Schema for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// A procedure as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownProcedure {
    /// Its attributes, each with its kind if that is known; none if they are not known.
    pub attributes: Option<BTreeMap<String, Option<Kind>>>,
    /// Its states; none if they are not known.
    pub states: Option<Vec<String>>,
}

/// What could be made out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TeamConfig {
    /// The procedures by their short ids; none if they are not known.
    pub procedures: Option<BTreeMap<String, KnownProcedure>>,
}

impl TeamConfig {
    /// Reads an answer of Fetch Config.
    #[must_use]
    pub fn read(answer: &Value) -> Self {
        let data = answer.get("_data").unwrap_or(answer);
        let Some(procedures) = data.get("procedures").and_then(entries) else { return Self::default() };
        let attributes = data.get("attributes").and_then(entries).unwrap_or_default();
        let types = data.get("attributeTypes").and_then(entries).unwrap_or_default();
        let reader = Reader { attributes, types };
        let known = procedures.iter().filter_map(|entry| Some((entry.name()?.to_owned(), reader.procedure(entry))));
        let known: BTreeMap<_, _> = known.collect();
        Self { procedures: (!known.is_empty()).then_some(known) }
    }
}

impl KnownProcedure {
    /// A draft of a JSON Schema of its attributes, if they are known.
    #[must_use]
    pub fn schema(&self) -> Option<Value> {
        let property = |(name, kind): (&String, &Option<Kind>)| {
            (name.clone(), kind.map_or_else(|| json!({}), |kind| json!({ "type": kind.word() })))
        };
        let properties: Map<String, Value> = self.attributes.as_ref()?.iter().map(property).collect();
        Some(json!({ "type": "object", "properties": properties, "additionalProperties": false }))
    }
}

/// The known name that is nearest to one that is not, if one is near.
#[must_use]
pub fn nearest<'a>(written: &str, names: &[&'a str]) -> Option<&'a str> {
    let most = (written.chars().count() / 3).max(1);
    let far = |name: &&'a str| strsim::damerau_levenshtein(&written.to_lowercase(), &name.to_lowercase());
    names.iter().copied().min_by_key(far).filter(|name| far(name) <= most)
}

/// One object of a list, or of an object whose members are named by ids.
#[derive(Clone)]
struct Entry<'a> {
    key: Option<&'a str>,
    value: &'a Value,
}

impl<'a> Entry<'a> {
    /// What it is called.
    fn name(&self) -> Option<&'a str> {
        let said = NAMES.iter().find_map(|name| self.value.get(*name)?.as_str());
        said.or(self.key).or(self.value.as_str()).filter(|name| !name.is_empty())
    }

    /// Whether this is what somebody refers to.
    fn is_called(&self, reference: &str) -> bool {
        let id = self.value.get("id").and_then(Value::as_str);
        id == Some(reference) || self.key == Some(reference) || self.name() == Some(reference)
    }
}

/// The entries of a list or of an object of objects.
fn entries(value: &Value) -> Option<Vec<Entry<'_>>> {
    match value {
        Value::Array(items) => Some(items.iter().map(|value| Entry { key: None, value }).collect()),
        Value::Object(members) => {
            Some(members.iter().map(|(key, value)| Entry { key: Some(key.as_str()), value }).collect())
        }
        _ => None,
    }
}

struct Reader<'a> {
    attributes: Vec<Entry<'a>>,
    types: Vec<Entry<'a>>,
}

impl<'a> Reader<'a> {
    fn procedure(&self, procedure: &Entry<'a>) -> KnownProcedure {
        let states = ["states", "processStates"].iter().find_map(|name| entries(procedure.value.get(*name)?));
        let states = states.map(|states| states.iter().filter_map(Entry::name).map(str::to_owned).collect::<Vec<_>>());
        KnownProcedure {
            attributes: self.attributes_of(procedure).filter(|attributes| !attributes.is_empty()),
            states: states.filter(|states| !states.is_empty()),
        }
    }

    /// Those that the procedure lists, or those that say that they are of it.
    fn attributes_of(&self, procedure: &Entry<'a>) -> Option<BTreeMap<String, Option<Kind>>> {
        let listed = procedure.value.get("attributes").and_then(entries);
        if let Some(listed) = listed {
            // One that cannot be made out would make all the others look complete.
            return listed.iter().map(|entry| self.attribute(entry)).collect();
        }
        let is_of_it = |entry: &&Entry<'a>| {
            let owner = entry.value.get("procedure").and_then(Value::as_str);
            owner.is_some_and(|owner| procedure.is_called(owner))
        };
        self.attributes.iter().filter(is_of_it).map(|entry| self.attribute(entry)).collect()
    }

    /// The short id and the kind of an attribute that is written out or referred to.
    fn attribute(&self, entry: &Entry<'a>) -> Option<(String, Option<Kind>)> {
        let references = ["attribute", "id"].map(|name| entry.value.get(name).and_then(Value::as_str));
        let references = [entry.value.as_str(), references[0], references[1], entry.key];
        let found = references
            .into_iter()
            .flatten()
            .find_map(|reference| self.attributes.iter().find(|attribute| attribute.is_called(reference)));
        let named = found.filter(|found| found.name().is_some()).unwrap_or(entry);
        let is_reference = found.is_none() && entry.value.is_string() && !self.attributes.is_empty();
        let name = named.name().filter(|_| !is_reference)?;
        Some((name.to_owned(), self.kind(named)))
    }

    fn kind(&self, attribute: &Entry<'a>) -> Option<Kind> {
        let said = TYPES.iter().find_map(|name| attribute.value.get(*name)?.as_str())?;
        let named = self.types.iter().find(|entry| entry.is_called(said)).and_then(Entry::name);
        Kind::of(named.unwrap_or(said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(answer: Value) -> Option<BTreeMap<String, Option<Kind>>> {
        TeamConfig::read(&answer).procedures.unwrap().remove("ticket").unwrap().attributes
    }

    #[test]
    fn attributes_are_found_in_each_plausible_shape() {
        let expected = BTreeMap::from([("score".to_owned(), Some(Kind::Integer)), ("note".to_owned(), None)]);
        let all = json!([
            { "id": "u1", "shortId": "score", "attributeType": "t1", "procedure": "p1" },
            { "id": "u2", "shortId": "note", "attributeType": "t9", "procedure": "p1" },
            { "id": "u3", "shortId": "other", "procedure": "p2" },
        ]);
        let types = json!([{ "id": "t1", "name": "integer" }]);
        for procedures in [
            json!([{ "id": "p1", "shortId": "ticket" }]),
            json!({ "p1": { "shortId": "ticket" } }),
            json!([{ "id": "p1", "shortId": "ticket", "attributes": ["u1", "u2"] }]),
            json!([{ "id": "p1", "shortId": "ticket", "attributes": [{ "attribute": "u1" }, { "id": "u2" }] }]),
            json!({ "ticket": { "attributes": { "u1": {}, "u2": {} } } }),
            json!([{ "shortId": "ticket", "attributes": ["score", "note"] }]),
        ] {
            let answer = json!({ "_data": { "procedures": procedures, "attributes": all, "attributeTypes": types } });
            assert_eq!(attributes(answer), Some(expected.clone()), "{procedures}");
        }
        let own = json!({ "procedures": [{ "shortId": "ticket", "attributes": [{ "shortId": "score", "type": "integer" }, { "name": "note" }] }] });
        assert_eq!(attributes(own), Some(expected));
    }

    #[test]
    fn what_cannot_be_made_out_is_not_known_and_never_wrong() {
        for answer in [
            json!(null),
            json!([]),
            json!({}),
            json!({ "_data": { "procedures": 5 } }),
            json!({ "_data": { "procedures": [{}] } }),
        ] {
            assert_eq!(TeamConfig::read(&answer).procedures, None, "{answer}");
        }
        let bare = json!({ "_data": { "procedures": [{ "shortId": "ticket", "states": [] }] } });
        assert_eq!(TeamConfig::read(&bare).procedures.unwrap()["ticket"], KnownProcedure::default());
        let unclear = json!({ "procedures": [{ "shortId": "ticket", "attributes": ["u1", "u9"] }], "attributes": [{ "id": "u1", "shortId": "a" }] });
        assert_eq!(attributes(unclear), None, "u9 is nobody's");
    }

    #[test]
    fn states_and_a_draft_of_a_schema_are_read_from_the_same() {
        let answer = json!({ "procedures": [{ "shortId": "ticket", "states": ["NEW", { "shortId": "DONE" }], "attributes": [{ "shortId": "n", "type": "float" }] }] });
        let ticket = TeamConfig::read(&answer).procedures.unwrap().remove("ticket").unwrap();
        assert_eq!(ticket.states, Some(vec!["NEW".to_owned(), "DONE".to_owned()]));
        assert_eq!(ticket.schema().unwrap()["properties"]["n"]["type"], "number");
        assert!(
            Kind::Number.takes(&json!(1)) && !Kind::Integer.takes(&json!(1.5)) && Kind::Boolean.takes(&json!("true"))
        );
    }
}
