//! One reading of the configuration: the file, the layers, the sections, and what is wrong with them.
//!
//! Not here: compiling rules. Whoever does that adds its mistakes to the [`Reading`] before finishing it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::{self, Variables};
use super::known::{Kind, Known};
use super::layers::layers;
use super::reader::Reader;
use super::source::Places;
use super::tables::List;
use super::{
    Config, Mistakes, Source, cases, connections, hidden, ledger, management, names, outcomes, photos, rules, schemas,
    sections, telemetry,
};
use crate::core::bounds::Bounds;
use crate::core::case::Case;
use crate::core::mapping::written::{Spot, WrittenRule, WrittenSchema};
use crate::core::mistake::{Mistake, Span};
use crate::core::policy::{Policy, RequestLimitPolicy};
use crate::files::{self, Seen};
use crate::states::in_force::KeyInForce;
use crate::{amqp, management as management_api};

/// What is a list of tables, each of which has its place and no variables.
const LISTS: [&List; 3] = [&rules::LIST, &cases::LIST, &schemas::LIST];

/// What was read, good or bad. Rules and key expression are there even if the rest is not, so that the mistakes
/// in them can be found in the same go.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The file, for printing mistakes.
    pub source: Source,
    /// Every mistake so far.
    pub mistakes: Vec<Mistake>,
    /// The rules that could be read.
    pub rules: Arc<[WrittenRule]>,
    /// The schemas that could be read.
    pub schemas: Vec<WrittenSchema>,
    /// The mapping cases that could be read.
    pub cases: Vec<Case>,
    /// `event.key`.
    pub event_key: Option<Spot<String>>,
    /// Worth something only if there are no mistakes; that is what `finish` sees to.
    config: Option<Config>,
}

impl Reading {
    /// The configuration, if nothing at all is wrong with it.
    ///
    /// # Errors
    /// Every mistake, those added since reading included.
    pub fn finish(self) -> Result<(Config, Source), Box<Mistakes>> {
        match self.config {
            Some(config) if self.mistakes.is_empty() => Ok((config, self.source)),
            _ => Err(Box::new(Mistakes::new(self.source, self.mistakes))),
        }
    }

    fn failed(source: Source, mistake: Mistake) -> Self {
        let (rules, schemas, cases) = (Arc::default(), Vec::new(), Vec::new());
        Self { source, mistakes: vec![mistake], rules, schemas, cases, event_key: None, config: None }
    }
}

/// Reads a file and the variables above it.
///
/// # Errors
/// Every mistake at once; only a file that cannot be read or is not TOML hides others.
pub fn load(
    path: &Path,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<(Config, Source), Box<Mistakes>> {
    read(path, environment).finish()
}

/// What a file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// To run by it: mapping cases, and the events that they name, need not be there.
    Run,
    /// To find what is wrong with it.
    Check,
    /// To try its rules where nothing is sent: secrets and certificates need not be there.
    DryRun,
}

/// As [`load`], and open for further mistakes.
pub fn read(path: &Path, environment: impl IntoIterator<Item = (String, String)>) -> Reading {
    read_for(Use::Check, path, environment)
}

/// As [`read`], for one use.
pub fn read_for(what_for: Use, path: &Path, environment: impl IntoIterator<Item = (String, String)>) -> Reading {
    // At the start it may come out of a pipe, as a shell gives it; that holds nothing more to watch.
    let is_regular = files::check(path).is_ok();
    let bytes = if is_regular { files::read(path, files::FILE_MAX) } else { std::fs::read(path) };
    let seen = Seen::default().with(path, bytes.as_deref().ok().filter(|_| is_regular));
    let reading = match bytes.and_then(files::text) {
        Ok(text) => read_text(what_for, path, text, environment),
        Err(error) => unreadable(path, &error),
    };
    Reading { source: reading.source.read_from(seen), ..reading }
}

fn read_text(
    what_for: Use,
    path: &Path,
    text: String,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Reading {
    let file = match DeTable::parse(&text) {
        Ok(file) => file.into_inner(),
        Err(error) => {
            let mistake = not_toml(&error);
            let hidden = hidden::guessed(&text);
            return Reading::failed(Source::new(path, text, hidden), mistake);
        }
    };
    let known = known_keys();
    let hidden = hidden::pieces(&file, &text, &known);
    let variables = Variables::new(environment, &known);
    let here = Here { folder: path.parent().unwrap_or(Path::new("")), what_for };
    let read = layered(&file, here, variables, &known);
    let source = Source::new(path, text.clone(), hidden);
    match read {
        Ok(Read { mistakes, config, rules, schemas, beside, cases, event_key, places, keys }) => {
            let source = source.with(places, keys).read_from(beside);
            Reading { source, mistakes, rules, schemas, cases, event_key, config }
        }
        Err(mistake) => Reading::failed(source, mistake),
    }
}

/// Every key, with its default.
#[must_use]
pub fn known_keys() -> Vec<Known> {
    let nothing = DeTable::new();
    let mut reader = Reader::new(&nothing, ::config::Config::default(), Variables::new([], &[]));
    sections_of(&mut reader, Arc::default());
    for List { section, keys, .. } in LISTS {
        reader.known.extend(keys.iter().map(|name| Known { section, name, default: None, kind: Kind::Any }));
    }
    reader.known
}

/// A warning for each variable that looks like one of ours and is none: nobody reads it. Those that a cluster derives from
/// the name of a service are left alone.
#[must_use]
pub fn strange_variables(environment: impl IntoIterator<Item = (String, String)>) -> Vec<String> {
    environment::strange(environment, &known_keys())
}

struct Read {
    mistakes: Vec<Mistake>,
    config: Option<Config>,
    rules: Arc<[WrittenRule]>,
    schemas: Vec<WrittenSchema>,
    /// The files of schemas.
    beside: Seen,
    cases: Vec<Case>,
    event_key: Option<Spot<String>>,
    places: Places,
    keys: Vec<KeyInForce>,
}

/// Where the file lies: what its paths begin in, and what it is read for.
#[derive(Clone, Copy)]
struct Here<'p> {
    folder: &'p Path,
    what_for: Use,
}

