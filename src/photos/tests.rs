//! Laws of links: what is followed, and what is never asked for.
//!
//! Not here: hosts that misbehave on the wire (`tests/photos`).

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::{Config, Fetcher};
use crate::core::photo::{Allowed, Link, Missed};
use crate::core::reason::Cause;
use crate::tls;

fn fetcher(allow: &[&str]) -> Fetcher {
    fetcher_of(allow, false)
}

fn fetcher_of(allow: &[&str], private_addresses: bool) -> Fetcher {
    let allow = allow.iter().fold(Allowed::default(), |all, host| all.with(host).unwrap());
    let tls = tls::Files { section: "photos", authorities: None, identity: None };
    let timeout = Duration::from_secs(2);
    Fetcher::new(&Config { allow, private_addresses, max_size: 1 << 20, timeout, tls, proxy: None }).unwrap()
}

async fn opened(fetcher: &Fetcher, link: &str) -> Missed {
    let link = Link::read(link).unwrap();
    let opening = fetcher.open(&link);
    tokio::time::timeout(Duration::from_secs(10), opening).await.unwrap().unwrap_err()
}

#[tokio::test]
async fn nothing_is_asked_for_but_https_links_of_hosts_of_the_list() {
    let listed = fetcher(&["cdn.example", "127.0.0.1", "localhost"]);
    for (link, words) in [
        ("http://cdn.example/1", "no https:// link"),
        ("file:///etc/passwd", "no https:// link"),
        ("ftp://cdn.example/1", "no https:// link"),
        ("nonsense", "no link"),
        ("https://evil.example/1?sig=S", "the host evil.example, which photos.allow"),
        ("https://cdn.example:8443/1", "cdn.example:8443"),
        ("https://cdn.example.evil.example/1", "cdn.example.evil.example"),
        ("https://0x7f.1/1", "our own networks"),
        ("https://2130706433/1", "our own networks"),
        ("https://127.0.0.1/1", "our own networks"),
        ("https://[::1]/1", "[::1]"),
        ("https://localhost/1", "no address of the public network"),
    ] {
        let Missed::NotAllowed(why) = opened(&listed, link).await else { panic!("{link}") };
        assert!(why.contains(words) && !why.contains("sig"), "{link}: {why}");
    }
}

#[tokio::test]
async fn where_no_host_is_allowed_nothing_is_asked_for() {
    let none = fetcher(&[]);
    assert!(matches!(opened(&none, "https://cdn.example/1").await, Missed::NotAllowed(_)));
}

/// Why nothing came over a connection to this port, and that no more of the link is told than its host and port.
async fn unreachable(fetcher: &Fetcher, port: u16) -> String {
    let missed = opened(fetcher, &format!("https://localhost:{port}/PATHPATH?sig=SIGNSIGN")).await;
    let Missed::Failed { cause: Cause::Unreachable, detail: Some(detail), .. } = missed else { panic!("{missed:?}") };
    assert!(!detail.contains("PATHPATH") && !detail.contains("SIGNSIGN"), "{detail}");
    detail
}

#[tokio::test]
async fn a_source_that_cannot_be_reached_is_said_why_and_no_more_of_the_link_is_than_its_host() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let own = fetcher_of(&[&format!("localhost:{port}")], true);
    let speaks_plain = async {
        let (mut near, _) = listener.accept().await.unwrap();
        near.write_all(b"SSH-2.0-OpenSSH_9.6\r\n").await.unwrap();
        near
    };
    let (detail, _) = tokio::join!(unreachable(&own, port), speaks_plain);
    assert!(detail.contains("does not speak TLS"), "{detail}");
    drop(listener);
    let detail = unreachable(&own, port).await;
    assert!(detail.contains("refused"), "{detail}");
}
