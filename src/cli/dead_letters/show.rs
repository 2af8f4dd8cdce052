//! `dead-letters show`: one letter on a page, with its event and the request that the rules of now would make of it.
//!
//! Not here: how the request is shown (`cli::map`).

use std::io::{IsTerminal as _, Write};

use serde_json::Value;

use super::Stop;
use super::arguments::Show;
use super::open::Opened;
use super::story::{Stories, Story};
use super::words::{self, ago, plain};
use crate::amqp::letters::Look;
use crate::cli::color::Color;
use crate::cli::exit::Exit;
use crate::cli::map::shown;
use crate::cli::map::verdict::Verdict;
use crate::core::letters::{Origin, Read};
use crate::ready::Ready;

/// The most that is shown of a body that is no event, in characters.
const BODY_MAX: usize = 4_000;

pub(super) async fn run(ready: &Ready, arguments: &Show, out: &mut impl Write) -> Result<Exit, Stop> {
    let opened = Opened::open(ready, &arguments.which, &arguments.looking, false).await?;
    let mut look = opened.letters.look(0).await?;
    let mut stories = Stories::open(ready).await;
    let shown = show(&opened, &mut look, &mut stories, arguments, out).await;
    let ended = look.end().await;
    opened.letters.close().await;
    let shown = shown?;
    ended?;
    if shown == 0 {
        return Err(Stop::Said("no letter is as it was asked for".to_owned()));
    }
    Ok(Exit::Done)
}

async fn show(
    opened: &Opened<'_>,
    look: &mut Look,
    stories: &mut Stories,
    arguments: &Show,
    out: &mut impl Write,
) -> Result<u64, Stop> {
    let color = Color::on(std::io::stdout().is_terminal());
    let mut shown = 0;
    while shown < arguments.limit
        && let Some((found, read)) = opened.next(look).await?
    {
        shown += 1;
        let story = stories.of(&read.letter).await;
        if arguments.looking.json {
            writeln!(out, "{}", as_json(opened.ready, found.number, &read, &story))?;
        } else {
            writeln!(out, "{}", page(opened, found.number, &read, &story, color))?;
        }
    }
    Ok(shown)
}

fn page(opened: &Opened<'_>, number: u32, read: &Read, story: &Story, color: Color) -> String {
    let letter = &read.letter;
    let Color { bold, plain: end, .. } = color;
    let mut page = format!("{bold}letter {number}: {}{end}\n", words::key(letter));
    let mut line = |name: &str, text: &str| page += &format!("  {name:<14} {}\n", plain(text));
    line("why", &words::reason(letter));
    line("text", &letter.text);
    line(
        "made by",
        match &letter.origin {
            Origin::Daemon(_) => "the daemon",
            Origin::Broker(_) => "the broker",
            Origin::Foreign => "somebody else",
        },
    );
    line(
        "may exist",
        if letter.may_exist { "yes: it may be a process already" } else { "no: no create of it was applied" },
    );
    line("attempts", &letter.told.attempts.to_string());
    line("last status", &letter.told.status.map_or_else(|| "none".to_owned(), |status| status.to_string()));
    line("died", &format!("{} ago", ago(opened.now_ms, Some(letter.died_ms))));
    line("first seen", &format!("{} ago", ago(opened.now_ms, Some(letter.first_seen_ms))));
    line("exchange", &read.message.exchange);
    line("routing key", &read.message.routing_key);
    page += &match &read.event {
        Ok(_) => String::new(),
        Err(_) => format!("  {:<14} {}\n", "body", body(read)),
    };
    page += &format!("{bold}trace{end}\n{}", story.page(letter.key.as_deref()));
    page + &format!("{bold}by the rules of now{end}\n")
        + &shown::page(&Verdict::of(opened.ready, &read.message), 1, color)
}

/// What cannot be read as an event is shown as it is.
fn body(read: &Read) -> String {
    let text = String::from_utf8_lossy(&read.message.body);
    let shown: String = text.chars().take(BODY_MAX).collect();
    let cut = if shown.len() < text.len() { format!("… ({} bytes)", read.message.body.len()) } else { String::new() };
    plain(&shown) + &cut
}

fn as_json(ready: &Ready, number: u32, read: &Read, story: &Story) -> Value {
    let mut all = words::as_json(&read.letter);
    all["number"] = number.into();
    all["exchange"] = read.message.exchange.as_str().into();
    all["routing_key"] = read.message.routing_key.as_str().into();
    all["event"] = match &read.event {
        Ok(event) => event.document.clone(),
        Err(_) => Value::String(body(read)),
    };
    all["trace"] = story.json();
    all["now"] = Verdict::of(ready, &read.message).json();
    all
}
