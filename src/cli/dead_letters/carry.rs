//! `dead-letters export` and `import`: letters as lines of a file, and back.
//!
//! Not here: what stands in a line (`amqp::letters::Carried`).

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::Stop;
use super::arguments::{Export, Import};
use super::open::Opened;
use super::progress::Progress;
use crate::amqp::letters::{Carried, Letters, Look, Outgoing};
use crate::cli::exit::Exit;
use crate::clock::{date_of, epoch_ms};
use crate::ready::Ready;

/// Its owner may read and write it, and nobody else.
const OWNER_ONLY: u32 = 0o600;

/// The letters stay where they are.
pub(super) async fn export(ready: &Ready, arguments: &Export, out: &mut impl Write) -> Result<Exit, Stop> {
    let opened = Opened::open(ready, &arguments.which, &arguments.looking, false).await?;
    let written = if is_stream(&arguments.to) {
        look(&opened, out).await
    } else {
        match created(&arguments.to) {
            Ok(file) => to_file(&opened, file).await,
            Err(why) => Err(Stop::Said(why)),
        }
    };
    opened.letters.close().await;
    let count = written?;
    eprintln!("{} exported {count} letters by {}", date_of(opened.now_ms), super::words::plain(&opened.who));
    Ok(Exit::Done)
}

fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn created(path: &Path) -> Result<File, String> {
    let created = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path);
    created.map_err(|error| format!("{}: {error}", path.display()))
}

async fn to_file(opened: &Opened<'_>, file: File) -> Result<u64, Stop> {
    let mut file = BufWriter::new(file);
    let written = look(opened, &mut file).await;
    let kept = file.flush().and_then(|()| file.get_ref().sync_all());
    // The disk is full: what was exported is not whole.
    match (written, kept) {
        (Err(Stop::Output(error)), _) | (Ok(_), Err(error)) => {
            Err(Stop::Said(format!("the file takes no more: {error}")))
        }
        (written, _) => written,
    }
}

async fn look(opened: &Opened<'_>, out: &mut impl Write) -> Result<u64, Stop> {
    let mut look = opened.letters.look(0).await?;
    let written = each(opened, &mut look, out).await;
    let ended = look.end().await;
    let count = written?;
    ended?;
    Ok(count)
}

async fn each(opened: &Opened<'_>, look: &mut Look, out: &mut impl Write) -> Result<u64, Stop> {
    let mut progress = Progress::of("exported", look.depth().ready.into(), false);
    let mut count = 0;
    while let Some((found, _)) = opened.next(look).await? {
        let line = serde_json::to_string(&Carried::of(&found)?).map_err(|error| error.to_string())?;
        writeln!(out, "{line}")?;
        count += 1;
        progress.at(count);
    }
    Ok(count)
}

/// Each line is published to the dead-letter queue, and confirmed before the next.
pub(super) async fn import(ready: &Ready, arguments: &Import, out: &mut impl Write) -> Result<Exit, Stop> {
    let who = arguments.from.clone().or_else(|| std::env::var("USER").ok()).unwrap_or_else(|| "somebody".to_owned());
    let lines = source(&arguments.file)?;
    let letters = Letters::open(&ready.config.broker, &who, true).await?;
    let put = put(&letters, lines, arguments.dry_run).await;
    letters.close().await;
    let (count, why) = put;
    let did = if arguments.dry_run { "would import" } else { "imported" };
    writeln!(
        out,
        "{} {did} {count} letters to {} by {}",
        date_of(epoch_ms()),
        ready.config.broker.dead_letter_queue,
        super::words::plain(&who)
    )?;
    why.map_or(Ok(Exit::Done), |why| Err(Stop::Said(why)))
}

fn source(path: &Path) -> Result<BufReader<File>, String> {
    let path = if is_stream(path) { Path::new("/dev/stdin") } else { path };
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(BufReader::new(file))
}

/// How many were put there, and why no more.
async fn put(letters: &Letters, lines: BufReader<File>, is_dry: bool) -> (u64, Option<String>) {
    let mut count = 0;
    for (number, line) in (1_u64..).zip(lines.lines()) {
        let outgoing = match line.map_err(|error| error.to_string()).and_then(|line| outgoing(&line)) {
            Ok(None) => continue,
            Ok(Some(outgoing)) => outgoing,
            Err(why) => return (count, Some(format!("line {number}: {why}; the lines before it are imported"))),
        };
        if !is_dry && let Err(why) = letters.to_dead_letters(outgoing).await {
            return (count, Some(format!("line {number}: {why}; the lines before it are imported")));
        }
        count += 1;
    }
    (count, None)
}

/// An empty line is none.
fn outgoing(line: &str) -> Result<Option<Outgoing>, String> {
    if line.trim().is_empty() {
        return Ok(None);
    }
    let carried: Carried = serde_json::from_str(line).map_err(|_| "it is no letter as `export` writes it")?;
    carried.letter().map(Some)
}
