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
