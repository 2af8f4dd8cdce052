//! What the tests of photos stand on: a broker, the stand-in of the API, and a host of pictures behind TLS.
//!
//! Not here: tests.

use std::collections::BTreeSet;

use lapin::BasicProperties;
use serde_json::{Value, json};

use crate::authority::{Authority, Folder, server};
use crate::front::Front;
use crate::host::Host;
use crate::support::daemon::{Daemon, Setup};
use crate::support::scene::Scene;

const NAME: &str = "localhost";

/// Two pictures: one of a link, one of the event or without.
pub const RULE: &str = r#"
[[rule]]
name = "visit"
type = "visit"
procedure = "fieldvisit"
reconcile_by = "event_key"
[rule.data]
event_key = "{{ key }}"
site = "{{ photo.site }}"
sketch = "{{ photo.sketch }}"
[rule.photo.site]
url = "{{ event.url }}"
filename = "{{ key }}.jpg"
[rule.photo.sketch]
base64 = "{{ event.sketch }}"
optional = true

[[rule]]
name = "lenient"
type = "lenient"
procedure = "fieldvisit"
reconcile_by = "event_key"
data = { event_key = "{{ key }}", site = "{{ photo.site }}" }
[rule.photo.site]
url = "{{ event.url }}"
on_missing = "without"

[[rule]]
name = "plain"
type = "plain"
procedure = "lead"
data = { event_key = "{{ key }}" }
"#;

/// A JPEG of five bytes, in base64.
pub const SKETCH: &str = "/9j/4AA=";

pub struct Stage {
    pub scene: Scene,
    pub host: Host,
    pub front: Front,
    _files: Folder,
    trusted: String,
}

impl Stage {
    pub async fn new() -> Self {
        let scene = Scene::shared().await;
        let host = Host::new().await;
        let authority = Authority::new("pictures");
        let front = Front::before(host.address(), server(&authority.server(NAME), None)).await;
        let files = Folder::new();
        let trusted = files.put_trusted(&authority);
        Self { scene, host, front, _files: files, trusted }
    }

    /// The host as `photos.allow` names it.
    pub fn named(&self) -> String {
        self.front.url(NAME).trim_start_matches("https://").to_owned()
    }

    pub fn link(&self, path: &str) -> String {
        format!("{}/{path}", self.front.url(NAME))
    }

    /// A configuration, with more of `[photos]`.
    pub fn setup(&self, photos: &str) -> Setup {
        let section = format!("[photos]\nallow = [\"{}\"]\n{}\n{photos}\n", self.named(), self.trusted);
        let setup = self.scene.setup().broker("topology = \"declare\"").sections(&section);
        setup.sections(RULE)
    }

    pub async fn publish(&self, kind: &str, id: &str, body: &Value) {
        self.publish_all(&[(kind, id.to_owned())], body).await;
    }

    /// Events of these types and ids, with one body, without a wait between them.
    pub async fn publish_all(&self, events: &[(&str, String)], body: &Value) {
        let message = |(kind, id): &(&str, String)| {
            let properties = BasicProperties::default()
                .with_message_id(id.as_str().into())
                .with_type((*kind).into())
                .with_delivery_mode(2);
            (body.to_string().into_bytes(), properties)
        };
        self.scene.client.publish_many("", &self.scene.queue(), events.iter().map(message).collect()).await;
    }

    /// A visit with one picture of the host and one in the event.
    pub async fn visit(&self, id: &str, path: &str) {
        self.publish("visit", id, &json!({ "url": self.link(path), "sketch": SKETCH })).await;
    }

    /// The ids of photos that processes name, and those of them that were not there when their process was created.
    pub fn named_and_missing(&self) -> (BTreeSet<String>, Vec<String>) {
        let (mut named, mut missing) = (BTreeSet::new(), Vec::new());
        self.scene.api.lookup(|books| {
            for (at, created) in books.created.iter().enumerate() {
                let whole = created.json();
                let data = whole.get("data").and_then(Value::as_object).cloned().unwrap_or_default();
                for id in ["site", "sketch"].iter().filter_map(|name| data.get(*name)?.as_str()) {
                    let is_there = books.photos.iter().any(|photo| photo.id == id && photo.before <= at);
                    if !is_there {
                        missing.push(id.to_owned());
                    }
                    named.insert(id.to_owned());
                }
            }
        });
        (named, missing)
    }

    pub async fn daemon(&self, photos: &str) -> Daemon {
        Daemon::consumes(&self.setup(photos)).await
    }
}
