//! Headers that are nested too deep: what lies deeper than any producer nests on purpose becomes null, so that nothing which goes
//! through a tree of headers needs more than a little of its stack.
//!
//! Not here: how headers of many values are held (`packed`). The client library itself goes through the whole tree, once, as it
//! reads it (`cli::stack`).

use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldArray, FieldTable, ShortString};

/// Lists and tables in each other at most, counted from the header's own value.
const DEPTH: usize = 64;

/// Properties none of whose headers is nested deeper.
pub(super) struct Shallow {
    pub(super) properties: BasicProperties,
    /// The headers that were.
    pub(super) cut: Vec<ShortString>,
}

/// Puts null in the place of each list and table that lies too deep.
pub(super) fn shallow(properties: BasicProperties) -> Shallow {
    let Some(table) = properties.headers() else { return Shallow { properties, cut: Vec::new() } };
    let deep = table.inner().iter().filter(|(_, value)| is_deeper(value, DEPTH)).map(|(name, _)| name.clone());
    let cut: Vec<_> = deep.collect();
    if cut.is_empty() {
        return Shallow { properties, cut };
    }
    let headers = table_to(DEPTH + 1, table);
    Shallow { properties: properties.with_headers(headers), cut }
}

fn is_deeper(value: &AMQPValue, than: usize) -> bool {
    let Some(below) = than.checked_sub(1) else { return is_nested(value) };
    match value {
        AMQPValue::FieldArray(items) => items.as_slice().iter().any(|item| is_deeper(item, below)),
        AMQPValue::FieldTable(table) => table.inner().values().any(|value| is_deeper(value, below)),
        _ => false,
    }
}

fn is_nested(value: &AMQPValue) -> bool {
    matches!(value, AMQPValue::FieldArray(_) | AMQPValue::FieldTable(_))
}

/// The value with at most so many levels of lists and tables.
fn to(depth: usize, value: &AMQPValue) -> AMQPValue {
    match value {
        nested if depth == 0 && is_nested(nested) => AMQPValue::Void,
        AMQPValue::FieldArray(items) => {
            let items: Vec<_> = items.as_slice().iter().map(|item| to(depth - 1, item)).collect();
            AMQPValue::FieldArray(FieldArray::from(items))
        }
        AMQPValue::FieldTable(table) => AMQPValue::FieldTable(table_to(depth, table)),
        other => other.clone(),
    }
}

fn table_to(depth: usize, table: &FieldTable) -> FieldTable {
    let values = table.inner().iter().map(|(name, value)| (name.clone(), to(depth - 1, value)));
    FieldTable::from(values.collect::<BTreeMap<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lists and tables in turn, so many in each other around a text.
    fn nested(depth: usize) -> AMQPValue {
        (0..depth).fold(AMQPValue::LongString("core".into()), |inner, level| {
            if level % 2 == 0 {
                return AMQPValue::FieldArray(vec![AMQPValue::Boolean(true), inner].into());
            }
            let mut table = FieldTable::default();
            table.insert("inner".into(), inner);
            AMQPValue::FieldTable(table)
        })
    }

    fn depth_of(value: &AMQPValue) -> usize {
        match value {
            AMQPValue::FieldArray(items) => 1 + items.as_slice().iter().map(depth_of).max().unwrap_or_default(),
            AMQPValue::FieldTable(table) => 1 + table.inner().values().map(depth_of).max().unwrap_or_default(),
            _ => 0,
        }
    }

    fn with(values: &[(&str, AMQPValue)]) -> BasicProperties {
        let headers = values.iter().map(|(name, value)| (ShortString::from(*name), value.clone()));
        BasicProperties::default().with_headers(FieldTable::from(headers.collect::<BTreeMap<_, _>>()))
    }

    #[test]
    fn what_lies_too_deep_is_null_and_its_header_is_named() {
        let shallow = shallow(with(&[("deep", nested(1_000)), ("flat", nested(3))]));
        assert_eq!(shallow.cut, [ShortString::from("deep")]);
        let headers = shallow.properties.headers().clone().unwrap();
        assert_eq!(headers.inner()["flat"], nested(3));
        assert_eq!(depth_of(&headers.inner()["deep"]), DEPTH);
        assert!(!is_deeper(&headers.inner()["deep"], DEPTH), "once is enough");
    }

    #[test]
    fn what_is_as_deep_as_it_may_be_stays_as_it_is() {
        let properties = with(&[("deep", nested(DEPTH)), ("none", AMQPValue::Void)]);
        let shallow = shallow(properties.clone());
        assert_eq!((shallow.properties, shallow.cut.len()), (properties, 0));
        assert!(super::shallow(BasicProperties::default()).cut.is_empty());
    }
}
