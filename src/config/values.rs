//! What one written value means: durations and sizes with their unit, numbers in their range, words of a list.
//!
//! Not here: where the value was written, and which keys there are.

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use jiff::fmt::friendly::{SpanParser, SpanPrinter};

/// The longest text that AMQP takes for a name, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 255;

/// How a value was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// In quotes.
    Text,
    /// A number.
    Number,
    /// In the environment, or as a default: text that may mean anything.
    Bare,
    /// A list of texts or whole numbers; with commas between them.
    List,
    /// True or false.
    Flag,
    /// Neither text nor number; the value's text says what.
    Other,
}

/// A value as it was written.
#[derive(Clone)]
pub(super) struct Given {
    /// What was written, without quotes.
    pub(super) text: String,
    /// How.
    pub(super) shape: Shape,
}

/// What is wrong with a value.
pub(super) struct Wrong {
    /// What is wrong, in words.
    pub(super) what: String,
    /// What was expected.
    pub(super) expected: String,
}

/// A finding in two halves.
pub(super) fn wrong(what: impl Into<String>, expected: impl Into<String>) -> Wrong {
    Wrong { what: what.into(), expected: expected.into() }
}

impl Given {
    /// In words, without the value.
    fn shape(&self) -> String {
        match self.shape {
            Shape::Text | Shape::Bare => "is text".to_owned(),
            Shape::Number => "is a number".to_owned(),
            Shape::List => "is a list".to_owned(),
            Shape::Flag => "is true or false".to_owned(),
            Shape::Other => format!("is {}", self.text),
        }
    }

    fn as_text(&self, expected: &str) -> Result<&str, Wrong> {
        match self.shape {
            Shape::Text | Shape::Bare if self.text.trim().is_empty() => Err(wrong("is empty", expected)),
            Shape::Text | Shape::Bare => Ok(&self.text),
            Shape::Number | Shape::List | Shape::Flag | Shape::Other => Err(wrong(self.shape(), expected)),
        }
    }

    /// The texts of a list; in a variable they stand with commas between them.
    pub(super) fn as_list(&self, expected: &str) -> Result<Vec<&str>, Wrong> {
        match self.shape {
            Shape::List | Shape::Bare => {
                Ok(self.text.split(',').map(str::trim).filter(|text| !text.is_empty()).collect())
            }
            Shape::Text | Shape::Number | Shape::Flag | Shape::Other => Err(wrong(self.shape(), expected)),
        }
    }

    fn as_number<T: std::str::FromStr>(&self, expected: &str) -> Result<T, Wrong> {
        match self.shape {
            Shape::Number | Shape::Bare => {
                self.text.parse().map_err(|_| wrong(self.quoted("is not such a number"), expected))
            }
            Shape::Text => Err(wrong("is text", format!("{expected}, without quotes"))),
            Shape::List | Shape::Flag | Shape::Other => Err(wrong(self.shape(), expected)),
        }
    }

    /// A number of anything, and nothing that says of what.
    fn lacks_unit(&self) -> bool {
        !matches!(self.shape, Shape::List | Shape::Flag | Shape::Other) && self.text.parse::<f64>().is_ok()
    }

    fn quoted(&self, rest: &str) -> String {
        match self.shape {
            Shape::Text => format!("{:?} {rest}", self.text),
            _ => format!("{} {rest}", self.text),
        }
    }
}

fn within<T: PartialOrd>(
    value: T,
    range: &RangeInclusive<T>,
    given: &Given,
    show: impl Fn(&T) -> String,
) -> Result<T, Wrong> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(wrong(given.quoted("is out of range"), format!("{} to {}", show(range.start()), show(range.end()))))
}

/// A duration as it would be written.
pub(super) fn format_duration(duration: Duration) -> String {
    SpanPrinter::new().unsigned_duration_to_string(&duration)
}

