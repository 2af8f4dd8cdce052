//! What a configuration may say and yet deserves a word before going live.
//!
//! Not here: mistakes, and what the broker says (`amqp::online_check`).

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{Config, Source, rules, urls};
use crate::secret::SecretSource;

/// The bits of a file's mode for those who are neither its owner nor of its group.
const OTHERS: u32 = 0o007;

impl Config {
    /// What is allowed and yet deserves a word before going live, as sentences. Reads the modes of secret files.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let clear = "cross the network in the clear";
        let http = self.api.base_url.scheme() == "http" && !urls::is_loopback(&self.api.base_url);
        let http = http.then(|| format!("api.base_url is http: the token and every event {clear}"));
        let is_remote = self.broker.addresses.iter().any(|address| !address.is_loopback());
        let amqp = is_remote && urls::is_plain(&self.broker.url);
        let amqp = amqp.then(|| format!("broker.url is amqp: the password and every event {clear}"));
        let management = self.management.as_ref().map(|management| &management.url);
        let management = management.filter(|url| url.scheme() == "http" && !urls::is_loopback(url));
        let management = management.map(|_| {
            "broker.management.url is http: the password of its user crosses the network in the clear".to_owned()
        });
        let ledger = self.ledger.as_ref().is_some_and(crate::ledger::Config::is_in_the_clear);
        let ledger = ledger.then(|| format!("ledger.url has no TLS: its password and the keys of all events {clear}"));
        http.into_iter()
            .chain(amqp)
            .chain(management)
            .chain(ledger)
            .chain(self.led_to_photos())
            .chain(self.open_files())
            .chain(self.strays())
            .collect()
    }

    /// The secrets that are written in the file, if everybody on the machine can open that.
    #[must_use]
    pub fn open_secrets(&self, source: &Source) -> Vec<String> {
        let management = self.management.as_ref().map(|management| &management.password);
        let management = management.filter(|password| **password != self.broker.password);
        let secrets = [
            ("broker.password", Some(&self.broker.password)),
            ("broker.management.password", management),
            ("ledger.password", self.ledger.as_ref().and_then(crate::ledger::Config::password)),
            ("api.token", Some(&self.api.token)),
            ("api.proxy_password", self.api.proxy_login.as_ref().map(|(_, password)| password)),
            ("admin.token", self.admin.token.as_ref()),
        ];
        let is_written = |key: &str, secret: Option<&SecretSource>| {
            matches!(secret, Some(SecretSource::Given(_))) && !source.is_overridden(key)
        };
        let written = secrets.into_iter().filter(|(key, secret)| is_written(key, *secret) && is_open(source.path()));
        let told = written.map(|(key, _)| {
            let file = source.path().display();
            format!(
                "{key}: the secret stands in {file}, which every user here may open: chmod o= it, or write {key}_file"
            )
        });
        told.collect()
    }

    /// Where a proxy resolves the hosts of pictures, nobody here sees an address.
    fn led_to_photos(&self) -> Option<String> {
        self.photos.proxy.as_ref().map(|_| {
            "photos.proxy resolves the hosts of pictures: addresses of our own networks are not refused, and photos.allow alone \
             protects them"
                .to_owned()
        })
    }

    /// Attributes that are named like a key of their rule, which it does not have: in TOML a line below `[rule.data]` is
    /// one of the data, whatever was meant.
    fn strays(&self) -> impl Iterator<Item = String> {
        self.rules.iter().flat_map(rules::strays)
    }

    /// Files of secrets that everybody on the machine can open.
    fn open_files(&self) -> impl Iterator<Item = String> {
        let kept = |source: &SecretSource| match source {
            SecretSource::File(path) => Some(path.clone()),
            SecretSource::Given(_) => None,
        };
        let management = self.management.as_ref().map(|management| &management.password);
        let management = management.filter(|password| **password != self.broker.password);
        let files = [
            ("broker.password_file", kept(&self.broker.password)),
            ("broker.management.password_file", management.and_then(kept)),
            ("ledger.password_file", self.ledger.as_ref().and_then(crate::ledger::Config::password).and_then(kept)),
            ("broker.client_key_file", self.broker.tls.identity.clone().map(|(_, key)| key)),
            ("api.token_file", kept(&self.api.token)),
            ("api.client_key_file", self.api.tls.identity.clone().map(|(_, key)| key)),
            ("admin.token_file", self.admin.token.as_ref().and_then(kept)),
        ];
        let open = files.into_iter().filter_map(|(key, path)| Some((key, path.filter(|path| is_open(path))?)));
        open.map(|(key, path)| {
            let file = path.display();
            format!(
                "{key}: every user here may open {file}: chmod o= it; in Kubernetes, defaultMode 0440 and an fsGroup"
            )
        })
    }
}

fn is_open(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & OTHERS != 0)
}
