//! A JSON text becomes a tree of values, of which no more grow than are allowed.
//!
//! Not here: what is done with numbers that 64 bits cannot hold, and the words for what is wrong (`json`).

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::core::bounds::{LIST_WEIGHT, OBJECT_WEIGHT};

/// Reads a text of which at most `most` values grow.
///
/// # Errors
/// None where there are more; else what is wrong with the text.
pub(super) fn read(text: &str, most: usize) -> Result<Value, Option<serde_json::Error>> {
    let left = Cell::new(Some(most));
    let mut parser = serde_json::Deserializer::from_str(text);
    let read = Reader { left: &left }.deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    read.map_err(|error| left.get().map(|_| error))
}

/// Reads one value; those that are left, none once they were too many, are shared by all below it.
#[derive(Clone, Copy)]
struct Reader<'a> {
    left: &'a Cell<Option<usize>>,
}

impl Reader<'_> {
    fn take<E: serde::de::Error>(self, count: usize) -> Result<(), E> {
        self.left.set(self.left.get().and_then(|left| left.checked_sub(count)));
        self.left.get().map(drop).ok_or_else(|| E::custom("too many values"))
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Value, D::Error> {
        self.take(1)?;
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
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.take(LIST_WEIGHT - 1)?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.take(OBJECT_WEIGHT - 1)?;
        let mut object = Map::new();
        while let Some(name) = members.next_key()? {
            object.insert(name, members.next_value_seed(self)?);
        }
        Ok(Value::Object(object))
    }
}
