//! Postgres: how a connection is made, and which settings it needs.
//!
//! Not here: the statements (`sql`), and what is the same for both databases (`session`).

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::failure::Failure;
use super::session::Session;
use super::sql::Sql;
use super::{Server, Tls};

/// Nothing of ours may hold rows of other replicas for long, not even where we are cut off and the server does not notice. A plan is made
/// once, since to make one takes longer than to carry it out: each statement is such that what a planner knows of empty tables leads to
/// no other plan.
const SETTINGS: Sql = Sql {
    sqlite: "",
    postgres: "SET statement_timeout = '3s'; SET lock_timeout = '1s'; SET idle_in_transaction_session_timeout = '5s'; \
         SET tcp_user_timeout = '10s'; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off",
};

/// `remote_apply` promises more than `on`.
const SYNCHRONOUS: Sql = Sql {
    sqlite: "",
    postgres: "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
         WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)",
};

const READ_ONLY: Sql = Sql { sqlite: "", postgres: "SET default_transaction_read_only = on" };

/// What was set is read back.
const READ_BACK: Sql = Sql {
    sqlite: "",
    postgres: "SELECT concat_ws(' ', current_setting('synchronous_commit'), current_setting('fsync'), \
         current_setting('full_page_writes'), current_setting('server_encoding'))",
};

/// Connects to write. Also says why its commits may be lost, if they may.
pub(super) async fn open(server: &Server, name: &str) -> Result<(Session, Option<String>), Failure> {
    let mut session = connect(server, name).await?;
    session.text(SYNCHRONOUS, &[]).await?;
    let read_back = session.text(READ_BACK, &[]).await?;
    let degraded = settings(&read_back)?;
    Ok((session, degraded))
}

/// Connects to read only.
pub(super) async fn open_to_read(server: &Server) -> Result<Session, Failure> {
    let mut session = connect(server, "chakra-bridge (reads)").await?;
    session.simple(READ_ONLY).await?;
    let read_back = session.text(READ_BACK, &[]).await?;
    settings(&read_back)?;
    Ok(session)
}

async fn connect(server: &Server, name: &str) -> Result<Session, Failure> {
    let connected = options(server, name).await?.connect().await.map_err(|error| Failure::of(&error))?;
    let mut session = Session::Postgres(Box::new(connected));
    session.simple(SETTINGS).await?;
    Ok(session)
}

/// All that a variable for other programs could set is set.
async fn options(server: &Server, name: &str) -> Result<PgConnectOptions, Failure> {
    let mode = match server.tls {
        Tls::VerifyFull => PgSslMode::VerifyFull,
        Tls::VerifyCa => PgSslMode::VerifyCa,
        Tls::Require => PgSslMode::Require,
        Tls::Disable => PgSslMode::Disable,
    };
    let options = PgConnectOptions::new_without_pgpass()
        .host(&server.host)
        .port(server.port)
        .username(&server.user)
        .database(&server.database)
        .ssl_mode(mode)
        .application_name(name)
        .disable_statement_logging();
    let options = match &server.authorities {
        Some(path) => options.ssl_root_cert(path),
        None => options,
    };
    let password = match &server.password {
        Some(source) => source.read().await.map_err(Failure::password)?.expose().to_owned(),
        None => String::new(),
    };
    Ok(options.password(&password))
}

/// Whether commits are safe there, as [`READ_BACK`] tells it.
fn settings(read_back: &str) -> Result<Option<String>, Failure> {
    let words: Vec<&str> = read_back.split(' ').collect();
    let [synchronous, fsync, full_page_writes, encoding] = words[..] else {
        return Err(Failure::setting("its settings cannot be read".to_owned(), "Please report it with the log"));
    };
    if encoding != "UTF8" {
        let why = format!("its database is of the encoding {encoding}, which does not hold every key");
        return Err(Failure::setting(why, "Make a database with ENCODING 'UTF8', and name it in ledger.url"));
    }
    let is_safe = matches!(synchronous, "on" | "remote_apply") && fsync == "on" && full_page_writes == "on";
    Ok((!is_safe).then(|| {
        format!(
            "Postgres runs with synchronous_commit={synchronous}, fsync={fsync} and full_page_writes={full_page_writes}"
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_may_lose_commits_is_degraded_by_name_and_one_that_holds_no_text_is_refused() {
        assert_eq!(settings("on on on UTF8"), Ok(None));
        assert_eq!(settings("remote_apply on on UTF8"), Ok(None));
        for (read_back, named) in [("off on on UTF8", "synchronous_commit=off"), ("on off on UTF8", "fsync=off")] {
            assert!(settings(read_back).unwrap().is_some_and(|words| words.contains(named)));
        }
        assert!(settings("on on on SQL_ASCII").unwrap_err().why.contains("SQL_ASCII"));
        assert!(settings("").is_err());
    }
}
