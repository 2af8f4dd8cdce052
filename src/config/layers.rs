//! The layers of the configuration: what the file says outside its lists, and the variables above it.
//!
//! Not here: the lists (`tables`), which have no variables: a value of each rule in the layers would take far more memory
//! than the rule.

use ::config::{Config, ConfigError, Map, Source, Value, ValueKind};
use toml::de::{DeTable, DeValue};

use super::environment::Variables;
use super::known::is_list;

/// Both as one.
///
/// # Errors
/// If they cannot be laid over each other.
pub(super) fn layers(file: &DeTable<'_>, variables: &Variables) -> Result<Config, ConfigError> {
    let sections = file.iter().filter(|(name, _)| !is_list(name.get_ref()));
    let sections = sections.map(|(name, value)| (name.get_ref().to_string(), of(value.get_ref()))).collect();
    Config::builder().add_source(Sections(sections)).add_source(variables.layer()).build()
}

/// The sections of a file.
#[derive(Clone, Debug)]
struct Sections(Map<String, Value>);

impl Source for Sections {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

fn of(value: &DeValue<'_>) -> Value {
    let kind = match value {
        DeValue::String(text) => ValueKind::String(text.to_string()),
        // What 64 bits cannot hold was refused before.
        DeValue::Integer(number) => {
            ValueKind::I64(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or_default())
        }
        DeValue::Float(number) => ValueKind::Float(number.as_str().parse().unwrap_or_default()),
        DeValue::Boolean(truth) => ValueKind::Boolean(*truth),
        DeValue::Datetime(moment) => ValueKind::String(moment.to_string()),
        DeValue::Array(items) => ValueKind::Array(items.iter().map(|item| of(item.get_ref())).collect()),
        DeValue::Table(members) => {
            let member = |(name, member): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                let name: &std::borrow::Cow<'_, str> = name.get_ref();
                (name.to_string(), of(member.get_ref()))
            };
            ValueKind::Table(members.iter().map(member).collect())
        }
    };
    Value::new(None, kind)
}
