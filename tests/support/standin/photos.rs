//! Uploads of photos: forms of one file, kept by the id in their path.
//!
//! Not here: who may upload (`api`), and manners of misbehaving (`staging`).

use serde::Serialize;
use serde_json::{Value, json};

use super::wire::{Reply, Request};

/// A photo that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Uploaded {
    /// Its id.
    pub id: String,
    /// The field `filename`, if the form has it.
    pub filename: Option<String>,
    /// The field `filetype`.
    pub filetype: Option<String>,
    /// How many bytes the picture has.
    pub length: usize,
    /// Its first bytes.
    #[serde(skip)]
    pub first: Vec<u8>,
    /// How often it was uploaded.
    pub times: usize,
    /// How many processes there were when it was uploaded first.
    #[serde(skip)]
    pub before: usize,
}

/// The picture in a form, or why it is none.
pub fn read(request: &Request, id: &str) -> Result<Uploaded, Reply> {
    let boundary =
        request.boundary.as_deref().ok_or_else(|| Reply::words(415, "the body must be multipart/form-data"))?;
    let is_id = id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if !is_id {
        return Err(Reply::words(422, "the id of a photo is a UUID"));
    }
    let mut uploaded = Uploaded {
        id: id.to_owned(),
        filename: None,
        filetype: None,
        length: 0,
        first: Vec::new(),
        times: 0,
        before: 0,
    };
    let mut is_there = false;
    let delimiter = format!("--{boundary}").into_bytes();
    for part in parts(&request.body, &delimiter) {
        let Some(end) = find(part, b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&part[..end]).into_owned();
        let body = part[end + 4..].strip_suffix(b"\r\n").unwrap_or(&part[end + 4..]);
        let text = || Some(String::from_utf8_lossy(body).into_owned());
        match () {
            () if head.contains("name=\"photo\"; filename=") => {
                is_there = true;
                uploaded.length = body.len();
                uploaded.first = body[..body.len().min(64)].to_vec();
            }
            () if head.contains("name=\"filename\"") => uploaded.filename = text(),
            () if head.contains("name=\"filetype\"") => uploaded.filetype = text(),
            () => {}
        }
    }
    if is_there { Ok(uploaded) } else { Err(Reply::words(422, "photo is required")) }
}

/// What is answered to an upload.
pub fn shown(uploaded: &Uploaded) -> Reply {
    let Uploaded { id, filename, filetype, .. } = uploaded;
    let data = json!({ "id": id, "filename": filename, "filetype": filetype, "isPublic": false });
    Reply::data(&data, &Value::Object(serde_json::Map::new()))
}

fn parts<'b>(body: &'b [u8], delimiter: &[u8]) -> Vec<&'b [u8]> {
    let mut parts = Vec::new();
    let mut rest = body;
    let Some(first) = find(rest, delimiter) else { return parts };
    rest = &rest[first + delimiter.len()..];
    while let Some(end) = find(rest, delimiter) {
        parts.push(&rest[..end]);
        rest = &rest[end + delimiter.len()..];
    }
    parts
}

/// Looks for the rare first byte of the delimiter only where it may stand: pictures are large.
fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| *byte == wanted[0]) {
        if bytes[from + at..].starts_with(wanted) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}
