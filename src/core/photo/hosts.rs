//! Which hosts pictures may be fetched from.
//!
//! Not here: which addresses they may have (`crate::photos`).

/// The port of a host that names none.
const HTTPS: u16 = 443;

/// A list of hosts: `cdn.example.com`, or `*.example.com` for every host below it, and not for itself; each with a port, if that is
/// not the usual one of https.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed(Vec<(String, u16)>);

impl Allowed {
    /// The same with one more.
    ///
    /// # Errors
    /// Says what was expected, if it is no name of a host.
    pub fn with(mut self, written: &str) -> Result<Self, &'static str> {
        let pattern = written.trim().to_ascii_lowercase();
        let expected = "names of hosts such as \"cdn.example.com\", \"cdn.example.com:8443\", or \"*.example.com\" for every host \
                        below it";
        let (pattern, port) = match pattern.rsplit_once(':') {
            Some((host, port)) => (host.to_owned(), port.parse().ok().filter(|port| *port != 0).ok_or(expected)?),
            None => (pattern, HTTPS),
        };
        let name = pattern.strip_prefix("*.").unwrap_or(&pattern);
        let is_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        let is_name = name.len() <= 253 && name.split('.').all(is_label);
        // A wildcard over a whole top-level domain would allow everybody in it.
        let is_narrow = pattern == name || name.contains('.');
        if !is_name || !is_narrow {
            return Err(expected);
        }
        if !self.0.contains(&(pattern.clone(), port)) {
            self.0.push((pattern, port));
        }
        Ok(self)
    }

    /// Whether no host is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this host is, at this port.
    #[must_use]
    pub fn has(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let mut at_port = self.0.iter().filter(|(_, allowed)| *allowed == port);
        at_port.any(|(pattern, _)| match pattern.strip_prefix('*') {
            Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
            None => host == *pattern,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(patterns: &[&str]) -> Allowed {
        patterns.iter().fold(Allowed::default(), |all, pattern| all.with(pattern).unwrap())
    }

    #[test]
    fn only_what_is_written_is_allowed_and_a_wildcard_means_what_is_below_it() {
        let list = allowed(&["cdn.acme.com", "*.s3.eu-central-1.amazonaws.com"]);
        for good in [
            "cdn.acme.com",
            "CDN.acme.com",
            "cdn.acme.com.",
            "a.s3.eu-central-1.amazonaws.com",
            "a.b.s3.eu-central-1.amazonaws.com",
        ] {
            assert!(list.has(good, 443), "{good}");
        }
        for bad in [
            "",
            "acme.com",
            "x.cdn.acme.com",
            "cdn.acme.com.evil.example",
            "evilcdn.acme.com",
            "s3.eu-central-1.amazonaws.com",
            "xs3.eu-central-1.amazonaws.com",
            ".s3.eu-central-1.amazonaws.com",
            "127.0.0.1",
        ] {
            assert!(!list.has(bad, 443), "{bad}");
        }
        assert!(!list.has("cdn.acme.com", 8443) && allowed(&["cdn.acme.com:8443"]).has("cdn.acme.com", 8443));
        assert!(!allowed(&["cdn.acme.com:8443"]).has("cdn.acme.com", 443), "the port is a part of it");
        assert!(!Allowed::default().has("cdn.acme.com", 443), "none by default");
    }

    #[test]
    fn what_is_no_name_of_a_host_is_refused() {
        for bad in [
            "",
            "*",
            "*.",
            "*.com",
            "a*.example",
            "https://a.example",
            "a.example/x",
            "a.example:https",
            "a.example:70000",
            "a.example:0",
            "a..b",
            "[::1]",
            "a b",
        ] {
            assert!(Allowed::default().with(bad).is_err(), "{bad}");
        }
    }
}
