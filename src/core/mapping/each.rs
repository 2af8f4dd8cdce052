//! A list of the request that is made of a list of the event: of each item one thing.
//!
//! ```toml
//! [rule.data.items]
//! each  = "event.line_items"
//! where = "item.quantity > 0"
//! sku   = "{{ item.sku }}"
//! ```
//!
//! Not here: what each item becomes (`leaf`), filters over lists (`filters`).

use serde_json::Value as Json;

use super::answer::{Budget, Kept, Refusal, Refusals};
use super::expression::{Expression, Given};
use super::place::{Inside, Label, Place};
use super::scope::{Item, Scope};
use super::written::{Member, Spot, Written};
use crate::core::mistake::Mistake;

/// How deep such tables may stand within each other.
const NESTED_MAX: usize = 3;

/// The keys that such a table has beside the members of what each item becomes.
const EACH: &str = "each";
const WHERE: &str = "where";
const GIVE: &str = "give";
const THEN: &str = "then";

/// The variable of `then`.
const LIST: &str = "list";

/// A table with `each`, compiled. `G` is what each item becomes.
#[derive(Clone, Debug)]
pub(super) struct Each<G> {
    list: (Label, Expression),
    filter: Option<(Label, Expression)>,
    /// What each item becomes.
    pub(super) gives: G,
    /// Whether that is an object.
    is_object: bool,
    then: Option<(Label, Expression)>,
}

/// What each item becomes, made by what runs it.
pub(super) type Make<G> = fn(&G, Scope<'_>, &mut Budget) -> Result<Given, Refusal>;

/// The keys of such a table as they were written.
pub(super) struct Keys<'a> {
    place: Place<'a>,
    list: &'a Spot<Written>,
    filter: Option<&'a Spot<Written>>,
    then: Option<&'a Spot<Written>>,
    /// `give`.
    pub(super) gives: Option<&'a Spot<Written>>,
    /// The members of the object that each item becomes otherwise.
    pub(super) members: Vec<&'a Member>,
}

impl<'a> Keys<'a> {
    /// Those of a table, if it has an `each`.
    pub(super) fn read(place: Place<'a>, members: &'a [Member]) -> Option<Self> {
        let key = |key: &str| members.iter().find(|(name, _)| name.value == key).map(|(_, written)| written);
        let is_member = |(name, _): &&Member| ![EACH, WHERE, GIVE, THEN].contains(&name.value.as_str());
        let members = members.iter().filter(is_member).collect();
        Some(Self { place, list: key(EACH)?, filter: key(WHERE), then: key(THEN), gives: key(GIVE), members })
    }

    /// Finds what is wrong with them together.
    pub(super) fn check(&self, mistakes: &mut Vec<Mistake>) {
        let mut wrong = |what: &str, expected: String| mistakes.push(self.place.whole(what, expected));
        if self.place.inside.items == NESTED_MAX {
            wrong("lists are nested too deeply", format!("at most {NESTED_MAX} tables with `each` within each other"));
        }
        match (self.gives, self.members.first()) {
            (None, None) => wrong(
                "`each` and nothing to make of each item",
                "members such as `id = \"{{ item.id }}\"`, or `give = \"{{ item.id }}\"`".to_owned(),
            ),
            (Some(_), Some((name, _))) => wrong(
                "`give` and members besides: an item becomes one of both",
                format!("`give` alone, or `{}` and no `give`", name.value),
            ),
            _ => {}
        }
        let members = self.members.iter().map(|(_, written)| written).chain(self.gives);
        mistakes.extend(members.filter_map(|written| self.without_braces(written)));
    }

    /// `each` and `where` take no braces; what is made of an item does.
    fn without_braces(&self, written: &Spot<Written>) -> Option<Mistake> {
        let Written::Text(text) = &written.value else { return None };
        let is_part = |char: char| char.is_alphanumeric() || ['_', '.', '[', ']'].contains(&char);
        let is_meant = text.starts_with("item.") && text.chars().all(is_part);
        let place = Place { text, span: &written.span, ..self.place };
        is_meant.then(|| place.whole("sent as this text for each item", format!("braces: `{{{{ {text} }}}}`")))
    }

