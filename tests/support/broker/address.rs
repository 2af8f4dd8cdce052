//! Where a broker listens, and with which name and password.
//!
//! Not here: a vhost of one test.

use reqwest::Url;

use super::client::attempt;
use super::management::Management;

/// AMQP, and the management API where there is one.
#[derive(Clone)]
pub struct Address {
    amqp: Url,
    /// The management API.
    pub management: Option<Management>,
}

impl Address {
    /// Both ports on one host, with one user.
    pub fn new(host: &str, amqp: u16, http: u16, user: &str, password: &str) -> Self {
        let management = format!("http://{user}:{password}@{host}:{http}");
        Self::named(&format!("amqp://{user}:{password}@{host}:{amqp}"), Some(&management))
    }

    /// As somebody wrote them.
    pub fn named(amqp: &str, management: Option<&str>) -> Self {
        let amqp = Url::parse(amqp).expect("the address of the broker is a URL");
        Self { amqp, management: management.map(Management::new) }
    }

    /// The AMQP address as it was named, in the default vhost for brokers of our own.
    pub fn url(&self) -> &str {
        self.amqp.as_str()
    }

    /// The AMQP address of another vhost, which has a plain name.
    pub fn in_vhost(&self, vhost: &str) -> String {
        let mut url = self.amqp.clone();
        url.set_path(vhost);
        url.into()
    }

    /// The AMQP address of another user, in a vhost which has a plain name.
    pub fn as_user(&self, user: &str, password: &str, vhost: &str) -> String {
        let mut url = self.amqp.clone();
        url.set_path(vhost);
        url.set_username(user).expect("an AMQP URL takes a user");
        url.set_password(Some(password)).expect("an AMQP URL takes a password");
        url.into()
    }

    /// The vhost of the address.
    pub fn vhost(&self) -> String {
        let path = self.amqp.path().trim_start_matches('/');
        if path.is_empty() || path.eq_ignore_ascii_case("%2f") { "/".to_owned() } else { path.to_owned() }
    }

    /// The user of the address.
    pub fn user(&self) -> &str {
        if self.amqp.username().is_empty() { "guest" } else { self.amqp.username() }
    }

    /// Whether the broker takes a client now, and its management API where there is one.
    pub async fn answers(&self) -> bool {
        let managed = match &self.management {
            Some(management) => management.version().await.is_some(),
            None => true,
        };
        managed && attempt(self.url()).await.is_ok()
    }
}
