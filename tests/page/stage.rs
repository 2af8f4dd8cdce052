//! A daemon whose events, rules and secrets are hostile to a page, before a stand-in of the API.
//!
//! Not here: what the page makes of it.

use std::time::Duration;

use lapin::BasicProperties;

use crate::support::broker::shared;
use crate::support::daemon::Daemon;
use crate::support::deadline::within;
use crate::support::scene::Scene;
use crate::support::standin::{Fault, Rule};

/// In every body, and to be seen nowhere.
pub const CANARY: &str = "canary-of-the-payload";

/// Of the admin port.
const PORT_TOKEN: &str = "swordfish-of-the-port";

/// A name that is markup and is to be quoted for a shell; and secrets with a word that is looked for.
const RULES: &str = r#"
[[rule]]
name = "lead"
type = "lead"
procedure = "lead"
reconcile_by = "event_key"
data = { event_key = "{{ key }}", note = "{{ event.note }}" } # swordfish
[[rule]]
name = "new <b>lead</b> & more"
type = "broken"
procedure = "ticket"
data = { event_key = "{{ key }}", missing = "{{ event.customer.email }}" }
[[rule]]
name = "noise"
type = "noise"
action = "skip"
"#;

pub struct Stage {
    pub scene: Scene,
    pub address: String,
    daemon: Daemon,
}

impl Stage {
    pub async fn begin() -> Self {
        let scene = Scene::empty(shared().await.vhost().await).await;
        scene.api.plan(vec![Rule::anywhere(Fault::Delay { ms: 120 })]);
        let (user, password) = scene.place.management().login();
        let url = scene.place.management().url();
        let management = format!(
            "management.url = \"{url}\"\nmanagement.user = \"{user}\"\nmanagement.password = \"{password}\"\nmanagement.interval = \"5s\""
        );
        let setup = scene.setup().broker("topology = \"declare\"\nprefetch = 16").broker(&management);
        let mut setup = setup.sections("[lookup]\nlag = \"0s\"\n[gate]\nrejections = 0");
        setup.admin_token = PORT_TOKEN.to_owned();
        let mut daemon = Daemon::start(&setup.sections(RULES));
        daemon.consuming().await;
        let address = daemon.admin().await;
        Self { scene, address, daemon }
    }

    async fn publish(&self, kind: &str, count: usize) {
        let body = format!(r#"{{"note": "{CANARY}", "kind": "{kind}", "<i>{CANARY}</i>": [1, 2]}}"#);
        let message = |number: usize| {
            let properties = BasicProperties::default().with_type(kind.into()).with_delivery_mode(2);
            let properties = properties.with_message_id(format!("{kind}-{number}-{}", fastrand::u64(..)).into());
            (body.clone().into_bytes(), properties)
        };
        self.scene.client.publish_many("", &self.scene.queue(), (0..count).map(message).collect()).await;
    }

    /// Publishes so many events, and waits until most of them are processes.
    pub async fn load(&self, count: usize) {
        let before = self.scene.api.created().len();
        within(60, "publishing", self.publish("lead", count)).await;
        within(180, "most of them", self.scene.until_created(before + count * 9 / 10)).await;
    }

    /// Makes dead letters: so many that cannot be mapped, and so many that no rule takes.
    pub async fn dead_letters(&self, unmappable: usize, strange: usize) {
        within(60, "publishing", self.publish("broken", unmappable)).await;
        within(60, "publishing", self.publish("strange", strange)).await;
        let all = u32::try_from(unmappable + strange).unwrap();
        self.scene.client.until_depth(&self.scene.dead(), all, Duration::from_secs(60)).await;
    }

    /// From now on the API takes another token, and there are events.
    pub async fn refuse_the_token(&self) {
        self.scene.api.set_tokens(&["another"]);
        within(60, "publishing", self.publish("lead", 40)).await;
    }

    /// Load that rises and falls, a few dead letters, and an outage of a tenth of the time.
    pub async fn hour(&self, minutes: u64) {
        let all = minutes * 30;
        for part in 0..all {
            let wave = ((part as f64 / all as f64) * 12.0).sin() + 1.3;
            let tick = tokio::time::sleep(Duration::from_secs(2)); // tidy: allow sleep, an hour is drawn as it was
            let is_out = (all * 6 / 10..all * 7 / 10).contains(&part);
            let token = if is_out { "another" } else { crate::support::standin::StandIn::TOKEN };
            self.scene.api.set_tokens(&[token]);
            self.publish("lead", (wave * 40.0) as usize).await;
            if part % 45 == 20 {
                self.publish("broken", 3 + part as usize % 4).await;
            }
            tick.await;
        }
    }

    /// What a path of the admin port tells.
    pub async fn told(&self, path: &str) -> String {
        reqwest::get(format!("{}/{path}", self.address)).await.unwrap().text().await.unwrap()
    }

    /// Tells the daemon to pause, or to go on.
    pub async fn tells(&self, verb: &str) {
        let request = reqwest::Client::new().post(format!("{}/{verb}", self.address)).bearer_auth(PORT_TOKEN);
        assert!(request.send().await.unwrap().status().is_success(), "{verb}");
    }

    /// Ends the daemon at once.
    pub async fn end(&mut self) {
        self.daemon.signal("KILL");
    }
}
