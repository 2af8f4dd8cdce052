//! The filter that reads a JSON text within a text, within bounds.
//!
//! Not here: the body itself (`decode`), writing JSON down (`texts`).

use std::cell::Cell;
use std::fmt;

use minijinja::Error;
use minijinja::value::{Value, ValueKind};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::{is_list, text};
use crate::core::json;
use crate::core::mapping::checks::refuse;
use crate::core::mapping::engine_value;

/// Its name, that of other tools.
pub(super) const NAME: &str = "from_json";

/// The longest text that is read, in bytes.
const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// The most values in it, each item and each member counting one.
const VALUES_MAX: usize = 100_000;

/// How many bytes are read for one unit of fuel, in the engine.
pub(super) const BYTES_PER_FUEL: usize = 8;

/// The value that a text holds as JSON. What is a list or an object already passes: some producers encode only at times.
pub(super) fn from_json(value: &Value, _: &[Value]) -> Result<Value, Error> {
    if is_list(value) || value.kind() == ValueKind::Map {
        return Ok(value.clone());
    }
    let written = text("from_json", value)?;
    if written.len() > TEXT_BYTES_MAX {
        let size = written.len();
        return Err(refuse(format!("`from_json` reads texts of at most {TEXT_BYTES_MAX} bytes, this has {size}")));
    }
    read(written).map_err(|words| refuse(format!("`from_json` takes a JSON text; this text {words}")))
}

fn read(written: &str) -> Result<Value, String> {
    let written = json::readable(written)?;
    let left = Cell::new(VALUES_MAX);
    let mut parser = serde_json::Deserializer::from_str(&written);
    let read = Reader { left: &left }.deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    read.map_err(|error| match left.get() {
        0 => format!("holds more than {VALUES_MAX} values"),
        _ => json::broken(&error),
    })
}

/// Reads one value; those that are left are shared by all below it.
#[derive(Clone, Copy)]
struct Reader<'a> {
    left: &'a Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Value, D::Error> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| D::Error::custom("too many values"))?;
        self.left.set(left);
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::from(()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(engine_value::of_text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::from(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            object.push((Value::from(name), members.next_value_seed(self)?));
        }
        Ok(Value::from_pairs(object))
    }
}
