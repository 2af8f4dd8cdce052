//! The API behind TLS and behind a proxy.
//!
//! The rule has no `reconcile_by`: a trouble that were taken for a lost answer would end events as dead letters.
//! Not here: the broker.

use rustls::ServerConfig;
use serde_json::Value;

use crate::authority::{Authority, Folder, server};
use crate::front::{Front, Manner, Proxy};
use crate::support::daemon::{Daemon, announced, says};
use crate::support::deadline::within;
use crate::support::scene::Scene;

const EVENTS: usize = 100;
const HOST: &str = "localhost";

const SECTIONS: &str = r#"
[gate]
probe_initial = "200ms"
probe_max = "1s"
[retry]
budget = 1.0
"#;

/// A scene, the front before its API, and the files of the daemon.
struct Stage {
    scene: Scene,
    front: Front,
    files: Folder,
}

impl Stage {
    async fn new(config: ServerConfig) -> Self {
        let scene = Scene::shared().await;
        let front = Front::before(scene.api.address(), config).await;
        Self { scene, front, files: Folder::new() }
    }

    /// A daemon that goes to the API by that host name, with more of `[api]`, and its events.
    async fn begins(&self, name: &str, more: &str) -> Daemon {
        let mut setup = self.scene.setup().sections(SECTIONS).api(more).broker("topology = \"declare\"");
        setup.api = self.front.url(name);
        let mut daemon = Daemon::start(&setup);
        within(60, "consuming", daemon.consuming()).await;
        within(60, "publishing", self.scene.publish(EVENTS, 200)).await;
        daemon
    }

    /// Every event is one process, and none was doubted.
    async fn ends_well(&self, daemon: Daemon) {
        self.scene.ends_well(EVENTS).await;
        assert_eq!(announced(&daemon.log()), Vec::<String>::new());
        assert_eq!(self.scene.api.created().len(), EVENTS);
        daemon.signal("TERM");
        assert_eq!(within(60, "its end", daemon.ended()).await.0, Some(0));
    }
}

/// The gate shut for that reason, with these words about it.
fn shut<'w>(why: &'w str, words: &'w str) -> impl Fn(&Value) -> bool + 'w {
    move |line| {
        let detail = line["detail"].as_str().unwrap_or_default();
        says(line, "gate shut") && line["why"] == why && detail.contains(words)
    }
}

