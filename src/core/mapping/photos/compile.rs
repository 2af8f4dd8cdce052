//! `[rule.photo.NAME]` as it was written becomes what runs, and every mistake in it is found.
//!
//! Not here: what a photo is for one event (`photos`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{PhotoRule, PhotoRules};
use crate::core::mapping::expression::Expression;
use crate::core::mapping::leaf::Leaf;
use crate::core::mapping::names;
use crate::core::mapping::path::{Step, Variable};
use crate::core::mapping::place::{Inside, Place};
use crate::core::mapping::written::{Member, Spot, Written};
use crate::core::mistake::Mistake;
use crate::core::photo::OnMissing;

/// The keys of a photo.
const KEYS: [&str; 7] = ["url", "base64", "filename", "optional", "on_missing", "each", "where"];

const ON_MISSING: [(&str, OnMissing); 2] = [("dead_letter", OnMissing::DeadLetter), ("without", OnMissing::Without)];

/// Compiles the photos of a rule; `label` says which rule, such as `rule "lead"`.
pub(in crate::core::mapping) fn compile(
    label: &str,
    rule: &str,
    written: Option<&Spot<Written>>,
    mistakes: &mut Vec<Mistake>,
) -> PhotoRules {
    let mut rules = PhotoRules { rule: rule.into(), list: Vec::new() };
    let Some(written) = written else { return rules };
    let key = format!("{label}.photo");
    let Written::Table(photos) = &written.value else {
        mistakes.push(whole(&key, written, "no table", "a table for each photo: `[rule.photo.NAME]`"));
        return rules;
    };
    for (name, photo) in photos {
        let compiler = Compiler { label, key: format!("{key}.{}", name.value), name: &name.value, photo };
        if !is_name(&name.value) {
            let expected = "a name of letters, digits and `_`, as in `{{ photo.site }}`";
            mistakes.push(compiler.wrong("a name that cannot be read in an expression", expected));
        }
        rules.list.extend(compiler.photo(mistakes));
    }
    rules
}

fn is_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn whole(key: &str, spot: &Spot<Written>, what: &str, expected: &str) -> Mistake {
    Place { text: "", span: &spot.span, key, inside: Inside::default() }.whole(what, expected)
}

struct Compiler<'a> {
    label: &'a str,
    key: String,
    name: &'a str,
    photo: &'a Spot<Written>,
}

