//! `dead-letters retry` and `discard`: a first pass says what will be done, a second one does it. The order of a retry is: publish,
//! confirmed, and only then remove.
//!
//! Not here: what is to be done with each letter (`core::letters::plan`).
//!
//! Killed between the confirm and the removal, the event is in the work queue and its letter here: retried again, it is looked up
//! before it is created, or announced as a possible duplicate.

use std::io::Write;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::Stop;
use super::arguments::{Discard, Measure, Retry};
use super::open::Opened;
use super::progress::Progress;
use super::words;
use crate::amqp::letters::{Found, Look};
use crate::cli::exit::Exit;
use crate::clock::{date_of, epoch_ms};
use crate::core::letters::Read;
use crate::core::letters::plan::{Counts, Plan, Prospect, Turn, prospect};
use crate::ready::Ready;

/// The longest that letters may be held: half of the broker's consumer timeout.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// What is done with the letters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Retry,
    Discard,
}

impl Deed {
    /// What became of a letter, in the lines that say so.
    fn done(self) -> &'static str {
        match self {
            Self::Retry => "retried",
            Self::Discard => "discarded",
        }
    }

    /// What would become of an event; nothing matters to what is to be forgotten.
    fn prospect(self, ready: &Ready, read: &Read) -> Prospect {
        match self {
            Self::Retry => prospect(read, &ready.rules, ready.limits.bounds),
            Self::Discard => Prospect::Skipped,
        }
    }
}

pub(super) async fn retry(ready: &Ready, arguments: &Retry, out: &mut impl Write) -> Result<Exit, Stop> {
    let Retry { which, looking, measure, force, yes_may_double } = arguments;
    let opened = Opened::open(ready, which, looking, true).await?;
    let agreed = |counts: &Counts| match counts.may_double {
        0 => Ok(()),
        _ if *yes_may_double || measure.dry_run => Ok(()),
        count => Err(format!(
            "nothing was done: for {count} event{} a second process cannot be excluded. Look for their keys in ChakraHQ \
             (`dead-letters list --each` shows them), give their rule `reconcile_by`, narrow what is meant, or say --yes-may-double",
            if count == 1 { "" } else { "s" }
        )),
    };
    let deed = Doing { deed: Deed::Retry, measure, is_json: looking.json };
    let done = deed.carry_out(&opened, Plan::new(measure.limit, *force), agreed, out).await;
    opened.letters.close().await;
    done
}

pub(super) async fn discard(ready: &Ready, arguments: &Discard, out: &mut impl Write) -> Result<Exit, Stop> {
    let Discard { which, looking, measure, yes } = arguments;
    let opened = Opened::open(ready, which, looking, false).await?;
    let agreed = |counts: &Counts| {
        let is_agreed = *yes || measure.dry_run || counts.letters == 0;
        is_agreed
            .then_some(())
            .ok_or_else(|| "nothing was done: what is discarded is gone for good; say --yes".to_owned())
    };
    let deed = Doing { deed: Deed::Discard, measure, is_json: looking.json };
    let done = deed.carry_out(&opened, Plan::new(measure.limit, true), agreed, out).await;
    opened.letters.close().await;
    done
}

/// What is done, how much of it, and how it is told.
struct Doing<'a> {
    deed: Deed,
    measure: &'a Measure,
    is_json: bool,
}

