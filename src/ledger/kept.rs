//! A row as the database keeps it: what is written and what is read are one JSON object a row, in both databases.
//!
//! Not here: what a row means (`core::ledger`), and the statements that take it apart (`sql`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::core::event::Digest;
use crate::core::ledger::{Hold, Row, RowEnd, RowId};

/// The most that is kept of a key's text, in bytes. A row is found by the digest of the whole.
const KEY_MAX: usize = 1024;

/// Which row is asked for.
#[derive(Debug, Serialize)]
pub(super) struct Wanted {
    key: String,
    slot: i64,
}

impl From<RowId> for Wanted {
    fn from(id: RowId) -> Self {
        Self { key: hex(&id.key), slot: id.slot.cast_signed() }
    }
}

/// One row: every field is a column of that name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) key: String,
    pub(super) slot: i64,
    /// Counts what was written: a row that another wrote meanwhile is not written over.
    pub(super) revision: i64,
    #[serde(with = "shared")]
    pub(super) key_text: Arc<str>,
    #[serde(with = "shared")]
    owner: Arc<str>,
    pub(super) epoch: i64,
    pub(super) ticket: i64,
    pub(super) hold: String,
    pub(super) unsure_creates: i64,
    pub(super) sent_ms: i64,
    pub(super) sent: Option<String>,
    pub(super) ended: Option<String>,
    pub(super) process: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) body: i64,
    pub(super) request: i64,
    pub(super) digest_version: i64,
    #[serde(with = "shared")]
    pub(super) rule: Arc<str>,
    #[serde(with = "shared")]
    pub(super) procedure_id: Arc<str>,
    pub(super) attempts: i64,
    first_ms: i64,
    ended_ms: i64,
}

impl Kept {
    /// The row as it is written.
    pub(super) fn of(id: RowId, row: &Row, revision: i64) -> Self {
        let (ended, process, reason) = match &row.end {
            None => (None, None, None),
            Some(RowEnd::Created(process)) => (Some("created"), process.as_deref().map(plain), None),
            Some(RowEnd::Dead(reason)) => (Some("dead"), None, Some(plain(reason))),
        };
        Self {
            key: hex(&id.key),
            slot: id.slot.cast_signed(),
            revision,
            key_text: plain_shared(&cut(&row.key)),
            owner: plain_shared(&row.owner),
            epoch: row.epoch,
            ticket: row.ticket.cast_signed(),
            hold: word(row.hold).to_owned(),
            unsure_creates: row.unsure_creates.into(),
            sent_ms: row.sent_ms,
            sent: row.sent.as_deref().and_then(|lookup| serde_json::to_string(lookup).ok()),
            ended: ended.map(str::to_owned),
            process,
            reason,
            body: row.body.cast_signed(),
            request: row.request.cast_signed(),
            digest_version: row.digest_version.into(),
            rule: plain_shared(&row.rule),
            procedure_id: plain_shared(&row.procedure),
            attempts: row.attempts.into(),
            first_ms: row.first_ms,
            ended_ms: row.ended_ms,
        }
    }

    /// Which row it is; none if its key is no digest.
    pub(super) fn id(&self) -> Option<RowId> {
        Some(RowId { key: digest(&self.key)?, slot: self.slot.cast_unsigned() })
    }

    /// The row. A place to look up that this version cannot read is none.
    pub(super) fn row(self) -> Row {
        let end = match self.ended.as_deref() {
            None => None,
            Some("created") => Some(RowEnd::Created(self.process)),
            Some(_) => Some(RowEnd::Dead(self.reason.unwrap_or_default())),
        };
        Row {
            key: self.key_text,
            owner: self.owner,
            epoch: self.epoch,
            ticket: self.ticket.cast_unsigned(),
            hold: hold(&self.hold),
            unsure_creates: small(self.unsure_creates),
            sent_ms: self.sent_ms,
            sent: self.sent.and_then(|text| serde_json::from_str(&text).ok()).map(Arc::new),
            end,
            body: self.body.cast_unsigned(),
            request: self.request.cast_unsigned(),
            digest_version: u8::try_from(self.digest_version).unwrap_or(u8::MAX),
            rule: self.rule,
            procedure: self.procedure_id,
            attempts: small(self.attempts),
            first_ms: self.first_ms,
            ended_ms: self.ended_ms,
        }
    }
}

