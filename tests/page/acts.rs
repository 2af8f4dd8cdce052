//! What a person does at the page and behind it: copies a command, and pauses the daemon and lets it go on.
//!
//! Not here: what the page keeps whatever it shows (`laws`).

use crate::browser::Browser;
use crate::stage::Stage;
use crate::{shows, titled};

/// The button beside the first command.
const BUTTON: &str = "document.querySelector('#letters .command button')";
const COMMAND: &str = "document.querySelector('#letters .command code').textContent";

/// By keyboard: what the button copies is the command, it says so, and where a browser allows no copying the command is selected.
pub async fn copies_a_command(page: &mut Browser) {
    page.value("(window.real = navigator.clipboard.writeText.bind(navigator.clipboard), 1)").await;
    page.value("(navigator.clipboard.writeText = (text) => { window.copied = text; return window.real(text); }, 1)")
        .await;
    for (word, said) in [("Copied", "Copied."), ("Selected", "The command is selected.")] {
        shows(page, "the button", &format!("{BUTTON}.textContent === 'Copy'")).await;
        page.value(&format!("{BUTTON}.focus()")).await;
        page.press("Enter").await;
        shows(page, word, &format!("{BUTTON}.textContent === '{word}'")).await;
        assert_eq!(page.text("document.querySelector('#said').textContent").await, said);
        let taken = if word == "Copied" { "window.copied" } else { "getSelection().toString()" };
        assert_eq!(page.text(taken).await, page.text(COMMAND).await, "{word}");
        // As on a page that is not a secure context.
        page.value("(navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed')), 1)").await;
    }
    page.value("(delete navigator.clipboard.writeText, 1)").await;
}

/// A pause is the headline, says what lets it go on, and is over when it is.
pub async fn is_paused_and_goes_on(page: &mut Browser, stage: &Stage) {
    stage.tells("pause").await;
    shows(page, "the pause", &titled("Paused")).await;
    let card = "document.querySelector('#shut').innerText";
    shows(page, "its card", &format!("/everything: paused/.test({card})")).await;
    let card = page.text(card).await;
    assert!(card.contains("resume") && card.contains("ago"), "{card}");
    assert_eq!(page.text("document.querySelector('#gate').textContent").await, "paused");
    page.picture("paused").await;
    stage.tells("resume").await;
    shows(page, "that it goes on", "!document.querySelector('#shut-none').hidden").await;
}
