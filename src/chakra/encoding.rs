//! The content encodings of an answer: a proxy may compress it although we ask for none.
//!
//! We ask for `identity`: answers are small, and where no encoding is named a server may choose any, also one that is not
//! read here. What comes encoded all the same is decoded, up to a limit on what comes out.
//!
//! Not here: how encodings come off (`core::content_encoding`), what the decoded bytes say (`answer`).

use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use crate::core::content_encoding;

/// Why a body could not be decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Undecoded {
    /// More than the limit comes out of it; this is how that begins.
    TooLong(Vec<u8>),
    /// In words, with the name of the encoding.
    Unreadable(String),
}

/// The encodings that a head names, in the order in which they were applied.
pub(super) fn named(head: &HeaderMap) -> Vec<String> {
    let values = head.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(content_encoding::names).collect()
}

/// Takes the encodings off. Never holds more than `limit` bytes and a little of what comes out of each.
pub(super) fn decoded(bytes: &[u8], names: &[String], limit: usize) -> Result<Vec<u8>, Undecoded> {
    content_encoding::decoded(bytes, names, limit).map_err(|undecoded| match undecoded {
        content_encoding::Undecoded::TooLong(start) => Undecoded::TooLong(start),
        content_encoding::Undecoded::TooDeep(layers) => {
            Undecoded::Unreadable(format!("the answer is encoded {layers} times over"))
        }
        content_encoding::Undecoded::Unknown(name) => Undecoded::Unreadable(format!(
            "the answer is encoded as `{name}`, which was not asked for and is not read: let the proxy before the API \
             send it as it is, or as gzip"
        )),
        content_encoding::Undecoded::Broken { name, why } => Undecoded::Unreadable(format!(
            "the answer says that it is encoded as `{name}`, and cannot be decoded: {why}"
        )),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use reqwest::header::HeaderValue;

    use super::*;

    const LIMIT: usize = 1000;
    const TEXT: &[u8] = br#"{"_data":{"id":"p-1"}}"#;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn names(written: &[&str]) -> Vec<String> {
        let value = |text: &&str| (CONTENT_ENCODING, HeaderValue::from_str(text).unwrap());
        let mut head = HeaderMap::new();
        written.iter().map(value).for_each(|(name, value)| assert!(!head.append(name, value) || written.len() > 1));
        named(&head)
    }

    fn decoded_as(bytes: &[u8], written: &str) -> Result<Vec<u8>, Undecoded> {
        decoded(bytes, &names(&[written]), LIMIT)
    }

    #[test]
    fn each_encoding_that_is_known_comes_off() {
        let (mut zlib, mut bare) = (
            ZlibEncoder::new(Vec::new(), Compression::default()),
            DeflateEncoder::new(Vec::new(), Compression::default()),
        );
        zlib.write_all(TEXT).unwrap();
        bare.write_all(TEXT).unwrap();
        let (zlib, bare) = (zlib.finish().unwrap(), bare.finish().unwrap());
        for (bytes, name) in [(zlib, "deflate"), (bare, "Deflate"), (gzip(TEXT), "gzip"), (gzip(TEXT), "X-GZIP")] {
            assert_eq!(decoded_as(&bytes, name).as_deref(), Ok(TEXT), "{name}");
        }
        for plain in ["", "identity", "identity, identity"] {
            assert_eq!(decoded_as(TEXT, plain).as_deref(), Ok(TEXT), "{plain}");
        }
        assert_eq!(decoded_as(&gzip(&gzip(TEXT)), "gzip, gzip").as_deref(), Ok(TEXT));
        assert_eq!(decoded(&gzip(&gzip(TEXT)), &names(&["gzip", "gzip"]), LIMIT).as_deref(), Ok(TEXT));
        let members = [gzip(&TEXT[..7]), gzip(&TEXT[7..])].concat();
        assert_eq!(decoded_as(&members, "gzip").as_deref(), Ok(TEXT), "one file of two members");
    }

    #[test]
    fn no_more_comes_out_than_the_limit_whatever_goes_in() {
        let fits = vec![b' '; LIMIT];
        assert_eq!(decoded_as(&gzip(&fits), "gzip"), Ok(fits.clone()));
        let bomb = gzip(&vec![b' '; 50_000_000]);
        for (bytes, name) in [(&bomb, "gzip"), (&gzip(&bomb), "gzip, gzip")] {
            let Err(Undecoded::TooLong(start)) = decoded_as(bytes, name) else { panic!("{name} is too long") };
            assert_eq!(start.len(), LIMIT + 1);
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_told_by_its_encoding() {
        let said = |bytes: &[u8], name: &str| match decoded_as(bytes, name) {
            Err(Undecoded::Unreadable(why)) => why,
            other => panic!("{name} cannot be decoded, read as {other:?}"),
        };
        assert!(said(TEXT, "br").contains("`br`"));
        assert!(said(TEXT, &"z".repeat(500)).len() < 300);
        assert!(said(TEXT, "gzip").contains("`gzip`, and cannot be decoded"));
        assert!(said(&gzip(TEXT)[..20], "gzip").contains("`gzip`"));
        assert!(said(b"", "deflate").contains("`deflate`"));
        assert!(said(TEXT, "gzip, gzip, gzip").contains("3 times over"));
    }
}