impl Compiler<'_> {
    fn wrong(&self, what: &str, expected: &str) -> Mistake {
        whole(&self.key, self.photo, what, expected)
    }

    fn photo(&self, mistakes: &mut Vec<Mistake>) -> Option<PhotoRule> {
        let Written::Table(members) = &self.photo.value else {
            mistakes.push(self.wrong("no table", "`url` or `base64` in a table of its own"));
            return None;
        };
        let known = mistakes.len();
        for (name, _) in members.iter().filter(|(name, _)| !KEYS.contains(&name.value.as_str())) {
            let place = Place { text: "", span: &name.span, key: &self.key, inside: Inside::default() };
            mistakes.push(place.whole(format!("{:?} is not known", name.value), names::expected(&name.value, &KEYS)));
        }
        let find = |key: &str| members.iter().find(|(name, _)| name.value == key).map(|(_, written)| written);
        let (optional, on_missing) =
            (self.optional(find("optional"), mistakes), self.on_missing(find("on_missing"), mistakes));
        if find("url").is_some() == find("base64").is_some() {
            mistakes.push(self.wrong("one of `url` and `base64` says where the picture comes from", "one of them"));
        }
        if mistakes.len() > known {
            return None;
        }
        let sent = members.iter().filter(|(name, _)| !["optional", "on_missing"].contains(&name.value.as_str()));
        let sent =
            sent.map(|member| if optional { self.left_out_where_absent(member) } else { member.clone() }).collect();
        let table = Spot { value: Written::Table(sent), span: self.photo.span.clone() };
        let field = format!("photo.{}", self.name);
        let leaf = Leaf::compile(self.label, &field, &table, Inside::default(), mistakes);
        Some(PhotoRule { name: Arc::from(self.name), leaf, optional, on_missing, is_link: find("url").is_some() })
    }

    fn optional(&self, written: Option<&Spot<Written>>, mistakes: &mut Vec<Mistake>) -> bool {
        match written.map(|spot| (&spot.value, spot)) {
            None => false,
            Some((Written::Bool(flag), _)) => *flag,
            Some((_, spot)) => {
                mistakes.push(whole(
                    &format!("{}.optional", self.key),
                    spot,
                    "neither true nor false",
                    "true or false",
                ));
                false
            }
        }
    }

    fn on_missing(&self, written: Option<&Spot<Written>>, mistakes: &mut Vec<Mistake>) -> OnMissing {
        let Some(spot) = written else { return OnMissing::default() };
        let word = if let Written::Text(word) = &spot.value { word.as_str() } else { "" };
        let known = ON_MISSING.iter().find(|(known, _)| *known == word).map(|(_, on_missing)| *on_missing);
        known.unwrap_or_else(|| {
            let expected = names::expected(word, &ON_MISSING.map(|(word, _)| word));
            mistakes.push(whole(&format!("{}.on_missing", self.key), spot, "not known", &expected));
            OnMissing::default()
        })
    }

    /// A member that is a lone path, as if `default(omit)` stood behind it: `optional` says so.
    fn left_out_where_absent(&self, (name, written): &Member) -> Member {
        let as_written = || (name.clone(), written.clone());
        let Written::Text(text) = &written.value else { return as_written() };
        let is_each = name.value == "each";
        if !is_each && name.value != "url" && name.value != "base64" {
            return as_written();
        }
        let whole = if is_each { format!("{{{{ {text} }}}}") } else { text.clone() };
        // Inside of a list: `item` is known there, and an `each` that reads it where it is not is found later.
        let inside = Inside::default().one_more();
        let spot = Spot { value: Written::Text(whole), span: written.span.clone() };
        let Leaf::One(_, Expression::Path(path)) = Leaf::compile("", "", &spot, inside, &mut Vec::new()) else {
            return as_written();
        };
        if path.variable.is_of_an_item() && (is_each || !self.is_list()) {
            return as_written();
        }
        let optional = format!("{path} | default(omit)");
        let text = if is_each { optional } else { format!("{{{{ {optional} }}}}") };
        (name.clone(), Spot { value: Written::Text(text), span: written.span.clone() })
    }

    fn is_list(&self) -> bool {
        matches!(&self.photo.value, Written::Table(members) if members.iter().any(|(name, _)| name.value == "each"))
    }
}

fn expected(name: &str, known: &[&str]) -> String {
    match known.is_empty() {
        true => format!("a table `[rule.photo.{}]`", if name.is_empty() { "NAME" } else { name }),
        false => names::expected(name, known),
    }
}

/// Finds photos that `data` or `record` names and the rule does not have, and those that it has and nothing names.
pub(in crate::core::mapping) fn uses<'a>(
    photos: &PhotoRules,
    label: &str,
    written: Option<&Spot<Written>>,
    leaves: impl Iterator<Item = &'a mut Leaf>,
    mistakes: &mut Vec<Mistake>,
) {
    let known: Vec<&str> = photos.list.iter().map(|photo| &*photo.name).collect();
    let mut used = BTreeSet::new();
    for leaf in leaves {
        leaf.each(&mut |at, expression| {
            let read = expression.paths().filter(|path| path.variable == Variable::Photo);
            let names = read.map(|path| if let [Step::Member(name)] = &path.steps[..] { name.as_str() } else { "" });
            for name in names {
                let strange = !known.contains(&name);
                mistakes.extend(strange.then(|| at.mistake(label, "no photo of that name", expected(name, &known))));
                used.insert(name.to_owned());
            }
        });
    }
    let Some(Spot { value: Written::Table(tables), .. }) = written else { return };
    for (name, spot) in
        tables.iter().filter(|(name, _)| known.contains(&name.value.as_str()) && !used.contains(&name.value))
    {
        let key = format!("{label}.photo.{}", name.value);
        let expected = format!("an attribute in [rule.data] such as `photo = \"{{{{ photo.{} }}}}\"`", name.value);
        mistakes.push(whole(&key, spot, "no attribute names this photo", &expected));
    }
}