/// A duration with its unit.
pub(super) fn duration(given: &Given, range: &RangeInclusive<Duration>) -> Result<Duration, Wrong> {
    let expected = "a duration such as \"30s\"";
    if given.lacks_unit() {
        return Err(wrong(given.quoted("has no unit"), format!("a unit: write \"{}s\"", given.text)));
    }
    let text = given.as_text(expected)?;
    let value = SpanParser::new()
        .parse_unsigned_duration(text)
        .map_err(|_| wrong(given.quoted("is not a duration"), expected))?;
    within(value, range, given, |end| format_duration(*end))
}

/// A size with its unit, in bytes.
pub(super) fn size(given: &Given, range: &RangeInclusive<u64>) -> Result<usize, Wrong> {
    let expected = "a size such as \"256KiB\"";
    if given.lacks_unit() {
        return Err(wrong(given.quoted("has no unit"), format!("a unit: write \"{}B\"", given.text)));
    }
    let value: ByteSize =
        given.as_text(expected)?.parse().map_err(|_| wrong(given.quoted("is not a size"), expected))?;
    let bytes = within(value.as_u64(), range, given, |end| ByteSize(*end).display().iec().to_string())?;
    usize::try_from(bytes).map_err(|_| wrong(given.quoted("is out of range"), "less"))
}

/// A number within its range.
pub(super) fn number<T: PartialOrd + Display + std::str::FromStr>(
    given: &Given,
    range: &RangeInclusive<T>,
    kind: &str,
) -> Result<T, Wrong> {
    let expected = format!("{kind} from {} to {}", range.start(), range.end());
    within(given.as_number(&expected)?, range, given, T::to_string)
}

/// True or false, without quotes.
pub(super) fn flag(given: &Given) -> Result<bool, Wrong> {
    match (given.shape, given.text.as_str()) {
        (Shape::Flag | Shape::Bare, "true") => Ok(true),
        (Shape::Flag | Shape::Bare, "false") => Ok(false),
        _ => Err(wrong(given.shape(), "true or false, without quotes")),
    }
}

/// One of these words.
pub(super) fn word<T: Copy>(given: &Given, words: &[(&'static str, T)]) -> Result<T, Wrong> {
    let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
    let all = format!("one of {}", names.join(", "));
    let text = given.as_text(&all)?;
    let found = words.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| wrong(given.quoted("is not known"), super::names::suggest(text, &names)))
}

/// Text that is not empty.
pub(super) fn text(given: &Given) -> Result<String, Wrong> {
    given.as_text("text").map(str::to_owned)
}

/// What a path begins with that lies among the credentials of the service.
const CREDENTIAL: &str = "credential:";

/// A path. `credential:NAME` is a file of that name in `credentials`, the folder where systemd puts them.
pub(super) fn path(given: &Given, credentials: Option<&Path>) -> Result<PathBuf, Wrong> {
    let text = given.as_text("a path")?;
    let Some(name) = text.strip_prefix(CREDENTIAL) else { return Ok(PathBuf::from(text)) };
    if name.is_empty() || name.contains('/') || name == ".." {
        return Err(wrong("names no credential", "credential:NAME, as in LoadCredential=NAME:… of the unit"));
    }
    let remedy = "LoadCredential= in the unit that starts the daemon, or a path";
    credentials
        .map(|folder| folder.join(name))
        .ok_or_else(|| wrong("is a credential, and CREDENTIALS_DIRECTORY is not set", remedy))
}

/// Text that AMQP takes for a name.
pub(super) fn name(given: &Given) -> Result<String, Wrong> {
    let expected = format!("a name of 1 to {NAME_BYTES_MAX} bytes");
    let text = given.as_text(&expected)?;
    if text.len() > NAME_BYTES_MAX {
        return Err(wrong(format!("is {} bytes long", text.len()), expected));
    }
    Ok(text.to_owned())
}

/// An address and a port.
pub(super) fn address(given: &Given) -> Result<SocketAddr, Wrong> {
    let expected = "an address and a port, such as \"127.0.0.1:9464\"";
    let text = given.as_text(expected)?;
    text.parse().map_err(|_| wrong(given.quoted("is not an address with a port"), expected))
}
