//! What a request says, in the types that the API documents, and its bytes. It lives only while its event is mapped.
//!
//! Not here: what fills it (`request`), and what is held of it (`core::process`).

use std::io::{self, Write};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::answer::{Refusal, too_large};
use crate::core::process::Status;

/// The body of a create. A field that the rule does not write is not sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// An object: attribute short ids and their values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Value>,
    /// An object: the record that the process belongs to, usually `{ "data": { … } }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) record: Option<Value>,
    /// The status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<Status>,
    /// The state's short id; which exist depends on the procedure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
    /// Epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_action_at: Option<i64>,
    /// User name or id of a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) assigned_to: Option<String>,
}

impl Content {
    /// All of it as one value: for a person, and for a case to be compared with.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Its bytes, no longer than `most`.
    ///
    /// # Errors
    /// If they would be.
    pub(super) fn body(&self, most: usize) -> Result<Arc<[u8]>, Refusal> {
        let mut bounded = Bounded { bytes: Vec::new(), most };
        serde_json::to_writer(&mut bounded, self).map_err(|_| too_large(most))?;
        Ok(bounded.bytes.into())
    }
}

/// Takes bytes up to a limit.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
