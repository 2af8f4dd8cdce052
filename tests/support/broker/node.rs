//! A private RabbitMQ node from the server that is installed here: own folder, ports, name, cookie, password and epmd.
//!
//! A system's own node is never touched. Not here: the processes themselves, which `keeper.sh` starts and ends.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::join_all;

use super::keeper::Keeper;
use super::secured::Tls;
use super::wait::{comes_true, eventually};
use super::{Address, ports};

const SCRIPT: &str = include_str!("keeper.sh");
const START_DEADLINE: Duration = Duration::from_secs(120);
const STOP_DEADLINE: Duration = Duration::from_secs(60);
/// Ports are looked up and then used: somebody else may be quicker.
const STARTS: u32 = 3;
/// Seconds one `rabbitmqctl` may take.
const CTL_SECONDS: &str = "60";
/// What a delay queue gave back while a node died is given back again after this, not after the broker's own 3 minutes.
const ADVANCED: &str = "[{rabbit, [{dead_letter_worker_publisher_confirm_timeout, 20000}]}].\n";
static STARTED: AtomicU32 = AtomicU32::new(0);

/// What the nodes of one cluster have in common. A node by itself is a cluster of one.
struct Kin {
    names: Vec<String>,
    mapper: u16,
    cookie: String,
    password: String,
    tls: Option<Tls>,
}

impl Kin {
    fn of(count: usize, tls: Option<Tls>) -> Self {
        let [mapper] = ports::free();
        let name = |_| format!("t{}x{}@localhost", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
        let (cookie, password) = (format!("{:020X}", fastrand::u64(..)), format!("{:032x}", fastrand::u128(..)));
        Self { names: (0..count).map(name).collect(), mapper, cookie, password, tls }
    }
}

/// A node and everything that is its own. Dropped or orphaned, it is ended and its folder removed.
pub struct Node {
    keeper: Keeper,
    folder: PathBuf,
    scripts: PathBuf,
    environment: Vec<(String, String)>,
    address: Address,
}

impl Node {
    /// Starts a node with the server at that path, and waits until it answers.
    pub async fn start(server: &Path) -> Self {
        Self::cluster(server, 1).await.remove(0)
    }

    /// The same, of a node that listens with TLS as well, and where.
    pub async fn secured(server: &Path, folder: &Path, demands: bool) -> (Self, Tls) {
        let tls = Tls::new(folder, demands);
        (Self::come_up(server, 1, Some(tls.clone())).await.remove(0), tls)
    }

    /// Starts so many nodes as one cluster, and waits until each answers.
    pub async fn cluster(server: &Path, count: usize) -> Vec<Self> {
        Self::come_up(server, count, None).await
    }

    async fn come_up(server: &Path, count: usize, tls: Option<Tls>) -> Vec<Self> {
        let mut said = String::new();
        for _ in 0..STARTS {
            let kin = Kin::of(count, tls.clone());
            let nodes: Vec<_> = kin.names.iter().map(|name| Self::prepare(server, name, &kin)).collect();
            nodes.iter().for_each(|node| drop(node.keeper.ask("start")));
            match join_all(nodes.iter().map(Self::comes_up)).await.iter().position(|up| !up) {
                None => return nodes,
                Some(down) => said = nodes[down].last_words(),
            }
        }
        panic!("{} did not start, {STARTS} times. Its last words:\n{said}", server.display());
    }

