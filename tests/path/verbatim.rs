//! The text of an event is data: it arrives at the API as it was.
//!
//! Not here: what expressions do with it (`core::mapping`).

use chakra_bridge::core::settlement::Settlement;
use serde_json::json;

use super::dispatcher::{Commands, Session, Stage, event};
use crate::support::deadline::within;

/// Texts that some engine, shell, browser or database would act on, and a megabyte of two-byte letters.
fn texts() -> Vec<String> {
    let short = [
        "{{ 7*7 }}",
        "{{ event.name }}",
        "{% for x in range(10**9) %}x{% endfor %}",
        "{% raw %}{{",
        "{# gone #}",
        "}}",
        "${7*7} #{7*7} <%= 7*7 %> %{x} $(id) `id`",
        "\"'`\\ \\u0041 \\n",
        "\u{0}\u{1}\u{7}\u{8}\t\n\u{b}\u{c}\r\u{1b}[2J\u{7f}\u{85}\u{2028}\u{feff}\u{fffd}\u{10ffff}",
        "<script>alert(1)</script>&amp;",
        "'; DROP TABLE lead; --",
        "null",
        "undefined",
        "none",
        "",
        "  spaces around  ",
        "e\u{301}\u{200d}👩‍👩‍👧",
    ];
    short.into_iter().map(str::to_owned).chain(["ä".repeat(500_000), "{{".repeat(250_000)]).collect()
}

#[tokio::test]
async fn text_of_an_event_arrives_as_it_was() {
    // The stand-in answers with the whole process, a megabyte of it, and a busy machine takes its time.
    let commands = Commands { timeout: "20s", ..Commands::default() };
    let (dispatcher, mut session) = (Stage::with(commands).await, Session::new());
    for (number, text) in (1..).zip(texts()) {
        let short: String = text.chars().take(100).collect();
        let body = json!({ "text": text, "list": [short], "short": short });
        dispatcher.send(&session, number, event(&format!("m{number}"), "verbatim", &body.to_string())).await;
        assert_eq!(within(60, "its answer", session.answer()).await.1, Settlement::Ack);
        let expected = json!({
            "data": {
                "event_key": format!("m{number}"),
                "lone": text,
                "list": [short],
                "filtered": short,
                "mixed": format!("<{short}|{short}>"),
                "object": { "inner": [short, short.repeat(2)] },
            },
            "record": { "data": { "looked_up": short } },
        });
        let created = dispatcher.api.created();
        assert_eq!(created.len(), usize::try_from(number).unwrap());
        let (received, expected) = (&created.last().unwrap().body, expected.to_string());
        assert!(*received == expected, "arrived otherwise: {}", short.escape_debug());
    }
}
