//! The management API of a broker: vhosts, and counts that AMQP does not tell.
//!
//! Not here: messages.

use std::time::Duration;

use reqwest::{Client, Method, Url};
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(20);

/// Where the API is, with user and password.
#[derive(Clone)]
pub struct Management {
    url: Url,
}

impl Management {
    /// From `http://user:password@host:port`.
    pub fn new(url: &str) -> Self {
        Self { url: Url::parse(url).expect("the address of the management API is a URL") }
    }

    /// `http://host:port`.
    pub fn url(&self) -> String {
        let [host, port] =
            [self.url.host_str().unwrap_or_default().to_owned(), self.url.port().unwrap_or(80).to_string()];
        format!("{}://{host}:{port}", self.url.scheme())
    }

    /// The broker's version, or nothing while the API does not answer.
    pub async fn version(&self) -> Option<String> {
        let overview = self.call(Method::GET, &["overview"], None).await.ok()?;
        Some(overview["rabbitmq_version"].as_str()?.to_owned())
    }

    /// Makes a vhost that the user of the URL and `user` may do everything in.
    pub async fn make_vhost(&self, vhost: &str, user: &str) {
        let all = json!({"configure": ".*", "write": ".*", "read": ".*"});
        self.must(Method::PUT, &["vhosts", vhost], None).await;
        self.must(Method::PUT, &["permissions", vhost, user], Some(all.clone())).await;
        if !self.url.username().is_empty() && self.url.username() != user {
            self.must(Method::PUT, &["permissions", vhost, self.url.username()], Some(all)).await;
        }
    }

    /// Removes a vhost and all that is in it; one that is not there is no mistake.
    pub async fn remove_vhost(&self, vhost: &str) {
        drop(self.call(Method::DELETE, &["vhosts", vhost], None).await);
    }

    /// What the API tells about a queue. Counts lag by up to 5 s, and read 0 right after a restart.
    pub async fn queue(&self, vhost: &str, queue: &str) -> Value {
        self.must(Method::GET, &["queues", vhost, queue], None).await
    }

    /// Sets the one policy of a test on the queues of that pattern, or takes it away. `kind` is `policies` or
    /// `operator-policies`.
    pub async fn policy(&self, kind: &str, vhost: &str, pattern: &str, definition: Option<Value>) {
        let path = [kind, vhost, "of-a-test"];
        match definition {
            Some(definition) => {
                let body = json!({"pattern": pattern, "apply-to": "queues", "priority": 1, "definition": definition});
                self.must(Method::PUT, &path, Some(body)).await;
            }
            None => drop(self.must(Method::DELETE, &path, None).await),
        }
    }

    /// A user of the API who sees queues and policies of this vhost, and no connection of others.
    pub async fn make_watcher(&self, vhost: &str, user: &str, password: &str) {
        let body = json!({"password": password, "tags": "management"});
        self.must(Method::PUT, &["users", user], Some(body)).await;
        let none = json!({"configure": "^$", "write": "^$", "read": "^$"});
        self.must(Method::PUT, &["permissions", vhost, user], Some(none)).await;
    }

    /// A user who may read everything of this vhost, make nothing in it, and write to what this pattern takes.
    pub async fn make_user(&self, vhost: &str, user: &str, password: &str, write: &str) {
        self.must(Method::PUT, &["users", user], Some(json!({"password": password, "tags": ""}))).await;
        let rights = json!({"configure": "^$", "write": write, "read": ".*"});
        self.must(Method::PUT, &["permissions", vhost, user], Some(rights)).await;
    }

    /// Removes a user.
    pub async fn remove_user(&self, user: &str) {
        drop(self.call(Method::DELETE, &["users", user], None).await);
    }

    /// User and password.
    pub fn login(&self) -> (String, String) {
        (self.url.username().to_owned(), self.url.password().unwrap_or_default().to_owned())
    }

    /// Imports definitions, as JSON.
    pub async fn import(&self, definitions: String) {
        let imported = self.send(Method::POST, &["definitions"], definitions).await;
        assert!(imported.is_ok(), "{imported:?}");
    }

    /// Makes a dynamic shovel; answers false where the broker has no such plugin.
    pub async fn make_shovel(&self, vhost: &str, name: &str, value: Value) -> bool {
        self.call(Method::PUT, &["parameters", "shovel", vhost, name], Some(value)).await.is_ok()
    }

    /// Publishes a message with these headers, a JSON object as text: so it may be nested deeper than a value of ours.
    pub async fn publish(&self, vhost: &str, queue: &str, id: &str, headers: &str) {
        let properties = format!(r#"{{"message_id":"{id}","delivery_mode":2,"headers":{headers}}}"#);
        let body = format!(
            r#"{{"properties":{properties},"routing_key":{queue:?},"payload":"{{}}","payload_encoding":"string"}}"#
        );
        let routed = self.send(Method::POST, &["exchanges", vhost, "amq.default", "publish"], body).await;
        assert_eq!(routed.map(|answer| answer["routed"].clone()), Ok(Value::Bool(true)));
    }

    async fn must(&self, method: Method, path: &[&str], body: Option<Value>) -> Value {
        self.call(method, path, body)
            .await
            .unwrap_or_else(|error| panic!("management API, {}: {error}", path.join("/")))
    }

    async fn call(&self, method: Method, path: &[&str], body: Option<Value>) -> Result<Value, String> {
        self.send(method, path, body.map(|body| body.to_string()).unwrap_or_default()).await
    }

    async fn send(&self, method: Method, path: &[&str], body: String) -> Result<Value, String> {
        let mut url = self.url.clone();
        url.path_segments_mut().map_err(|()| "the URL has no path")?.pop_if_empty().push("api").extend(path);
        // Without a body the API still wants JSON.
        let request = client()?.request(method, url).header("content-type", "application/json");
        let reply = request.body(body).send().await.map_err(|error| error.without_url().to_string())?;
        let status = reply.status();
        let text = reply.text().await.map_err(|error| error.without_url().to_string())?;
        if status.is_success() {
            Ok(serde_json::from_str(&text).unwrap_or_default())
        } else {
            Err(format!("{status}: {text}"))
        }
    }
}

/// One per call: a client's idle connections belong to the runtime of one test.
fn client() -> Result<Client, String> {
    // Already installed by somebody else is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder().timeout(TIMEOUT).no_proxy().build().map_err(|error| error.to_string())
}
