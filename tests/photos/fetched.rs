//! `map --fetch`: pictures are fetched as the daemon would, by a proxy as well, nothing is uploaded, and no link is printed whole. What
//! would make a dead letter of the event is one, with `--fetch` or without, as far as it can be known.
//!
//! Not here: what `map` says of an event without photos (`tests/map.rs`).

use std::process::Output;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::front::{Manner, Proxy};
use crate::stage::{SKETCH, Stage};
use crate::support::daemon::{Setup, program};
use crate::support::deadline::within;

/// What it prints of this visit, and how it ends.
async fn mapped(setup: &Setup, event: &Value, more: &[&str]) -> (String, Option<i32>) {
    mapped_as("visit", setup, event, more).await
}

/// The same of an event of this type.
async fn mapped_as(kind: &str, setup: &Setup, event: &Value, more: &[&str]) -> (String, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let [config, file] = ["config.toml", "event.json"].map(|name| folder.path().join(name));
    std::fs::write(&config, setup.toml()).unwrap();
    std::fs::write(&file, event.to_string()).unwrap();
    let mut command = Command::new(program());
    command.arg("--config").arg(&config).args(["map", "--kind", kind, "--message-id", "v1"]).args(more).arg(&file);
    let Output { status, stdout, .. } = within(60, "its words", command.output()).await.unwrap();
    (String::from_utf8(stdout).unwrap(), status.code())
}

/// What a page says of the photos. The event itself is shown whole, to the person who gave it.
fn of_photos(page: &str) -> &str {
    &page[page.find("\nphotos").expect("photos")..]
}

