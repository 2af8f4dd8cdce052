//! The properties of a message while its event is held or published: headers that hold many values are kept as the bytes that they
//! came as, since a list of small values takes a hundred times as much as a tree.
//!
//! Not here: which headers go into a dead letter or a delayed event (`headers`), and how large they may be there.

use std::borrow::Cow;

use lapin::BasicProperties;
use lapin::types::generation::gen_field_table;
use lapin::types::parsing::parse_field_table;
use lapin::types::{AMQPValue, FieldTable};

/// Headers of so many values are kept as they are: to pack and unpack them would cost every event time.
const FEW: usize = 64;

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Packed {
    /// Without headers, where those are packed.
    properties: BasicProperties,
    headers: Option<Box<[u8]>>,
}

impl Packed {
    pub(super) fn of(properties: BasicProperties) -> Self {
        let many = properties.headers().as_ref().filter(|headers| left_of(FEW, headers).is_none());
        match many.and_then(packed) {
            Some(headers) => {
                Self { properties: properties.with_headers(FieldTable::default()), headers: Some(headers) }
            }
            None => Self { properties, headers: None },
        }
    }

    /// Whether the headers hold many values.
    pub(super) fn has_many(&self) -> bool {
        self.headers.is_some()
    }

    /// How many bytes the headers take on the wire, or nothing where they cannot be written.
    pub(super) fn size(&self) -> usize {
        let few = || self.properties.headers().as_ref().and_then(packed).map(|headers| headers.len());
        self.headers.as_ref().map(|headers| headers.len()).or_else(few).unwrap_or_default()
    }

    /// As they came.
    pub(super) fn whole(&self) -> Cow<'_, BasicProperties> {
        let Some(headers) = &self.headers else { return Cow::Borrowed(&self.properties) };
        let table = parse_field_table(&headers[..]).map(|(_, table)| table).unwrap_or_default();
        Cow::Owned(self.properties.clone().with_headers(table))
    }
}

/// None if they cannot be written: then they stay as they are.
fn packed(headers: &FieldTable) -> Option<Box<[u8]>> {
    let written = gen_field_table(headers)(Vec::new().into()).ok()?;
    Some(written.write.into_boxed_slice())
}

/// How many values may still come after those of a table; none where it has too many.
fn left_of(few: usize, table: &FieldTable) -> Option<usize> {
    table.inner().values().try_fold(few, left_of_value)
}

fn left_of_value(left: usize, value: &AMQPValue) -> Option<usize> {
    let left = left.checked_sub(1)?;
    match value {
        AMQPValue::FieldArray(items) => items.as_slice().iter().try_fold(left, left_of_value),
        AMQPValue::FieldTable(table) => left_of(left, table),
        _ => Some(left),
    }
}

#[cfg(test)]
mod tests {
    use lapin::types::{DecimalValue, FieldArray};

    use super::*;

    /// One of each kind, so often, in a list in a table.
    fn headers(times: usize) -> FieldTable {
        let mut inner = FieldTable::default();
        inner.insert("".into(), AMQPValue::Void);
        let each = [
            AMQPValue::Boolean(true),
            AMQPValue::ShortShortInt(-1),
            AMQPValue::ShortShortUInt(1),
            AMQPValue::ShortInt(-300),
            AMQPValue::ShortUInt(300),
            AMQPValue::LongInt(-70_000),
            AMQPValue::LongUInt(70_000),
            AMQPValue::LongLongInt(i64::MIN),
            AMQPValue::Float(1.5),
            AMQPValue::Double(-2.5),
            AMQPValue::DecimalValue(DecimalValue { scale: 2, value: 12_345 }),
            AMQPValue::LongString("tëxt".into()),
            AMQPValue::Timestamp(1_700_000_000),
            AMQPValue::ByteArray(vec![0, 255].into()),
            AMQPValue::FieldTable(inner),
            AMQPValue::Void,
        ];
        let items: Vec<AMQPValue> = each.iter().cloned().cycle().take(times * each.len()).collect();
        let mut table = FieldTable::default();
        table.insert("items".into(), AMQPValue::FieldArray(FieldArray::from(items)));
        table
    }

    #[test]
    fn headers_come_out_as_they_went_in_whether_they_are_many_or_few() {
        for times in [1, 100] {
            let properties = BasicProperties::default().with_message_id("m1".into()).with_headers(headers(times));
            let packed = Packed::of(properties.clone());
            assert_eq!(packed.headers.is_some(), times > 1);
            assert_eq!(*packed.whole(), properties);
        }
        assert_eq!(*Packed::of(BasicProperties::default()).whole(), BasicProperties::default());
    }

    #[test]
    fn headers_are_many_by_all_their_values_wherever_those_lie() {
        let table = |value| FieldTable::from(std::collections::BTreeMap::from([("name".into(), value)]));
        let list = |count| AMQPValue::FieldArray(vec![AMQPValue::Void; count].into());
        let is_many = |value| Packed::of(BasicProperties::default().with_headers(table(value))).has_many();
        // A list or a table is a value too.
        assert_eq!([FEW - 1, FEW].map(|count| is_many(list(count))), [false, true]);
        let inner = |count| AMQPValue::FieldTable(table(list(count)));
        assert_eq!([FEW - 2, FEW - 1].map(|count| is_many(inner(count))), [false, true]);
    }

    #[test]
    fn many_values_are_kept_in_the_bytes_that_they_take_on_the_wire() {
        let mut table = FieldTable::default();
        table.insert("none".into(), AMQPValue::FieldArray(vec![AMQPValue::Void; 100_000].into()));
        let packed = Packed::of(BasicProperties::default().with_headers(table));
        let bytes = packed.headers.as_ref().map(|bytes| bytes.len()).unwrap();
        assert!((100_000..100_020).contains(&bytes), "{bytes}");
        assert!(packed.properties.headers().as_ref().unwrap().inner().is_empty());
    }
}
