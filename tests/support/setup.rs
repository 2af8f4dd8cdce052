//! The configuration file of a daemon under test.
//!
//! Not here: the daemon.
#![allow(dead_code, unreachable_pub, reason = "each test that includes it uses a part of it")]

/// What a test says in its configuration; the rest has its defaults.
#[derive(Clone)]
pub struct Setup {
    /// The broker with user and password, as `amqp://user:password@host:port/vhost`.
    pub amqp: String,
    /// The work queue.
    pub queue: String,
    /// The API.
    pub api: String,
    /// Its token, or the file that holds it: a path from the root.
    pub token: String,
    /// More of `[broker]`.
    pub broker: String,
    /// More of `[api]`.
    pub api_more: String,
    /// Where the admin port listens.
    pub admin: String,
    /// The token of the admin port; empty for none.
    pub admin_token: String,
    /// Whole sections, and rules. Without any rule: every event becomes a lead with its key in `event_key`.
    pub sections: String,
}

/// The rule used where a test brings none.
pub const ANY: &str = r#"
[[rule]]
name = "any"
procedure = "lead"
[rule.data]
event_key = "{{ key }}"
"#;

/// The same, and each event can be looked up.
pub const LOOKED_UP: &str = r#"
[[rule]]
name = "any"
procedure = "lead"
reconcile_by = "event_key"
data = { event_key = "{{ key }}" }
"#;

/// Waits that are short, and spent in delay queues.
pub const QUICK: &str = r#"
[lookup]
lag = "4s"
[retry]
initial = "200ms"
max_interval = "1s"
max_local_delay = "100ms"
budget = 1.0
"#;

/// An orderly end that is short.
pub const SHORT_DRAIN: &str = "[shutdown]\ndeadline = \"5s\"";

impl Setup {
    pub fn new(amqp: &str, queue: &str, api: &str, token: &str) -> Self {
        let [amqp, queue, api, token] = [amqp, queue, api, token].map(str::to_owned);
        let admin = "127.0.0.1:0".to_owned();
        Self {
            amqp,
            queue,
            api,
            token,
            admin,
            admin_token: String::new(),
            broker: String::new(),
            api_more: String::new(),
            sections: String::new(),
        }
    }

    pub fn broker(self, more: &str) -> Self {
        Self { broker: format!("{}\n{more}", self.broker), ..self }
    }

    pub fn api(self, more: &str) -> Self {
        Self { api_more: format!("{}\n{more}", self.api_more), ..self }
    }

    pub fn sections(self, more: &str) -> Self {
        Self { sections: format!("{}\n{more}", self.sections), ..self }
    }

    /// Waits for an API that hangs for two seconds, and not for thirty.
    pub fn impatient(self) -> Self {
        self.api("timeout = \"2s\"\nconnect_timeout = \"1s\"")
    }

    /// The configuration file.
    pub fn toml(&self) -> String {
        let mut url = reqwest::Url::parse(&self.amqp).expect("the fixture's URL");
        let password = url.password().unwrap_or("guest").to_owned();
        url.set_password(None).expect("an AMQP URL takes no password");
        let rules = if self.sections.contains("[[rule]]") { "" } else { ANY };
        let Self { queue, api, api_more, token, broker, sections, admin, .. } = self;
        let kept = if token.starts_with('/') { "token_file" } else { "token" };
        let commands = if self.admin_token.is_empty() { "" } else { &format!("token = \"{}\"\n", self.admin_token) };
        format!(
            "[broker]\nurl = \"{url}\"\npassword = \"{password}\"\nqueue = \"{queue}\"\n\
             reconnect_max = \"1s\"\n{broker}\n[api]\nbase_url = \"{api}\"\n{kept} = \"{token}\"\n{api_more}\n\
             [admin]\nlisten = \"{admin}\"\n{commands}[log]\nformat = \"json\"\n{sections}\n{rules}"
        )
    }
}
