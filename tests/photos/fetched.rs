//! `map --fetch`: pictures are fetched as the daemon would, by a proxy as well, nothing is uploaded, and no link is printed whole.
//!
//! Not here: what `map` says of an event without photos (`tests/map.rs`).

use std::process::Output;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::front::{Manner, Proxy};
use crate::stage::{SKETCH, Stage};
use crate::support::daemon::{Setup, program};
use crate::support::deadline::within;

/// What it prints of this event, and how it ends.
async fn mapped(setup: &Setup, event: &Value, more: &[&str]) -> (String, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let [config, file] = ["config.toml", "event.json"].map(|name| folder.path().join(name));
    std::fs::write(&config, setup.toml()).unwrap();
    std::fs::write(&file, event.to_string()).unwrap();
    let mut command = Command::new(program());
    command.arg("--config").arg(&config).args(["map", "--kind", "visit", "--message-id", "v1"]).args(more).arg(&file);
    let Output { status, stdout, .. } = within(60, "its words", command.output()).await.unwrap();
    (String::from_utf8(stdout).unwrap(), status.code())
}

/// What a page says of the photos. The event itself is shown whole, to the person who gave it.
fn of_photos(page: &str) -> &str {
    &page[page.find("photos, uploaded first").expect("photos")..]
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
        ("404", "cannot be had: photo_gone"),
        ("403", "cannot be had: photo_denied"),
        ("html", "cannot be had: photo_type"),
        ("said-huge", "cannot be had: photo_too_large"),
        ("to/https:~~elsewhere.example~1", "which photos.allow does not name"),
        ("503", "cannot be had: server_error"),
    ] {
        let (page, code) = mapped(&setup, &event(path), &["--fetch"]).await;
        assert!(page.contains(words) && page.contains("image/jpeg, 5 bytes"), "{path}: {page}");
        assert!(code == Some(0) && !of_photos(&page).contains("S3CRET"), "{path}: {page}");
    }
    let (line, _) = mapped(&setup, &event("jpeg/70000"), &["--fetch", "--json"]).await;
    let shown: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(shown["photos"][0]["picture"], "image/jpeg, 70000 bytes", "{shown}");
    assert!(stage.scene.api.requests().is_empty(), "the API is not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn map_fetches_nothing_from_an_address_of_our_own_network() {
    let stage = Stage::new().await;
    let event = json!({ "url": stage.link("jpeg/1000"), "sketch": SKETCH });
    let (page, _) = mapped(&stage.setup(""), &event, &["--fetch"]).await;
    assert!(page.contains("cannot be had: photo_not_allowed"), "{page}");
    assert_eq!(stage.host.asked(), 0);
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
    let (page, _) = mapped(&setup, &event("https://elsewhere.example/1".into()), &["--fetch"]).await;
    assert!(page.contains("cannot be had: photo_not_allowed"), "{page}");
    assert_eq!(proxy.asked(), 1);
    proxy.becomes(Manner::Answers("503 Not today"));
    let (page, _) = mapped(&setup, &event(stage.link("jpeg/1000")), &["--fetch"]).await;
    assert!(page.contains("cannot be had: ") && !page.contains("image/jpeg, 1000 bytes"), "{page}");
    assert_eq!((proxy.asked(), stage.host.asked()), (2, 1), "nobody goes round it");
}
