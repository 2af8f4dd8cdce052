//! Pictures in the hands of the adversary: what a host makes of a fetch, and the API of an upload; and what is held against both.
//!
//! Not here: the walks (`pictured`).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chakra_bridge::core::delivery::{EventId, Input};
use chakra_bridge::core::ledger::{Claim, Claimed};
use chakra_bridge::core::photo::{Missed, Photo, PhotoId, PhotoReply};
use chakra_bridge::core::reason::Cause;

use crate::adversary::Sabotage;
use crate::api::{ACTS, Act};
use crate::broker::{Copy, Later};
use crate::claims::{Answer, Write};
use crate::requests::WallScope;
use crate::stage::{Kind, LATENCY, TIMEOUT};
use crate::world::World;

/// How large a picture is, in bytes.
const BYTES: u64 = 1000;

/// What the pictures of one host may come to, for ever.
pub(crate) const WALLS_OF_HOSTS: [Act; 4] = [Act::LosesRequest, Act::Fails, Act::Unreachable, Act::Throttles];

/// What becomes of an upload: all but a refusal of a second one, which only a photo that is there meets.
fn uploads() -> Vec<Act> {
    ACTS.into_iter().filter(|act| !matches!(act, Act::Applies | Act::Conflicts)).collect()
}

/// Where every walk is walked: one of each kind that is told apart.
const FEW: [Act; 4] = [Act::LosesAnswer, Act::AppliesLate, Act::Rejects, Act::Forbids];

/// What becomes of a fetch that does not bring the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Miss {
    Hangs,
    BreaksOff,
    Fails,
    Unreachable,
    Throttles,
    Gone,
    Expired,
    NoPicture,
}

/// The same of fetches.
const FEW_MISSES: [Miss; 2] = [Miss::Hangs, Miss::Gone];

const MISSES: [Miss; 8] = [
    Miss::Hangs,
    Miss::BreaksOff,
    Miss::Fails,
    Miss::Unreachable,
    Miss::Throttles,
    Miss::Gone,
    Miss::Expired,
    Miss::NoPicture,
];

impl Miss {
    fn missed(self) -> Missed {
        let failed = |cause, status, after| Missed::Failed { cause, status, after, detail: None };
        match self {
            Self::Hangs => failed(Cause::Timeout, None, None),
            Self::BreaksOff => failed(Cause::Reset, None, None),
            Self::Fails => failed(Cause::ServerError, Some(503), None),
            Self::Unreachable => failed(Cause::Unreachable, None, None),
            Self::Throttles => failed(Cause::Throttled, Some(429), Some(TIMEOUT)),
            Self::Gone => Missed::Gone(404),
            Self::Expired => Missed::Expired(403),
            Self::NoPicture => Missed::WrongType,
        }
    }

    fn of_wall(act: Act) -> Self {
        match act {
            Act::LosesRequest => Self::Hangs,
            Act::Unreachable => Self::Unreachable,
            Act::Throttles => Self::Throttles,
            _ => Self::Fails,
        }
    }

    fn took(self) -> Duration {
        if self == Self::Hangs { TIMEOUT } else { LATENCY }
    }
}

/// The photos that the API has, and what became of pictures.
#[derive(Debug, Default)]
pub(crate) struct Gallery {
    up: HashSet<PhotoId>,
    /// The id of each picture, by its link without what signs it.
    ids: HashMap<String, PhotoId>,
    /// The photos of keys that could not be had, or that the API refused.
    missed: HashSet<(usize, String)>,
}

