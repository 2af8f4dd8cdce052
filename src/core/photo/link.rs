//! The link of a picture. Its query may be a signature, which is a secret: it is never printed.
//!
//! Not here: whether it may be followed (`hosts`, `crate::photos`).

use std::fmt;
use std::sync::Arc;

/// The longest link, in bytes.
pub const LINK_BYTES_MAX: usize = 4096;

/// A link.
#[derive(Clone, PartialEq, Eq)]
pub struct Link(Arc<str>);

impl Link {
    /// Takes a link.
    ///
    /// # Errors
    /// Says what was expected, where it cannot be one.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let is_plain = !text.chars().any(|char| char.is_control() || char.is_whitespace());
        if text.is_empty() || text.len() > LINK_BYTES_MAX || !is_plain {
            return Err(format!("a link of 1 to {LINK_BYTES_MAX} bytes without spaces"));
        }
        let link = Self(text.into());
        // What stands there is a secret, and would be printed with the rest.
        if link.authority().contains('@') { Err("a link without user and password".to_owned()) } else { Ok(link) }
    }

    /// The whole link, with what signs it: for the one request, and for nobody to read.
    #[must_use]
    pub fn whole(&self) -> &str {
        &self.0
    }

    /// The link without query and fragment.
    #[must_use]
    pub fn bare(&self) -> &str {
        let end = self.0.find(['?', '#']).unwrap_or(self.0.len());
        &self.0[..end]
    }

    /// The host and its port, which is left out where it is the usual one, as far as they can be told without resolving anything: to
    /// name its source, and not to decide what may be asked.
    #[must_use]
    pub fn host(&self) -> &str {
        let whole = self.authority();
        let is_usual = |(_, port): &(&str, &str)| port.is_empty() || port.parse() == Ok(443_u16);
        whole.rsplit_once(':').filter(is_usual).map_or(whole, |(host, _)| host)
    }

    fn authority(&self) -> &str {
        let rest = self.bare().split_once("://").map_or("", |(_, rest)| rest);
        rest.split(['/', '\\']).next().unwrap_or_default()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Link")
    }
}

/// Names of parameters that say when a signed link ends, as the usual stores write them.
const EXPIRIES: [&str; 6] = ["expires", "x-amz-expires", "x-goog-expires", "se", "expiry", "exp"];

/// Whether a link carries an expiry: one that is refused has then most likely expired.
#[must_use]
pub fn has_expiry(link: &str) -> bool {
    let link = link.split('#').next().unwrap_or_default();
    let query = link.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        EXPIRIES.iter().any(|expiry| name.eq_ignore_ascii_case(expiry))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_tells_its_host_with_a_port_that_is_not_the_usual_one_and_never_its_query() {
        let told = |text: &str| Link::read(text).map(|link| (link.bare().to_owned(), link.host().to_owned()));
        let link = |bare: &str, host: &str| Ok((bare.to_owned(), host.to_owned()));
        assert_eq!(told(" https://a.example/1.jpg?sig=S#f "), link("https://a.example/1.jpg", "a.example"));
        assert_eq!(told("https://a.example:8443?x=/y"), link("https://a.example:8443", "a.example:8443"));
        assert_eq!(told("https://a.example:443/1"), link("https://a.example:443/1", "a.example"));
        assert_eq!(told("https://a.example:/1"), link("https://a.example:/1", "a.example"));
        assert_eq!(told("https://[::1]:1/a"), link("https://[::1]:1/a", "[::1]:1"));
        assert_eq!(told("https://[::1]:443/a"), link("https://[::1]:443/a", "[::1]"));
        assert_eq!(told("https://[::443]/a"), link("https://[::443]/a", "[::443]"));
        assert_eq!(told("nonsense"), link("nonsense", ""));
        for bad in ["", "  ", "https://a b", "https://a\nb", "https://u:p@a.example/", "https://a@b.example\\x"] {
            assert!(told(bad).is_err(), "{bad:?}");
        }
        assert!(Link::read(&"a".repeat(LINK_BYTES_MAX + 1)).is_err());
        assert_eq!(format!("{:?}", Link::read("https://a.example/?sig=S").unwrap()), "Link");
    }

    #[test]
    fn a_link_with_an_expiry_is_told_from_one_without() {
        for signed in [
            "https://a.example/1?X-Amz-Expires=60&X-Amz-Signature=S",
            "https://a.example/1?sv=1&se=2026&sig=S",
            "https://a.example/1?a=b&Expires=1",
        ] {
            assert!(has_expiry(signed), "{signed}");
        }
        for other in [
            "https://a.example/1",
            "https://a.example/expires=1",
            "https://a.example/1?v=expires",
            "https://a.example/1#?se=1",
        ] {
            assert!(!has_expiry(other), "{other}");
        }
    }
}
