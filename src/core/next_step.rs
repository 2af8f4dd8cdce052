//! What a person is told of a shut gate: who answered what, what that means, and what to do about it.
//!
//! Not here: the fixed words of logs and metrics (`words`), and when a gate shuts (`gate`).

use crate::core::reason::HaltReason;

/// One sentence with the next step, for a gate that shut for this trouble. Total over troubles and statuses.
///
/// `status` is that of the answer, if one came; `host` is where it came from, or where a redirect points to. The sentence
/// holds nothing else of a request or an answer.
#[must_use]
pub fn next_step(reason: HaltReason, status: Option<u16>, host: Option<&str>) -> String {
    let who = match (reason, host) {
        (HaltReason::Redirected, _) | (_, None) => "the API".to_owned(),
        (_, Some(host)) => format!("the API ({host})"),
    };
    let told = step(reason, status);
    match (status, reason, host) {
        (Some(status), HaltReason::Redirected, Some(target)) => {
            format!("{who} answered {status} and points to {target}: {told}")
        }
        (Some(status), ..) => format!("{who} answered {status}: {told}"),
        (None, _, Some(host)) if reason != HaltReason::Redirected => format!("nothing was asked of {host}: {told}"),
        (None, ..) => told.to_owned(),
    }
}

/// What it means, and what to do.
fn step(reason: HaltReason, status: Option<u16>) -> &'static str {
    match reason {
        HaltReason::TokenUnreadable => {
            "the token cannot be read, or cannot stand in a header; correct the file that `api.token_file` names, it is \
             read within 2 s"
        }
        HaltReason::Unauthorized => {
            "the token in `api.token_file` was refused; put a new one there, it is read within 2 s (one that is written \
             as `api.token` takes a restart)"
        }
        HaltReason::PaymentRequired => {
            "the plan of the ChakraHQ account does not cover this, or is not paid; settle that there, events go on by \
             themselves"
        }
        HaltReason::Redirected => {
            "`api.base_url` is not where the API is, or a login stands before it; correct it and restart"
        }
        HaltReason::Certificate => certificate(status),
        HaltReason::Proxy => "the proxy makes no way to the API; look at `api.proxy`, and at what that proxy allows",
        HaltReason::NotTheApi => {
            "that is not the API speaking, but a proxy, a firewall or another server in its place; look at \
             `api.base_url`, and at what stands before the API"
        }
        HaltReason::Forbidden => {
            "the role of the token may not create in this procedure; let it, in the admin of ChakraHQ, or put the token \
             of another role into `api.token_file`"
        }
        HaltReason::ProcedureUnknown => {
            "it knows no such procedure; set `procedure` of the rule to the short id from the procedure's details page, \
             and reload"
        }
        HaltReason::LookupUntrusted => {
            "a lookup brought processes that it did not ask for; set `reconcile_by` of the rule to an attribute that the \
             API can search by, and reload"
        }
        HaltReason::Unsupported => unsupported(status),
        HaltReason::HeadersTooLarge => {
            "the headers of our requests are too large for it; look whether `api.token_file` holds the token and nothing \
             else (it is read within 2 s), and what a proxy before the API adds"
        }
    }
}

/// An answer about a certificate is about ours; without one, `api.ca_file` may be what is missing.
fn certificate(status: Option<u16>) -> &'static str {
    if status.is_some() {
        return "it refuses our certificate, or misses one; look at `api.client_cert_file` and `api.client_key_file`, they \
                are read within 4 s";
    }
    "a certificate was refused, the server's here or ours there; look at `api.ca_file`, `api.client_cert_file` and \
     `api.client_key_file`, they are read within 4 s"
}

fn unsupported(status: Option<u16>) -> &'static str {
    match status {
        Some(405 | 501) => "it takes no POST there; correct the path of `api.base_url` and restart",
        Some(407) => "the proxy wants a user and a password, which `api.proxy` cannot hold; let it take us without",
        Some(414) => "the URL is too long for it; shorten `api.base_url` and restart",
        Some(421 | 464 | 505) => {
            "it does not serve that host or protocol (HTTP/1.1); correct `api.base_url` and restart, or the balancer before \
             the API"
        }
        Some(426 | 497) => "it wants another protocol on that port; let `api.base_url` begin with https:// and restart",
        Some(451) => "it refuses us for legal reasons, such as the country that we call from; ask its operator",
        Some(511) => "the network wants a login first; log this host in, or let its requests go another way",
        _ => {
            "it refuses headers that are the same in every request; look at what a proxy before the API takes away or adds"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "api.example";

    #[test]
    fn every_trouble_is_told_with_a_next_step_under_every_status() {
        let verbs = ["correct", "put ", "settle", "look ", "let ", "set ", "shorten", "ask ", "log "];
        for reason in HaltReason::ALL {
            for status in (0..=999).map(Some).chain([None]) {
                for host in [Some(HOST), None] {
                    let told = next_step(reason, status, host);
                    assert!(verbs.iter().any(|verb| told.contains(&format!("; {verb}"))), "{told}");
                    assert_eq!(
                        told.contains(HOST),
                        host.is_some() && (status.is_some() || reason != HaltReason::Redirected)
                    );
                    assert!(status.is_none_or(|status| told.contains(&format!("answered {status}"))), "{told}");
                    assert!(told.chars().count() < 400 && !told.contains(['\n', '\r']), "{told}");
                }
            }
        }
    }

    #[test]
    fn a_refused_token_is_told_with_the_file_to_write() {
        let told = next_step(HaltReason::Unauthorized, Some(401), None);
        assert!(
            told.starts_with(
                "the API answered 401: the token in `api.token_file` was refused; put a new one there, it is read within 2 s"
            ),
            "{told}"
        );
    }

    #[test]
    fn a_redirect_is_told_with_the_place_it_points_to() {
        let told = next_step(HaltReason::Redirected, Some(302), Some("https://login.example"));
        assert!(told.starts_with("the API answered 302 and points to https://login.example: `api.base_url`"), "{told}");
    }

    #[test]
    fn the_step_fits_the_status() {
        let told = |status| next_step(HaltReason::Unsupported, Some(status), Some(HOST));
        for (status, expected) in
            [(405, "path of `api.base_url`"), (407, "`api.proxy`"), (415, "headers"), (497, "https://")]
        {
            assert!(told(status).contains(expected), "{}", told(status));
        }
        assert!(next_step(HaltReason::Certificate, Some(496), None).contains("refuses our certificate"));
    }
}
