//! The query language of List: `where` over root fields and attributes, with `and` and `or`.
//!
//! Not here: paging, or which rows are visible yet.

use std::cmp::Ordering;

use serde_json::{Map, Value};

/// A `where` that has been understood.
#[derive(Debug)]
pub enum Query {
    /// Every one holds.
    All(Vec<Query>),
    /// Any one holds.
    Any(Vec<Query>),
    /// The field stands so to any of the values.
    Field(String, Operator, Vec<Value>),
}

/// How a field stands to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

impl Query {
    /// Understands a `where`, or says in words what is wrong with it.
    pub fn compile(filter: &Map<String, Value>) -> Result<Self, String> {
        let terms = filter.iter().map(|(name, value)| term(name, value));
        Ok(Self::All(terms.collect::<Result<_, _>>()?))
    }

    /// Whether a row matches; `field` gives its values by name.
    pub fn matches(&self, field: &impl Fn(&str) -> Option<Value>) -> bool {
        match self {
            Self::All(queries) => queries.iter().all(|query| query.matches(field)),
            Self::Any(queries) => queries.iter().any(|query| query.matches(field)),
            Self::Field(name, operator, values) => holds(field(name).as_ref(), *operator, values),
        }
    }

    /// The text that this field must equal in every match, if there is one.
    pub fn pinned(&self, field: &str) -> Option<&str> {
        match self {
            Self::All(queries) => queries.iter().find_map(|query| query.pinned(field)),
            Self::Field(name, Operator::Equal, values) if name == field => match values.as_slice() {
                [Value::String(text)] => Some(text),
                _ => None,
            },
            _ => None,
        }
    }
}

fn term(name: &str, value: &Value) -> Result<Query, String> {
    match (name, value) {
        ("and", value) => Ok(Query::All(nested(name, value)?)),
        ("or", value) => Ok(Query::Any(nested(name, value)?)),
        (_, Value::Object(operators)) => {
            let fields = operators.iter().map(|(operator, value)| field(name, operator, value));
            Ok(Query::All(fields.collect::<Result<_, _>>()?))
        }
        (_, Value::Array(values)) => {
            let values = values.iter().map(|value| operand(name, value));
            Ok(Query::Field(name.to_owned(), Operator::Equal, values.collect::<Result<_, _>>()?))
        }
        (_, value) => field(name, "=", value),
    }
}

fn nested(name: &str, value: &Value) -> Result<Vec<Query>, String> {
    let wrong = || format!("where.{name} must be a list of queries");
    let queries = value.as_array().ok_or_else(wrong)?;
    queries.iter().map(|query| Query::compile(query.as_object().ok_or_else(wrong)?)).collect()
}

fn field(name: &str, operator: &str, value: &Value) -> Result<Query, String> {
    let known = match operator {
        "=" => Operator::Equal,
        "!=" => Operator::NotEqual,
        ">" => Operator::Above,
        ">=" => Operator::AtLeast,
        "<" => Operator::Below,
        "<=" => Operator::AtMost,
        _ => return Err(format!("where.{name}: unknown operator")),
    };
    Ok(Query::Field(name.to_owned(), known, vec![operand(name, value)?]))
}

/// A scalar; for `createdAt`, which is asked for in ISO 8601, its milliseconds.
fn operand(name: &str, value: &Value) -> Result<Value, String> {
    match value {
        Value::String(text) if name == "createdAt" => {
            let instant: jiff::Timestamp = text.parse().map_err(|_| "where.createdAt must be ISO 8601".to_owned())?;
            Ok(instant.as_millisecond().into())
        }
        _ if name == "createdAt" => Err("where.createdAt must be ISO 8601".to_owned()),
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(value.clone()),
        _ => Err(format!("where.{name} must be text, a number, true or false")),
    }
}

fn holds(field: Option<&Value>, operator: Operator, values: &[Value]) -> bool {
    let orders = || values.iter().filter_map(|value| order(field?, value));
    match operator {
        Operator::Equal => orders().any(Ordering::is_eq),
        Operator::NotEqual => !orders().any(Ordering::is_eq),
        Operator::Above => orders().any(Ordering::is_gt),
        Operator::AtLeast => orders().any(Ordering::is_ge),
        Operator::Below => orders().any(Ordering::is_lt),
        Operator::AtMost => orders().any(Ordering::is_le),
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        _ => None,
    }
}
