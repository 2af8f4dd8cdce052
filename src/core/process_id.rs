//! The id of a process as it is remembered: as small as can be, since very many are.
//!
//! Not here: where it comes from (`judge`), and how many are remembered (`recent`).

use uuid::Uuid;

/// The API's id of a process. The API gives UUIDs; whatever else it gives is kept as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessId {
    /// A UUID in its usual form: lower case, with hyphens.
    Uuid(Uuid),
    /// Any other text.
    Text(Box<str>),
}

impl ProcessId {
    /// As the API gave it, to the letter.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Uuid(uuid) => uuid.hyphenated().to_string(),
            Self::Text(text) => text.to_string(),
        }
    }

    /// The bytes that it owns beside its own.
    pub(in crate::core) fn bytes(&self) -> usize {
        match self {
            Self::Uuid(_) => 0,
            Self::Text(text) => text.len(),
        }
    }
}

impl From<&str> for ProcessId {
    fn from(text: &str) -> Self {
        let is_usual = |uuid: &Uuid| uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text;
        Uuid::try_parse(text).ok().filter(is_usual).map_or_else(|| Self::Text(text.into()), Self::Uuid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "5f0c1f2e-7a53-4d6d-9b7a-0f3c2f5f8a11";

    #[test]
    fn it_is_told_as_the_api_gave_it_to_the_letter() {
        for text in [
            UUID,
            &UUID.to_uppercase(),
            &UUID.replace('-', ""),
            &format!("{{{UUID}}}"),
            &format!("urn:uuid:{UUID}"),
            "42",
            "",
        ] {
            assert_eq!(ProcessId::from(text).text(), text);
        }
    }

    #[test]
    fn a_uuid_owns_nothing_and_another_text_its_bytes() {
        assert_eq!([UUID, &UUID.to_uppercase(), "42"].map(|text| ProcessId::from(text).bytes()), [0, 36, 2]);
        assert!(size_of::<Option<ProcessId>>() <= 24);
    }
}
