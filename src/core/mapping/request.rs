//! The request that a rule makes of an event: its fields, each in the type that the API documents.
//!
//! Not here: what stands in them (`leaf`), which event goes to which rule (`rules`).

use std::sync::Arc;

use serde_json::Value as Json;

use super::answer::{Budget, Refusal, Refusals, kind_of_json, too_large};
use super::content::Content;
use super::expression::{Expression, Given};
use super::leaf::{Leaf, run_table};
use super::photos::{Made, PhotoRules};
use super::place::Label;
use super::scope::Scope;
use crate::core::bounds::Bounds;
use crate::core::lookup::Lookup;
use crate::core::photo::{Photo, Photos};
use crate::core::process::{CreateProcess, Procedure, Status};

/// The longest value that is looked up, in bytes: it travels in a header with a delayed event.
const SOUGHT_BYTES_MAX: usize = 1024;

/// What of a request is not in its body.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) procedure: Procedure,
    /// Whether the rule names the procedure itself.
    pub(super) procedure_is_literal: bool,
    pub(super) lookup: Option<Lookup>,
    pub(super) photos: Vec<Photo>,
}

impl Head {
    /// The request with its body.
    pub(super) fn with(self, body: Arc<[u8]>) -> CreateProcess {
        let Self { procedure, procedure_is_literal, lookup, photos } = self;
        let photos = Photos::of(photos, procedure.as_str(), &body);
        CreateProcess { procedure, procedure_is_literal, lookup, body, photos }
    }
}

/// A compiled request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// `procedure`.
    pub(super) procedure: Leaf,
    /// `data`.
    pub(super) data: Option<Vec<(String, Leaf)>>,
    /// `record`.
    pub(super) record: Option<Vec<(String, Leaf)>>,
    /// `status`.
    pub(super) status: Option<Leaf>,
    /// `state`.
    pub(super) state: Option<Leaf>,
    /// `nextActionAt`.
    pub(super) next_action_at: Option<Leaf>,
    /// `assignedTo`.
    pub(super) assigned_to: Option<Leaf>,
    /// `reconcile_by`.
    pub(super) reconcile_by: Option<String>,
    /// Whether what `reconcile_by` names is made of the event's key.
    pub(super) is_looked_up_by_key: bool,
    /// `photo`.
    pub(super) photos: PhotoRules,
}

impl Request {
    /// Does this with each of its expressions.
    pub(super) fn each(&mut self, does: &mut impl FnMut(&mut Label, &mut Expression)) {
        let fields = [&mut self.status, &mut self.state, &mut self.next_action_at, &mut self.assigned_to];
        let tables = [&mut self.data, &mut self.record];
        let members = tables.into_iter().flatten().flat_map(|table| table.iter_mut().map(|(_, member)| member));
        self.procedure.each(does);
        self.photos.each(does);
        fields.into_iter().flatten().chain(members).for_each(|leaf| leaf.each(does));
    }

    /// The request for one event.
    ///
    /// # Errors
    /// Names the fields that cannot be filled, within bounds, and why.
    pub(super) fn make(&self, scope: Scope<'_>, bounds: Bounds) -> Result<(Head, Content), Refusal> {
        let (budget, refusals) = (&mut Budget::of(bounds), &mut Refusals::default());
        let procedure = refusals.take(self.procedure(scope, budget));
        let Made { ids, photos } = refusals.take(self.photos.make(scope, budget)).unwrap_or_default();
        let scope = scope.with_photos(&ids);
        let data = refusals.take(table(self.data.as_deref(), scope, budget)).flatten();
        let record = refusals.take(table(self.record.as_deref(), scope, budget)).flatten();
        let status = refusals.take(field("status", self.status.as_ref(), scope, budget, status)).flatten();
        let state = refusals.take(field("state", self.state.as_ref(), scope, budget, words)).flatten();
        let next_action_at = self.next_action_at.as_ref();
        let next_action_at = refusals.take(field("nextActionAt", next_action_at, scope, budget, epoch_ms)).flatten();
        let assigned_to = refusals.take(field("assignedTo", self.assigned_to.as_ref(), scope, budget, words)).flatten();
        let procedure = match (std::mem::take(refusals).all(), procedure) {
            (None, Some(procedure)) => procedure,
            (refusal, _) => return Err(refusal.unwrap_or_else(|| too_large(bounds.max_request))),
        };
        // A hash of the body, in whatever the rule makes of it: a lookup would find the copy of this event.
        let is_of_a_hash = self.is_looked_up_by_key && !scope.is_identified;
        let lookup = self.lookup(&procedure, data.as_ref())?.filter(|_| !is_of_a_hash);
        let head = Head { procedure, procedure_is_literal: self.procedure.is_literal(), lookup, photos };
        Ok((head, Content { data, record, status, state, next_action_at, assigned_to }))
    }

