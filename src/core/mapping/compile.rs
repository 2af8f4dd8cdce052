//! A rule as it was written becomes a rule that runs; every mistake in it is found.
//!
//! Not here: mistakes between rules (`order`), mistakes inside a text (`leaf` and below).

use serde_json::Value as Json;
use wildmatch::WildMatch;

use super::expression::Expression;
use super::leaf::{self, Leaf};
use super::place::{Inside, Label, Place};
use super::repeats::{self, Repeats};
use super::request::{self, Request};
use super::rule::{Does, Rule};
use super::tells;
use super::written::{Action, Spot, Written, WrittenRule};
use super::{names, photos};
use crate::core::mistake::{Mistake, Span};
use crate::core::outcome::OutcomeKinds;
use crate::core::process::Status;

/// Compiles one rule. Where there is a mistake, what comes back must not be run.
pub(super) fn rule(written: &WrittenRule, mistakes: &mut Vec<Mistake>) -> Rule {
    let compiler = Compiler { rule: format!("rule {:?}", written.name.value), written };
    if written.name.value.trim().is_empty() {
        mistakes.push(compiler.mistake("name", &written.name.span, "an empty name", "a name of your own"));
    }
    Rule {
        name: written.name.value.as_str().into(),
        kinds: compiler.kinds(mistakes),
        when: compiler.when(mistakes),
        procedure: written.procedure.as_ref().map(|procedure| procedure.value.clone()),
        repeats: compiler.repeats(mistakes),
        outcomes: compiler.outcomes(mistakes),
        does: compiler.does(mistakes),
    }
}

struct Compiler<'a> {
    rule: String,
    written: &'a WrittenRule,
}

