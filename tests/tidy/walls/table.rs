//! The walls of the house as data. A pattern is a path and all that lies in it; `*::` in front means anywhere in a
//! path.

use crate::tidy::source::names::names_it;

/// What the code of one room must not name.
pub(crate) struct Wall {
    pub(crate) room: &'static str,
    pub(crate) never: &'static [&'static str],
    pub(crate) but: &'static [&'static str],
}

impl Wall {
    /// The room, if it is a single file.
    pub(crate) fn file(&self) -> String {
        format!("{}.rs", self.room.trim_end_matches('/'))
    }

    pub(crate) fn forbids(&self, path: &str) -> bool {
        let any = |patterns: &[&str]| patterns.iter().any(|pattern| names_it(path, pattern));
        any(self.never) && !any(self.but)
    }
}

/// The rooms, floor by floor: the code of a room names only itself and rooms of the floors before its own. `lib` and
/// `main` stand above all of them.
pub(crate) const FLOORS: &[&[&str]] = &[
    &["core", "files"],
    &["secret", "tls", "clock", "handover", "states", "metrics"],
    &["http_client"],
    &["amqp", "management", "chakra", "photos", "admin", "ledger"],
    &["dispatch"],
    &["config"],
    &["telemetry", "ready"],
    &["reload"],
    &["daemon"],
    &["cli"],
];

pub(crate) const WALLS: &[Wall] = &[
    Wall {
        room: "src/core/",
        never: &[
            "tokio",
            "lapin",
            "reqwest",
            "tracing",
            "hyper",
            "fastrand",
            "std::net",
            "std::fs",
            "*::Instant::now",
            "*::SystemTime",
            "*::Timestamp::now",
            "*::Zoned::now",
        ],
        but: &[],
    },
    Wall { room: "src/files/", never: &["lapin", "reqwest", "hyper", "tokio::net"], but: &[] },
    Wall { room: "src/secret/", never: &["lapin", "reqwest", "hyper", "tokio::net"], but: &[] },
    Wall { room: "src/tls/", never: &["lapin", "reqwest", "hyper", "tokio::net"], but: &[] },
    Wall { room: "src/handover/", never: &["lapin", "reqwest", "hyper"], but: &[] },
    Wall { room: "src/states/", never: &["lapin", "reqwest", "hyper"], but: &[] },
    Wall { room: "src/metrics/", never: &["lapin", "reqwest", "hyper", "tokio"], but: &[] },
    Wall { room: "src/amqp/", never: &["crate::chakra", "reqwest", "minijinja", "*::Judgement"], but: &[] },
    Wall { room: "src/chakra/", never: &["lapin", "crate::handover", "*::Receipt", "*::Judgement"], but: &[] },
    Wall {
        room: "src/photos/",
        never: &["lapin", "hyper", "crate::handover", "crate::secret", "*::Receipt", "*::Judgement"],
        but: &[],
    },
    Wall {
        room: "src/management/",
        never: &["lapin", "hyper", "crate::handover", "*::Receipt", "*::Judgement"],
        but: &[],
    },
    Wall {
        room: "src/ledger/",
        never: &["lapin", "reqwest", "hyper", "crate::handover", "*::Receipt", "*::Judgement"],
        but: &[],
    },
    Wall { room: "src/dispatch/", never: &["lapin", "reqwest", "hyper"], but: &[] },
    Wall { room: "src/admin/", never: &["lapin", "reqwest", "crate::handover"], but: &[] },
    Wall { room: "src/ready/", never: &["lapin", "reqwest", "hyper", "tokio"], but: &[] },
    Wall { room: "src/reload/", never: &["lapin", "reqwest", "hyper"], but: &[] },
];

/// What only one file may do.
pub(crate) struct Home {
    pub(crate) file: &'static str,
    pub(crate) names: &'static [&'static str],
    pub(crate) words: &'static [&'static str],
    pub(crate) why: &'static str,
}

pub(crate) const HOMES: &[Home] = &[
    Home {
        file: "src/core/backoff.rs",
        names: &["backoff"],
        words: &[],
        why: "an unmaintained crate must be easy to take out",
    },
    Home {
        file: "src/amqp/settle.rs",
        names: &[],
        words: &[".ack(", ".nack(", ".reject(", "basic_ack", "basic_nack", "basic_reject"],
        why: "the dangerous order, publish then acknowledge, is written once",
    },
    Home { file: "src/main.rs", names: &["*::process::exit"], words: &[], why: "only the top ends the process" },
];

/// Names that the daemon does without.
pub(crate) const BANNED_NAMES: &[(&str, &str)] = &[
    ("*::Mutex", "state has one owner; pass values instead"),
    ("*::unbounded_channel", "a queue without a bound is memory without a bound"),
    ("*::UnboundedSender", "a queue without a bound is memory without a bound"),
    ("*::UnboundedReceiver", "a queue without a bound is memory without a bound"),
    ("tokio::spawn", "a detached task outlives its owner: use a JoinSet"),
    ("*::task::spawn", "a detached task outlives its owner: use a JoinSet"),
];

/// Which part of a source a ban reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// What the daemon runs.
    Daemon,
    /// Its tests as well.
    All,
}

/// Words that the source does without.
pub(crate) const BANNED_WORDS: &[(&str, Read, &str)] = &[
    (".unwrap()", Read::Daemon, "say what is wrong, or name the invariant in an `expect`"),
    ("Arc<Mutex", Read::All, "state has one owner; pass values instead"),
    ("Arc<RwLock", Read::All, "state has one owner; pass values instead"),
    ("Mutex<", Read::Daemon, "state has one owner; pass values instead"),
    ("dbg!", Read::All, "left over"),
    ("todo!", Read::All, "finish it, or leave it out"),
    ("trait", Read::All, "a trait with one implementation is a wall for nobody"),
    ("unimplemented!", Read::All, "finish it, or leave it out"),
];

/// Marks of unfinished work.
pub(crate) const UNFINISHED: &[&str] = &["FIXME", "TODO", "XXX"];

/// Names of modules that say nothing.
pub(crate) const BANNED_MODULES: &[&str] = &["common", "helpers", "manager", "models", "types", "utils"];

/// What the whole daemon may hold only so often.
pub(crate) const COUNTED: &[(&str, usize, &str)] =
    &[("dyn", 2, "values, not objects"), (".expect(", 6, "a handful, each naming its invariant")];
