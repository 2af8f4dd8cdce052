//! The bytes of a picture: known to be one by the first, no more than are allowed, and handed on as they come where their number is
//! known. What comes without its length is gathered first, within the same bound.
//!
//! Not here: where they come from (`fetch`), and where they go (`chakra`).

use std::sync::Arc;
use std::time::Duration;

use reqwest::Response;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::failure::failed;
use crate::core::photo::{Kind, Missed, TOLD_BY};
use crate::core::reason::Cause;

/// What a source may take for its next bytes at least, however long the API took for those before.
const NEXT_MIN: Duration = Duration::from_secs(1);

/// A picture, of which the first bytes are here.
#[derive(Debug)]
pub struct Picture {
    /// What it is.
    pub kind: Kind,
    /// How many bytes it has.
    pub length: u64,
    /// The first of them.
    pub first: Arc<[u8]>,
    rest: Rest,
}

/// What has not come yet.
#[derive(Debug, Default)]
pub struct Rest {
    response: Option<Response>,
    /// What came already, piece by piece: as one it would take twice its room while it grows.
    gathered: Vec<Vec<u8>>,
    left: u64,
    deadline: Option<Instant>,
}

impl Picture {
    /// One that was in its event.
    ///
    /// # Errors
    /// If it is none, or too large.
    pub fn of_bytes(bytes: &Arc<[u8]>, max_size: u64) -> Result<Self, Missed> {
        let length = bytes.len() as u64;
        if length > max_size {
            return Err(Missed::TooLarge(max_size));
        }
        let kind = Kind::of(bytes).ok_or(Missed::WrongType)?;
        Ok(Self { kind, length, first: Arc::clone(bytes), rest: Rest::default() })
    }

    /// Takes the rest out, to be handed on.
    pub fn take_rest(&mut self) -> Rest {
        std::mem::take(&mut self.rest)
    }
}

impl Rest {
    /// Takes all that comes, `room` bytes at most; answers how many did.
    async fn gather(&mut self, room: u64, max_size: u64) -> Result<u64, Missed> {
        let Some(mut response) = self.response.take() else { return Ok(0) };
        let mut came = 0;
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            came += chunk.len() as u64;
            if came > room {
                return Err(Missed::TooLarge(max_size));
            }
            self.gathered.push(chunk.to_vec());
        }
        Ok(came)
    }

    /// Hands the bytes on as they come, until all are there or nobody takes them.
    ///
    /// # Errors
    /// Why they do not come: the source is slow, broke off, or sends another number of bytes than it said.
    pub async fn hand_on(self, to: mpsc::Sender<Vec<u8>>) -> Result<(), Missed> {
        for piece in self.gathered {
            if to.send(piece).await.is_err() {
                return Ok(());
            }
        }
        let (Some(mut response), Some(mut deadline)) = (self.response, self.deadline) else { return Ok(()) };
        let mut left = self.left;
        while left > 0 {
            let chunk = timeout_at(deadline, response.chunk()).await.map_err(|_| late())?;
            let chunk = chunk.map_err(|error| failed(&error))?.ok_or_else(broken)?;
            left = left.checked_sub(chunk.len() as u64).ok_or_else(broken)?;
            let since = Instant::now();
            if to.send(chunk.to_vec()).await.is_err() {
                return Ok(());
            }
            // What the API takes its time for is not the source's.
            deadline = (deadline + since.elapsed()).max(Instant::now() + NEXT_MIN.min(since.elapsed()));
        }
        Ok(())
    }
}

fn late() -> Missed {
    Missed::Failed { cause: Cause::Timeout, status: None, after: None, detail: None }
}

fn broken() -> Missed {
    Missed::Failed { cause: Cause::BrokenAnswer, status: None, after: None, detail: None }
}

/// Reads as much of an answer as it takes to know that it is a picture, and all of one whose length is not known.
pub(super) async fn read(mut response: Response, max_size: u64, deadline: Instant) -> Result<Picture, Missed> {
    let length = response.content_length();
    if length.is_some_and(|length| length > max_size) {
        return Err(Missed::TooLarge(max_size));
    }
    let (mut first, mut is_whole) = (Vec::new(), false);
    while first.len() < TOLD_BY && !is_whole {
        match response.chunk().await.map_err(|error| failed(&error))? {
            Some(chunk) => first.extend_from_slice(&chunk),
            None => is_whole = true,
        }
    }
    let (kind, came) = (Kind::of(&first).ok_or(Missed::WrongType)?, first.len() as u64);
    let mut rest = Rest { response: Some(response), deadline: Some(deadline), ..Rest::default() };
    let length = match length {
        Some(length) => {
            rest.left = length.checked_sub(came).filter(|left| *left == 0 || !is_whole).ok_or_else(broken)?;
            length
        }
        None => came + rest.gather(max_size.checked_sub(came).ok_or(Missed::TooLarge(max_size))?, max_size).await?,
    };
    Ok(Picture { kind, length, first: first.into(), rest })
}
