//! A procedure's short id.
//!
//! Not here: what is asked of a procedure (`process`, `lookup`).

use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

/// The longest procedure short id taken, in bytes.
pub const PROCEDURE_BYTES_MAX: usize = 128;

/// A procedure's short id, such as `lead`: one path segment that cannot leave its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Procedure(Arc<str>);

impl Procedure {
    /// Takes a short id made of ASCII letters, digits, `-` and `_`, 1 to [`PROCEDURE_BYTES_MAX`] bytes long.
    ///
    /// # Errors
    /// Says what is expected if `text` is anything else: `..`, `/`, `%` or a query cannot pass.
    pub fn new(text: &str) -> Result<Self, String> {
        let fits = (1..=PROCEDURE_BYTES_MAX).contains(&text.len());
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if fits && plain {
            return Ok(Self(text.into()));
        }
        Err(format!("a procedure's short id: 1 to {PROCEDURE_BYTES_MAX} letters, digits, '-' or '_'"))
    }

    /// What stands for the uploads of photos where requests are told apart by their procedure. No procedure has such a name, and
    /// none is asked for it.
    pub(in crate::core) fn uploads() -> &'static Self {
        static UPLOADS: LazyLock<Procedure> = LazyLock::new(|| Procedure(Arc::from("photo uploads")));
        &UPLOADS
    }

    /// What stands for a host that pictures are fetched from, in the same way.
    pub(in crate::core) fn of_host(host: &str) -> Self {
        Self(Arc::from(format!("photos of {host}")))
    }

    /// The short id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same, without a copy of its text.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl TryFrom<String> for Procedure {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::new(&text)
    }
}

impl From<Procedure> for String {
    fn from(procedure: Procedure) -> Self {
        procedure.0.as_ref().to_owned()
    }
}

impl fmt::Display for Procedure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
