//! What follows from a row for a claim.
//!
//! Not here: what is told after a create (`recorded`).
//!
//! A row counts a create before it is sent. So whoever finds one of an earlier owner knows only that it may have been, and one that
//! died before it sent leaves a doubt that is none; one that lives and asks again says that it was not.

use std::sync::Arc;
use std::time::Duration;

use super::{Asker, Claim, Claimed, Hold, Left, Opens, Row, RowEnd, Sends};
use crate::core::event::DIGEST_VERSION;

/// What is answered to a claim, and the row that is to be written first, if it changes.
#[must_use]
pub fn claimed(row: Option<Row>, claim: &Claim, asker: &Asker<'_>) -> (Option<Row>, Claimed) {
    let Some(row) = row else {
        return grant(Row::of(claim, asker), Left::default(), claim, asker);
    };
    let is_late = row.is_past(claim, asker);
    if let Some(end) = &row.end {
        let is_opened = match end {
            RowEnd::Created(_) => claim.opens == Opens::Created,
            RowEnd::Dead(_) => claim.opens != Opens::Nothing,
        };
        if !is_opened || is_late {
            return (None, Claimed::Ended(Box::new(row)));
        }
        let row = reopened(row);
        let left = row.left(asker.now_ms);
        return grant(row, left, claim, asker);
    }
    if is_late {
        return (None, Claimed::Held { rest: Duration::ZERO });
    }
    if row.hold != Hold::Free && *row.owner != *asker.owner && !asker.lease.is_zero() {
        return (None, Claimed::Held { rest: asker.lease });
    }
    let left = if row.is_known(claim, asker) { Left::default() } else { row.left(asker.now_ms) };
    grant(row, left, claim, asker)
}

/// The row is the asker's. It may send unless what was sent before is news to it.
fn grant(row: Row, left: Left, claim: &Claim, asker: &Asker<'_>) -> (Option<Row>, Claimed) {
    let sends = claim.sends.as_ref().filter(|sends| !has_news(&left, sends, claim));
    let unsure_creates = claim.unsure_creates.max(left.unsure_creates);
    let mut row = Row {
        owner: asker.owner.into(),
        epoch: row.epoch.saturating_add(1),
        ticket: claim.ticket,
        hold: if sends.is_some() { Hold::Sends } else { Hold::Claimed },
        unsure_creates: unsure_creates.saturating_add(u32::from(sends.is_some())),
        attempts: row.attempts.max(claim.attempts),
        ..row.described_by(claim)
    };
    if let Some(sends) = sends {
        row.sent_ms = asker.now_ms;
        row.sent.clone_from(&sends.lookup);
    }
    let answer = Claimed::Mine { epoch: row.epoch, may_send: sends.is_some(), left };
    (Some(row), answer)
}

/// Whether what earlier owners sent tells the asker anything. Where it was sent under this row, and can be looked up, it always does: as
/// many creates as the message brought along need not be the same ones, nor sent to the same place, nor before it looked.
fn has_news(left: &Left, sends: &Sends, claim: &Claim) -> bool {
    let can_look_up = left.sent.is_some() || sends.lookup.is_some();
    let known = if can_look_up && left.since_sent.is_some() { 0 } else { claim.unsure_creates };
    left.unsure_creates > known
}

/// An ended row is opened again. One create may follow what may have been created; of what is a process a second one is in doubt.
fn reopened(row: Row) -> Row {
    let unsure_creates = match row.end {
        Some(RowEnd::Created(_)) => 1,
        Some(RowEnd::Dead(_)) | None => row.unsure_creates.min(1),
    };
    Row { end: None, ended_ms: 0, hold: Hold::Free, unsure_creates, ..row }
}

impl Row {
    /// A row that nobody has.
    pub(super) fn of(claim: &Claim, asker: &Asker<'_>) -> Self {
        Self {
            key: Arc::clone(&claim.key),
            owner: asker.owner.into(),
            epoch: 0,
            ticket: claim.ticket,
            hold: Hold::Free,
            unsure_creates: 0,
            sent_ms: 0,
            sent: None,
            end: None,
            body: claim.body,
            request: claim.request,
            digest_version: DIGEST_VERSION,
            rule: Arc::clone(&claim.rule),
            procedure: Arc::clone(&claim.procedure),
            attempts: claim.attempts,
            first_ms: asker.now_ms,
            ended_ms: 0,
        }
    }

    /// The same, of the message that claims it or ends it.
    pub(super) fn described_by(self, claim: &Claim) -> Self {
        Self {
            body: claim.body,
            request: claim.request,
            digest_version: DIGEST_VERSION,
            rule: Arc::clone(&claim.rule),
            procedure: Arc::clone(&claim.procedure),
            ..self
        }
    }

    /// Whether the last claim was made by this event in this run.
    pub(super) fn is_of(&self, claim: &Claim, asker: &Asker<'_>) -> bool {
        *self.owner == *asker.owner && self.ticket == claim.ticket
    }

    /// Whether this claim comes late: its event, or one that came after it in the same run, has given the row back or ended it, or has
    /// it now.
    fn is_past(&self, claim: &Claim, asker: &Asker<'_>) -> bool {
        let is_over = self.end.is_some() || self.hold == Hold::Free;
        *self.owner == *asker.owner && (claim.ticket < self.ticket || (is_over && claim.ticket == self.ticket))
    }

    /// Whether the asker knows of all that is counted here: it was told this epoch, or it was let create by a claim whose answer it
    /// did not get, and asks the same again, so that it did not. A claim that sends nothing comes before those of creates: of one that is
    /// applied behind them nothing follows.
    fn is_known(&self, claim: &Claim, asker: &Asker<'_>) -> bool {
        let was_told = *self.owner == *asker.owner && claim.epoch == Some(self.epoch);
        let is_the_next = self.unsure_creates == claim.unsure_creates.saturating_add(1);
        let asks_again = self.hold == Hold::Sends && claim.sends.is_some() && is_the_next;
        was_told || (asks_again && self.is_of(claim, asker))
    }

    fn left(&self, now_ms: i64) -> Left {
        let since_sent = (self.unsure_creates > 0 && self.sent_ms > 0).then(|| {
            let ms = u64::try_from(now_ms.saturating_sub(self.sent_ms)).unwrap_or(0);
            Duration::from_millis(ms)
        });
        Left {
            unsure_creates: self.unsure_creates,
            since_sent,
            sent: self.sent.clone(),
            digests: (self.body, self.request),
        }
    }
}
