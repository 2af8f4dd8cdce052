//! The token as requests show it. While its file is watched, it is read when the file changes and not for each request.
//! After a 401 each request reads the file itself, until the next check. A new token is told: what was refused may pass now.
//!
//! Not here: when the file is looked at (`files`), and what a new token opens (`core::gate`).

use std::convert::Infallible;
use std::time::Duration;

use reqwest::header::HeaderValue;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Client;
use crate::files::{self, Change, FileWatch, Seen};
use crate::secret::{Secret, SecretSource};

/// What stands before the token in its header.
pub(super) const SCHEME: &str = "Bearer ";
/// What is said where the file cannot be opened for want of descriptors, and how often at most.
const KEPT: &str =
    "too many files are open to read the token: the last one stays in use; raise the limit (ulimit -n, LimitNOFILE)";
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Follows the file of the client's token, and counts `changes` up at each new token. Never ends. A token that is kept in no
/// file cannot change. A file that cannot be read is told once, and the last token stays in use.
pub async fn watch(client: Client, changes: watch::Sender<u64>) -> Infallible {
    client.token.follow(changes).await
}

/// A token and where it is kept.
#[derive(Debug)]
pub(super) struct Token {
    source: SecretSource,
    /// What was read before the first request.
    loaded: Result<Secret, String>,
    /// The header in use; none where each request reads the source.
    shown: watch::Sender<Option<HeaderValue>>,
    /// The last that could be read: in use while no file can be opened for want of descriptors.
    last: watch::Sender<Option<HeaderValue>>,
    /// When that was told last.
    told: watch::Sender<Option<Instant>>,
}

impl Token {
    /// Reads the token. Blocks, for as long as a file takes.
    pub(super) fn new(source: SecretSource) -> Self {
        let loaded = source.read_token_now();
        let given = loaded.as_ref().ok().filter(|_| matches!(source, SecretSource::Given(_)));
        let shown = given.and_then(|secret| header(secret).ok());
        let last = loaded.as_ref().ok().and_then(|secret| header(secret).ok());
        let (shown, last, told) = (watch::Sender::new(shown), watch::Sender::new(last), watch::Sender::new(None));
        Self { source, loaded, shown, last, told }
    }

    /// The value of `Authorization`. Where the source has to be read, that may take so long.
    ///
    /// # Errors
    /// Says why there is none, without the token.
    pub(super) async fn header(&self, limit: Duration) -> Result<HeaderValue, String> {
        let shown = self.shown.borrow().clone();
        if let Some(shown) = shown {
            return Ok(shown);
        }
        let reading = tokio::time::timeout(limit, self.source.read_token());
        let read = reading.await.map_err(|_| "the token could not be read in time".to_owned())?;
        let value = match read {
            Err(why) if files::tells_of_want_of_descriptors(&why) => return self.kept(why),
            read => header(&read?)?,
        };
        self.last.send_replace(Some(value.clone()));
        Ok(value)
    }

    /// No file can be opened now, which says nothing of the token: the last one stays in use.
    fn kept(&self, why: String) -> Result<HeaderValue, String> {
        let last = self.last.borrow().clone();
        let is_news = |told: &mut Option<Instant>| {
            let is_news = told.is_none_or(|at| at.elapsed() >= TELL_EVERY);
            *told = if is_news { Some(Instant::now()) } else { *told };
            is_news
        };
        if last.is_some() && self.told.send_if_modified(is_news) {
            tracing::warn!(why, "{KEPT}");
        }
        last.ok_or(why)
    }

    /// The API refused this header. If it is the one in use, the next request reads the source again.
    pub(super) fn refused(&self, value: &HeaderValue) {
        self.shown.send_if_modified(|shown| shown.take_if(|shown| shown == value).is_some());
    }

    async fn follow(&self, changes: watch::Sender<u64>) -> Infallible {
        let SecretSource::File(path) = &self.source else { return std::future::pending().await };
        // What the file held is known as a token and not to the byte: so the first look reads it.
        let mut files = FileWatch::new(Seen::default().with(path, None));
        let mut known = self.loaded.clone();
        loop {
            let change = files.check().await;
            if change == Change::Same && known.is_ok() && self.shown.borrow().is_some() {
                continue;
            }
            files.accept();
            let read = self.source.read_token().await;
            if let Err(why) = &read
                && known.is_ok()
                && files::tells_of_want_of_descriptors(why)
            {
                drop(self.kept(why.clone()));
                continue;
            }
            if read != known {
                tell(&read, &changes);
            }
            if let Ok(value) = read.as_ref().map_err(String::clone).and_then(header) {
                self.last.send_replace(Some(value.clone()));
                self.shown.send_replace(Some(value));
            }
            known = read;
        }
    }
}

fn tell(read: &Result<Secret, String>, changes: &watch::Sender<u64>) {
    match read {
        Ok(_) => {
            tracing::info!("the file of the token holds a new one");
            changes.send_modify(|count| *count += 1);
        }
        Err(why) => {
            tracing::warn!(why, "the file of the token holds none that can be used; the last token stays in use")
        }
    }
}

fn header(token: &Secret) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::try_from(format!("{SCHEME}{}", token.expose()))
        .map_err(|_| "the token holds characters that cannot stand in a header".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
