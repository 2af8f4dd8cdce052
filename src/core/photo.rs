//! Photos of a request: what each is, the id that it is uploaded under, and what a request is without one.
//!
//! Not here: how a rule names them (`mapping::photos`), fetching one (`crate::photos`), and sending it (`chakra`).

mod done;
mod fault;
mod hosts;
mod judge;
mod kind;
mod link;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

pub use self::done::PhotosDone;
pub use self::fault::{Missed, PhotoReply, missed};
pub use self::hosts::Allowed;
pub use self::judge::judge_upload;
pub use self::kind::{Kind, TOLD_BY};
pub use self::link::{LINK_BYTES_MAX, Link, has_expiry};
use crate::core::event::digest_of_request;

/// The most photos that one request may have.
pub const PHOTOS_MAX: usize = 32;

/// The id that a photo is uploaded under: the same for the same event, rule, photo and link, in every replica.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhotoId(Uuid);

impl PhotoId {
    /// That of the photo `name` that `rule` makes of the event with this key.
    #[must_use]
    pub fn of(key: &str, rule: &str, name: &str, source: &Source) -> Self {
        let space = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"chakra-bridge:photo");
        let parts = [key, rule, name, &source.named()];
        // Each with its length, so that no two sets of parts are one text.
        let text: String = parts.iter().map(|part| format!("{}:{part};", part.len())).collect();
        Self(Uuid::new_v5(&space, text.as_bytes()))
    }
}

impl fmt::Display for PhotoId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(out)
    }
}

impl fmt::Debug for PhotoId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl TryFrom<String> for PhotoId {
    type Error = uuid::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Uuid::try_parse(&text).map(Self)
    }
}

impl From<PhotoId> for String {
    fn from(id: PhotoId) -> Self {
        id.to_string()
    }
}

/// Where a picture comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// It is to be fetched.
    Link(Link),
    /// It was in the event.
    Bytes(Arc<[u8]>),
}

impl Source {
    /// What it is known by: the link without its query, which signs it anew each time, or a digest of the bytes.
    fn named(&self) -> String {
        match self {
            Self::Link(link) => format!("link:{}", link.bare()),
            Self::Bytes(bytes) => {
                let digest = Sha256::digest(bytes);
                format!("bytes:{}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
            }
        }
    }

    /// The host that it comes from; none where it was in the event.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Link(link) => Some(link.host()),
            Self::Bytes(_) => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(link) => out.write_str(link.bare()),
            Self::Bytes(bytes) => write!(out, "the event, {} bytes", bytes.len()),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(_) => out.write_str("Link"),
            Self::Bytes(bytes) => write!(out, "Bytes({})", bytes.len()),
        }
    }
}

/// What is done where a picture cannot be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnMissing {
    /// The event is a dead letter.
    #[default]
    DeadLetter,
    /// The process is created without it.
    Without,
}

/// One photo of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// What it is uploaded under.
    pub id: PhotoId,
    /// Its name in the rule.
    pub name: Arc<str>,
    /// Where it comes from.
    pub source: Source,
    /// What the rule calls the file.
    pub filename: Option<String>,
    /// What is done where it cannot be had.
    pub on_missing: OnMissing,
}

/// The photos of one request, in the order of the rule, each id once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Photos {
    list: Arc<[Arc<Photo>]>,
    /// A digest of the request, with what each photo is known by in place of its id.
    digest: Option<u64>,
}

impl Photos {
    /// These, of a request to `procedure` with this body.
    #[must_use]
    pub fn of(list: Vec<Photo>, procedure: &str, body: &[u8]) -> Self {
        if list.is_empty() {
            return Self::default();
        }
        let mut photos: Vec<Arc<Photo>> = Vec::new();
        let mut text = String::from_utf8_lossy(body).into_owned();
        for photo in list {
            if !photos.iter().any(|other| other.id == photo.id) {
                text = text.replace(&photo.id.to_string(), &photo.source.named());
                photos.push(Arc::new(photo));
            }
        }
        Self { list: photos.into(), digest: Some(digest_of_request(procedure, text.as_bytes())) }
    }

