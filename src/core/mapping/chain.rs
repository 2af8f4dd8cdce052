//! A path and the filters behind it, run without the engine: most of what rules write. It does what the engine would do,
//! with the same functions, and leaves to the engine all that it is not sure of: large values, and every error.
//!
//! Not here: any other expression (`expression`).

use minijinja::machinery::ast::{CallArg, Expr};
use minijinja::value::Value;
use serde_json::Value as Json;

use super::answer::Omit;
use super::arguments::written_out;
use super::engine_value;
use super::filters::{self, Filter};
use super::lone_path::lone_path;
use super::path::Path;
use super::scope::Scope;

/// The longest text taken, in bytes: what comes of it stays so small that nothing needs to count.
const TEXT_BYTES_MAX: usize = 4096;

/// A path and the filters behind it.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    path: Path,
    links: Vec<Link>,
}

#[derive(Clone, Debug)]
struct Link {
    filter: &'static Filter,
    arguments: Vec<Value>,
}

impl Chain {
    /// The chain that an expression is, if it is one of light filters and of arguments that are written out.
    pub(super) fn read(tree: &Expr<'_>) -> Option<Self> {
        if let Some(path) = lone_path(tree) {
            return Some(Self { path, links: Vec::new() });
        }
        let Expr::Filter(filter) = tree else { return None };
        let mut chain = Self::read(filter.expr.as_ref()?)?;
        chain.links.push(Link::read(filter.name, &filter.args)?);
        Some(chain)
    }

    /// What it gives for one event; none where the engine must be asked.
    pub(super) fn run(&self, scope: Scope<'_>) -> Option<Value> {
        let mut value = match scope.find(&self.path) {
            Ok(found) => small(&found)?,
            Err(_) => Value::UNDEFINED,
        };
        for link in &self.links {
            value = link.filter.apply(&value, &link.arguments).ok()?;
        }
        Some(value)
    }
}

impl Link {
    fn read(name: &str, args: &[CallArg<'_>]) -> Option<Self> {
        let filter = filters::named(name).filter(|filter| filter.is_light)?;
        let mut arguments = Vec::new();
        for arg in args {
            let CallArg::Pos(tree) = arg else { return None };
            let written = match tree {
                Expr::Var(var) if var.id == "omit" => Value::from_object(Omit),
                _ => written_out(tree)?,
            };
            let ready = filter.signature.ready(Some(&written), &arguments).ok()?;
            arguments.push(ready.unwrap_or(written));
        }
        Some(Self { filter, arguments })
    }
}

/// A value as the engine would see it, unless it is large.
fn small(json: &Json) -> Option<Value> {
    match json {
        Json::String(text) => (text.len() <= TEXT_BYTES_MAX).then(|| engine_value::of_text(text)),
        Json::Array(_) | Json::Object(_) => None,
        scalar => Some(engine_value::of_json(scalar)),
    }
}
