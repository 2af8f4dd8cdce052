//! The filters that make an id of a text: the same text, the same id.
//!
//! Not here: the key of an event that carries none (`decode`).

use std::sync::Arc;

use minijinja::Error;
use minijinja::value::{Object, ObjectRepr, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{argument, text};
use crate::core::mapping::checks::{Wrong, wants};
use crate::core::mapping::names;

/// The namespaces that RFC 9562 names.
const NAMESPACES: [(&str, Uuid); 4] = [
    ("dns", Uuid::NAMESPACE_DNS),
    ("url", Uuid::NAMESPACE_URL),
    ("oid", Uuid::NAMESPACE_OID),
    ("x500", Uuid::NAMESPACE_X500),
];

/// A namespace, made ready.
#[derive(Debug)]
struct Namespace(Uuid);

impl Object for Namespace {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// The namespace that is written so.
///
/// # Errors
/// If it is neither a UUID nor a known name.
pub(in crate::core::mapping) fn namespace(written: &str) -> Result<Value, Wrong> {
    let known = NAMESPACES.iter().find(|(name, _)| *name == written).map(|(_, id)| *id);
    let id = known.or_else(|| Uuid::try_parse(written).ok());
    id.map(|id| Value::from_object(Namespace(id))).ok_or_else(|| {
        let expected = format!("a UUID, or {}", names::expected(written, &NAMESPACES.map(|(name, _)| name)));
        (format!("no namespace: {written:?}"), expected)
    })
}

/// The SHA-256 of a text's UTF-8, in hexadecimal.
pub(super) fn sha256(value: &Value, _: &[Value]) -> Result<Value, Error> {
    let digest = Sha256::digest(text("sha256", value)?.as_bytes());
    Ok(Value::from(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}

/// The UUID of version 5 that a text has in a namespace.
pub(super) fn uuid5(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let name = text("uuid5", value)?;
    let namespace = argument(arguments, 0);
    let namespace = namespace.downcast_object_ref::<Namespace>();
    let Namespace(id) = namespace.ok_or_else(|| wants("uuid5(…)", "a namespace", argument(arguments, 0)))?;
    Ok(Value::from(Uuid::new_v5(id, name.as_bytes()).hyphenated().to_string()))
}