    fn prepare(server: &Path, name: &str, kin: &Kin) -> Self {
        let folder = tempfile::Builder::new().prefix("chakra-bridge-rabbitmq-").tempdir();
        let folder = folder.expect("the folder for temporary files is writable").keep();
        let [amqp, distribution, http] = ports::free();
        write_files(&folder, amqp, http, kin).expect("a fresh folder is writable");
        let environment = environment(&folder, amqp, distribution, name, kin.mapper);
        let files = [&folder, server, &epmd()].map(|file| file.to_string_lossy().into_owned());
        let keeper = Keeper::start(SCRIPT, &files, Some(&environment));
        let address = Address::new("127.0.0.1", amqp, http, "tests", &kin.password);
        let scripts = server.parent().unwrap_or(Path::new("/usr/lib/rabbitmq/bin")).to_owned();
        Self { keeper, folder, scripts, environment, address }
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The pids of its keeper, its epmd, its wrapper and its virtual machine, as far as they run.
    pub fn pids(&self) -> Vec<u32> {
        self.keeper.ask("pids").split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    }

    /// Crashes it at once; its data stay.
    pub async fn kill9(&self) {
        self.keeper.ask("KILL");
        self.until_gone().await;
    }

    /// Stops it as a service manager would; takes up to 6 s.
    pub async fn stop(&self) {
        self.keeper.ask("TERM");
        self.until_gone().await;
    }

    /// Starts it again with its data and ports, stopped before if it runs.
    pub async fn restart(&self) {
        if self.keeper.ask("gone") != "yes" {
            self.stop().await;
        }
        self.keeper.ask("start");
        assert!(self.comes_up().await, "the node does not come back. Its last words:\n{}", self.last_words());
    }

    /// Holds its processor: it answers nothing, and its connections stay open.
    pub fn freeze(&self) {
        self.keeper.ask("STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.keeper.ask("CONT");
    }

    /// Runs `rabbitmqctl` with these arguments and gives what it prints; up to a second.
    pub async fn ctl(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new("timeout");
        command.arg(CTL_SECONDS).arg(self.scripts.join("rabbitmqctl")).args(arguments);
        command.env_clear().envs(self.environment.iter().cloned()).current_dir(&self.folder);
        let run = tokio::task::spawn_blocking(move || command.output()).await;
        let output = run.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        let [said, complained] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        if output.status.success() { Ok(said) } else { Err(format!("{said}{complained}")) }
    }

    async fn until_gone(&self) {
        eventually(STOP_DEADLINE, "the end of the node", async || self.keeper.ask("gone") == "yes").await;
    }

    /// Not so if it ends by itself, as it does when a port was taken.
    async fn comes_up(&self) -> bool {
        let settled = async || self.keeper.ask("gone") == "yes" || self.address.answers().await;
        comes_true(START_DEADLINE, settled).await && self.keeper.ask("gone") == "no"
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(self.folder.join("out")).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

fn write_files(folder: &Path, amqp: u16, http: u16, kin: &Kin) -> std::io::Result<()> {
    for inner in ["home", "mnesia", "log", "schema"] {
        fs::create_dir(folder.join(inner))?;
    }
    let settings = format!(
        "listeners.tcp.1 = 127.0.0.1:{amqp}\n\
         management.tcp.ip = 127.0.0.1\n\
         management.tcp.port = {http}\n\
         default_user = tests\n\
         default_pass = {password}\n\
         loopback_users = none\n\
         disk_free_limit.absolute = 1MB\n\
         log.file.level = info\n\
         {peers}{tls}",
        password = kin.password,
        peers = peers(&kin.names),
        tls = kin.tls.as_ref().map(Tls::settings).unwrap_or_default(),
    );
    fs::write(folder.join("rabbitmq.conf"), settings)?;
    fs::write(folder.join("advanced.config"), ADVANCED)?;
    fs::write(folder.join("rabbitmq-env.conf"), "")?;
    fs::write(folder.join("enabled_plugins"), "[rabbitmq_management, rabbitmq_shovel].\n")?;
    let cookie = folder.join("home/.erlang.cookie");
    fs::write(&cookie, &kin.cookie)?;
    fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400))
}

/// The settings by which the nodes of those names find each other; none for a node by itself.
pub(super) fn peers(names: &[String]) -> String {
    let node = |(at, name)| format!("cluster_formation.classic_config.nodes.{} = {name}\n", at + 1);
    let nodes: String = names.iter().enumerate().map(node).collect();
    if names.len() < 2 {
        String::new()
    } else {
        format!("cluster_formation.peer_discovery_backend = classic_config\n{nodes}")
    }
}

/// All that the server and its tools see of the outside: a stray `RABBITMQ_…` would lead them elsewhere.
fn environment(folder: &Path, amqp: u16, distribution: u16, name: &str, mapper: u16) -> Vec<(String, String)> {
    let path = std::env::var("PATH").unwrap_or_default();
    let inner = |inner: &str| folder.join(inner).to_string_lossy().into_owned();
    let pairs = [
        ("HOME", inner("home")),
        ("LANG", "C.UTF-8".to_owned()),
        ("PATH", format!("/usr/sbin:/usr/bin:/sbin:/bin:{path}")),
        ("RABBITMQ_NODENAME", name.to_owned()),
        ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1".to_owned()),
        ("RABBITMQ_NODE_PORT", amqp.to_string()),
        ("RABBITMQ_DIST_PORT", distribution.to_string()),
        ("ERL_EPMD_PORT", mapper.to_string()),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
        ("RABBITMQ_MNESIA_BASE", inner("mnesia")),
        ("RABBITMQ_LOG_BASE", inner("log")),
        ("RABBITMQ_PID_FILE", inner("pid")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", inner("enabled_plugins")),
        ("RABBITMQ_CONFIG_FILE", inner("rabbitmq.conf")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", inner("advanced.config")),
        ("RABBITMQ_CONF_ENV_FILE", inner("rabbitmq-env.conf")),
        ("RABBITMQ_GENERATED_CONFIG_DIR", inner("schema")),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}".to_owned()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The server installed here: the one without the wrapper that changes the user, or the first on the search path.
pub fn installed() -> Option<PathBuf> {
    let known = PathBuf::from("/usr/lib/rabbitmq/bin/rabbitmq-server");
    if known.is_file() { Some(known) } else { on_path("rabbitmq-server") }
}

/// Comes with Erlang; where it is not on the search path, in Erlang's own folder.
fn epmd() -> PathBuf {
    on_path("epmd").unwrap_or_else(|| PathBuf::from("/usr/lib/erlang/bin/epmd"))
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
