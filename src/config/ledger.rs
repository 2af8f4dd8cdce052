//! The section of the ledger: `[ledger]`.
//!
//! Not here: opening it (`ledger`). No text of this file repeats a URL, for it may hold a password.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::reader::Reader;
use super::sections::hours;
use super::urls;
use super::values::{self, Given, Wrong, wrong};
use crate::ledger::{Config, LEASE_SPARE, Place, Server, Tls};
use crate::tls;

const SECTION: &str = "ledger";
const URL: &str = "ledger.url";
const PASSWORD: [&str; 2] = ["ledger.password", "ledger.password_file"];
const AUTHORITIES: &str = "ledger.ca_file";
const KEEP: &str = "ledger.keep";

const EXPECTED: &str = "\"sqlite:///var/lib/chakra-bridge/ledger.db\" or \"postgres://user@host/database\"";
const SQLITE: &str = "sqlite://";
const MODES: [(&str, Tls); 4] = [
    ("verify-full", Tls::VerifyFull),
    ("verify-ca", Tls::VerifyCa),
    ("require", Tls::Require),
    ("disable", Tls::Disable),
];
const DAY: u64 = 24;

/// None where it names no URL. `timeout` is that of a request, `queue` the work queue.
pub(super) fn ledger(reader: &mut Reader<'_>, queue: &str, timeout: Duration) -> Option<Config> {
    let place = reader.optional(URL, None, place);
    let password = reader.optional_secret(PASSWORD[0], PASSWORD[1]);
    let authorities = reader.file(AUTHORITIES);
    let keep = reader.optional(KEEP, Some("30d"), keep).unwrap_or_default();
    let tls = tls::Files { section: SECTION, authorities: authorities.clone(), identity: None };
    if let Err(wrong) = tls.read_now()
        && !reader.is_dry_run()
    {
        reader.mistake(&wrong.key, values::wrong(wrong.what, "a PEM file of certificates"));
    }
    for key in [PASSWORD[0], PASSWORD[1], AUTHORITIES, KEEP] {
        if reader.is_set(key) && !reader.is_set(URL) {
            reader.mistake(key, wrong(format!("stands without {URL}"), "both, or neither"));
        }
    }
    if let Some(Place::Sqlite(_)) = place {
        for key in
            [PASSWORD[0], PASSWORD[1], AUTHORITIES].into_iter().filter(|key| reader.is_set(key)).collect::<Vec<_>>()
        {
            reader.mistake(key, wrong("stands beside a file of SQLite", "a server of Postgres, or no such key"));
        }
    }
    let place = match place? {
        Place::Postgres(server) => Place::Postgres(Server { password, authorities, ..server }),
        file @ Place::Sqlite(_) => file,
    };
    Some(Config { place, keep, lease: timeout + LEASE_SPARE, queue: queue.to_owned() })
}

/// A file, or a server without its password.
fn place(given: &Given) -> Result<Place, Wrong> {
    let text = values::text(given)?;
    if let Some(path) = text.strip_prefix(SQLITE) {
        return file(path);
    }
    let url = Url::parse(&text).map_err(|error| wrong(format!("is not a URL: {error}"), EXPECTED))?;
    if !matches!(url.scheme(), "postgres" | "postgresql") || url.cannot_be_a_base() {
        return Err(wrong("is of another scheme", EXPECTED));
    }
    server(&url).map(Place::Postgres)
}

fn file(path: &str) -> Result<Place, Wrong> {
    let is_file = path.starts_with('/') && !path.ends_with('/') && !path.contains(['?', '#', '\0']);
    if is_file {
        return Ok(Place::Sqlite(PathBuf::from(path)));
    }
    Err(wrong(
        "names no file by its whole path",
        "\"sqlite:///var/lib/chakra-bridge/ledger.db\": three slashes, and no query",
    ))
}

fn server(url: &Url) -> Result<Server, Wrong> {
    if url.password().is_some() {
        return Err(wrong("holds a password", "it in ledger.password_file instead"));
    }
    if url.username().is_empty() {
        return Err(wrong("names no user", EXPECTED));
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("names no host", EXPECTED))?;
    let database = url.path().trim_start_matches('/');
    if database.is_empty() || database.contains('/') || url.fragment().is_some() {
        return Err(wrong("names no database", EXPECTED));
    }
    Ok(Server {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: url.port().unwrap_or(5432),
        user: decoded(url.username()),
        database: decoded(database),
        password: None,
        tls: mode(url)?,
        authorities: None,
    })
}

