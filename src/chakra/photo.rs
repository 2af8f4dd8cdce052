//! One upload: `POST {base}/v1/ext/photo/{id}` as a form of one file, sent once, its bytes handed on as they come.
//!
//! Not here: where they come from (`crate::photos`), and what the reply means (`core::photo`).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use reqwest::{Body, Url};
use tokio::sync::mpsc;

use super::Client;
use crate::core::photo::{Kind, PhotoId};
use crate::core::reply::Reply;

/// What is uploaded.
#[derive(Debug)]
pub struct Upload {
    /// The id that it is to have.
    pub id: PhotoId,
    /// What the file is called, if its rule says so.
    pub filename: Option<String>,
    /// What it is.
    pub kind: Kind,
    /// How many bytes it has.
    pub length: u64,
    /// The first of them.
    pub first: Arc<[u8]>,
    /// The others.
    pub rest: mpsc::Receiver<Vec<u8>>,
}

impl Client {
    /// Uploads a picture once and tells what came back. The API keeps nothing of one whose bytes end early: the request breaks off.
    pub async fn upload(&self, upload: Upload) -> Reply {
        let boundary = format!("chakra-bridge-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let url = photo_url(&self.base_url, upload.id);
        let (kind, form) = (format!("multipart/form-data; boundary={boundary}"), Form::of(upload, &boundary));
        self.send_as(url, &kind, Body::wrap(form)).await
    }

    /// Asks whether photos may be uploaded, by an upload that has no file and so is refused whatever the answer.
    pub async fn check_uploads(&self, id: PhotoId) -> Reply {
        let boundary = "chakra-bridge-check";
        let body = format!("--{boundary}--\r\n");
        let kind = format!("multipart/form-data; boundary={boundary}");
        self.send_as(photo_url(&self.base_url, id), &kind, Body::from(body)).await
    }
}

fn photo_url(base: &Url, id: PhotoId) -> Url {
    let mut url = base.clone();
    let prefix = base.path().trim_end_matches('/');
    url.set_path(&format!("{prefix}/v1/ext/photo/{id}"));
    url
}

/// The form as it goes out.
struct Form {
    /// What stands before the rest of the picture, the first of its bytes among it.
    head: [Option<Bytes>; 2],
    rest: mpsc::Receiver<Vec<u8>>,
    /// Bytes of the picture that have not come yet.
    missing: u64,
    tail: Option<Bytes>,
    /// Bytes that have not gone out yet.
    left: u64,
}

impl Form {
    fn of(upload: Upload, boundary: &str) -> Self {
        let Upload { id, filename, kind, length, first, rest } = upload;
        let (filetype, mime) = (kind.filetype(), kind.mime());
        let named = filename.clone().unwrap_or_else(|| format!("{id}.{filetype}"));
        let field = |name: &str, value: &str| {
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let mut head = filename.map(|name| field("filename", &name)).unwrap_or_default();
        head.push_str(&field("filetype", filetype));
        head.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"{named}\"\r\nContent-Type: {mime}\r\n\r\n"
        ));
        let tail = format!("\r\n--{boundary}--\r\n");
        let left = head.len() as u64 + length + tail.len() as u64;
        let missing = length.saturating_sub(first.len() as u64);
        let first = Some(Bytes::from_owner(first)).filter(|first| !first.is_empty());
        Self { head: [Some(Bytes::from(head)), first], rest, missing, tail: Some(Bytes::from(tail)), left }
    }

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(bytes) = self.head.iter_mut().find_map(Option::take) {
            return Poll::Ready(Some(Ok(bytes)));
        }
        if self.missing == 0 {
            return Poll::Ready(self.tail.take().map(Ok));
        }
        self.rest.poll_recv(context).map(|chunk| {
            // Fewer or more than was said is no picture.
            let chunk = chunk.filter(|chunk| chunk.len() as u64 <= self.missing);
            let chunk = chunk.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof));
            Some(chunk.map(|chunk| {
                self.missing -= chunk.len() as u64;
                Bytes::from(chunk)
            }))
        })
    }
}

impl HttpBody for Form {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.next(context).map(|next| {
            next.map(|bytes| {
                bytes.map(|bytes| {
                    self.left -= (bytes.len() as u64).min(self.left);
                    Frame::data(bytes)
                })
            })
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
