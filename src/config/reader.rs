//! Reads keys one by one and goes on after each mistake: a key that cannot be read leaves a mistake behind
//! and gives a value that nobody will see, because one mistake makes the whole unusable.
//!
//! Not here: which keys there are (`sections`, `connections`), and what a value means (`values`).

mod kinds;

use std::path::PathBuf;
use std::time::Duration;

use ::config::{Value, ValueKind};
use toml::de::{DeTable, DeValue};

pub(super) use self::kinds::WHOLE;
use super::environment::Variables;
use super::hidden::SECRETS;
use super::known::{Kind, Known};
use super::names;
use super::shown;
use super::source::{Place, Places};
use super::values::{self, Given, Shape, Wrong, wrong};
use crate::core::mapping::written::Spot;
use crate::core::mistake::{Mistake, Span};
use crate::files;
use crate::secret::{Secret, SecretSource};
use crate::states::in_force::{KeyInForce, Origin};

/// The file, what lies above it, and what was found wrong so far.
pub(super) struct Reader<'t> {
    file: &'t DeTable<'t>,
    layers: ::config::Config,
    variables: Variables,
    is_dry_run: bool,
    /// Every key that was asked for.
    pub(super) known: Vec<Known>,
    /// What is wrong, in the order it was found.
    pub(super) mistakes: Vec<Mistake>,
}

impl<'t> Reader<'t> {
    /// Reads `layers`, and takes places from `file`.
    pub(super) fn new(file: &'t DeTable<'t>, layers: ::config::Config, variables: Variables) -> Self {
        Self { file, layers, variables, is_dry_run: false, known: Vec::new(), mistakes: Vec::new() }
    }

    /// Where `is_dry_run`, secrets and certificates need not be there: nobody will use them.
    pub(super) fn for_dry_run(self, is_dry_run: bool) -> Self {
        Self { is_dry_run, ..self }
    }

