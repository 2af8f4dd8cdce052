//! The dead-letter queue, looked through at most once for all keys that are asked for.
//!
//! Not here: the pass (`dead_letters`).

use std::collections::HashMap;

use crate::cli::dead_letters::of_keys::{Said, of_keys};
use crate::ready::Ready;

/// What is known of the queue so far.
pub(super) struct Letters<'t> {
    ready: &'t Ready,
    keys: &'t [String],
    yes_count_one: bool,
    looked: Option<Result<HashMap<String, Vec<Said>>, String>>,
}

impl<'t> Letters<'t> {
    pub(super) fn new(ready: &'t Ready, keys: &'t [String], yes_count_one: bool) -> Self {
        Self { ready, keys, yes_count_one, looked: None }
    }

    /// Those of a key; or why they cannot be known.
    pub(super) async fn of(&mut self, key: &str) -> Result<&[Said], &str> {
        if self.looked.is_none() {
            self.looked = Some(of_keys(self.ready, self.keys, self.yes_count_one).await);
        }
        match &self.looked {
            Some(Ok(letters)) => Ok(letters.get(key).map_or(&[], Vec::as_slice)),
            Some(Err(why)) => Err(why),
            None => Ok(&[]),
        }
    }
}
