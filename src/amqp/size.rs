//! How many bytes a header takes on the wire, near enough to stay below one frame, and how large a frame may be.
//!
//! Not here: what is left for headers, and what is done about those that are too large.

use lapin::types::{AMQPValue, FieldTable, ShortString};

/// The largest frame, in bytes: RabbitMQ's own default, which bounds the headers of a message and no body. Where it is named before
/// the broker names it, the client library does not touch the memory of its buffers, 4 MiB each, before they are used.
pub(super) const FRAME_MAX: u32 = 131_072;
/// The largest frame at all, in bytes: named for a message that came in a larger one than is named otherwise, and no longer than that
/// takes. The buffers of the connection that consumes take 64 times that.
pub(super) const FRAME_RAISED: u32 = 524_288;

/// Length prefix and type tag of a value, rounded up.
const OVERHEAD: usize = 8;

/// The size of one header in bytes: key and value, never below what the wire takes.
pub(super) fn bytes(key: &ShortString, value: &AMQPValue) -> usize {
    key.as_str().len() + OVERHEAD + of_value(value)
}

fn of_value(value: &AMQPValue) -> usize {
    OVERHEAD
        + match value {
            AMQPValue::ShortString(it) => it.as_str().len(),
            AMQPValue::LongString(it) => it.len(),
            AMQPValue::ByteArray(it) => it.len(),
            AMQPValue::FieldArray(it) => it.as_slice().iter().map(of_value).sum(),
            AMQPValue::FieldTable(it) => of_table(it),
            _ => OVERHEAD,
        }
}

fn of_table(table: &FieldTable) -> usize {
    table.inner().iter().map(|(key, value)| bytes(key, value)).sum()
}

#[cfg(test)]
mod tests {
    use lapin::types::generation::gen_field_table;

    use super::*;

    /// As the wire takes it, less the length of the table.
    fn written(table: &FieldTable) -> usize {
        gen_field_table(table)(Vec::new().into()).unwrap().write.len() - size_of::<u32>()
    }

    fn table(value: &AMQPValue) -> FieldTable {
        FieldTable::from(std::collections::BTreeMap::from([("name".into(), value.clone())]))
    }

    #[test]
    fn a_header_is_counted_as_no_less_than_the_wire_takes_and_as_little_more() {
        let text = "x".repeat(100);
        let mut values = vec![
            AMQPValue::Void,
            AMQPValue::LongLongInt(i64::MIN),
            AMQPValue::ShortString(text.as_str().into()),
            AMQPValue::LongString(text.as_str().into()),
            AMQPValue::ByteArray(vec![7; 100].into()),
        ];
        values.push(AMQPValue::FieldTable(table(&values[3])));
        values.push(AMQPValue::FieldArray(values.clone().into()));
        for (value, several) in values.iter().zip([1, 1, 1, 1, 1, 2, 8]) {
            let (counted, taken) = (of_table(&table(value)), written(&table(value)));
            assert!((taken..taken + several * 3 * OVERHEAD).contains(&counted), "{counted} of {taken}: {value:?}");
        }
    }
}
