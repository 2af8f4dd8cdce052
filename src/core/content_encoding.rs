//! Content encodings and how they come off: of an event as its producer compressed it, and of an answer as a proxy did. What
//! comes out is bounded.
//!
//! Not here: the words for what is wrong (`decode`, `chakra::encoding`).

use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// The most encodings that are taken off, one below the other.
const LAYERS_MAX: usize = 2;

/// The longest name of an encoding that is repeated, in characters.
const NAME_MAX: usize = 40;

/// Why a body could not be decoded.
#[derive(Debug, PartialEq, Eq)]
pub enum Undecoded {
    /// More than the limit comes out of it; this is how that begins.
    TooLong(Vec<u8>),
    /// It is encoded so many times over.
    TooDeep(usize),
    /// An encoding that is not read; its name.
    Unknown(String),
    /// It is not in the encoding that it says.
    Broken {
        /// The name of the encoding.
        name: String,
        /// What is wrong.
        why: String,
    },
}

/// The encodings that a header names, in the order in which they were applied.
pub fn names(header: &str) -> impl Iterator<Item = String> + '_ {
    let names = header.split(',').map(|name| name.trim().to_ascii_lowercase());
    names.filter(|name| !name.is_empty() && name != "identity")
}

/// Takes the encodings off. Never holds more than `limit` bytes and a little of what comes out of each.
///
/// # Errors
/// If more comes out, or it cannot be decoded.
pub fn decoded(bytes: &[u8], names: &[String], limit: usize) -> Result<Vec<u8>, Undecoded> {
    if names.len() > LAYERS_MAX {
        return Err(Undecoded::TooDeep(names.len()));
    }
    let mut decoded = bytes.to_vec();
    for name in names.iter().rev() {
        decoded = one(&decoded, name, limit)?;
    }
    Ok(decoded)
}

fn one(bytes: &[u8], name: &str, limit: usize) -> Result<Vec<u8>, Undecoded> {
    let read = match name {
        "gzip" | "x-gzip" => read(MultiGzDecoder::new(bytes), limit),
        // Meant is zlib's format; some senders write what is in it alone.
        "deflate" => read(ZlibDecoder::new(bytes), limit).or_else(|_| read(DeflateDecoder::new(bytes), limit)),
        _ => {
            return Err(Undecoded::Unknown(
                name.chars().filter(|each| each.is_ascii_graphic()).take(NAME_MAX).collect(),
            ));
        }
    };
    let broken = |error: io::Error| Undecoded::Broken { name: name.to_owned(), why: error.to_string() };
    let decoded = read.map_err(broken)?;
    if decoded.len() > limit { Err(Undecoded::TooLong(decoded)) } else { Ok(decoded) }
}

/// One byte more than the limit tells that it is passed.
fn read(decoder: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut decoded = Vec::new();
    decoder.take(limit.saturating_add(1) as u64).read_to_end(&mut decoded)?;
    Ok(decoded)
}
