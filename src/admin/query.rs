//! A value in the query of a path: percent-encoded, with `+` for a space, as forms write it.
//!
//! Not here: which values there are (`server`).

/// A value fit for a query.
#[must_use]
pub fn encoded(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(byte.into());
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// What a value of a query means; none if it is no text.
pub(super) fn decoded(value: &str) -> Option<String> {
    let mut parts = value.split('%');
    let plain = |part: &str| part.replace('+', " ").into_bytes();
    let mut bytes = plain(parts.next()?);
    for part in parts {
        let (code, rest) =
            part.split_at_checked(2).filter(|(code, _)| code.bytes().all(|sign| sign.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend(plain(rest));
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_to_the_same() {
        for value in ["lead", "new lead & more", "100 %+x=1?", "fällig", "a\r\nb", ""] {
            assert_eq!(decoded(&encoded(value)).as_deref(), Some(value));
            assert!(encoded(value).bytes().all(|byte| byte.is_ascii_graphic() && !b"&=+?#".contains(&byte)), "{value}");
        }
        assert_eq!(decoded("new+lead%20now").as_deref(), Some("new lead now"));
    }

    #[test]
    fn what_is_cut_short_or_no_text_is_none() {
        for value in ["%", "a%2", "%zz", "%+1", "%ff", "%é"] {
            assert_eq!(decoded(value), None, "{value}");
        }
    }
}
