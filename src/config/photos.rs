//! The section of pictures: `[photos]`.
//!
//! Not here: what a rule names (`core::mapping`), and fetching (`crate::photos`).

use std::time::Duration;

use super::reader::{Reader, WHOLE};
use super::sections::millis;
use super::urls;
use super::values::{self, Given, Wrong, format_duration, wrong};
use crate::core::mapping::written::{Spot, Written, WrittenRule};
use crate::core::photo::Allowed;
use crate::core::policy::PhotoPolicy;
use crate::photos::Config;
use crate::tls;

const ALLOW: &str = "photos.allow";
const TIMEOUT: &str = "photos.timeout";
const AUTHORITIES: &str = "photos.ca_file";

/// The longest that one picture may take.
const TIMEOUT_MAX: Duration = Duration::from_secs(300);

/// `timeout` is that of a request to the API: a picture comes while it is uploaded, and must have come before.
pub(super) fn photos(reader: &mut Reader<'_>, timeout: Duration, rules: &[WrittenRule]) -> (Config, PhotoPolicy) {
    let allow = reader.list(ALLOW, hosts).unwrap_or_default();
    let fetches = rules.iter().find(|rule| fetches(rule)).map(|rule| &rule.name.value);
    if let Some(rule) = fetches.filter(|_| allow.is_empty() && !reader.is_set(ALLOW)) {
        let what = format!("names no host, and rule {rule:?} has a picture fetched");
        reader.mistake(ALLOW, wrong(what, "the hosts that pictures come from: allow = [\"cdn.example.com\"]"));
    }
    let private_addresses = reader.word("photos.addresses", &[("public", false), ("any", true)]);
    let max_size = reader.size("photos.max_size", "10MiB", 1024..=64 << 20) as u64;
    let whole = time(reader, timeout);
    let at_once = reader.number("photos.at_once", Some("8"), &(1..=64), WHOLE).unwrap_or_default();
    let tls = tls::Files { section: "photos", authorities: reader.file(AUTHORITIES), identity: None };
    if let Err(wrong) = tls.read_now()
        && !reader.is_dry_run()
    {
        reader.mistake(&wrong.key, values::wrong(wrong.what, "a PEM file of certificates"));
    }
    let proxy = reader.optional("photos.proxy", None, urls::proxy);
    (Config { allow, private_addresses, max_size, timeout: whole, tls, proxy }, PhotoPolicy { at_once })
}

fn time(reader: &mut Reader<'_>, timeout: Duration) -> Duration {
    let whole = reader.duration(TIMEOUT, "20s", millis(1)..=TIMEOUT_MAX);
    if !reader.is_set(TIMEOUT) {
        return whole.min(timeout * 2 / 3);
    }
    if whole >= timeout && !timeout.is_zero() {
        let what = format!("is {}, no shorter than api.timeout", format_duration(whole));
        let expected = format!("less than {}: a picture is uploaded while it comes", format_duration(timeout));
        reader.mistake(TIMEOUT, wrong(what, expected));
    }
    whole
}

fn hosts(given: &Given) -> Result<Allowed, Wrong> {
    let expected = "a list of hosts, such as [\"cdn.example.com\", \"*.example.net\"]";
    let listed = given.as_list(expected)?;
    listed.into_iter().try_fold(Allowed::default(), |all, host| {
        all.with(host).map_err(|expected| wrong(format!("names {host}"), expected))
    })
}

/// Whether a rule has a picture that is to be fetched.
fn fetches(rule: &WrittenRule) -> bool {
    let Some(Spot { value: Written::Table(photos), .. }) = &rule.photo else { return false };
    photos.iter().any(|(_, photo)| {
        matches!(&photo.value, Written::Table(members) if members.iter().any(|(name, _)| name.value == "url"))
    })
}