/// Its metrics say when the certificate of the API expires, and its own.
async fn tells_expiry(daemon: &mut Daemon, certificates: [&str; 2]) {
    let admin = daemon.admin().await;
    let metrics = within(30, "metrics", reqwest::get(format!("{admin}/metrics"))).await.unwrap().text().await.unwrap();
    for certificate in certificates {
        // The first of January 2099.
        let line =
            format!("chakra_bridge_certificate_expiry_timestamp_seconds{{certificate=\"{certificate}\"}} 4070908800\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
}

async fn hears(daemon: &mut Daemon, why: &str, words: &str) {
    within(60, words, daemon.until(shut(why, words))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_authority_shuts_the_gate_until_its_file_names_it() {
    let (right, other) = (Authority::new("right"), Authority::new("other"));
    let stage = Stage::new(server(&right.server(HOST), None)).await;
    let mut daemon = stage.begins(HOST, &stage.files.put_trusted(&other)).await;
    hears(&mut daemon, "certificate", "api.ca_file").await;
    stage.files.put_trusted(&right);
    stage.ends_well(daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_shuts_the_gate_until_the_server_renews_it() {
    let right = Authority::new("right");
    let stage = Stage::new(server(&right.expired(HOST), None)).await;
    let mut daemon = stage.begins(HOST, &stage.files.put_trusted(&right)).await;
    hears(&mut daemon, "certificate", "has expired").await;
    stage.front.becomes(server(&right.server(HOST), None));
    stage.ends_well(daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_name_shuts_the_gate_until_the_server_shows_its_own() {
    let right = Authority::new("right");
    let stage = Stage::new(server(&right.server("elsewhere.example"), None)).await;
    let mut daemon = stage.begins(HOST, &stage.files.put_trusted(&right)).await;
    hears(&mut daemon, "certificate", "another host name than the one in api.base_url").await;
    stage.front.becomes(server(&right.server(HOST), None));
    stage.ends_well(daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_that_is_missing_is_never_taken_for_a_lost_answer() {
    let right = Authority::new("right");
    let stage = Stage::new(server(&right.server(HOST), Some(&right))).await;
    let mut daemon = stage.begins(HOST, &stage.files.put_trusted(&right)).await;
    hears(&mut daemon, "certificate", "set api.client_cert_file and api.client_key_file").await;
    stage.front.becomes(server(&right.server(HOST), None));
    stage.ends_well(daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_that_is_refused_is_replaced_while_the_daemon_runs() {
    let (right, other) = (Authority::new("right"), Authority::new("other"));
    let stage = Stage::new(server(&right.server(HOST), Some(&right))).await;
    let files = format!("{}\n{}", stage.files.put_trusted(&right), stage.files.put_client(&other.client()));
    let mut daemon = stage.begins(HOST, &files).await;
    hears(&mut daemon, "certificate", "check api.client_cert_file").await;
    // Between the two renames they do not go together, which may be seen and said, and costs a lookup.
    stage.files.put_client(&right.client());
    within(120, "all created", stage.scene.until_created(EVENTS)).await;
    tells_expiry(&mut daemon, ["api", "api_client"]).await;
    stage.ends_well(daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_is_rotated_while_the_daemon_runs() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let stage = Stage::new(server(&old.server(HOST), None)).await;
    let mut daemon = stage.begins(HOST, &stage.files.put_trusted(&old)).await;
    within(60, "the first ones", stage.scene.until_created(EVENTS)).await;
    // Connections that stand are dropped by the client after some idle seconds.
    stage.front.becomes(server(&new.server(HOST), None));
    stage.files.put("trusted.pem", "half a file");
    let told = |line: &Value| says(line, "cannot be used") && line["why"].to_string().contains("api.ca_file");
    within(60, "a word about the file", daemon.until(told)).await;
    stage.files.put_trusted(&new);
    within(60, "the new one in use", daemon.until(|line| says(line, "hold others: they are in use"))).await;
    stage.scene.publish_those(EVENTS..2 * EVENTS, 200).await;
    stage.scene.ends_well(2 * EVENTS).await;
    assert_eq!(daemon.count(|line| says(line, "gate shut")), 0, "none of them met the new server with the old file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_configured_is_the_only_way_and_its_refusals_cost_time_only() {
    let right = Authority::new("right");
    let stage = Stage::new(server(&right.server(HOST), None)).await;
    let proxy = Proxy::new().await;
    proxy.becomes(Manner::Answers("407 Proxy Authentication Required"));
    let more = format!("proxy = \"{}\"\n{}", proxy.url(), stage.files.put_trusted(&right));
    let mut daemon = stage.begins(HOST, &more).await;
    hears(&mut daemon, "proxy", "check api.proxy").await;
    proxy.becomes(Manner::Answers("502 Bad Gateway"));
    let seen = daemon.count(shut("proxy", "unsuccessful"));
    within(60, "another refusal", daemon.until_count(seen + 1, shut("proxy", "unsuccessful"))).await;
    assert_eq!(stage.scene.api.requests().len(), 0, "nothing went around the proxy");
    proxy.becomes(Manner::Leads);
    stage.ends_well(daemon).await;
    assert!(proxy.asked() > 0);
}

/// The proxy itself behind TLS: its certificate is checked by the host name in `api.proxy`.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_reached_by_tls_and_its_certificate_is_told_from_that_of_the_api() {
    let right = Authority::new("right");
    let stage = Stage::new(server(&right.server(HOST), None)).await;
    let proxy = Proxy::new().await;
    let before = Front::before(proxy.address(), server(&right.server("elsewhere.example"), None)).await;
    let more = format!("proxy = \"{}\"\n{}", before.url(HOST), stage.files.put_trusted(&right));
    let mut daemon = stage.begins(HOST, &more).await;
    hears(&mut daemon, "certificate", "another host name than the one in api.proxy").await;
    assert_eq!(stage.scene.api.requests().len(), 0, "nothing went around the proxy");
    before.becomes(server(&right.server(HOST), None));
    stage.ends_well(daemon).await;
}