fn layered(file: &DeTable<'_>, here: Here<'_>, variables: Variables, known: &[Known]) -> Result<Read, Mistake> {
    if let Some(span) = file.values().find_map(unheld) {
        return Err(not_held(Some(span)));
    }
    let layers = layers(file, &variables).map_err(|_| not_held(None))?;
    let mut mistakes = names::unknown(file, known);
    mistakes.extend(variables.mistakes.iter().cloned());
    let rules: Arc<[WrittenRule]> = rules::rules(file, &mut mistakes).into();
    let (schemas, beside) = schemas::schemas(file, here.folder, &mut mistakes);
    let cases = match here.what_for {
        Use::Run => Vec::new(),
        Use::Check | Use::DryRun => cases::cases(file, here.folder, &mut mistakes),
    };
    let mut reader = Reader::new(file, layers, variables).for_dry_run(here.what_for == Use::DryRun);
    let (config, event_key) = sections_of(&mut reader, Arc::clone(&rules));
    mistakes.append(&mut reader.mistakes);
    let (places, keys) = (reader.places(), reader.in_force());
    Ok(Read { mistakes, config, rules, schemas, beside, cases, event_key, places, keys })
}

fn sections_of(reader: &mut Reader<'_>, rules: Arc<[WrittenRule]>) -> (Option<Config>, Option<Spot<String>>) {
    let broker = connections::broker(reader);
    let management = management::management(reader, &broker);
    let api = connections::api(reader);
    let max_requests_per_second = connections::max_requests_per_second(reader);
    let max_request = connections::max_request(reader);
    let (max_bytes, max_values, event_key) = sections::event(reader);
    let not_processed = connections::not_processed(reader);
    let retry = sections::retry(reader);
    let timeout = api.as_ref().map_or(Duration::ZERO, |api| api.timeout);
    let ledger = ledger::ledger(reader, &broker.queue, timeout);
    let (outlet, outcomes) = outcomes::outcomes(reader, &broker.queue, &rules);
    let exchange = outlet.as_ref().map(|outlet| outlet.exchange.clone());
    let management = management.map(|management| management_api::Config { exchange, ..management });
    let broker = amqp::Config { outcomes: outlet, ..broker };
    let (photos, photo_policy) = photos::photos(reader, timeout, &rules);
    let (lookup_window, on_absent) = sections::lookup(reader, timeout);
    let policy = Policy { lookup_window, on_absent, not_processed, ..retry };
    let request_limits = RequestLimitPolicy { max_requests_per_second, budget: sections::budget(reader) };
    let repeats = sections::repeats(reader);
    let gate = sections::gate(reader);
    let dispatch = sections::shutdown(reader);
    let admin = sections::admin(reader);
    let log = sections::log(reader);
    let telemetry = telemetry::telemetry(reader);
    let key = event_key.clone();
    let config = api.map(|api| Config {
        broker,
        management,
        ledger,
        outcomes,
        api,
        photos,
        photo_policy,
        dispatch,
        policy,
        gate,
        repeats,
        request_limits,
        admin,
        log,
        telemetry,
        bounds: Bounds { max_bytes, max_values, max_request },
        event_key,
        rules,
    });
    (config, key)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Reading {
    let what = format!("cannot be read: {error}");
    let mistake = Mistake { span: None, key: String::new(), what, expected: "a configuration file".to_owned() };
    Reading::failed(Source::new(path, String::new(), Vec::new()), mistake)
}

fn not_toml(error: &toml::de::Error) -> Mistake {
    let (what, expected) = error.message().split_once(", expected ").unwrap_or((error.message(), "valid TOML"));
    Mistake { span: error.span(), key: "syntax".to_owned(), what: what.to_owned(), expected: expected.to_owned() }
}

/// The layers take numbers of 64 bits only, and their own words would repeat the file's.
fn not_held(span: Option<Span>) -> Mistake {
    let (what, expected) = ("is a number too large to hold", "at most 64 bits");
    Mistake { span, key: "syntax".to_owned(), what: what.to_owned(), expected: expected.to_owned() }
}

fn unheld(value: &Spanned<DeValue<'_>>) -> Option<Span> {
    let held = match value.get_ref() {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).is_ok(),
        DeValue::Float(number) => match number.as_str() {
            // A number for TOML; what it may stand for is asked where it is read.
            special if special.contains('n') => true,
            written => written.parse().is_ok_and(f64::is_finite),
        },
        DeValue::Array(list) => return list.iter().find_map(unheld),
        DeValue::Table(table) => return table.values().find_map(unheld),
        _ => true,
    };
    (!held).then(|| value.span())
}