impl Compiler<'_> {
    fn mistake(&self, field: &str, span: &Span, what: impl Into<String>, expected: impl Into<String>) -> Mistake {
        let key = format!("{}.{field}", self.rule);
        Mistake { span: Some(span.clone()), key, what: what.into(), expected: expected.into() }
    }

    fn repeats(&self, mistakes: &mut Vec<Mistake>) -> Repeats {
        let mut wrong = Vec::new();
        let repeats = repeats::of(self.written, &mut wrong);
        mistakes
            .extend(wrong.into_iter().map(|(field, span, what, expected)| self.mistake(field, &span, what, expected)));
        repeats
    }

    fn outcomes(&self, mistakes: &mut Vec<Mistake>) -> Option<OutcomeKinds> {
        let mut wrong = Vec::new();
        let kinds = tells::of(self.written, &mut wrong);
        mistakes
            .extend(wrong.into_iter().map(|(field, span, what, expected)| self.mistake(field, &span, what, expected)));
        kinds
    }

    fn kinds(&self, mistakes: &mut Vec<Mistake>) -> Vec<WildMatch> {
        for kind in self.written.kinds.iter().filter(|kind| kind.value.trim().is_empty()) {
            mistakes.push(self.mistake("type", &kind.span, "an empty type", "a type, or a glob such as `com.acme.*`"));
        }
        self.written.kinds.iter().map(|kind| WildMatch::new(&kind.value)).collect()
    }

    fn when(&self, mistakes: &mut Vec<Mistake>) -> Option<(Label, Expression)> {
        let when = self.written.when.as_ref()?;
        let inside = Inside::default();
        let place = Place { text: &when.value, span: &when.span, key: &format!("{}.when", self.rule), inside };
        if when.value.trim_start().starts_with("{{") {
            mistakes.push(place.whole("`when` is an expression already", "no braces around it"));
            return None;
        }
        let expression =
            Expression::compile(place, 0..when.value.len()).map_err(|found| mistakes.extend(found)).ok()?;
        Some((place.label("when", 0..when.value.len()), expression))
    }

    fn does(&self, mistakes: &mut Vec<Mistake>) -> Does {
        match (self.written.action, &self.written.procedure) {
            (Action::Skip, _) => self.skip(mistakes),
            (Action::Create, Some(procedure)) => Does::Create(Box::new(self.request(procedure, mistakes))),
            (Action::Create, None) => {
                let expected = "the short id of a procedure, or `action = \"skip\"`";
                mistakes.push(self.mistake("procedure", &self.written.span, "missing", expected));
                Does::Skip
            }
        }
    }

    fn skip(&self, mistakes: &mut Vec<Mistake>) -> Does {
        let written = self.written;
        let texts = [
            ("procedure", &written.procedure),
            ("reconcile_by", &written.reconcile_by),
            ("reconcile", &written.reconcile),
            ("keys", &written.keys),
            ("duplicates", &written.duplicates),
        ];
        let values = [
            ("data", &written.data),
            ("record", &written.record),
            ("status", &written.status),
            ("state", &written.state),
            ("nextActionAt", &written.next_action_at),
            ("assignedTo", &written.assigned_to),
            ("photo", &written.photo),
        ];
        let texts = texts.iter().filter_map(|(field, spot)| Some((field, &spot.as_ref()?.span)));
        let values = values.iter().filter_map(|(field, spot)| Some((field, &spot.as_ref()?.span)));
        for (field, span) in texts.chain(values) {
            mistakes.push(self.mistake(
                field,
                span,
                "a rule that skips sends nothing",
                "no such field, or `action = \"create\"`",
            ));
        }
        Does::Skip
    }

    fn request(&self, procedure: &Spot<String>, mistakes: &mut Vec<Mistake>) -> Request {
        let written = self.written;
        let mut data = self.table("data", written.data.as_ref(), mistakes);
        let mut record = self.table("record", written.record.as_ref(), mistakes);
        let photos = photos::compile(&self.rule, &written.name.value, written.photo.as_ref(), mistakes);
        let sent = [&mut data, &mut record].into_iter().flatten().flatten().map(|(_, leaf)| leaf);
        photos::uses(&photos, &self.rule, written.photo.as_ref(), sent, mistakes);
        let reconcile_by = self.reconcile_by(data.as_deref(), mistakes);
        let lookup_target = data.iter().flatten().find(|(name, _)| reconcile_by.as_ref() == Some(name));
        let is_looked_up_by_key = lookup_target.is_some_and(|(_, leaf)| leaf.reads_key());
        Request {
            procedure: self.procedure(procedure, mistakes),
            data,
            record,
            status: self.field("status", written.status.as_ref(), status, mistakes),
            state: self.field("state", written.state.as_ref(), |json| request::words(json).map(drop), mistakes),
            next_action_at: self.field("nextActionAt", written.next_action_at.as_ref(), epoch_ms, mistakes),
            assigned_to: self.field(
                "assignedTo",
                written.assigned_to.as_ref(),
                |json| request::words(json).map(drop),
                mistakes,
            ),
            reconcile_by,
            is_looked_up_by_key,
            photos,
        }
    }

    fn procedure(&self, written: &Spot<String>, mistakes: &mut Vec<Mistake>) -> Leaf {
        let (key, inside) = (format!("{}.procedure", self.rule), Inside::default());
        let place = Place { text: &written.value, span: &written.span, key: &key, inside };
        let known = mistakes.len();
        let leaf = Leaf::text(place, "procedure", mistakes);
        if let (Leaf::Literal(json), true) = (&leaf, known == mistakes.len()) {
            mistakes.extend(request::procedure(json).err().map(|expected| place.whole("no short id", expected)));
        }
        leaf
    }

    fn table(
        &self,
        field: &str,
        written: Option<&Spot<Written>>,
        mistakes: &mut Vec<Mistake>,
    ) -> Option<Vec<(String, Leaf)>> {
        let written = written?;
        let Written::Table(members) = &written.value else {
            mistakes.push(self.mistake(field, &written.span, "no table", format!("a table: `[rule.{field}]`")));
            return None;
        };
        Some(leaf::table(&self.rule, field, members, Inside::SENT, mistakes))
    }

    /// Compiles a field; what does not depend on the event is checked now.
    fn field(
        &self,
        name: &str,
        written: Option<&Spot<Written>>,
        check: fn(&Json) -> Result<(), String>,
        mistakes: &mut Vec<Mistake>,
    ) -> Option<Leaf> {
        let written = written?;
        let known = mistakes.len();
        let leaf = Leaf::compile(&self.rule, name, written, Inside::default(), mistakes);
        let wrong = match &leaf {
            Leaf::Literal(json) => check(json).err(),
            Leaf::List(_) | Leaf::Table(_) | Leaf::Each(_) => check(&Json::Null).err(),
            Leaf::One(..) | Leaf::Mixed(..) => None,
        };
        if let (Some(expected), true) = (wrong, known == mistakes.len()) {
            mistakes.push(self.mistake(name, &written.span, "not what the API takes here", expected));
        }
        Some(leaf)
    }

    fn reconcile_by(&self, data: Option<&[(String, Leaf)]>, mistakes: &mut Vec<Mistake>) -> Option<String> {
        let written = self.written.reconcile_by.as_ref()?;
        let mut wrong = |what: &str, expected: String| {
            mistakes.push(self.mistake("reconcile_by", &written.span, what, expected));
        };
        let data = data.unwrap_or_default();
        let example = format!("`{} = \"{{{{ key }}}}\"` in [rule.data]", written.value);
        match data.iter().find(|(name, _)| *name == written.value) {
            None => {
                let known: Vec<_> = data.iter().map(|(name, _)| name.as_str()).collect();
                let near = names::nearest(&written.value, &known).map(|name| format!("`{name}`? Or "));
                wrong("no attribute of that name in `data`", format!("{}{example}", near.unwrap_or_default()));
            }
            // It could not be read, and that is said at its own place.
            Some((_, Leaf::Literal(Json::Null))) => {}
            Some((_, leaf)) if leaf.is_literal() => wrong("that attribute is the same for every event", example),
            Some((_, leaf)) if leaf.is_hashed() => {
                wrong("that attribute is a hash: events of equal content are one", example)
            }
            Some((_, leaf)) if !leaf.reads_event() => wrong("that attribute reads nothing of the event", example),
            Some(_) => {}
        }
        Some(written.value.clone())
    }
}

fn status(json: &Json) -> Result<(), String> {
    let nearest = || names::expected(json.as_str().unwrap_or_default(), &Status::NAMES);
    request::status(json).map(drop).map_err(|_| nearest())
}

/// Below this, a number is taken for seconds: as milliseconds it would be a day before March 1973.
const SECONDS_BELOW: i64 = 100_000_000_000;

fn epoch_ms(json: &Json) -> Result<(), String> {
    match request::epoch_ms(json)? {
        seconds @ 1..SECONDS_BELOW => Err(format!("milliseconds: {seconds} looks like seconds, write {seconds}000")),
        _ => Ok(()),
    }
}
