//! What the page keeps whatever it shows: it is reached by keyboard, makes sense without eyes, fits each width, hides secrets, and
//! runs nothing that is written into it.
//!
//! Not here: the states that it shows.

use serde_json::{Value, json};

use crate::browser::{Browser, DESK, PHONE, SMALL_PHONE, Size};
use crate::stage::Stage;

/// What has the focus.
const FOCUS: &str = "(() => { const at = document.activeElement; if (at === document.body) return ''; return at.id || at.getAttribute('href') || at.textContent.slice(0, 40); })()";

/// By Tab everything is reached that can be used, in the order of the page, each with a mark that is seen; and Enter uses it.
pub async fn the_keyboard_reaches_everything(page: &mut Browser) {
    let mut reached = Vec::new();
    for _ in 0..40 {
        page.press("Tab").await;
        let at = page.text(FOCUS).await;
        // Behind the last there is the window, and then the first again.
        if at.is_empty() || reached.contains(&at) {
            break;
        }
        let outline = page.text("getComputedStyle(document.activeElement).outlineStyle").await;
        assert_eq!(outline, "solid", "the focus on {at} is not seen");
        reached.push(at);
    }
    for wanted in ["#main", "hold", "The hour as a table", "Keys", "Rules", "readyz", "metrics"] {
        assert!(reached.iter().any(|at| at == wanted), "{wanted} is not reached: {reached:?}");
    }
    assert_eq!(reached[0], "#main", "the way past the head comes first");
    page.value("document.querySelector('#hour summary').focus()").await;
    page.press("Enter").await;
    page.until("document.querySelector('#hour').open && document.querySelectorAll('#hour-rows tr').length > 0").await;
    page.press("Enter").await;
    page.value("document.querySelector('#hold').focus()").await;
    page.press("Enter").await;
    page.until("document.querySelector('#hold').getAttribute('aria-pressed') === 'true'").await;
    page.press("Enter").await;
    page.until("document.querySelector('#hold').getAttribute('aria-pressed') === 'false'").await;
}

/// What assistive technology is told: roles with their names.
async fn heard(page: &mut Browser) -> Vec<(String, String)> {
    let tree = page.call("Accessibility.getFullAXTree", json!({})).await;
    let nodes = tree["nodes"].as_array().unwrap().iter().filter(|node| node["ignored"] != true);
    let text = |value: &Value| value["value"].as_str().unwrap_or_default().to_owned();
    nodes.map(|node| (text(&node["role"]), text(&node["name"]))).collect()
}

pub async fn a_screen_reader_finds_its_way(page: &mut Browser) {
    let heard = heard(page).await;
    let names =
        |role: &str| heard.iter().filter(|(of, _)| of == role).map(|(_, name)| name.as_str()).collect::<Vec<_>>();
    for landmark in ["banner", "main", "contentinfo"] {
        assert_eq!(names(landmark).len(), 1, "{landmark}");
    }
    for section in ["State", "What flows now", "What is shut", "The last hour", "Dead letters"] {
        assert!(names("region").contains(&section), "{section}: {:?}", names("region"));
    }
    let charts: Vec<_> =
        names("image").into_iter().chain(names("img")).filter(|name| name.contains("over the last hour")).collect();
    assert_eq!(charts.len(), 6, "each chart has its words: {charts:?}");
    assert!(names("heading").contains(&"chakra-bridge") && names("heading").contains(&"At rest"));
    assert!(names("columnheader").contains(&"guarantee") && names("progressbar").contains(&"Places taken"));
    assert!(names("status").len() >= 2, "what changes is said");
    for role in ["button", "link", "image", "img"] {
        assert!(names(role).iter().all(|name| !name.is_empty()), "each {role} has a name");
    }
}

pub async fn no_width_scrolls_sideways(page: &mut Browser) {
    for size in [
        SMALL_PHONE,
        PHONE,
        Size { width: 768, ..DESK },
        Size { width: 1000, ..DESK },
        DESK,
        Size { width: 2200, ..DESK },
    ] {
        page.sized(size).await;
        let over = page.value("document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
        assert!(over.as_i64().unwrap() <= 0, "{size:?}: {over} px too wide");
    }
    page.sized(DESK).await;
}

pub async fn the_configuration_shows_no_secret(page: &mut Browser, stage: &Stage) {
    page.value(
        "(document.querySelector('#configuration').open = true, document.querySelector('#rule-texts').open = true, 1)",
    )
    .await;
    page.until(
        "document.querySelectorAll('#keys tr').length > 20 && document.querySelectorAll('#texts pre').length === 3",
    )
    .await;
    let keys = page.text("document.querySelector('#keys').innerText").await;
    let of = |name: &str| keys.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {keys}"));
    for secret in ["api.token", "broker.password", "broker.management.password", "admin.token"] {
        assert!(of(secret).contains("***"), "{}", of(secret));
    }
    assert!(of("broker.queue\t").contains(&stage.scene.queue()) && of("broker.prefetch").contains("16"));
    let rules = page.text("document.querySelector('#texts').innerText").await;
    assert!(rules.contains("{{ event.note }}") && !rules.contains("swordfish"), "{rules}");
    page.picture("configuration").await;
}

/// Whoever could write into the page could run nothing all the same, and is told of.
pub async fn what_is_written_into_the_page_is_not_run(page: &mut Browser) {
    page.forgive();
    page.value(
        "(() => { const script = document.createElement('script'); script.textContent = 'window.harm = 1'; document.body.append(script); \
         const image = document.createElement('img'); image.src = 'http://127.0.0.1:1/x'; document.body.append(image); \
         document.body.setAttribute('style', 'color: red'); })()",
    )
    .await;
    assert_eq!(page.value("window.harm === undefined").await, true);
    page.until("getComputedStyle(document.body).color !== 'rgb(255, 0, 0)'").await;
    let complaints = page.complaints().join("\n");
    for directive in ["script-src", "style-src", "img-src"] {
        assert!(complaints.contains(directive), "{directive}: {complaints}");
    }
}
