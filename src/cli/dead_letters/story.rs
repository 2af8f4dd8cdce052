//! What the ledger knows of the event of a letter: what `trace` tells, beside the letter.
//!
//! Not here: asking the API for it, which `trace` alone does, and how a row is told (`cli::trace`).

use serde_json::{Value, json};

use super::words::plain;
use crate::cli::trace::told;
use crate::core::letters::Letter;
use crate::ledger::read::{Found, Reader};
use crate::ready::Ready;

/// The ledger, or why it cannot be read; none where none is configured.
pub(super) struct Stories(Option<Result<Reader, String>>);

/// What is known of one event.
pub(super) enum Story {
    /// Nobody keeps it.
    NoLedger,
    /// The letter names no key.
    NoKey,
    /// It cannot be asked.
    Unread(String),
    /// Its rows.
    Rows(Vec<Found>),
}

impl Stories {
    pub(super) async fn open(ready: &Ready) -> Self {
        match &ready.config.ledger {
            Some(config) => Self(Some(Reader::open(config).await)),
            None => Self(None),
        }
    }

    pub(super) async fn of(&mut self, letter: &Letter) -> Story {
        match (&mut self.0, &letter.key) {
            (None, _) => Story::NoLedger,
            (_, None) => Story::NoKey,
            (Some(Err(why)), _) => Story::Unread(why.clone()),
            (Some(Ok(reader)), Some(key)) => reader.rows(key).await.map_or_else(Story::Unread, Story::Rows),
        }
    }
}

impl Story {
    /// For eyes: lines with an end each.
    pub(super) fn page(&self, key: Option<&str>) -> String {
        let lines = match self {
            Self::NoLedger => vec![format!(
                "no ledger is configured; `chakra-bridge trace {}` asks the API",
                key.map_or_else(|| "KEY".to_owned(), plain)
            )],
            Self::NoKey => vec!["the letter names no key, by which the ledger could be asked".to_owned()],
            Self::Unread(why) => vec![format!("the ledger cannot be asked: {}", plain(why))],
            Self::Rows(rows) if rows.is_empty() => vec!["the ledger has no row of it".to_owned()],
            Self::Rows(rows) => {
                let facts = rows.iter().flat_map(told::facts);
                facts.map(|(at, what)| format!("{at:20}  {}", plain(&what))).collect()
            }
        };
        lines.into_iter().map(|line| format!("  {line}\n")).collect()
    }

    /// What `trace --json` has in `ledger`, or why it has nothing.
    pub(super) fn json(&self) -> Value {
        match self {
            Self::NoLedger | Self::NoKey => Value::Null,
            Self::Unread(why) => json!({ "error": why }),
            Self::Rows(rows) => json!({ "ledger": rows.iter().map(told::row).collect::<Vec<_>>() }),
        }
    }
}