    /// Compiles the expression of one key.
    fn expression(
        &self,
        field: &str,
        (name, inside): (&str, Inside),
        written: &Spot<Written>,
        mistakes: &mut Vec<Mistake>,
    ) -> Option<(Label, Expression)> {
        let key = format!("{}.{name}", self.place.key);
        let place = Place { text: "", span: &written.span, key: &key, inside: inside.unsent() };
        let Written::Text(text) = &written.value else {
            mistakes.push(place.whole("no text", "an expression, such as `event.items`"));
            return None;
        };
        if text.trim_start().starts_with("{{") {
            mistakes.push(place.whole(format!("`{name}` is an expression already"), "no braces around it"));
            return None;
        }
        if name == THEN && !text.contains(LIST) {
            mistakes.push(place.whole("reads nothing of the list that was made", format!("`{LIST} | {text}`")));
            return None;
        }
        let place = Place { text, ..place };
        let compiled = Expression::compile(place, 0..text.len()).map_err(|found| mistakes.extend(found)).ok()?;
        Some((place.label(&format!("{field}.{name}"), 0..text.len()), compiled))
    }
}

/// Compiles such a table, of which it is known what each item becomes, and whether that reads anything of the item.
pub(super) fn compile<G>(
    keys: &Keys<'_>,
    field: &str,
    (gives, reads_item): (G, bool),
    mistakes: &mut Vec<Mistake>,
) -> Option<Each<G>> {
    let (known, around) = (mistakes.len(), keys.place.inside);
    let list = keys.expression(field, (EACH, around), keys.list, mistakes);
    let filter = keys.filter.map(|filter| keys.expression(field, (WHERE, around.one_more()), filter, mistakes));
    let then = keys.then.map(|then| keys.expression(field, (THEN, around.then()), then, mistakes));
    if !reads_item && known == mistakes.len() {
        let what = "what is made of each item reads nothing of it";
        mistakes.push(keys.place.whole(what, "`item` in an expression, such as `{{ item.id }}`"));
    }
    let (filter, then) = (filter.map_or(Some(None), |filter| filter.map(Some))?, then.flatten());
    Some(Each { list: list?, filter, gives, is_object: keys.gives.is_none(), then })
}

impl<G> Each<G> {
    /// Its own expressions, without those of what each item becomes.
    pub(super) fn expressions(&mut self) -> impl Iterator<Item = &mut (Label, Expression)> {
        [Some(&mut self.list), self.filter.as_mut(), self.then.as_mut()].into_iter().flatten()
    }

    /// The label of its list.
    pub(super) fn label(&self) -> &Label {
        &self.list.0
    }

    /// What it gives for one event.
    ///
    /// # Errors
    /// Names the fields that cannot be filled, each with the item, within bounds.
    pub(super) fn run(&self, scope: Scope<'_>, budget: &mut Budget, make: Make<G>) -> Result<Given, Refusal> {
        let (label, list) = &self.list;
        let items = list.list(scope, budget).map_err(|refusal| refusal.of(label))?;
        let Some(Json::Array(items)) = items.as_deref() else { return Ok(Given::Omit) };
        let Some((label, then)) = &self.then else {
            return self.made(items, scope, budget, make).map(|made| Given::Value(Json::Array(made)));
        };
        let made = budget.apart(Kept::Held, |budget| self.made(items, scope, budget, make))?;
        let given = then.run(scope.with_list(&Json::Array(made)), budget);
        given.map_err(|refusal| refusal.of(label))
    }

    fn made(&self, items: &[Json], scope: Scope<'_>, budget: &mut Budget, make: Make<G>) -> Result<Vec<Json>, Refusal> {
        let (mut made, mut refusals) = (Vec::new(), Refusals::default());
        budget.spend_on_list()?;
        let (list, outer) = (self.list.1.origin(), scope.item());
        for (index, value) in items.iter().enumerate() {
            budget.work(1)?;
            let item = Item { value, index, list, outer };
            let given = refusals.take(self.made_of(scope.with_item(&item), budget, make));
            made.extend(given.and_then(Given::value));
            if refusals.is_full() {
                break;
            }
        }
        refusals.all().map_or(Ok(made), Err)
    }

    /// What one item becomes; nothing where `where` is false.
    fn made_of(&self, scope: Scope<'_>, budget: &mut Budget, make: Make<G>) -> Result<Given, Refusal> {
        if let Some((label, filter)) = &self.filter {
            let holds = budget.apart(Kept::Held, |budget| filter.holds(scope, budget));
            if !holds.map_err(|refusal| refusal.of(label))? {
                return Ok(Given::Omit);
            }
        }
        if self.is_object {
            budget.spend_on_item()?;
        }
        make(&self.gives, scope, budget)
    }
}
