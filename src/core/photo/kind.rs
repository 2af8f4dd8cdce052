//! What a picture is, by its first bytes: never by its name, nor by what its host says.
//!
//! Not here: reading it.

/// So many bytes tell what a picture is.
pub const TOLD_BY: usize = 12;

/// A kind of picture that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// JPEG
    Jpeg,
    /// PNG
    Png,
    /// GIF
    Gif,
    /// WebP
    Webp,
    /// HEIC and HEIF
    Heic,
}

/// The brands of an ISO base media file that is a HEIC or HEIF picture, and no film.
const HEIC_BRANDS: [&[u8]; 8] = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"];

impl Kind {
    /// What begins with these bytes; none where that is no picture that is taken.
    #[must_use]
    pub fn of(first: &[u8]) -> Option<Self> {
        let is_heic =
            || first.get(4..8) == Some(b"ftyp") && first.get(8..12).is_some_and(|it| HEIC_BRANDS.contains(&it));
        let is_webp = || first.starts_with(b"RIFF") && first.get(8..12) == Some(b"WEBP");
        match first {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            _ if is_webp() => Some(Self::Webp),
            _ if is_heic() => Some(Self::Heic),
            _ => None,
        }
    }

    /// The form field `filetype`, and the end of a name.
    #[must_use]
    pub fn filetype(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Webp => "webp",
            Self::Heic => "heic",
        }
    }

    /// The content type.
    #[must_use]
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Heic => "image/heic",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_say_what_a_picture_is_and_nothing_else_does() {
        let pictures: [(&[u8], Kind); 8] = [
            (b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01", Kind::Jpeg),
            (b"\x89PNG\r\n\x1a\n\0\0\0\r", Kind::Png),
            (b"GIF87a\x01\0\x01\0\0\0", Kind::Gif),
            (b"GIF89a\x01\0\x01\0\0\0", Kind::Gif),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Kind::Webp),
            (b"\0\0\0\x18ftypheic\0\0\0\0", Kind::Heic),
            (b"\0\0\0\x18ftypmif1\0\0\0\0", Kind::Heic),
            (b"\0\0\0\x18ftypmsf1\0\0\0\0", Kind::Heic),
        ];
        for (bytes, kind) in pictures {
            assert_eq!(Kind::of(&bytes[..TOLD_BY]), Some(kind));
        }
        let others: [&[u8]; 9] = [
            b"",
            b"\xff\xd8",
            b"<html><body>",
            b"<!DOCTYPE ht",
            b"<svg xmlns=\"",
            b"%PDF-1.7\n%\xe2",
            b"RIFF\x24\0\0\0WAVE",
            b"\0\0\0\x18ftypisom",
            b"PK\x03\x04\0\0\0\0\0\0\0\0",
        ];
        for bytes in others {
            assert_eq!(Kind::of(bytes), None, "{bytes:?}");
        }
    }
}