    fn procedure(&self, scope: Scope<'_>, budget: &mut Budget) -> Result<Procedure, Refusal> {
        let made = field("procedure", Some(&self.procedure), scope, budget, procedure)?;
        made.ok_or_else(|| Refusal("procedure: `omit`, and a request needs one".to_owned()))
    }

    /// The lookup asks for this attribute, so that it must be there and tell events apart.
    fn lookup(&self, procedure: &Procedure, data: Option<&Json>) -> Result<Option<Lookup>, Refusal> {
        let Some(attribute) = &self.reconcile_by else { return Ok(None) };
        match data.and_then(|data| data.get(attribute)) {
            Some(value) if value.as_str().is_some_and(|text| text.len() > SOUGHT_BYTES_MAX) => Err(Refusal(format!(
                "data.{attribute}: reconcile_by takes at most {SOUGHT_BYTES_MAX} bytes, this is more"
            ))),
            Some(value) if is_telling(value) => {
                let (procedure, attribute, value) = (procedure.clone(), attribute.clone(), value.clone());
                Ok(Some(Lookup { procedure, attribute, value }))
            }
            Some(other) => Err(Refusal(format!(
                "data.{attribute}: reconcile_by needs text or a number, this is {}",
                empty_or_kind(other)
            ))),
            None => Err(Refusal(format!("data.{attribute}: left out, and reconcile_by needs it"))),
        }
    }
}

fn is_telling(value: &Json) -> bool {
    value.is_number() || value.as_str().is_some_and(|text| !text.is_empty())
}

fn table(members: Option<&[(String, Leaf)]>, scope: Scope<'_>, budget: &mut Budget) -> Result<Option<Json>, Refusal> {
    members.map(|members| run_table(members, scope, budget).map(Json::Object)).transpose()
}

/// One field: absent where the rule does not write it or leaves it out.
fn field<T>(
    name: &str,
    leaf: Option<&Leaf>,
    scope: Scope<'_>,
    budget: &mut Budget,
    read: fn(&Json) -> Result<T, String>,
) -> Result<Option<T>, Refusal> {
    let Some(leaf) = leaf else { return Ok(None) };
    match leaf.run(scope, budget)? {
        Given::Omit => Ok(None),
        Given::Value(json) => read(&json).map(Some).map_err(|expected| {
            let refusal = Refusal(format!("expected {expected}; this is {}", empty_or_kind(&json)));
            leaf.label().map_or(refusal.clone().of(&name), |label| refusal.of(label))
        }),
    }
}

fn empty_or_kind(json: &Json) -> &'static str {
    if json.as_str() == Some("") { "an empty text" } else { kind_of_json(json) }
}

/// Reads a procedure, or says what was expected.
pub(super) fn procedure(json: &Json) -> Result<Procedure, String> {
    Procedure::new(json.as_str().unwrap_or_default())
}

/// Reads a status, or says what was expected.
pub(super) fn status(json: &Json) -> Result<Status, String> {
    json.as_str().and_then(Status::named).ok_or_else(|| format!("one of {}", Status::NAMES.join(", ")))
}

/// Reads a text that says something, or says what was expected.
pub(super) fn words(json: &Json) -> Result<String, String> {
    let text = json.as_str().filter(|text| !text.trim().is_empty());
    text.map(str::to_owned).ok_or_else(|| "a text that is not empty".to_owned())
}

/// Reads epoch milliseconds, or says what was expected.
pub(super) fn epoch_ms(json: &Json) -> Result<i64, String> {
    let hint =
        if json.is_f64() { "without a fraction; `| int` drops it" } else { "such as `{{ … | epoch_ms }}` gives" };
    json.as_i64().ok_or_else(|| format!("an integer, epoch milliseconds, {hint}"))
}