/// Without a word, TLS with a server that is the one named; within the machine there is nobody to hide from.
fn mode(url: &Url) -> Result<Tls, Wrong> {
    let all = MODES.map(|(word, _)| word).join(", ");
    let mut mode = if urls::is_loopback(url) { Tls::Disable } else { Tls::VerifyFull };
    for (key, value) in url.query_pairs() {
        let found = MODES.iter().find(|(word, _)| *word == value);
        mode = match (key.as_ref(), found) {
            ("sslmode", Some((_, found))) => *found,
            ("sslmode", None) => return Err(wrong("has an sslmode that is not known", format!("one of {all}"))),
            _ => return Err(wrong("has a query that is not known", "sslmode alone")),
        };
    }
    Ok(mode)
}

/// What stands in a URL with percent signs.
fn decoded(text: &str) -> String {
    let plain = text.replace('+', "%2B").replace('&', "%26");
    let url = Url::parse(&format!("x:?a={plain}"));
    url.ok().and_then(|url| url.query_pairs().next().map(|(_, value)| value.into_owned())).unwrap_or_default()
}

/// A duration that may be written in days.
fn keep(given: &Given) -> Result<Duration, Wrong> {
    let (least, most) = (hours(1), hours(3650 * DAY));
    let days = given.text.trim().trim_end_matches("ays").trim_end_matches("ay").strip_suffix('d');
    let Some(days) = days.and_then(|days| days.trim().parse::<u64>().ok()) else {
        return values::duration(given, &(least..=most));
    };
    let keep = hours(days.saturating_mul(DAY).min(u64::MAX / 3600));
    if (least..=most).contains(&keep) {
        Ok(keep)
    } else {
        Err(wrong(format!("{days}d is out of range"), "1h to 3650d"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Mistakes, load};
    use super::*;

    const FILE: &str = "[broker]\nurl = \"amqp://bridge@127.0.0.1/crm\"\npassword = \"swordfish\"\nqueue = \"crm.events\"\n\
         [api]\nbase_url = \"http://127.0.0.1:1\"\ntoken = \"marlin\"\n[[rule]]\nname = \"one\"\nprocedure = \"lead\"\n";

    fn read(more: &str) -> Result<Option<Config>, Box<Mistakes>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, format!("{FILE}[ledger]\n{more}")).unwrap();
        load(&path, []).map(|(config, _)| config.ledger)
    }

    fn said(more: &str) -> String {
        read(more).map_or_else(|mistakes| mistakes.to_string(), |_| String::new())
    }

    #[test]
    fn without_a_url_there_is_none_and_the_lease_outlives_a_request() {
        assert_eq!(read("").unwrap(), None);
        let config = read("url = \"sqlite:///var/lib/bridge/ledger.db\"\n").unwrap().unwrap();
        assert_eq!(config.place, Place::Sqlite(PathBuf::from("/var/lib/bridge/ledger.db")));
        assert_eq!(
            (config.keep, config.lease, config.queue.as_str()),
            (hours(720), Duration::from_secs(40), "crm.events")
        );
    }

    #[test]
    fn a_server_is_reached_by_tls_unless_it_is_this_machine_or_the_url_says_so() {
        let of =
            |url: &str| match read(&format!("url = \"{url}\"\npassword = \"x\"\nkeep = \"7d\"\n")).unwrap().unwrap() {
                Config { place: Place::Postgres(server), keep, .. } => (server, keep),
                other => panic!("{other:?}"),
            };
        let (server, keep) = of("postgres://a%40b@db.internal/crm%20one");
        assert_eq!((server.user.as_str(), server.database.as_str(), server.port), ("a@b", "crm one", 5432));
        assert_eq!((server.tls, keep), (Tls::VerifyFull, hours(168)));
        assert_eq!(of("postgresql://a@127.0.0.1:1/b").0.tls, Tls::Disable);
        assert_eq!(of("postgres://a@[::1]:1/b").0.host, "::1");
        assert_eq!(of("postgres://a@db/b?sslmode=require").0.tls, Tls::Require);
    }

    #[test]
    fn what_is_wrong_is_told_without_the_password() {
        for (more, words) in [
            ("url = \"postgres://a:barracuda@db/b\"", "holds a password"),
            ("url = \"postgres://db/b\"", "names no user"),
            ("url = \"postgres://a@db\"", "names no database"),
            ("url = \"postgres://a@db/b?sslmode=prefer\"", "verify-full, verify-ca, require, disable"),
            ("url = \"mysql://a@db/b\"", "another scheme"),
            ("url = \"sqlite://ledger.db\"", "three slashes"),
            ("url = \"sqlite:///x.db\"\npassword = \"barracuda\"", "beside a file of SQLite"),
            ("keep = \"30d\"", "stands without ledger.url"),
            ("url = \"sqlite:///x.db\"\nkeep = \"0d\"", "1h to 3650d"),
            ("url = \"sqlite:///x.db\"\nkeep = \"30\"", "has no unit"),
        ] {
            let said = said(more);
            assert!(said.contains(words) && !said.contains("barracuda"), "{more}: {said}");
        }
    }
}