#[tokio::test(flavor = "multi_thread")]
async fn map_fetches_only_where_it_is_told_to_and_says_what_came_and_uploads_nothing() {
    let stage = Stage::new().await;
    let setup = stage.setup("addresses = \"any\"\nmax_size = \"1MiB\"");
    let event = |path: &str| json!({ "url": stage.link(&format!("{path}?X-Amz-Signature=S3CRET")), "sketch": SKETCH });
    let (page, code) = mapped(&setup, &event("jpeg/70000"), &[]).await;
    assert!(page.contains("/jpeg/70000\n") && !of_photos(&page).contains("S3CRET"), "{page}");
    assert_eq!((code, stage.host.asked()), (Some(0), 0), "a dry run asks nobody");
    for (path, words) in [
        ("jpeg/70000", "image/jpeg, 70000 bytes"),
        ("chunked/50000", "image/jpeg, 50000 bytes"),
        ("503", "cannot be had: server_error"),
    ] {
        let (page, code) = mapped(&setup, &event(path), &["--fetch"]).await;
        assert!(page.contains(words) && page.contains("image/jpeg, 5 bytes"), "{path}: {page}");
        assert!(page.contains("  create: rule") && !of_photos(&page).contains("S3CRET"), "{path}: {page}");
        assert_eq!(code, Some(0), "{path}: {page}");
    }
    let (line, _) = mapped(&setup, &event("jpeg/70000"), &["--fetch", "--json"]).await;
    let shown: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(shown["photos"][0]["picture"], "image/jpeg, 70000 bytes", "{shown}");
    assert!(stage.scene.api.requests().is_empty(), "the API is not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_is_needed_and_cannot_be_had_is_the_dead_letter_that_the_daemon_would_make() {
    let stage = Stage::new().await;
    let setup = stage.setup("addresses = \"any\"\nmax_size = \"1MiB\"");
    for (path, reason, words) in [
        ("404", "photo_gone", "its source answered 404"),
        ("403", "photo_denied", "its source answered 403"),
        ("html", "photo_type", "its first bytes are of no JPEG"),
        ("said-huge", "photo_too_large", "the picture is larger than"),
        ("to/https:~~elsewhere.example~1", "photo_not_allowed", "which photos.allow does not name"),
    ] {
        let event = json!({ "url": stage.link(&format!("{path}?X-Amz-Signature=S3CRET")), "sketch": SKETCH });
        let (page, code) = mapped(&setup, &event, &["--fetch"]).await;
        let dead = format!("dead letter: {reason}, photo site: ");
        assert!(page.contains(&dead) && page.contains(words) && page.contains("image/jpeg, 5 bytes"), "{path}: {page}");
        assert!(!page.contains("curl") && !of_photos(&page).contains("S3CRET"), "{path}: {page}");
        assert_eq!(code, Some(1), "{path}: {page}");
        let (line, code) = mapped(&setup, &event, &["--fetch", "--json"]).await;
        let shown: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&shown["result"], &shown["reason"], code), (&json!("dead_lettered"), &json!(reason), Some(1)));
        assert!(shown["text"].as_str().unwrap().contains(words) && shown.get("bytes").is_none(), "{shown}");
        assert!(shown["photos"][0]["missing"].as_str().unwrap().starts_with(reason), "{shown}");
    }
    assert!(stage.scene.api.requests().is_empty(), "the API is not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_its_rule_does_without_is_left_out_of_the_request_that_is_shown() {
    let stage = Stage::new().await;
    let setup = stage.setup("addresses = \"any\"");
    let shown = async |path: &str| {
        let event = json!({ "url": stage.link(path) });
        let (page, _) = mapped_as("lenient", &setup, &event, &["--fetch"]).await;
        let (line, code) = mapped_as("lenient", &setup, &event, &["--fetch", "--json"]).await;
        assert_eq!(code, Some(0), "{line}");
        (page, serde_json::from_str::<Value>(&line).unwrap())
    };
    let (page, all) = shown("404").await;
    assert!(page.contains("  create: rule") && page.contains("cannot be had, and is left out: photo_gone"), "{page}");
    assert_eq!(all["body"], json!({ "data": { "event_key": "v1" } }));
    assert_eq!(all["bytes"], r#"{"data":{"event_key":"v1"}}"#);
    assert!(all["curl"].as_str().unwrap().contains(r#"--data-raw '{"data":{"event_key":"v1"}}'"#), "{all}");
    assert_eq!(all["photos"][0]["left_out"], true);
    for path in ["jpeg/1000", "503"] {
        let (_, all) = shown(path).await;
        assert_eq!(all["body"]["data"]["site"], all["photos"][0]["id"], "{all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_not_followed_is_a_dead_letter_before_anybody_is_asked_in_the_words_of_the_daemon() {
    let stage = Stage::new().await;
    let setup = stage.setup("addresses = \"any\"");
    for (link, words) in [
        (stage.link("jpeg/1000").replace("https://", "http://"), "it is no https:// link"),
        ("ftp://elsewhere.example/1".into(), "it is no https:// link"),
        ("nonsense".into(), "it is no link"),
        ("https://elsewhere.example/1".into(), "of the host elsewhere.example, which photos.allow does not name"),
        ("https://elsewhere.example:8443/1?sig=S3CRET".into(), "elsewhere.example:8443, which photos.allow"),
    ] {
        let event = json!({ "url": link, "sketch": SKETCH });
        let dead = async |more: &[&str]| {
            let (page, code) = mapped(&setup, &event, more).await;
            assert!(!of_photos(&page).contains("S3CRET"), "{page}");
            assert_eq!(code, Some(1), "{page}");
            page.lines().find(|line| line.contains("dead letter: ")).expect("dead").to_owned()
        };
        let (looked, fetched) = (dead(&[]).await, dead(&["--fetch"]).await);
        assert!(looked.contains("photo_not_allowed, photo site: ") && looked.contains(words), "{looked}");
        assert_eq!(looked, fetched);
    }
    assert_eq!(stage.host.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn map_fetches_nothing_from_an_address_of_our_own_network() {
    let stage = Stage::new().await;
    let event = json!({ "url": stage.link("jpeg/1000"), "sketch": SKETCH });
    let (page, code) = mapped(&stage.setup(""), &event, &["--fetch"]).await;
    assert!(page.contains("cannot be had: photo_not_allowed"), "{page}");
    assert_eq!((code, stage.host.asked()), (Some(1), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn by_a_proxy_the_list_alone_decides_and_no_host_is_asked_beside_it() {
    let (stage, proxy) = (Stage::new().await, Proxy::new().await);
    let setup = stage.setup(&format!("proxy = \"{}\"", proxy.url()));
    let event = |link: String| json!({ "url": link, "sketch": SKETCH });
    let (page, _) = mapped(&setup, &event(stage.link("jpeg/1000")), &["--fetch"]).await;
    // Its address is one of our own network, which nobody but the proxy sees.
    assert!(page.contains("image/jpeg, 1000 bytes"), "{page}");
    assert_eq!((proxy.asked(), stage.host.asked()), (1, 1));
    let (page, code) = mapped(&setup, &event("https://elsewhere.example/1".into()), &["--fetch"]).await;
    assert!(page.contains("cannot be had: photo_not_allowed"), "{page}");
    assert_eq!((code, proxy.asked()), (Some(1), 1));
    proxy.becomes(Manner::Answers("503 Not today"));
    let (page, _) = mapped(&setup, &event(stage.link("jpeg/1000")), &["--fetch"]).await;
    assert!(page.contains("cannot be had: ") && !page.contains("image/jpeg, 1000 bytes"), "{page}");
    assert_eq!((proxy.asked(), stage.host.asked()), (2, 1), "nobody goes round it");
}
