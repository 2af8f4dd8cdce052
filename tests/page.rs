//! The status page of the real daemon in headless Chromium: at rest, under load, with dead letters and with the gate shut; by day and
//! by night, on a desk and on a phone, by keyboard and as a screen reader hears it. Each state leaves a picture in `target/page`.
//!
//! Not here: what the page is told (`admin::status::tests`), and its policy on the wire (`admin::server::tests::page`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[path = "page/acts.rs"]
mod acts;
#[path = "page/browser.rs"]
mod browser;
#[path = "page/laws.rs"]
mod laws;
#[path = "page/stage.rs"]
mod stage;

use std::cell::Cell;

use browser::{Browser, DESK, PHONE, Size};
use stage::{CANARY, Stage};
use support::deadline::within;
use support::standin::StandIn;

/// Waits in the page, in seconds: it polls every two, and tells what flows of the last ten.
const PATIENCE: u64 = 60;

async fn shows(page: &mut Browser, what: &str, condition: &str) {
    within(PATIENCE, what, page.until(condition)).await;
}

/// What the headline says.
fn titled(title: &str) -> String {
    format!("document.querySelector('#headline-title').textContent === '{title}'")
}

async fn at_rest(page: &mut Browser) {
    shows(page, "rest", &titled("At rest")).await;
    shows(page, "nothing shut", "!document.querySelector('#shut-none').hidden").await;
    page.picture("rest").await;
    page.picture_of(PHONE, "rest-phone").await;
}

async fn under_load(page: &mut Browser, stage: &Stage) {
    let is_seen = Cell::new(false);
    let load = async {
        while !is_seen.get() {
            stage.load(250).await;
        }
    };
    let seen = async {
        shows(page, "flow", &titled("Events flow")).await;
        let moves = "document.querySelector('#wire-processes').dataset.speed && document.querySelector('#held').textContent !== '0'";
        shows(page, "what moves", moves).await;
        page.picture("load").await;
        is_seen.set(true);
    };
    tokio::join!(load, seen);
}

async fn with_dead_letters(page: &mut Browser, stage: &Stage) {
    stage.dead_letters(7, 3).await;
    shows(
        page,
        "dead letters",
        "[...document.querySelectorAll('#letters .count')].map((n) => n.textContent).join() === '7,3'",
    )
    .await;
    let commands =
        page.text("[...document.querySelectorAll('#letters code')].map((n) => n.textContent).join('\\n')").await;
    assert!(
        commands.contains("chakra-bridge dead-letters retry --reason unmappable --rule='new <b>lead</b> & more'"),
        "{commands}"
    );
    assert!(commands.contains("chakra-bridge dead-letters show --reason no_rule"), "{commands}");
    page.picture("dead-letters").await;
    page.picture_of(PHONE, "dead-letters-phone").await;
}

async fn with_the_gate_shut(page: &mut Browser, stage: &Stage) {
    stage.refuse_the_token().await;
    shows(page, "shut", &titled("Shut")).await;
    shows(page, "why and when", "/everything: unauthorized/.test(document.querySelector('#shut').textContent)").await;
    let card = page.text("document.querySelector('#shut').innerText").await;
    assert!(card.contains("asks again") && card.contains("401") && card.contains("ago"), "{card}");
    assert_eq!(page.text("document.querySelector('#gate').dataset.state").await, "shut");
    page.picture("shut").await;
    page.night(true).await;
    page.picture("shut-night").await;
    page.picture_of(PHONE, "shut-night-phone").await;
    page.night(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_rest_load_dead_letters_and_a_shut_gate_and_no_payload() {
    let Some(mut page) = within(PATIENCE, "a browser", Browser::start()).await else { return };
    let mut stage = within(300, "a stage", Stage::begin()).await;
    let address = stage.address.clone();
    within(PATIENCE, "the page", page.open(&format!("{address}/status"))).await;
    at_rest(&mut page).await;
    within(120, "the keyboard", laws::the_keyboard_reaches_everything(&mut page)).await;
    within(120, "its landmarks", laws::a_screen_reader_finds_its_way(&mut page)).await;
    within(120, "its widths", laws::no_width_scrolls_sideways(&mut page)).await;
    within(240, "load", under_load(&mut page, &stage)).await;
    within(240, "dead letters", with_dead_letters(&mut page, &stage)).await;
    within(120, "a command is copied", acts::copies_a_command(&mut page)).await;
    within(120, "a pause", acts::is_paused_and_goes_on(&mut page, &stage)).await;
    within(240, "a shut gate", with_the_gate_shut(&mut page, &stage)).await;
    within(120, "its configuration", laws::the_configuration_shows_no_secret(&mut page, &stage)).await;

    let shown = page.text("document.documentElement.outerHTML").await;
    assert!(shown.contains("new &lt;b&gt;lead&lt;/b&gt;") && !shown.contains("<b>lead</b>"), "names are text");
    for path in ["status.json", "status-configuration.json", "metrics", "readyz"] {
        let told = within(30, path, stage.told(path)).await;
        assert!(
            !told.contains(CANARY) && !told.contains(StandIn::TOKEN) && !told.contains("swordfish"),
            "{path} tells of an event or a secret"
        );
    }
    assert!(!shown.contains(CANARY) && !shown.contains("swordfish"), "the page shows an event or a secret");
    assert_eq!(page.complaints(), [""; 0], "the console of the browser");
    let outside = page.asked().into_iter().filter(|url| !url.starts_with(&address)).collect::<Vec<_>>();
    assert_eq!(outside, [""; 0], "nothing is loaded from outside");

    within(120, "the policy", laws::what_is_written_into_the_page_is_not_run(&mut page)).await;
    stage.end().await;
    within(PATIENCE, "old news", page.until("!document.querySelector('#stale').hidden")).await;
}

/// Plays for so many minutes, with an outage and dead letters between, and leaves the pictures of an hour that is full.
#[tokio::test(flavor = "multi_thread")]
async fn an_hour_is_drawn_as_it_was() {
    let minutes: u64 = std::env::var("PAGE_MINUTES").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    if minutes == 0 {
        println!("not played: PAGE_MINUTES says how long");
        return;
    }
    let mut page = within(PATIENCE, "a browser", Browser::start()).await.expect("a browser");
    let mut stage = within(300, "a stage", Stage::begin()).await;
    within(PATIENCE, "the page", page.open(&format!("{}/status", stage.address))).await;
    within(minutes * 60 + 120, "the hour", stage.hour(minutes)).await;
    shows(&mut page, "flow", &titled("Events flow")).await;
    page.sized(Size { height: 900, ..DESK }).await;
    page.picture("hour").await;
    page.night(true).await;
    page.picture("hour-night").await;
    page.picture_of(PHONE, "hour-night-phone").await;
    stage.refuse_the_token().await;
    shows(&mut page, "shut", &titled("Shut")).await;
    page.picture("hour-shut-night").await;
    page.night(false).await;
    page.picture("hour-shut").await;
    stage.end().await;
}
