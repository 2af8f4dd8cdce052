//! A place on a broker that no other test touches.
//!
//! Not here: the broker, and what is done in the place.

use std::time::Duration;

use super::client::Client;
use super::management::Management;
use super::wait::eventually;

/// A vhost of its own, or, on a named broker without management, queue names of its own.
pub struct Vhost {
    /// The address with user, password and vhost, as a daemon's configuration takes it.
    pub url: String,
    /// The vhost's plain name.
    pub name: String,
    pub(super) management: Option<Management>,
    pub(super) mark: Option<String>,
    pub(super) leaves: bool,
}

impl Vhost {
    /// The name under which a queue or exchange is only this test's. In a vhost of its own that is the name itself.
    pub fn name_of(&self, what: &str) -> String {
        self.mark.as_ref().map_or_else(|| what.to_owned(), |mark| format!("{what}-{mark}"))
    }

    /// A connection of its own into this place.
    pub async fn client(&self) -> Client {
        Client::connect(&self.url).await
    }

    /// Messages that consumers hold unanswered, as the management API tells: exact, up to 5 s late.
    pub async fn unacked(&self, queue: &str) -> u64 {
        self.told(queue).await["messages_unacknowledged"].as_u64().unwrap_or_default()
    }

    /// Members of a quorum queue that are there, as the management API tells.
    pub async fn online(&self, queue: &str) -> usize {
        self.told(queue).await["online"].as_array().map_or(0, Vec::len)
    }

    /// The management API.
    pub fn management(&self) -> &Management {
        self.management.as_ref().expect("set CHAKRA_BRIDGE_TEST_MANAGEMENT too")
    }

    /// Makes a dynamic shovel here; answers false where the broker has no management API or no such plugin.
    pub async fn make_shovel(&self, name: &str, value: serde_json::Value) -> bool {
        match &self.management {
            Some(management) => management.make_shovel(&self.name, name, value).await,
            None => false,
        }
    }

    async fn told(&self, queue: &str) -> serde_json::Value {
        self.management().queue(&self.name, queue).await
    }

    /// Waits until consumers hold exactly so many messages unanswered.
    pub async fn until_unacked(&self, queue: &str, wanted: u64, deadline: Duration) {
        let what = format!("{wanted} unanswered messages of {queue}");
        eventually(deadline, &what, || async { self.unacked(queue).await == wanted }).await;
    }
}

/// Somebody else's broker is left as it was found; a private one ends with all its vhosts.
impl Drop for Vhost {
    fn drop(&mut self) {
        let Some(management) = self.management.take().filter(|_| self.leaves) else { return };
        let name = self.name.clone();
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(management.remove_vhost(&name)))
        });
        drop(removal.join());
    }
}
