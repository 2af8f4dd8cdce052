//! How many bytes a header takes on the wire, near enough to stay below one frame.
//!
//! Not here: the limit, and what is done about it.

use lapin::types::{AMQPValue, FieldTable, ShortString};

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