impl World<'_> {
    /// A photo is to be brought up; where it is to be claimed first, only if the row is this life's.
    pub(crate) fn photo(&mut self, event: EventId, photo: &Photo, claim: Option<Box<Claim>>) {
        let Some(claim) = claim else { return self.bring_up(event, photo, None) };
        let known = claim.unsure_creates;
        let claimed = match self.asks(Write::Claim(claim)) {
            Some(Answer::Claimed(claimed)) => claimed,
            _ => Claimed::Away,
        };
        self.tell(|| format!("  the ledger: {claimed:?}"));
        match claimed {
            Claimed::Mine { epoch, left, .. } if left.unsure_creates <= known => {
                self.bring_up(event, photo, Some(epoch));
            }
            claimed => {
                self.count.withheld += 1;
                self.shell.running.insert(event, None);
                self.agenda.add(self.now + LATENCY, Later::Withheld { event, claimed });
            }
        }
    }

    fn bring_up(&mut self, event: EventId, photo: &Photo, epoch: Option<i64>) {
        let Some(copy) = self.begins(event) else { return };
        let id = *self.gallery.ids.entry(photo.source.to_string()).or_insert(photo.id);
        self.count.sins.uploaded_otherwise += u64::from(id != photo.id);
        let (reply, took) = match self.miss(photo) {
            Some(miss) => {
                let missed = miss.missed();
                if missed.fault().is_some() {
                    self.cannot_be_had(&copy, photo);
                }
                (Some(PhotoReply::Missed(missed)), miss.took())
            }
            None => self.upload(&copy, photo),
        };
        self.tell(|| format!("  photo {} of {}: {reply:?}", photo.name, photo.source));
        self.shell.running.insert(event, None);
        self.agenda.add(self.now + took, Later::Brought { event, reply, took, epoch });
        self.strike_meanwhile(took);
    }

    /// What the host makes of it, where it does not serve it.
    fn miss(&mut self, photo: &Photo) -> Option<Miss> {
        let host = photo.source.host();
        let is_before = |scope: &WallScope| matches!(scope, WallScope::Host(walled) if Some(*walled) == host);
        let mut walls = self.walls.iter().filter(|wall| self.now < wall.until && is_before(&wall.scope));
        if let Some(wall) = walls.next() {
            return Some(Miss::of_wall(wall.act));
        }
        if !self.choices.spends(&mut self.setting.pictures, 4) {
            return None;
        }
        let miss = if self.choices.is_random() { self.choices.one(&MISSES) } else { self.choices.one(&FEW_MISSES) };
        self.reason(self.now + miss.took());
        Some(miss)
    }

    /// What the API makes of it, and how long that takes.
    fn upload(&mut self, copy: &Copy, photo: &Photo) -> (Option<PhotoReply>, Duration) {
        let asked = |act: Act| act.reply().map(|reply| PhotoReply::Asked { reply, bytes: BYTES });
        if self.setting.sabotage == Sabotage::UploadsNothing {
            return (asked(Act::Applies), LATENCY);
        }
        let key = self.ledger.lines[copy.line].key;
        let act = self.act_on_photo(photo, key);
        if let Some(after) = act.applied() {
            // One that is answered is applied by its end.
            let after = if act.is_unsure() { after } else { act.took() };
            self.agenda.add(self.now + after, Later::Up(photo.id));
        }
        if act == Act::Rejects {
            self.ledger.accounts[key].is_refused = true;
            self.cannot_be_had(copy, photo);
        }
        self.ledger.accounts[key].panics += u32::from(act.reply().is_none());
        (asked(act), act.took())
    }

    fn act_on_photo(&mut self, photo: &Photo, key: usize) -> Act {
        let is_whole = |scope: &WallScope| matches!(scope, WallScope::Everything);
        let mut walls = self.walls.iter().filter(|wall| self.now < wall.until && is_whole(&wall.scope));
        if let Some(wall) = walls.next() {
            return wall.act;
        }
        if self.choices.spends(&mut self.setting.pictures, 3) {
            let act = if self.choices.is_random() { self.choices.one(&uploads()) } else { self.choices.one(&FEW) };
            self.reason(self.now + act.took().max(act.applied().unwrap_or_default()));
            return act;
        }
        let is_second = self.gallery.up.contains(&photo.id);
        // A second upload to an id is taken or refused.
        if is_second && key.is_multiple_of(2) { Act::Conflicts } else { Act::Applies }
    }

    fn cannot_be_had(&mut self, copy: &Copy, photo: &Photo) {
        let key = self.ledger.lines[copy.line].key;
        self.gallery.missed.insert((key, photo.name.to_string()));
    }

    /// Whether a picture of this publish could not be had.
    pub(crate) fn is_missed(&self, line: usize) -> bool {
        let key = self.ledger.lines[line].key;
        self.gallery.missed.iter().any(|(missed, _)| *missed == key)
    }

    pub(crate) fn is_up(&mut self, photo: PhotoId) {
        self.count.photos += u64::from(self.gallery.up.insert(photo));
    }

    pub(crate) fn brought(&mut self, event: EventId, reply: Option<PhotoReply>, took: Duration, epoch: Option<i64>) {
        self.shell.running.remove(&event);
        self.on(match reply {
            Some(reply) => Input::PhotoReplied { event, reply, took, epoch },
            None => Input::Panicked { event },
        });
    }

    /// The client is gone: the API keeps what it has of its uploads, or nothing.
    pub(crate) fn cut_uploads(&mut self) {
        let is_upload = |later: &Later| matches!(later, Later::Up(_));
        if self.agenda.any(is_upload) && self.choices.happens(2) {
            self.agenda.keep(|later| !is_upload(later));
        }
    }

    /// Where events have pictures, perhaps the host of one is what a wall stands before.
    pub(crate) fn host_of_a_wall(&mut self) -> Option<WallScope> {
        if self.setting.pictures == 0 || self.choices.happens(2) {
            return None;
        }
        Some(WallScope::Host(self.choices.one(&["slow.example", "quick.example"])))
    }

    /// A create of this event goes out: each photo that it names is up, and each that it does not could not be had.
    pub(crate) fn minds_photos(&mut self, kind: Kind, key: usize, data: &serde_json::Value) {
        for name in kind.photos() {
            let named = data[*name].as_str().map(|text| PhotoId::try_from(text.to_owned()).expect("an id"));
            let is_missed = self.gallery.missed.contains(&(key, (*name).to_owned()));
            let sins = &mut self.count.sins;
            match named {
                Some(id) => sins.named_unseen += u64::from(!self.gallery.up.contains(&id)),
                None => sins.left_out_for_nothing += u64::from(!is_missed),
            }
        }
    }
}
