//! A private Postgres from the server that is installed here: own folder, port and password; for the tests of the ledger.
//!
//! A system's own server is never touched. Not here: the process itself, which `keeper.sh` starts and ends.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test that includes it uses a part of it, and may fail this way"
)]

pub mod wire;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, raw_sql};
use tokio::sync::OnceCell;

use super::broker::keeper::Keeper;
use super::broker::{eventually, free_ports};

const SCRIPT: &str = include_str!("keeper.sh");
const INSTALLED: &str = "/usr/lib/postgresql";
const DEADLINE: Duration = Duration::from_secs(60);
const CI: &str = "CHAKRA_BRIDGE_CI";

static SHARED: OnceCell<Option<Postgres>> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A server. Dropped or orphaned, it is ended and its folder removed.
pub struct Postgres {
    keeper: Keeper,
    folder: PathBuf,
    pub port: u16,
    pub password: String,
}

impl Postgres {
    /// A server by itself; none where none is installed, unless that is a failure here.
    pub async fn start() -> Option<Self> {
        Self::on_a_disk_of(0).await
    }

    /// The server that the tests of this binary share.
    pub async fn shared() -> Option<&'static Self> {
        SHARED.get_or_init(Self::start).await.as_ref()
    }

    /// The same with its data on a disk of so many megabytes, for which one must be root.
    pub async fn on_a_disk_of(megabytes: u32) -> Option<Self> {
        let Some(bin) = installed() else {
            assert!(std::env::var_os(CI).is_none(), "no Postgres in {INSTALLED}, and {CI} allows no skipping");
            eprintln!("skipped: no Postgres in {INSTALLED}; install the package postgresql");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("chakra-bridge-postgres-").tempdir().unwrap().keep();
        let password = format!("{:032x}", fastrand::u128(..));
        fs::write(folder.join("password"), &password).unwrap();
        let [port] = free_ports();
        let arguments =
            [folder.display().to_string(), bin.display().to_string(), port.to_string(), megabytes.to_string()];
        let keeper = Keeper::start(SCRIPT, &arguments, None);
        let server = Self { keeper, folder, port, password };
        assert_eq!(server.keeper.ask("make"), "yes", "no database cluster: {}", server.last_words());
        server.launch().await;
        Some(server)
    }

    /// Starts it, and waits until it answers.
    pub async fn launch(&self) {
        self.keeper.ask("start");
        eventually(DEADLINE, "Postgres answers", || async { self.connect("postgres").await.is_ok() }).await;
    }

    /// Waits until it answers again by itself; where a fault ended it, it is started.
    pub async fn comes_back(&self) {
        let answers = || async {
            if self.keeper.ask("gone") == "yes" {
                self.keeper.ask("start");
            }
            self.connect("postgres").await.is_ok()
        };
        eventually(DEADLINE, "Postgres comes back", answers).await;
    }

    /// Crashes it at once; its data stay.
    pub async fn kill9(&self) {
        self.keeper.ask("KILL");
        eventually(DEADLINE, "Postgres is gone", || async { self.keeper.ask("gone") == "yes" }).await;
    }

    /// Stops it in order.
    pub async fn stop(&self) {
        self.keeper.ask("INT");
        eventually(DEADLINE, "Postgres is gone", || async { self.keeper.ask("gone") == "yes" }).await;
    }

    /// Holds its processors: it answers nothing, and its connections stay open.
    pub fn freeze(&self) {
        self.keeper.ask("STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.keeper.ask("CONT");
    }

    /// Fills its disk.
    pub fn fill(&self) {
        self.keeper.ask("fill");
    }

    /// Makes room again.
    pub fn empty(&self) {
        self.keeper.ask("empty");
    }

    /// A database of its own, by its name.
    pub async fn database(&self) -> String {
        let name = format!("ledger{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", format!("CREATE DATABASE {name}")).await;
        name
    }

    /// Runs statements as the superuser.
    pub async fn run(&self, database: &str, statements: String) {
        let mut connection = self.connect(database).await.unwrap();
        raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
    }

    /// A transaction that is left open with what a statement locks, until it is dropped.
    pub async fn begun(&self, database: &str, statement: &'static str) -> PgConnection {
        let mut connection = self.connect(database).await.unwrap();
        raw_sql(AssertSqlSafe(format!("BEGIN; {statement}"))).execute(&mut connection).await.unwrap();
        connection
    }

    /// Lets it take TLS as well, with this certificate.
    pub async fn secure(&self, cert: &str, key: &str) {
        for (name, text) in [("server.pem", cert), ("server.key", key)] {
            let path = self.folder.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let of = fs::metadata(&self.folder).unwrap();
            chown(&path, Some(of.uid()), Some(of.gid())).unwrap();
            let setting = if name == "server.pem" { "ssl_cert_file" } else { "ssl_key_file" };
            self.run("postgres", format!("ALTER SYSTEM SET {setting} = '{}'", path.display())).await;
        }
        self.run("postgres", "ALTER SYSTEM SET ssl = on".to_owned()).await;
        self.run("postgres", "SELECT pg_reload_conf()".to_owned()).await;
    }

    /// What a statement gives: one number.
    pub async fn number(&self, database: &str, statement: &'static str) -> i64 {
        let mut connection = self.connect(database).await.unwrap();
        sqlx::query_scalar(statement).fetch_one(&mut connection).await.unwrap()
    }

    async fn connect(&self, database: &str) -> Result<PgConnection, sqlx::Error> {
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(self.port).username("tests");
        let options = options.password(&self.password).database(database).ssl_mode(PgSslMode::Disable);
        options.disable_statement_logging().connect().await
    }

    fn last_words(&self) -> String {
        fs::read_to_string(self.folder.join("out")).unwrap_or_default()
    }
}

/// The programs of the newest version that is installed.
fn installed() -> Option<PathBuf> {
    let versions = fs::read_dir(INSTALLED).ok()?.filter_map(Result::ok).map(|version| version.path().join("bin"));
    let whole = versions.filter(|bin| Path::new(bin).join("initdb").exists() && bin.join("postgres").exists());
    whole.max_by_key(|bin| bin.parent().and_then(|version| version.file_name()?.to_str()?.parse::<u32>().ok()))
}
