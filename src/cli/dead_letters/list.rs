//! `dead-letters list`: what is there, by reason and rule. The first of each kind is printed as it is found.
//!
//! Not here: what makes a group (`core::letters::groups`).

use std::io::Write;

use serde_json::{Value, json};

use super::Stop;
use super::arguments::List;
use super::open::Opened;
use super::progress::Progress;
use super::words::{self, ago, plain};
use crate::amqp::letters::{Depth, Look};
use crate::cli::exit::Exit;
use crate::clock::date_of;
use crate::core::letters::Read;
use crate::core::letters::groups::{Group, Groups};
use crate::ready::Ready;

pub(super) async fn run(ready: &Ready, arguments: &List, out: &mut impl Write) -> Result<Exit, Stop> {
    let opened = Opened::open(ready, &arguments.which, &arguments.looking, false).await?;
    let mut look = opened.letters.look(0).await?;
    let depth = look.depth();
    if !arguments.looking.json {
        writeln!(out, "{}", head(&ready.config.broker.dead_letter_queue, depth))?;
    }
    let groups = gather(&opened, &mut look, arguments, out).await;
    let ended = look.end().await;
    let (queue, now_ms) = (&ready.config.broker.dead_letter_queue, opened.now_ms);
    opened.letters.close().await;
    let groups = groups?;
    ended?;
    match (arguments.looking.json, arguments.each) {
        // That there are none is said.
        (false, false) if depth.ready == 0 => {}
        (_, true) => {}
        (true, false) => writeln!(out, "{}", as_json(queue, depth, &groups))?,
        (false, false) => write!(out, "{}", table(&groups, now_ms))?,
    }
    Ok(Exit::Done)
}

fn head(queue: &str, depth: Depth) -> String {
    let others = match depth.readers {
        0 => String::new(),
        readers => format!(
            ", without those that {readers} other reader{} at this moment",
            if readers == 1 { " holds" } else { "s hold" }
        ),
    };
    format!("{queue}: {} letter{}{others}", depth.ready, if depth.ready == 1 { "" } else { "s" })
}

async fn gather(opened: &Opened<'_>, look: &mut Look, arguments: &List, out: &mut impl Write) -> Result<Groups, Stop> {
    let mut groups = Groups::default();
    let mut progress = Progress::of("looked at", look.depth().ready.into(), arguments.each);
    while let Some((found, read)) = opened.next(look).await? {
        let new = groups.add(&read.letter);
        match (arguments.each, arguments.looking.json) {
            (true, true) => writeln!(out, "{}", one_as_json(found.number, &read))?,
            (true, false) => writeln!(out, "{}", one(&read, opened.now_ms))?,
            (false, false) if new.is_some() => writeln!(
                out,
                "  found {}: {}: {}",
                words::reason(&read.letter),
                words::key(&read.letter),
                plain(&read.letter.text)
            )?,
            (false, _) => {}
        }
        progress.at(look.seen().into());
    }
    Ok(groups)
}

fn one(read: &Read, now_ms: u64) -> String {
    let letter = &read.letter;
    let (key, why, age) = (words::key(letter), words::reason(letter), ago(now_ms, Some(letter.died_ms)));
    format!("{key}  ({why}{}, {age} ago): {}", words::doubt(letter.may_exist), plain(&letter.text))
}

fn one_as_json(number: u32, read: &Read) -> Value {
    let mut all = words::as_json(&read.letter);
    all["number"] = number.into();
    all["bytes"] = read.message.body.len().into();
    all
}

fn table(groups: &Groups, now_ms: u64) -> String {
    let total = groups.total();
    if total.letters == 0 {
        return "none of them is one that was asked for\n".to_owned();
    }
    let mut text = format!(
        "\n{:>8} {:>7} {:>9} {:>8} {:>8}  reason and rule\n",
        "letters", "copies", "may exist", "oldest", "newest"
    );
    for (reason, rule, group) in groups.sorted() {
        let (reason, rule) = (plain(reason), plain(rule));
        let name = if rule.is_empty() { reason } else { format!("{reason}, rule {rule}") };
        text += &row(group, now_ms, &name);
    }
    text += &row(&total, now_ms, "all");
    text + "copies: another letter of an event. may exist: the event may be a process already.\n\
            Next: chakra-bridge dead-letters show --reason WORD --rule NAME\n"
}

fn row(group: &Group, now_ms: u64, name: &str) -> String {
    let [oldest, newest] = [group.oldest_ms, group.newest_ms].map(|at| ago(now_ms, at));
    format!("{:>8} {:>7} {:>9} {oldest:>8} {newest:>8}  {name}\n", group.letters, group.copies, group.may_exist)
}

fn as_json(queue: &str, depth: Depth, groups: &Groups) -> Value {
    let total = groups.total();
    let date = |at: Option<u64>| at.map(date_of);
    let each = groups.sorted().into_iter().map(|(reason, rule, group)| {
        json!({
            "reason": reason,
            "rule": rule,
            "letters": group.letters,
            "copies": group.copies,
            "may_exist": group.may_exist,
            "oldest": date(group.oldest_ms),
            "newest": date(group.newest_ms),
            "example": { "key": group.example_key, "text": group.example_text },
        })
    });
    json!({
        "queue": queue,
        "ready": depth.ready,
        "readers": depth.readers,
        "letters": total.letters,
        "events": total.letters - total.copies,
        "groups": each.collect::<Vec<_>>(),
    })
}
