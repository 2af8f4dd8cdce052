//! A secret and where it is kept. A secret prints as stars, whatever prints it.
//!
//! Not here: what secrets are for.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::files;

/// What the path of a secret begins with. Whatever else stands there may be the secret itself.
const PATHS: [&str; 4] = ["/", "./", "../", "credential:"];

/// The longest token, in bytes: with what else stands in the head of a request, servers take no more.
const TOKEN_MAX: usize = 8 * 1024;

/// What stands before a token in a header, and is no part of it.
const SCHEME: &str = "bearer ";

/// A text that never prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What was written, without the line ends that editors and shells put behind it; none if nothing is left.
    #[must_use]
    pub fn written(text: &str) -> Option<Self> {
        let text = text.trim_end_matches(['\r', '\n']);
        (!text.is_empty()).then(|| Self::new(text))
    }

    /// What makes this no token, in words without a piece of it; none if nothing does.
    #[must_use]
    pub fn no_token(&self) -> Option<String> {
        let text = self.0.as_str();
        let size = text.len();
        let is_named = text.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME));
        if size > TOKEN_MAX {
            return Some(format!("is {size} bytes long: a token has at most {TOKEN_MAX}"));
        }
        let what = if text.contains(['\n', '\r']) {
            "holds several lines: a token is one line"
        } else if is_named {
            "begins with `Bearer `: write the token alone, the daemon puts that before it"
        } else if text.contains('\0') {
            "holds a NUL: is it a text in UTF-16?"
        } else if text.contains(char::is_whitespace) {
            "holds a blank: a token has none"
        } else if text.contains(char::is_control) || text.contains('\u{feff}') {
            "holds a character that is not printed: a token has none"
        } else {
            return None;
        };
        Some(what.to_owned())
    }

    /// The text itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

/// Where a secret is read from: rotating the file is all it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// Written in the configuration or the environment, without trailing line ends.
    Given(Secret),
    /// The content of a file, without trailing line ends.
    File(PathBuf),
}

impl SecretSource {
    /// Reads the secret, on a thread that may wait.
    ///
    /// # Errors
    /// As [`SecretSource::read_now`].
    pub async fn read(&self) -> Result<Secret, String> {
        if let Self::Given(secret) = self {
            return Ok(secret.clone());
        }
        let source = self.clone();
        let read = tokio::task::spawn_blocking(move || source.read_now()).await;
        read.unwrap_or_else(|error| Err(format!("the secret cannot be read: {error}")))
    }

    /// Reads the secret: for the start, when nothing runs yet that could be held up.
    ///
    /// # Errors
    /// Says which file cannot be read and why, that it is no regular file, holds more than 64 KiB, or is empty; never what
    /// it holds.
    pub fn read_now(&self) -> Result<Secret, String> {
        match self {
            Self::Given(secret) => Ok(secret.clone()),
            Self::File(path) => content(path),
        }
    }

    /// Reads a token, on a thread that may wait.
    ///
    /// # Errors
    /// As [`SecretSource::read_now`], or what makes it no token.
    pub async fn read_token(&self) -> Result<Secret, String> {
        self.read().await.and_then(|secret| self.token(secret))
    }

    /// Reads a token: for the start, when nothing runs yet that could be held up.
    ///
    /// # Errors
    /// As [`SecretSource::read_token`].
    pub fn read_token_now(&self) -> Result<Secret, String> {
        self.read_now().and_then(|secret| self.token(secret))
    }

    fn token(&self, secret: Secret) -> Result<Secret, String> {
        let what = match self {
            Self::Given(_) => "the token".to_owned(),
            Self::File(path) => format!("{}: it", shown(path)),
        };
        secret.no_token().map_or(Ok(secret), |why| Err(format!("{what} {why}")))
    }

    /// Reads the secret and forgets it again: for the start, when nothing runs yet that could be held up.
    ///
    /// # Errors
    /// As [`SecretSource::read_now`].
    pub fn check(&self) -> Result<(), String> {
        self.read_now().map(drop)
    }
}

fn content(path: &Path) -> Result<Secret, String> {
    let read = files::read_text(path, files::SECRET_MAX);
    let text = read.map_err(|error| format!("{}: {error}", shown(path)))?;
    Secret::written(&text).ok_or_else(|| format!("{}: the file is empty", shown(path)))
}

/// The path, unless it may be the secret itself, written where its file belongs.
fn shown(path: &Path) -> String {
    path.to_str()
        .filter(|text| is_path(text))
        .map_or_else(|| "what stands there (not shown: it may be the secret itself)".to_owned(), str::to_owned)
}

/// Whether this is a path for certain, and may be printed where the path of a secret belongs.
pub(crate) fn is_path(text: &str) -> bool {
    PATHS.iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_token_is_said_in_words_without_a_piece_of_it() {
        for (text, words) in [
            ("Bearer swordfish", "begins with `Bearer `"),
            ("bearer swordfish", "begins with `Bearer `"),
            ("sword fish", "holds a blank"),
            (" swordfish", "holds a blank"),
            ("swordfish\t", "holds a blank"),
            ("sword\nfish", "several lines"),
            ("s\0w\0ordfish", "holds a NUL"),
            ("\u{feff}swordfish", "not printed"),
            ("sword\u{7}fish", "not printed"),
            (&"swordfish".repeat(1000), "9000 bytes long"),
        ] {
            let said = Secret::new(text).no_token().unwrap();
            assert!(said.contains(words) && !said.contains("fish"), "{said}");
        }
        for text in ["swordfish", "a.b-c_d~e+f/g==", &"x".repeat(TOKEN_MAX), "Bearer"] {
            assert_eq!(Secret::new(text).no_token(), None);
        }
    }
}
