//! HTTP/1.1 as bytes: requests read off a connection, answers written as text.
//!
//! Not here: chunked requests (refused with 411), what a path means, faults.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The longest body of a request, in bytes.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The longest form with a photo, in bytes.
const PHOTO_BYTES_MAX: usize = 12 * 1024 * 1024;

const HEADERS_MAX: usize = 64;

/// A request as it came.
#[derive(Debug, Default)]
pub struct Request {
    /// The method, in upper case.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The bearer token.
    pub token: Option<String>,
    /// The header `traceparent`.
    pub trace: Option<String>,
    /// Whether the body says that it is JSON.
    pub is_json: bool,
    /// The boundary of its parts, if the body says that it is a form.
    pub boundary: Option<String>,
    /// Whether the connection stays open after the answer.
    pub keep_alive: bool,
    /// The body.
    pub body: Vec<u8>,
}

/// Why no request came.
#[derive(Debug)]
pub enum Unreadable {
    /// The client has gone.
    Gone,
    /// It cannot be served: the answer says so, and the connection ends.
    Refused(Reply),
}

/// What has arrived on a connection and is not read yet.
#[derive(Default)]
pub struct Inbox(Vec<u8>);

impl Inbox {
    /// The next request.
    pub async fn next(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<Request, Unreadable> {
        loop {
            if let Some((mut request, start, length)) = head(&self.0)? {
                let end = start + length;
                while self.0.len() < end {
                    self.fill(stream).await?;
                }
                request.body = self.0[start..end].to_vec();
                self.0.drain(..end);
                return Ok(request);
            }
            if self.0.len() > HEAD_BYTES_MAX {
                return Err(refused(431, "the head of the request is too long"));
            }
            self.fill(stream).await?;
        }
    }

    async fn fill(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<(), Unreadable> {
        self.0.reserve(4096);
        match stream.read_buf(&mut self.0).await {
            Ok(0) | Err(_) => Err(Unreadable::Gone),
            Ok(_) => Ok(()),
        }
    }
}

fn refused(status: u16, words: &str) -> Unreadable {
    Unreadable::Refused(Reply::words(status, words))
}

/// The request without its body, where the body starts, and how long it is; nothing while the head is not whole.
fn head(bytes: &[u8]) -> Result<Option<(Request, usize, usize)>, Unreadable> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    let start = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(start)) => start,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(refused(400, "this is not HTTP/1.1")),
    };
    let mut request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: parsed.path.unwrap_or_default().to_owned(),
        keep_alive: parsed.version == Some(1),
        ..Request::default()
    };
    let mut length = None;
    for header in parsed.headers.iter() {
        let text = String::from_utf8_lossy(header.value);
        match header.name.to_ascii_lowercase().as_str() {
            "content-length" => length = text.trim().parse().ok(),
            "content-type" => {
                request.is_json = text.to_ascii_lowercase().starts_with("application/json");
                request.boundary = text.strip_prefix("multipart/form-data; boundary=").map(str::to_owned);
            }
            "traceparent" => request.trace = Some(text.into_owned()),
            "authorization" => request.token = text.strip_prefix("Bearer ").map(str::to_owned),
            "connection" if text.eq_ignore_ascii_case("close") => request.keep_alive = false,
            _ => {}
        }
    }
    let most = if request.boundary.is_some() { PHOTO_BYTES_MAX } else { BODY_BYTES_MAX };
    let length = bounded(length, &request.method, most)?;
    Ok(Some((request, start, length)))
}

fn bounded(length: Option<usize>, method: &str, most: usize) -> Result<usize, Unreadable> {
    match length {
        Some(length) if length > most => Err(refused(413, "the body is too large")),
        Some(length) => Ok(length),
        None if method == "GET" || method == "HEAD" => Ok(0),
        None => Err(refused(411, "Content-Length is required")),
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// `Content-Type`; none without a body.
    pub content_type: Option<&'static str>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer in JSON.
    pub fn json(status: u16, body: String) -> Self {
        Self {
            status,
            content_type: Some("application/json; charset=utf-8"),
            headers: Vec::new(),
            body: body.into_bytes(),
        }
    }

    /// The wrapper around what was asked for.
    pub fn data(data: &Value, meta: &Value) -> Self {
        Self::json(200, format!(r#"{{"_data":{data},"_meta":{meta},"_errors":[]}}"#))
    }

    /// The wrapper around an error in words.
    pub fn words(status: u16, words: &str) -> Self {
        let words = Value::from(words);
        Self::json(status, format!(r#"{{"_data":null,"_meta":{{}},"_errors":[{words}]}}"#))
    }

    /// A page.
    pub fn html(status: u16, words: &str) -> Self {
        let body = format!("<!DOCTYPE html><html><body><h1>{words}</h1></body></html>");
        Self { content_type: Some("text/html"), ..Self::json(status, body) }
    }

    /// Plain text.
    pub fn text(status: u16, words: &str) -> Self {
        Self { content_type: Some("text/plain"), ..Self::json(status, words.to_owned()) }
    }

    /// No body.
    pub fn empty(status: u16) -> Self {
        Self { content_type: None, ..Self::json(status, String::new()) }
    }

    /// In a content encoding. What is in one that is not known here is nothing that could be read.
    pub fn encoded(self, coding: &str) -> Self {
        let body = match coding {
            "gzip" => written(GzEncoder::new(Vec::new(), Compression::fast()), &self.body, GzEncoder::finish),
            "deflate" => written(ZlibEncoder::new(Vec::new(), Compression::fast()), &self.body, ZlibEncoder::finish),
            _ => self.body.iter().map(|byte| !byte).collect(),
        };
        Self { body, ..self }.header("content-encoding", coding)
    }

    /// Adds a header.
    pub fn header(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.headers.push((name, text.into()));
        self
    }

    /// The bytes of the answer.
    pub fn render(&self, keep_alive: bool) -> Vec<u8> {
        let mut text = String::with_capacity(160);
        let mut line = |name: &str, value: &str| {
            for piece in [name, ": ", value, "\r\n"] {
                text.push_str(piece);
            }
        };
        if let Some(kind) = self.content_type {
            line("content-type", kind);
        }
        self.headers.iter().for_each(|(name, value)| line(name, value));
        line("content-length", &self.body.len().to_string());
        if !keep_alive {
            line("connection", "close");
        }
        let mut whole = Vec::with_capacity(32 + text.len() + self.body.len());
        let _ = write!(whole, "HTTP/1.1 {} {}\r\n{text}\r\n", self.status, phrase(self.status));
        whole.extend_from_slice(&self.body);
        whole
    }
}

/// Writing into memory does not fail.
fn written<E: Write>(mut encoder: E, body: &[u8], finish: fn(E) -> io::Result<Vec<u8>>) -> Vec<u8> {
    encoder.write_all(body).and_then(|()| finish(encoder)).unwrap_or_default()
}

fn phrase(status: u16) -> &'static str {
    match status {
        100..200 => "Continue",
        200..300 => "OK",
        300..400 => "Found",
        400..500 => "Refused",
        _ => "Trouble",
    }
}
