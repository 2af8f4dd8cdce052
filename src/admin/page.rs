//! The paths of the status page: the page itself, its style, its script and its icon, built into the program; and what it polls.
//! Nothing is loaded from outside, and a policy without exceptions keeps it so.
//!
//! Not here: what is told (`status`), and HTTP (`server`).

use std::sync::Arc;

use super::status::Status;

/// What a browser may load and run for the page: its own files, and nothing that stands in a page or an attribute.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The path of the page.
pub(super) const PAGE: &str = "/status";

const JSON: &str = "application/json";

/// What a path shows: its content type and its text.
pub(super) fn part(path: &str, status: &Status) -> Option<(&'static str, Arc<str>)> {
    let (content_type, text) = match path {
        PAGE => ("text/html; charset=utf-8", include_str!("page/index.html")),
        "/status.css" => ("text/css; charset=utf-8", include_str!("page/page.css")),
        "/status.js" => ("text/javascript; charset=utf-8", include_str!("page/page.js")),
        "/status.svg" => ("image/svg+xml", include_str!("page/icon.svg")),
        "/status.json" => return Some((JSON, status.text())),
        "/status-configuration.json" => return Some((JSON, status.configuration_text())),
        _ => return None,
    };
    Some((content_type, text.into()))
}
