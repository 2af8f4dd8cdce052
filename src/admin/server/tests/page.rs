//! The parts of the status page on a real socket: their types, their policy, and what is refused.
//!
//! Not here: what a browser makes of them (`tests/page.rs`), and what they tell (`status::tests`).

use super::*;
use crate::admin::page::POLICY;

const PARTS: [(&str, &str); 6] = [
    ("/status", "text/html"),
    ("/status.css", "text/css"),
    ("/status.js", "text/javascript"),
    ("/status.svg", "image/svg+xml"),
    ("/status.json", "application/json"),
    ("/status-configuration.json", "application/json"),
];

#[tokio::test]
async fn every_part_of_the_page_comes_in_its_type_under_the_policy_and_is_kept_nowhere() {
    running(async |address| {
        for (path, kind) in PARTS {
            let (head, body) = ask(address, "GET", path).await;
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {head}");
            for header in [
                &format!("content-type: {kind}"),
                &format!("content-security-policy: {POLICY}"),
                "x-content-type-options: nosniff",
                "cache-control: no-store",
                "cross-origin-resource-policy: same-origin",
            ] {
                assert!(head.contains(header), "{path} has no {header}: {head}");
            }
            assert!(body.len() > 20 && (kind != "application/json" || serde_json::from_str::<Value>(&body).is_ok()));
            assert_eq!(ask(address, "HEAD", path).await.1, "");
        }
    })
    .await;
}

#[tokio::test]
async fn the_page_only_shows() {
    running(async |address| {
        for (path, _) in PARTS {
            for method in ["POST", "PUT", "DELETE"] {
                let (head, _) = ask(address, method, path).await;
                assert!(
                    head.starts_with("HTTP/1.1 405 ") && head.contains("allow: GET, HEAD"),
                    "{method} {path}: {head}"
                );
            }
        }
        for path in ["/status/", "/status.html", "/status.json/", "/statusx", "/page.js"] {
            assert!(ask(address, "GET", path).await.0.starts_with("HTTP/1.1 404 "), "{path}");
        }
    })
    .await;
}

#[test]
fn the_policy_has_no_exception_and_the_page_needs_none() {
    assert!(POLICY.starts_with("default-src 'none';") && !POLICY.contains("unsafe") && !POLICY.contains('*'));
    assert!(!POLICY.contains("http") && !POLICY.contains("data:"), "{POLICY}");
    let page = include_str!("../../page/index.html");
    for inline in [" style=", "<style", " onclick", " onload", "javascript:", "//"] {
        assert!(!page.contains(inline), "{inline}");
    }
    // The name of SVG is none that is asked for.
    let script = include_str!("../../page/page.js").replace("http://www.w3.org/2000/svg", "");
    for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "://"] {
        assert!(!script.contains(way), "{way}");
    }
}