impl Doing<'_> {
    async fn carry_out(
        &self,
        opened: &Opened<'_>,
        plan: Plan,
        agreed: impl Fn(&Counts) -> Result<(), String>,
        out: &mut impl Write,
    ) -> Result<Exit, Stop> {
        let (plan, seen) = self.plan(opened, plan).await?;
        let counts = plan.counts();
        self.say_before(opened, &counts, out)?;
        agreed(&counts)?;
        self.in_time(&counts)?;
        if self.measure.dry_run || counts.letters == 0 {
            return Ok(Exit::Done);
        }
        let mut look = opened.letters.look(seen).await?;
        let done = self.each(opened, &mut look, plan, out).await;
        let ended = look.end().await;
        let done = done?;
        ended?;
        self.say_after(&counts, done, out)
    }

    /// The first pass, and how many letters it saw.
    async fn plan(&self, opened: &Opened<'_>, mut plan: Plan) -> Result<(Plan, u32), Stop> {
        let mut look = opened.letters.look(0).await?;
        let mut progress = Progress::of("looked at", look.depth().ready.into(), false);
        let noted = async {
            while let Some((_, read)) = opened.next(&mut look).await? {
                plan.note(&read, self.deed.prospect(opened.ready, &read));
                progress.at(look.seen().into());
            }
            Ok::<_, String>(())
        };
        let noted = noted.await;
        let seen = look.seen();
        let ended = look.end().await;
        noted?;
        ended?;
        Ok((plan, seen))
    }

    /// The second pass: does it, and answers with how many letters.
    async fn each(
        &self,
        opened: &Opened<'_>,
        look: &mut Look,
        mut plan: Plan,
        out: &mut impl Write,
    ) -> Result<u64, Stop> {
        let letters = plan.counts().letters;
        let mut progress = Progress::of(self.deed.done(), letters, true);
        let mut pace = self.measure.rate.map(pace);
        let mut done = 0;
        while done < letters
            && let Some((found, read)) = opened.next(look).await?
        {
            let turn = plan.turn(&read, self.deed.prospect(opened.ready, &read));
            if turn == Turn::Leave {
                continue;
            }
            if let Some(pace) = &mut pace {
                pace.tick().await;
            }
            self.one(opened, look, (&found, &read), turn).await?;
            done += 1;
            self.say(opened, &found, &read, turn, out)?;
            progress.at(done);
        }
        Ok(done)
    }

    /// The dangerous order: published, confirmed, and only then removed.
    async fn one(
        &self,
        opened: &Opened<'_>,
        look: &mut Look,
        (found, read): (&Found, &Read),
        turn: Turn,
    ) -> Result<(), String> {
        if let (Deed::Retry, Turn::Take { may_exist }) = (self.deed, turn) {
            let outgoing = found.again(read, may_exist, &opened.stamp());
            let words = |why| format!("{}: not retried, its letter is where it was: {why}", words::key(&read.letter));
            opened.letters.to_work(outgoing).await.map_err(words)?;
        }
        let words = |why| format!("{}: {why}; its letter may still be there", words::key(&read.letter));
        look.remove(found).await.map_err(words)
    }

    fn say_before(&self, opened: &Opened<'_>, counts: &Counts, out: &mut impl Write) -> std::io::Result<()> {
        if self.is_json {
            let Counts { letters, copies, events, looked_up, may_double, skipped, left } = counts;
            let (looked_up, may_double, skipped) =
                if self.deed == Deed::Retry { (*looked_up, *may_double, *skipped) } else { (0, 0, 0) };
            return writeln!(
                out,
                "{}",
                json!({
                    "will": if self.measure.dry_run { "nothing" } else { self.deed.done() }, "letters": letters, "copies": copies, "events": events,
                    "looked_up_first": looked_up, "may_double": may_double, "skipped": skipped, "left": left,
                })
            );
        }
        let is_dry = self.measure.dry_run.then(|| "a dry run: nothing was done".to_owned());
        before(self.deed, opened, counts).into_iter().chain(is_dry).try_for_each(|line| writeln!(out, "{line}"))
    }

    /// The line of the audit: one for each letter.
    fn say(
        &self,
        opened: &Opened<'_>,
        found: &Found,
        read: &Read,
        turn: Turn,
        out: &mut impl Write,
    ) -> std::io::Result<()> {
        let (letter, at, by) = (&read.letter, date_of(epoch_ms()), &opened.who);
        let did = if turn == Turn::Join { "joined" } else { self.deed.done() };
        let may_exist = turn == Turn::Take { may_exist: true };
        if self.is_json {
            let line = json!({
                "at": at, "by": by, "did": did, "key": letter.key, "reason": letter.reason(), "rule": letter.told.rule,
                "may_exist": may_exist, "number": found.number,
            });
            return writeln!(out, "{line}");
        }
        let (key, why, doubt) = (words::key(letter), words::reason(letter), words::doubt(may_exist));
        writeln!(out, "{at} {did} {key} ({why}{doubt}) by {}", words::plain(by))
    }

    fn say_after(&self, counts: &Counts, done: u64, out: &mut impl Write) -> Result<Exit, Stop> {
        let gone = counts.letters.saturating_sub(done);
        if self.is_json {
            writeln!(out, "{}", json!({ "done": self.deed.done(), "letters": done, "gone_meanwhile": gone }))?;
        } else {
            let gone = if gone == 0 {
                String::new()
            } else {
                format!("; {gone} are no longer there: somebody else took them")
            };
            writeln!(out, "{}: {done} of {} letters{gone}", self.deed.done(), counts.letters)?;
        }
        Ok(Exit::Done)
    }

    /// Whether the broker waits so long for the letters that are held meanwhile.
    fn in_time(&self, counts: &Counts) -> Result<(), String> {
        let Some(rate) = self.measure.rate else { return Ok(()) };
        let most = LONGEST.as_secs() * u64::from(rate);
        if counts.letters <= most {
            return Ok(());
        }
        Err(format!(
            "nothing was done: {} letters at {rate} a second take longer than {} minutes, and the broker takes back what is held for \
             too long. Say --limit {most}, and run it again for the rest",
            counts.letters,
            LONGEST.as_secs() / 60
        ))
    }
}

/// What will be done, and what cannot be excluded.
fn before(deed: Deed, opened: &Opened<'_>, counts: &Counts) -> Vec<String> {
    let broker = &opened.ready.config.broker;
    let (letters, events) = (counts.letters, counts.events);
    let mut lines = vec![match deed {
        Deed::Retry => {
            format!("{letters} letters of {events} events go from {} to {}", broker.dead_letter_queue, broker.queue)
        }
        Deed::Discard => format!("{letters} letters of {events} events leave {} for good", broker.dead_letter_queue),
    }];
    let mut say = |count: u64, words: &str| lines.extend((count > 0).then(|| format!("{count} {words}")));
    say(counts.copies, "of these letters go with another letter of their event");
    if deed == Deed::Retry {
        say(counts.skipped, "events are skipped by a rule of now: they become no process");
        say(counts.looked_up, "events may be processes: they are looked up before anything is created");
        say(counts.may_double, "events may be processes and cannot be looked up: a second process cannot be excluded");
    }
    for (reason, count) in &counts.left {
        say(
            *count,
            &format!(
                "letters stay: the rules of now would make them dead letters again ({reason}); --force takes them too"
            ),
        );
    }
    lines
}

fn pace(rate: u32) -> Interval {
    let mut pace = interval(Duration::from_secs(1) / rate);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}
