//! The photos that a rule names beside its data: how they are written, and what they are for one event.
//!
//! ```toml
//! [rule.photo.site]
//! url      = "{{ event.data.photo_url }}"
//! filename = "{{ event.data.visit_id }}.jpg"
//! optional = true
//! ```
//!
//! Not here: bringing one up (`core::delivery`), and what one is (`core::photo`).

mod compile;

use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value as Json};

pub(super) use self::compile::{compile, uses};
use super::answer::{Budget, Kept, Refusal, Refusals, kind_of_json};
use super::expression::{Expression, Given};
use super::leaf::Leaf;
use super::place::Label;
use super::scope::Scope;
use crate::core::photo::{Link, OnMissing, PHOTOS_MAX, Photo, PhotoId, Source};

/// The longest name of a file, in bytes.
const FILENAME_BYTES_MAX: usize = 255;

/// Base64 with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The photos of one rule.
#[derive(Clone, Debug, Default)]
pub(super) struct PhotoRules {
    rule: Arc<str>,
    list: Vec<PhotoRule>,
}

/// One of them, which may be a list.
#[derive(Clone, Debug)]
struct PhotoRule {
    name: Arc<str>,
    /// A table of `url` or `base64`, and `filename`; or a list of such tables.
    leaf: Leaf,
    optional: bool,
    on_missing: OnMissing,
    is_link: bool,
}

/// The photos of one event.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// What `photo.NAME` stands for: an id, or a list of ids. One that is left out is not there.
    pub(super) ids: Map<String, Json>,
    pub(super) photos: Vec<Photo>,
}

impl PhotoRules {
    /// Does this with each of its expressions.
    pub(super) fn each(&mut self, does: &mut impl FnMut(&mut Label, &mut Expression)) {
        self.list.iter_mut().for_each(|photo| photo.leaf.each(does));
    }

    /// Whether any of them is to be fetched.
    pub(super) fn fetches(&self) -> bool {
        self.list.iter().any(|photo| photo.is_link)
    }

    /// Whether there are any.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The photos of one event.
    ///
    /// # Errors
    /// Names the fields that cannot be filled, and why.
    pub(super) fn make(&self, scope: Scope<'_>, budget: &mut Budget) -> Result<Made, Refusal> {
        let (mut made, mut refusals) = (Made::default(), Refusals::default());
        for photo in &self.list {
            refusals.take(self.one(photo, scope, budget, &mut made));
        }
        if made.photos.len() > PHOTOS_MAX {
            let words = format!("photo: {} photos, and a request takes {PHOTOS_MAX} at most", made.photos.len());
            refusals.take(Err::<(), _>(Refusal(words)));
        }
        refusals.all().map_or(Ok(made), Err)
    }

    fn one(&self, photo: &PhotoRule, scope: Scope<'_>, budget: &mut Budget, made: &mut Made) -> Result<(), Refusal> {
        if photo.optional && photo.leaf.lacks_something(scope) {
            return Ok(());
        }
        // What they are made of is not sent with the request.
        let given = budget.apart(Kept::Held, |budget| photo.leaf.run(scope, budget))?;
        let items = match given {
            Given::Value(Json::Array(items)) => items,
            Given::Value(json) => {
                let one = self.photo(photo, &json, scope)?;
                made.ids.extend(one.as_ref().map(|one| (photo.name.to_string(), Json::from(one.id.to_string()))));
                made.photos.extend(one);
                return Ok(());
            }
            Given::Omit => return Ok(()),
        };
        let each = items.iter().map(|json| self.photo(photo, json, scope)).collect::<Result<Vec<_>, _>>()?;
        let each: Vec<Photo> = each.into_iter().flatten().collect();
        if !each.is_empty() {
            let ids = each.iter().map(|one| Json::from(one.id.to_string())).collect();
            made.ids.insert(photo.name.to_string(), Json::Array(ids));
        }
        made.photos.extend(each);
        Ok(())
    }

    /// What a table of `url`, `base64` and `filename` is; none where both are left out.
    fn photo(&self, photo: &PhotoRule, table: &Json, scope: Scope<'_>) -> Result<Option<Photo>, Refusal> {
        let text = |field: &'static str| match table.get(field) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.as_str())),
            Some(other) => {
                let words = format!("expected text; this is {}", kind_of_json(other));
                Err(Refusal(words).of(&format!("photo.{}.{field}", photo.name)))
            }
        };
        let of = |field: &str, words: String| {
            Refusal(format!("expected {words}")).of(&format!("photo.{}.{field}", photo.name))
        };
        let source = match (text("url")?, text("base64")?) {
            (Some(link), _) => Source::Link(Link::read(link).map_err(|expected| of("url", expected))?),
            (None, Some(encoded)) => Source::Bytes(decoded(encoded).map_err(|expected| of("base64", expected))?.into()),
            (None, None) => return Ok(None),
        };
        let filename = text("filename")?.map(|name| filename(name).ok_or_else(|| of("filename", named())));
        let id = PhotoId::of(scope.key(), &self.rule, &photo.name, &source);
        let (name, on_missing) = (Arc::clone(&photo.name), photo.on_missing);
        Ok(Some(Photo { id, name, source, filename: filename.transpose()?, on_missing }))
    }
}

fn named() -> String {
    format!("the name of a file, 1 to {FILENAME_BYTES_MAX} bytes")
}

/// The bytes of a text in base64, which may be a data URL.
fn decoded(text: &str) -> Result<Vec<u8>, String> {
    let text = text.trim();
    let encoded = match text.strip_prefix("data:").and_then(|url| url.split_once(',')) {
        Some((head, encoded)) if head.ends_with(";base64") => encoded,
        _ => text,
    };
    let bytes = BASE64.decode(encoded).map_err(|_| "base64".to_owned())?;
    if bytes.is_empty() { Err("base64 of a picture, and this is empty".to_owned()) } else { Ok(bytes) }
}

/// A name that is one in every place that it is written to.
fn filename(text: &str) -> Option<String> {
    let is_loose = |char: char| char.is_control() || ['/', '\\', '"'].contains(&char);
    let name: String = text.trim().chars().map(|char| if is_loose(char) { '_' } else { char }).collect();
    let is_name = !name.is_empty() && name.len() <= FILENAME_BYTES_MAX && name != "." && name != "..";
    is_name.then_some(name)
}

impl Leaf {
    /// Whether a table has a text that reads what the event does not have, or has as null.
    fn lacks_something(&self, scope: Scope<'_>) -> bool {
        let Self::Table(members) = self else { return false };
        let is_absent = |expression: &Expression| {
            expression.paths().any(|path| scope.find(path).map_or(true, |value| value.is_null()))
        };
        let sources = members.iter().filter(|(name, _)| name == "url" || name == "base64");
        sources.into_iter().any(|(_, leaf)| leaf.mixed_expressions().any(is_absent))
    }
}
