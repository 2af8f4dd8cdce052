//! What of an answer grows into values while it is read: the members that mean something, and of those no more than a person
//! or a lookup can use. The rest is read past, so that an answer of very many values takes no more memory than its bytes.
//!
//! Not here: what the members mean (`answer`), and the limit on the bytes (`send`).

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::chakra::error_text::is_told;

/// The most rows of a list that are kept: more than were asked for.
const ROWS_MAX: usize = 1000;

/// The most values of errors that are kept: more than the text of them has room for.
const TOLD_MAX: usize = 10_000;

/// The longest text of a row or an id that is kept, in bytes: longer than anything that is looked up.
const TEXT_MAX: usize = 4096;

/// An answer that is an object.
pub(super) struct Kept {
    /// Its members that are kept.
    pub(super) object: Map<String, Value>,
    /// Whether it has no member at all.
    pub(super) is_bare: bool,
}

/// Reads an answer; none where it is no object, or no JSON. Of a list, rows are kept with their `attribute`.
pub(super) fn read(text: &[u8], attribute: Option<&str>) -> Option<Kept> {
    let (left, is_bare) = (Cell::new(TOLD_MAX), Cell::new(true));
    let mut parser = serde_json::Deserializer::from_slice(text);
    let reader = Reader { of: Of::Answer, attribute, left: &left, is_bare: &is_bare };
    let value = reader.deserialize(&mut parser).ok()?;
    parser.end().ok()?;
    match value {
        Value::Object(object) => Some(Kept { object, is_bare: is_bare.get() }),
        _ => None,
    }
}

/// What a value is read for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Answer,
    Data,
    Row,
    /// The attributes of a row.
    Attributes,
    /// A text or a number.
    Scalar,
    /// What is told of errors, however it is nested.
    Told,
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    of: Of,
    attribute: Option<&'a str>,
    /// Values of errors that may still be kept.
    left: &'a Cell<usize>,
    is_bare: &'a Cell<bool>,
}

impl Reader<'_> {
    fn of(self, of: Of) -> Self {
        Self { of, ..self }
    }

    /// What a member is read for; none if it is read past.
    fn member(self, name: &str) -> Option<Of> {
        let is_sought = self.attribute == Some(name);
        match self.of {
            Of::Answer if name == "_data" => Some(Of::Data),
            Of::Answer => is_told(name).then_some(Of::Told),
            Of::Data => (name == "id").then_some(Of::Scalar),
            Of::Row if name == "id" || (is_sought && name != "data") => Some(Of::Scalar),
            Of::Row => (name == "data").then_some(Of::Attributes),
            Of::Attributes => is_sought.then_some(Of::Scalar),
            Of::Scalar => None,
            Of::Told => Some(Of::Told),
        }
    }

    /// Whether so many items of a list leave no room for another.
    fn is_full(self, count: usize) -> bool {
        match self.of {
            Of::Data => self.attribute.is_none() || count == ROWS_MAX,
            // Something is left even of what has no room: it was not empty.
            Of::Told => self.left.get() == 0 && count > 0,
            _ => true,
        }
    }

    fn text(self, text: &str) -> Value {
        let is_kept = self.of == Of::Told || (self.of != Of::Data && text.len() <= TEXT_MAX);
        if is_kept { Value::from(text) } else { Value::from("") }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Value, D::Error> {
        if self.of == Of::Told {
            self.left.set(self.left.get().saturating_sub(1));
        }
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(self.text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let item = self.of(if self.of == Of::Data { Of::Row } else { Of::Told });
        let mut list = Vec::new();
        while !self.is_full(list.len()) {
            match items.next_element_seed(item)? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            self.is_bare.set(self.is_bare.get() && self.of != Of::Answer);
            let is_full = self.of == Of::Told && self.is_full(object.len());
            match self.member(&name).filter(|_| !is_full) {
                Some(of) => drop(object.insert(name, members.next_value_seed(self.of(of))?)),
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str, attribute: Option<&str>) -> Value {
        Value::Object(read(text.as_bytes(), attribute).unwrap().object)
    }

    fn many(item: &str) -> String {
        format!("[{}]", vec![item; 100_000].join(","))
    }

    #[test]
    fn what_means_nothing_does_not_grow_whatever_its_shape() {
        let ones = many("1");
        let answer = format!(r#"{{"a":{ones},"_meta":{{"b":{ones}}},"_data":{{"c":{ones},"id":"p1","d":[{ones}]}}}}"#);
        assert_eq!(kept(&answer, None), serde_json::json!({ "_data": { "id": "p1" } }));
        assert_eq!(kept(&format!(r#"{{"_data":{ones}}}"#), None), serde_json::json!({ "_data": [] }));
        let deep = format!(r#"{{"a":{}{},"_data":{{}}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(kept(&deep, None), serde_json::json!({ "_data": {} }));
    }

    #[test]
    fn of_a_list_no_more_rows_grow_than_a_lookup_can_use() {
        let rows = many(r#"{"id":1,"k":"v","x":[1,1],"data":{"k":"w","y":[2]}}"#);
        let kept = kept(&format!(r#"{{"_data":{rows}}}"#), Some("k"));
        let rows = kept["_data"].as_array().unwrap();
        assert_eq!(rows.len(), ROWS_MAX);
        assert_eq!(rows[0], serde_json::json!({ "id": 1, "k": "v", "data": { "k": "w" } }));
    }

    #[test]
    fn errors_are_kept_up_to_a_bound_and_never_become_none() {
        let answer = format!(r#"{{"message":{ones},"_errors":{ones},"error":{{"a":{ones}}}}}"#, ones = many("1"));
        let kept = kept(&answer, None);
        let count = |name: &str| kept[name].as_array().unwrap().len();
        assert!(count("message") <= TOLD_MAX && count("_errors") == 1, "{} {}", count("message"), count("_errors"));
        assert!(!kept["error"].as_object().unwrap().is_empty());
    }

    #[test]
    fn an_object_without_members_is_told_from_one_whose_members_are_read_past() {
        assert!(read(b"{}", None).unwrap().is_bare);
        assert!(!read(br#"{"x":{}}"#, None).unwrap().is_bare);
        for none in ["[]", "1", "{", "{} x", r#"{"a":}"#, ""] {
            assert!(read(none.as_bytes(), None).is_none(), "{none}");
        }
    }
}
