//! Why the ledger cannot be asked, in words, with what a person can do about it.
//!
//! Not here: when it is tried again (`driver`).

use std::fmt;
use std::io;
use std::path::Path;

use crate::tls;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// In words; never holds a password or a piece of an event.
    pub why: String,
    /// What a person can do.
    pub next: &'static str,
    pub(super) kind: Kind,
}

/// What follows for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The same may work at once: another transaction was in the way.
    Conflict,
    /// Another daemon has it.
    InUse,
    /// One of the rows is in the way: the database does not take it, or somebody has it locked.
    Data,
    /// Anything else.
    Away,
}

const WAIT: &str = "Events wait meanwhile; it is tried again by itself";
const TLS: &str = "Name its authority in ledger.ca_file, or correct the host or sslmode in ledger.url";
const SPACE: &str = "Make room on its disk, or lower ledger.keep; it is tried again by itself";
const PASSWORD: &str =
    "Correct the password in ledger.password_file, or the user in ledger.url: the file is read at each attempt";
const DAMAGED: &str = "Stop the daemon and restore the file, or move it away with its -wal file: what a lost ledger costs stands in docs/ledger.md";
const NEWER: &str = "Run that newer version, or name another database in ledger.url";
const RIGHTS: &str = "Grant the user of ledger.url the rights of docs/ledger.md";
const PRIMARY: &str = "Name the primary in ledger.url: a standby takes no rows";
const LOCATION: &str = "Correct ledger.url, or make the database";
const FOLDER: &str =
    "The folder of ledger.url must exist and be writable for the daemon's user; a volume must be mounted there";

/// The keys that a person is told to look at.
const HANDSHAKE: tls::Handshake = tls::Handshake { section: "ledger", address: "ledger.url" };

impl Failure {
    fn new(kind: Kind, why: impl Into<String>, next: &'static str) -> Self {
        Self { why: why.into(), next, kind }
    }

    /// Of an error of the library.
    pub(super) fn of(error: &sqlx::Error) -> Self {
        let complaint = tls::find(error).and_then(|error| tls::complaint(error, HANDSHAKE));
        if let Some(complaint) = complaint {
            return Self::new(Kind::Away, format!("TLS with it fails: {complaint}"), TLS);
        }
        match error {
            sqlx::Error::Database(of_database) => {
                let (message, code) = (of_database.message(), of_database.code().unwrap_or_default());
                match code.parse::<i32>() {
                    // Codes of Postgres are of five characters, of SQLite at most four digits.
                    Ok(number) if code.len() < 5 => sqlite(number, message),
                    _ => postgres(&code, message),
                }
            }
            sqlx::Error::Io(error) => Self::new(Kind::Away, format!("it cannot be reached: {error}"), WAIT),
            sqlx::Error::Tls(error) => Self::new(Kind::Away, format!("TLS with it fails: {error}"), TLS),
            other => Self::new(Kind::Away, other.to_string(), WAIT),
        }
    }

    /// No answer in time.
    pub(super) fn no_answer(limit: std::time::Duration) -> Self {
        Self::new(Kind::Away, format!("it does not answer within {} s", limit.as_secs()), WAIT)
    }

    /// Of the tables.
    pub(super) fn schema(why: String) -> Self {
        Self::new(Kind::Away, why, NEWER)
    }

    /// A password that cannot be read.
    pub(super) fn password(why: String) -> Self {
        Self::new(Kind::Away, format!("its password cannot be read: {why}"), PASSWORD)
    }

    /// A file or a folder that is not as it should be.
    pub(super) fn file(path: &Path, error: &io::Error) -> Self {
        let next = if error.kind() == io::ErrorKind::StorageFull { SPACE } else { FOLDER };
        Self::new(Kind::Away, format!("{}: {error}", path.display()), next)
    }

    /// Another daemon has the file.
    pub(super) fn in_use(path: &Path) -> Self {
        Self::new(
            Kind::InUse,
            format!("another daemon has {}", path.display()),
            "A file is for one daemon; for several use Postgres",
        )
    }

    /// Of the settings of a server.
    pub(super) fn setting(why: String, next: &'static str) -> Self {
        Self::new(Kind::Away, why, next)
    }

    /// A row that cannot be read, or was not taken.
    pub(super) fn rows(why: &str) -> Self {
        Self::new(Kind::Data, why, "Please report it with the log")
    }

    /// A lease that is over as soon as it is renewed.
    pub(super) fn lapsed() -> Self {
        Self::new(Kind::Away, "the lease of this replica ends as soon as it is renewed", WAIT)
    }

    /// So many conflicts that it is given up for now.
    pub(super) fn crowded() -> Self {
        Self::new(Kind::Away, "other replicas change the same rows without an end", WAIT)
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn postgres(code: &str, message: &str) -> Failure {
    let (kind, next) = match code {
        "40001" | "40P01" | "23505" | "42P07" => (Kind::Conflict, WAIT),
        // A replica holds a lock for milliseconds.
        "55P03" => (Kind::Data, "End the session of the database that has the row locked"),
        "28P01" | "28000" => (Kind::Away, PASSWORD),
        "3D000" | "3F000" => (Kind::Away, LOCATION),
        "42501" => (Kind::Away, RIGHTS),
        "25006" => (Kind::Away, PRIMARY),
        "53100" => (Kind::Away, SPACE),
        _ if code.starts_with("22") || code.starts_with("23") => (Kind::Data, "Please report it with the log"),
        _ => (Kind::Away, WAIT),
    };
    Failure::new(kind, format!("it says: {message} ({code})"), next)
}

/// <https://www.sqlite.org/rescode.html>; the lowest byte is the kind.
fn sqlite(code: i32, message: &str) -> Failure {
    let (kind, what, next) = match code & 0xff {
        5 | 6 => (Kind::Conflict, "another program has it locked", "End whatever else has the file open"),
        11 | 26 => (Kind::Away, "the file is damaged, or no database", DAMAGED),
        13 => (Kind::Away, "its disk is full", SPACE),
        8 => (Kind::Away, "it cannot be written", FOLDER),
        14 => (Kind::Away, "it cannot be opened", FOLDER),
        10 => (Kind::Away, "its disk fails", SPACE),
        18..=20 => (Kind::Data, "it does not take a row", "Please report it with the log"),
        _ => (Kind::Away, "it fails", WAIT),
    };
    Failure::new(kind, format!("{what}: {message} ({code})"), next)
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}. {}", self.why, self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_transaction_causes_is_tried_again_and_what_one_row_causes_is_told_apart() {
        for (failure, kind) in [
            (postgres("40P01", "deadlock"), Kind::Conflict),
            (postgres("22P05", "no such character"), Kind::Data),
            (postgres("55P03", "lock timeout"), Kind::Data),
            (postgres("53100", "no space"), Kind::Away),
            (sqlite(517, "busy snapshot"), Kind::Conflict),
            (sqlite(19, "constraint"), Kind::Data),
            (sqlite(266, "short read"), Kind::Away),
        ] {
            assert_eq!(failure.kind, kind, "{failure}");
        }
    }

    #[test]
    fn each_trouble_says_what_to_do() {
        assert!(postgres("28P01", "").next.contains("ledger.password_file"));
        assert!(postgres("25006", "").next.contains("primary"));
        assert!(sqlite(11, "").next.contains("restore") && sqlite(26, "").why.contains("no database"));
        assert!(sqlite(13, "").why.contains("disk is full") && sqlite(14, "").next.contains("writable"));
        assert!(Failure::file(Path::new("/x"), &io::Error::from(io::ErrorKind::StorageFull)).next.contains("room"));
    }
}
