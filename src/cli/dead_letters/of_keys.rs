//! The dead letters of events that are known by their keys, in one pass: for whoever asks what became of them.
//!
//! Not here: what is printed of them (`cli::trace`).

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::arguments::Looking;
use super::open::Opened;
use super::words::{self, plain};
use crate::clock::date_of;
use crate::core::letters::Letter;
use crate::ready::Ready;

/// What one letter says.
pub(in crate::cli) struct Said {
    /// When it died; empty where nobody says.
    pub(in crate::cli) died: String,
    /// In words, in one line.
    pub(in crate::cli) words: String,
    /// The same for programs.
    pub(in crate::cli) json: Value,
}

/// Looks through the whole queue once, and leaves every letter where it is.
///
/// # Errors
/// Why it was not looked at, or not to its end.
pub(in crate::cli) async fn of_keys(
    ready: &Ready,
    keys: &[String],
    yes_count_one: bool,
) -> Result<HashMap<String, Vec<Said>>, String> {
    let opened = Opened::of(ready, &Looking { yes_count_one, ..Looking::default() }).await?;
    let gathered = gather(&opened, keys).await;
    opened.letters.close().await;
    gathered
}

async fn gather(opened: &Opened<'_>, keys: &[String]) -> Result<HashMap<String, Vec<Said>>, String> {
    let wanted: HashSet<&str> = keys.iter().map(String::as_str).collect();
    let mut said: HashMap<String, Vec<Said>> = HashMap::new();
    let mut look = opened.letters.look(0).await?;
    let read = async {
        while let Some((_, read)) = opened.next(&mut look).await? {
            if let Some(key) = read.letter.key.as_deref().filter(|key| wanted.contains(key)) {
                said.entry(key.to_owned()).or_default().push(Said::of(&read.letter));
            }
        }
        Ok::<_, String>(())
    };
    let read = read.await;
    let ended = look.end().await;
    read.and(ended)?;
    Ok(said)
}

impl Said {
    fn of(letter: &Letter) -> Self {
        let died = if letter.died_ms == 0 { String::new() } else { date_of(letter.died_ms) };
        let (why, text, doubt) = (words::reason(letter), plain(&letter.text), words::doubt(letter.may_exist));
        Self { died, words: format!("{why}{doubt}: {text}"), json: words::as_json(letter) }
    }
}