    /// A digest of the request that tells it by where its photos come from, and not by their ids; none where it has no photo.
    #[must_use]
    pub fn digest(&self) -> Option<u64> {
        self.digest
    }

    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Arc<Photo>> {
        self.list.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl<'a> IntoIterator for &'a Photos {
    type Item = &'a Arc<Photo>;
    type IntoIter = std::slice::Iter<'a, Arc<Photo>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The body of a request without this photo: what holds its id is left out, and so is a list that held nothing else.
#[must_use]
pub fn without(body: &[u8], id: PhotoId) -> Arc<[u8]> {
    let Ok(mut whole) = serde_json::from_slice::<Value>(body) else { return body.into() };
    leave_out(&mut whole, &id.to_string());
    serde_json::to_vec(&whole).map_or_else(|_| body.into(), Into::into)
}

fn leave_out(value: &mut Value, id: &str) {
    let is_it = |value: &Value| value.as_str() == Some(id);
    match value {
        Value::Array(items) => {
            items.retain(|item| !is_it(item));
            items.iter_mut().for_each(|item| leave_out(item, id));
        }
        Value::Object(members) => {
            members.retain(|_, member| {
                let is_list_of_it = member.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(is_it));
                !is_it(member) && !is_list_of_it
            });
            members.values_mut().for_each(|member| leave_out(member, id));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn link(text: &str) -> Source {
        Source::Link(Link::read(text).unwrap())
    }

    fn photo(name: &str, source: Source) -> Photo {
        let id = PhotoId::of("k", "r", name, &source);
        Photo { id, name: name.into(), source, filename: None, on_missing: OnMissing::DeadLetter }
    }

    #[test]
    fn an_id_is_the_same_for_the_same_event_rule_photo_and_link_whatever_signs_the_link() {
        let id = PhotoId::of("k", "r", "site", &link("https://a.example/1.jpg?sig=1"));
        assert_eq!(id, PhotoId::of("k", "r", "site", &link("https://a.example/1.jpg?sig=2#x")));
        assert_eq!(id.to_string(), "427ed836-c890-58ed-b3eb-917f9093ae72", "stored in processes: it never changes");
        for other in [
            PhotoId::of("k2", "r", "site", &link("https://a.example/1.jpg")),
            PhotoId::of("k", "r2", "site", &link("https://a.example/1.jpg")),
            PhotoId::of("k", "r", "roof", &link("https://a.example/1.jpg")),
            PhotoId::of("k", "r", "site", &link("https://a.example/2.jpg")),
            PhotoId::of("k1:r;", "", "site", &link("https://a.example/1.jpg")),
        ] {
            assert_ne!(id, other);
        }
        let bytes = |bytes: &[u8]| PhotoId::of("k", "r", "site", &Source::Bytes(bytes.into()));
        assert_eq!(bytes(b"a"), bytes(b"a"));
        assert_ne!(bytes(b"a"), bytes(b"b"));
    }

    #[test]
    fn two_requests_are_one_where_their_links_are_whatever_their_ids() {
        let digest = |rule: &str, text: &str| {
            let source = link(text);
            let photo = Photo { id: PhotoId::of("k", rule, "site", &source), ..photo("site", source) };
            let body = json!({ "data": { "photo": photo.id.to_string() } }).to_string();
            Photos::of(vec![photo], "ticket", body.as_bytes()).digest().unwrap()
        };
        let one = digest("r", "https://a.example/1.jpg?sig=1");
        assert_eq!(one, digest("another rule", "https://a.example/1.jpg?sig=2"));
        assert_ne!(one, digest("r", "https://a.example/2.jpg"));
        assert_eq!(Photos::default().digest(), None);
    }

    #[test]
    fn a_request_without_a_photo_says_nothing_of_it_and_all_else_as_before() {
        let [one, two] =
            ["https://a.example/1.jpg", "https://a.example/2.jpg"].map(|text| photo("site", link(text)).id);
        let body = json!({ "data": { "b": 1.50, "photo": one, "all": [one, two], "only": [one], "none": [], "x": { "y": one } } });
        let left = without(body.to_string().as_bytes(), one);
        let expected = json!({ "data": { "b": 1.50, "all": [two], "none": [], "x": {} } });
        assert_eq!(String::from_utf8_lossy(&left), expected.to_string());
    }

    #[test]
    fn a_photo_that_is_named_twice_is_uploaded_once() {
        let twice =
            vec![photo("site", link("https://a.example/1.jpg")), photo("site", link("https://a.example/1.jpg"))];
        assert_eq!(Photos::of(twice, "ticket", b"{}").iter().count(), 1);
    }
}
