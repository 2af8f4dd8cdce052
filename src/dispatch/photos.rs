//! One try to bring a photo up: the picture goes from its source to the API as it comes.
//!
//! Not here: fetching (`crate::photos`), uploading (`chakra`), and what follows from either (`core::delivery`).

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::chakra::{Client, Upload};
use crate::core::photo::{Photo, PhotoReply, Source};
use crate::photos::{Fetcher, Picture};

/// Pieces of a picture that wait between its source and the API.
const PIECES: usize = 2;

/// Fetches a picture, if it is to be fetched, and uploads it.
pub(super) async fn bring_up(client: Client, fetcher: Fetcher, photo: Arc<Photo>) -> PhotoReply {
    let opened = match &photo.source {
        Source::Bytes(bytes) => Picture::of_bytes(bytes, fetcher.max_size()),
        Source::Link(link) => fetcher.open(link).await,
    };
    let mut picture = match opened {
        Ok(picture) => picture,
        Err(missed) => return PhotoReply::Missed(missed),
    };
    let (sender, rest) = mpsc::channel(PIECES);
    let handing_on = picture.take_rest().hand_on(sender);
    let Picture { kind, length: bytes, first, .. } = picture;
    let upload = Upload { id: photo.id, filename: photo.filename.clone(), kind, length: bytes, first, rest };
    let uploading = client.upload(upload);
    tokio::pin!(uploading, handing_on);
    tokio::select! {
        biased;
        // What ends while its picture is not whole is its source's: the request is dropped, and the API keeps nothing of it.
        handed_on = &mut handing_on => match handed_on {
            Err(missed) => PhotoReply::Missed(missed),
            Ok(()) => PhotoReply::Asked { reply: uploading.await, bytes },
        },
        reply = &mut uploading => PhotoReply::Asked { reply, bytes },
    }
}
