//! Photos on a real broker: from a link in an event to a process that names a photo, and hosts of pictures that are slow, hang, lie,
//! lead astray, or send what is no picture.
//!
//! Not here: what an answer to an upload means (`core::photo`), and the share of a host (`core::delivery`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[allow(dead_code, reason = "the tests of TLS use the rest of it")]
#[path = "tls/authority.rs"]
mod authority;
#[path = "photos/fetched.rs"]
mod fetched;
#[allow(dead_code, reason = "the tests of TLS use the rest of it")]
#[path = "tls/front.rs"]
mod front;
#[path = "photos/host.rs"]
mod host;
#[path = "photos/kills.rs"]
mod kills;
#[path = "photos/stage.rs"]
mod stage;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use stage::Stage;
use support::daemon::announced;
use support::deadline::within;
use support::standin::{Canned, On, Rule};

const OWN: &str = "addresses = \"any\"";

fn on_photos(fault: impl Into<support::standin::Fault>) -> Rule {
    Rule { on: On::Photo, ..Rule::always(fault.into()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_with_a_link_and_a_picture_becomes_a_process_that_names_both_photos() {
    let stage = Stage::new().await;
    let daemon = stage.daemon(OWN).await;
    for (id, path) in [("v1", "jpeg/100000"), ("v2", "chunked/70000"), ("v3", "flaky/1")] {
        stage.visit(id, path).await;
    }
    within(60, "processes", stage.scene.until_created(3)).await;
    let (named, missing) = stage.named_and_missing();
    assert_eq!((named.len(), missing), (6, Vec::<String>::new()), "each of both photos, and each was there before");
    let photos = stage.scene.api.photos();
    assert_eq!(photos.len(), 6);
    let mut lengths: Vec<usize> = photos.iter().map(|photo| photo.length).collect();
    lengths.sort_unstable();
    assert_eq!(lengths, [5, 5, 5, 1000, 70_000, 100_000], "byte for byte");
    assert!(
        photos
            .iter()
            .all(|photo| photo.filetype.as_deref() == Some("jpg") && photo.first.starts_with(&host::JPEG[..3]))
    );
    assert!(photos.iter().any(|photo| photo.filename.as_deref() == Some("v1.jpg")));
    let heads = stage.host.heads().join("\n").to_lowercase();
    assert!(!heads.contains("authorization") && !heads.contains("cookie") && !heads.contains("referer"), "{heads}");
    assert_eq!(announced(&daemon.log()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_fail_or_lose_their_answer_or_are_there_already_cost_time_and_nothing_else() {
    let stage = Stage::new().await;
    stage.scene.api.refuse_second_uploads(true);
    stage.scene.api.plan(vec![
        Rule { first: Some(3), ..on_photos(support::standin::Fault::CreateThenReset) },
        Rule { first: Some(3), ..on_photos(Canned::new(503)) },
    ]);
    let daemon = stage.daemon(OWN).await;
    for n in 0..5 {
        stage.visit(&format!("v{n}"), &format!("jpeg/{}", 1000 + n)).await;
    }
    within(90, "processes", stage.scene.until_created(5)).await;
    let (named, missing) = stage.named_and_missing();
    assert_eq!((named.len(), missing), (10, Vec::<String>::new()));
    assert_eq!(stage.scene.api.photos().len(), 10, "one photo of each id");
    assert_eq!(stage.scene.api.created().len(), 5);
    assert_eq!(announced(&daemon.log()), Vec::<String>::new(), "no upload makes a doubt");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_host_does_is_told_and_holds_up_nobody_else() {
    let stage = Stage::new().await;
    let setup = stage.setup(&format!("{OWN}\ntimeout = \"1s\"\nmax_size = \"1MiB\"\nat_once = 32"));
    let setup = setup.sections("[retry]\ninitial = \"100ms\"\nmax_interval = \"200ms\"\ngive_up_after = \"1s\"\nbudget = 1.0\n[gate]\nfailures = 1000");
    let inside = format!("to/https:~~127.0.0.1:{}~jpeg~1000", stage.host.address().port());
    let manners = [
        ("404", "photo_gone"),
        ("410", "photo_gone"),
        ("403", "photo_denied"),
        ("403?X-Amz-Expires=60&X-Amz-Signature=S", "photo_expired"),
        ("html", "photo_type"),
        ("said-huge", "photo_too_large"),
        ("endless", "photo_too_large"),
        (&inside, "photo_not_allowed"),
        ("to/http:~~localhost~1", "photo_not_allowed"),
        ("to/https:~~evil.example~1", "photo_not_allowed"),
        ("round", "photo_not_allowed"),
        ("slow", "exhausted"),
        ("hang", "exhausted"),
        ("short", "exhausted"),
        ("503", "exhausted"),
    ];
    let daemon = support::daemon::Daemon::consumes(&setup).await;
    for (path, _) in &manners {
        stage.visit(path, path).await;
    }
    stage.visit("long", "long").await;
    stage.publish("lenient", "lenient", &json!({ "url": stage.link("404") })).await;
    for n in 0..10 {
        stage.publish("plain", &format!("p{n}"), &json!({})).await;
    }
    within(60, "what is well", stage.scene.until_created(12)).await;
    let dead = stage.scene.dead();
    stage.scene.client.until_depth(&dead, u32::try_from(manners.len()).unwrap(), Duration::from_secs(60)).await;
    let mut reasons = BTreeMap::new();
    for letter in stage.scene.client.drain(&dead).await {
        let headers = letter.properties.headers().clone().unwrap_or_default();
        let of =
            |name: &str| headers.inner().get(name).and_then(|value| value.as_long_string()).map(ToString::to_string);
        reasons.insert(of("chakra-bridge-key").unwrap_or_default(), of("chakra-bridge-reason").unwrap_or_default());
        assert_eq!(of("chakra-bridge-may-exist").as_deref().unwrap_or("false"), "false");
    }
    for (path, reason) in manners {
        assert_eq!(reasons.get(path).map(String::as_str), Some(reason), "{path}: {reasons:?}");
    }
    let left_out = daemon.logged(|line| support::daemon::says(line, "photo left out"));
    assert_eq!(left_out.len(), 1, "{left_out:?}");
    let (_, missing) = stage.named_and_missing();
    assert!(missing.is_empty(), "no process names a photo that is not there: {missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_with_an_address_of_our_own_network_is_not_asked_however_it_is_allowed() {
    let stage = Stage::new().await;
    let _daemon = stage.daemon("").await;
    stage.visit("v1", "jpeg/1000").await;
    let dead = stage.scene.dead();
    within(60, "a dead letter", stage.scene.client.until_depth(&dead, 1, Duration::from_secs(60))).await;
    assert_eq!((stage.host.asked(), stage.scene.api.photos().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_signs_a_link_is_told_to_its_host_and_to_nobody_else() {
    const CANARY: &str = "CANARYCANARY";
    let stage = Stage::new().await;
    let setup = stage.setup(&format!("{OWN}\ntimeout = \"1s\"")).sections(
        "[retry]\ninitial = \"100ms\"\nmax_interval = \"200ms\"\ngive_up_after = \"1s\"\nbudget = 1.0\n[gate]\nfailures = 2\nprobe_initial = \"100ms\"\nprobe_max = \"200ms\"",
    );
    let mut daemon = support::daemon::Daemon::consumes(&setup).await;
    let signed = |path: &str| format!("{path}?X-Amz-Expires=1&X-Amz-Signature={CANARY}");
    for (n, path) in ["jpeg/1000", "404", "403", "html", "hang", "503", "round"].iter().enumerate() {
        stage.visit(&format!("c{n}"), &signed(path)).await;
    }
    let elsewhere = format!("https://elsewhere.example/1?sig={CANARY}");
    stage.publish("visit", "c7", &json!({ "url": elsewhere, "sketch": stage::SKETCH })).await;
    stage.publish("lenient", "c8", &json!({ "url": elsewhere })).await;
    let dead = stage.scene.dead();
    within(60, "dead letters", stage.scene.client.until_depth(&dead, 7, Duration::from_secs(60))).await;
    let admin = within(20, "the admin port", daemon.admin()).await;
    for path in ["metrics", "readyz", "livez", "status", "status.json", "status-configuration.json"] {
        let page = reqwest::get(format!("{admin}/{path}")).await.unwrap().text().await.unwrap();
        assert!(!page.contains(CANARY), "{path}: {page}");
    }
    for letter in stage.scene.client.drain(&dead).await {
        let headers = format!("{:?}", letter.properties.headers());
        assert!(!headers.contains(CANARY), "{headers}");
    }
    assert!(stage.host.heads().iter().any(|head| head.contains(CANARY)), "its host is told");
    let requests = stage.scene.api.requests();
    assert!(requests.iter().all(|seen| !seen.path.contains(CANARY)));
    assert!(stage.scene.api.created().iter().all(|created| !created.body.contains(CANARY)));
    let log: Vec<String> = daemon.log().iter().map(ToString::to_string).collect();
    assert!(log.len() > 5 && log.iter().all(|line| !line.contains(CANARY)), "{log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_shut_is_told_with_why_and_when_it_is_asked_again() {
    let stage = Stage::new().await;
    let setup = stage.setup(OWN).sections("[gate]\nfailures = 2");
    let mut daemon = support::daemon::Daemon::consumes(&setup).await;
    for n in 0..2 {
        stage.visit(&format!("v{n}"), "503").await;
    }
    let line = within(60, "the line", daemon.until(|line| support::daemon::says(line, "photo source shut"))).await;
    assert_eq!((&line["why"], &line["status"]), (&json!("server_error"), &json!(503)), "{line}");
    assert!(line["probe_in_s"].as_f64().is_some_and(|wait| wait > 0.0), "{line}");
    assert_eq!(line["host"], stage.named().as_str(), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_behind_the_events_of_a_host_that_hangs_comes_in_before_its_first_fetch_has_timed_out() {
    let stage = Stage::new().await;
    let _daemon = stage.daemon(OWN).await;
    let began = std::time::Instant::now();
    let hanging = (0..150).map(|n| ("lenient", format!("v{n}")));
    stage.publish_all(&hanging.collect::<Vec<_>>(), &json!({ "url": stage.link("hang") })).await;
    let plain = (0..100).map(|n| ("plain", format!("p{n}")));
    stage.publish_all(&plain.collect::<Vec<_>>(), &json!({})).await;
    within(50, "those without photos", stage.scene.until_created(1)).await;
    let first = began.elapsed();
    within(50, "those without photos", stage.scene.until_created(100)).await;
    println!(
        "150 events of a host that hangs, then 100 without photos: the first {first:?}, all {:?}",
        began.elapsed()
    );
    assert!(first < Duration::from_millis(4500), "{first:?}: a second, and not the five of the tick");
}

/// Events that are held at a time with a picture each; `PHOTOS=64` is what the evidence shows.
const HELD: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn large_pictures_of_a_whole_prefetch_stay_within_the_stated_memory() {
    let held = std::env::var("PHOTOS").ok().and_then(|text| text.parse().ok()).unwrap_or(HELD);
    let stage = Stage::new().await;
    // A quarter for the one host there is: as many at once as by default of all hosts together.
    let setup = stage.setup(&format!("{OWN}\ntimeout = \"100s\"\nat_once = 32")).api("timeout = \"120s\"");
    let daemon = support::daemon::Daemon::consumes(&setup).await;
    let before = daemon.peak_memory_kib();
    for n in 0..held {
        // Whatever is said of their length: half of them say none, and are gathered.
        let path = if n % 2 == 0 { format!("chunked/{}", 10 << 20) } else { format!("jpeg/{}", 10 << 20) };
        stage.visit(&format!("m{n}"), &path).await;
    }
    within(300, "processes", stage.scene.until_created(held)).await;
    let (grown, stated) = ((daemon.peak_memory_kib() - before) / 1024, 8 * 11);
    println!("{held} events with pictures of 10 MiB: {grown} MiB more at the peak; {stated} MiB are stated");
    assert!(grown <= stated, "{grown} MiB");
    assert_eq!(stage.scene.api.photos().iter().filter(|photo| photo.length == 10 << 20).count(), held);
}