/// What its owner has of a row, as a column.
fn word(hold: Hold) -> &'static str {
    match hold {
        Hold::Free => "free",
        Hold::Claimed => "claimed",
        Hold::Sends => "sends",
    }
}

/// A word that this version does not know is the one that promises least.
fn hold(word: &str) -> Hold {
    match word {
        "free" => Hold::Free,
        "claimed" => Hold::Claimed,
        _ => Hold::Sends,
    }
}

/// What stands in a text of the database.
pub(super) fn parsed<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|_| Failure::rows("a row cannot be read as it was written"))
}

fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Postgres keeps no NUL in a text: one event must not make the rows of its neighbours unwritable.
fn plain(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// The same of a text that many share, which hardly ever has one.
fn plain_shared(text: &Arc<str>) -> Arc<str> {
    if text.contains('\0') { plain(text).into() } else { Arc::clone(text) }
}

fn cut(text: &Arc<str>) -> Arc<str> {
    if text.len() <= KEY_MAX { Arc::clone(text) } else { text[..text.floor_char_boundary(KEY_MAX)].into() }
}

/// Texts that many share, as JSON has them.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(deserializer).map(Arc::from)
    }
}

/// A digest as both databases read it.
pub(super) fn hex(digest: &Digest) -> String {
    format!("{:032x}", u128::from_be_bytes(*digest))
}

/// Postgres writes `\x` before it, SQLite capitals.
fn digest(text: &str) -> Option<Digest> {
    let text = text.strip_prefix("\\x").unwrap_or(text);
    let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32)?;
    Some(number.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::lookup::Lookup;
    use crate::core::procedure::Procedure;

    fn row() -> Row {
        let procedure = Procedure::new("ticket").unwrap();
        Row {
            key: "orders|4711".into(),
            owner: "host/1".into(),
            epoch: 3,
            ticket: u64::MAX,
            hold: Hold::Sends,
            unsure_creates: 1,
            sent_ms: 5,
            sent: Some(Arc::new(Lookup { procedure, attribute: "event_key".to_owned(), value: json!("a\0b") })),
            end: Some(RowEnd::Created(Some("p1".to_owned()))),
            body: u64::MAX,
            request: 1 << 63,
            digest_version: 1,
            rule: "one".into(),
            procedure: "ticket".into(),
            attempts: 2,
            first_ms: 4,
            ended_ms: 6,
        }
    }

    #[test]
    fn a_row_comes_back_as_it_went_in_however_it_ended() {
        let id = RowId { key: [0xab; 16], slot: u64::MAX };
        for end in [None, Some(RowEnd::Created(None)), row().end, Some(RowEnd::Dead("rejected".to_owned()))] {
            let row = Row { end, ..row() };
            let text = serde_json::to_string(&Kept::of(id, &row, 1)).unwrap();
            let kept: Kept = serde_json::from_str(&text).unwrap();
            assert_eq!((kept.id(), kept.row()), (Some(id), row));
        }
        assert_eq!(digest("\\xabababababababababababababababab"), digest("ABABABABABABABABABABABABABABABAB"));
    }

    #[test]
    fn no_text_of_an_event_makes_a_row_unwritable_or_large() {
        let id = RowId { key: [0; 16], slot: 0 };
        let row = Row { key: format!("a\0{}", "ü".repeat(KEY_MAX)).into(), rule: "o\0e".into(), ..row() };
        let kept = Kept::of(id, &row, 1);
        assert!(kept.key_text.len() <= KEY_MAX + 2 && kept.key_text.starts_with("a\u{fffd}ü"));
        assert!(!serde_json::to_string(&Kept { sent: None, ..kept }).unwrap().contains("\\u0000"));
    }
}
