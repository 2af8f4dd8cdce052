//! The headers of a message as JSON values, held as text where they are many: a tree of small values takes many times their text.
//!
//! Not here: what they are on the wire (`amqp`), and which of them name the event (`decode`).

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Headers by their names, in no order that means anything.
#[derive(Clone)]
pub enum Headers {
    /// As they are read.
    Open(Map<String, Value>),
    /// As the text of a JSON object.
    Packed(Box<str>),
}

impl Headers {
    /// The same, held as text.
    #[must_use]
    pub fn packed(self) -> Self {
        match self {
            Self::Open(headers) => Self::Packed(Value::Object(headers).to_string().into()),
            Self::Packed(text) => Self::Packed(text),
        }
    }

    /// The headers, read anew where they are held as text.
    #[must_use]
    pub fn open(&self) -> Cow<'_, Map<String, Value>> {
        match self {
            Self::Open(headers) => Cow::Borrowed(headers),
            Self::Packed(text) => Cow::Owned(serde_json::from_str(text).unwrap_or_default()),
        }
    }

    /// Bytes of the text that is to be read, 0 where none is.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Open(_) => 0,
            Self::Packed(text) => text.len(),
        }
    }
}

impl Default for Headers {
    fn default() -> Self {
        Self::Open(Map::new())
    }
}

impl From<Map<String, Value>> for Headers {
    fn from(headers: Map<String, Value>) -> Self {
        Self::Open(headers)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_packed_opens_as_it_was() {
        let headers = json!({"a": [1, -2.5, {"b": null}], "text": "tëxt", "large": u64::MAX});
        let open = Headers::from(headers.as_object().cloned().unwrap_or_default());
        assert_eq!(open.bytes(), 0);
        let packed = open.clone().packed();
        assert_eq!(packed.bytes(), headers.to_string().len());
        assert_eq!(packed.open(), open.open());
        assert_eq!(packed.packed().open(), open.open(), "twice is once");
    }
}