    /// A key with a default, or one that may be missing.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        default: Option<&'static str>,
        meaning: impl FnOnce(&Given) -> Result<T, Wrong>,
    ) -> Option<T> {
        let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
        self.known.push(Known { section, name, default, kind: Kind::Text });
        let default = default.map(|text| Given { text: text.to_owned(), shape: Shape::Bare });
        let given = self.given(key).or(default)?;
        meaning(&given).map_err(|wrong| self.mistake(key, wrong)).ok()
    }

    /// A key that must be there.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        meaning: impl FnOnce(&Given) -> Result<T, Wrong>,
    ) -> Option<T> {
        if self.given(key).is_none() {
            self.mistake(key, wrong("is missing", expected));
        }
        self.optional(key, None, meaning)
    }

    /// A file that can be opened.
    pub(super) fn file(&mut self, key: &'static str) -> Option<PathBuf> {
        let (is_dry_run, credentials) = (self.is_dry_run, self.credentials());
        self.optional(key, None, |given| {
            let path = values::path(given, credentials.as_deref())?;
            match files::open(&path) {
                Ok(_) => Ok(path),
                Err(_) if is_dry_run => Ok(path),
                Err(error) => Err(wrong(format!("{}: {error}", path.display()), "a file that can be read")),
            }
        })
    }

    /// Whether secrets and certificates need not be there.
    pub(super) fn is_dry_run(&self) -> bool {
        self.is_dry_run
    }

    /// Where systemd puts credentials; in a dry run anywhere, since none is read there.
    fn credentials(&self) -> Option<PathBuf> {
        self.variables.credentials.clone().or_else(|| self.is_dry_run.then(PathBuf::new))
    }

    /// A secret: written as `key`, or kept in the file that `key_file` names. Exactly one of them.
    pub(super) fn secret(&mut self, key: &'static str, key_file: &'static str) -> SecretSource {
        if self.given(key).is_none() && self.given(key_file).is_none() {
            self.mistake(key_file, wrong("is missing", format!("it, or {key}")));
        }
        self.optional_secret(key, key_file).unwrap_or(SecretSource::Given(Secret::new("")))
    }

    /// A token: a secret that goes into a header.
    pub(super) fn token(&mut self, key: &'static str, key_file: &'static str) -> SecretSource {
        let source = self.secret(key, key_file);
        self.check_token(&source, key);
        source
    }

    /// A token that may be missing.
    pub(super) fn optional_token(&mut self, key: &'static str, key_file: &'static str) -> Option<SecretSource> {
        let source = self.optional_secret(key, key_file)?;
        self.check_token(&source, key);
        Some(source)
    }

    /// Says what makes a secret no token; that it cannot be read was said.
    fn check_token(&mut self, source: &SecretSource, key: &'static str) {
        let place = match source {
            SecretSource::File(_) if self.is_dry_run => return,
            SecretSource::File(_) => format!("{key}_file"),
            SecretSource::Given(_) => key.to_owned(),
        };
        if self.is_set(key) && self.is_set(&format!("{key}_file")) {
            return;
        }
        if let Some(why) = source.read_now().ok().and_then(|secret| secret.no_token()) {
            self.mistake(&place, wrong(why, "the token alone, as it was issued"));
        }
    }

    /// A secret that may be missing: at most one of the two.
    pub(super) fn optional_secret(&mut self, key: &'static str, key_file: &'static str) -> Option<SecretSource> {
        if self.given(key).is_some() && self.given(key_file).is_some() {
            self.mistake(key_file, wrong(format!("stands beside {key}"), "one of the two"));
        }
        let given = self.optional(key, None, |given| {
            let secret = Secret::written(&values::text(given)?).ok_or_else(|| wrong("is empty", "the secret"))?;
            Ok(SecretSource::Given(secret))
        });
        let (is_dry_run, credentials) = (self.is_dry_run, self.credentials());
        let kept = self.optional(key_file, None, |given| {
            let source = SecretSource::File(values::path(given, credentials.as_deref())?);
            if is_dry_run {
                return Ok(source);
            }
            let remedy = "a file that holds the secret: mount it, or correct the path";
            source.check().map(|()| source).map_err(|what| wrong(what, remedy))
        });
        kept.or(given)
    }

    /// An expression. It has a place, which a variable has not; so it is taken from the file only.
    pub(super) fn expression(&mut self, key: &'static str) -> Option<Spot<String>> {
        let value = self.optional(key, None, values::text)?;
        if self.variables.that_sets(key).is_some() {
            self.mistake(key, wrong("is set by a variable", format!("{key} in the file, as every expression")));
        }
        Some(Spot { value, span: self.span(key)? })
    }

    /// Says what is wrong with a key, at its place.
    pub(super) fn mistake(&mut self, key: &str, wrong: Wrong) {
        let Place { key, span } = self.place(key);
        self.mistakes.push(Mistake { span, key, what: wrong.what, expected: wrong.expected });
    }

    /// Where every key is set that was asked for.
    pub(super) fn places(&self) -> Places {
        let keys = self.known.iter().map(|Known { section, name, .. }| format!("{section}.{name}"));
        keys.map(|key| (key.clone(), self.place(&key))).collect()
    }

    /// Every key that was asked for and has a value, as it may be shown.
    pub(super) fn in_force(&self) -> Vec<KeyInForce> {
        let shown = self.known.iter().filter_map(|Known { section, name, default, .. }| {
            let key = format!("{section}.{name}");
            let by_variable = self.variables.that_sets(&key).is_some();
            let origin = if by_variable { Origin::Variable } else { Origin::File };
            let (text, origin) = match (self.given(&key), default) {
                (Some(given), _) => (given.text, origin),
                (None, Some(default)) => ((*default).to_owned(), Origin::Default),
                (None, None) => return None,
            };
            Some(shown::key(key, &text, origin))
        });
        shown.collect()
    }

    fn place(&self, key: &str) -> Place {
        match self.variables.that_sets(key) {
            Some(variable) => Place { key: variable, span: None },
            None => Place { key: key.to_owned(), span: self.span(key).or_else(|| self.header(key)) },
        }
    }

    /// Whether the file or a variable sets this key.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.given(key).is_some()
    }

    /// The duration that is written for a key, before its turn comes: a default of another may depend on it.
    pub(super) fn written(&self, key: &str) -> Option<Duration> {
        values::duration(&self.given(key)?, &(Duration::ZERO..=Duration::MAX)).ok()
    }

    fn given(&self, key: &str) -> Option<Given> {
        let from_file = self.variables.that_sets(key).is_none();
        // A variable wins over what the file says of the same secret in its other form.
        if from_file && other_form(key).is_some_and(|other| self.variables.that_sets(&other).is_some()) {
            return None;
        }
        if from_file && self.in_file(key).is_some_and(|(value, _)| value.is_datetime()) {
            return Some(Given { text: "a date".to_owned(), shape: Shape::Other });
        }
        let (text, shape) = match self.layers.get::<Value>(key).ok()?.kind {
            ValueKind::Nil => return None,
            ValueKind::String(text) if from_file => (text, Shape::Text),
            ValueKind::String(text) => (text, Shape::Bare),
            ValueKind::Boolean(flag) => (flag.to_string(), Shape::Flag),
            ValueKind::Table(_) => ("a table".to_owned(), Shape::Other),
            ValueKind::Array(list) if list.iter().any(is_empty) => {
                ("a list with an empty text".to_owned(), Shape::Other)
            }
            ValueKind::Array(list) => match texts(&list) {
                Some(texts) => (texts, Shape::List),
                None => ("a list".to_owned(), Shape::Other),
            },
            number => (number.to_string(), Shape::Number),
        };
        Some(Given { text, shape })
    }

    fn in_file(&self, key: &str) -> Option<(&DeValue<'t>, Span)> {
        let (section, name) = key.rsplit_once('.')?;
        let value = names::section(self.file, section)?.1.as_table()?.get(name)?;
        Some((value.get_ref(), value.span()))
    }

    fn span(&self, key: &str) -> Option<Span> {
        self.in_file(key).map(|(_, span)| span)
    }

    /// Where the key's section begins: the place of what is missing from it.
    fn header(&self, key: &str) -> Option<Span> {
        let (section, _) = key.rsplit_once('.')?;
        names::section(self.file, section).map(|(span, _)| span)
    }
}

/// The key that holds the same secret in the other form: its file for a secret, the secret for its file.
fn other_form(key: &str) -> Option<String> {
    let (section, name) = key.rsplit_once('.')?;
    if SECRETS.contains(&name) {
        return Some(format!("{key}_file"));
    }
    let name = name.strip_suffix("_file").filter(|name| SECRETS.contains(name))?;
    Some(format!("{section}.{name}"))
}

/// Nobody means a text without a character: joined to others it would be lost.
fn is_empty(item: &Value) -> bool {
    matches!(&item.kind, ValueKind::String(text) if text.trim().is_empty())
}

/// Texts with commas between them, if the list holds nothing else.
fn texts(list: &[Value]) -> Option<String> {
    let each = list.iter().map(|value| match &value.kind {
        ValueKind::String(text) => Some(text.clone()),
        ValueKind::I64(number) => Some(number.to_string()),
        _ => None,
    });
    each.collect::<Option<Vec<_>>>().map(|texts| texts.join(","))
}
