//! A daemon that delivers beside its admin port, for a test and a bench.
//!
//! Not here: the abuse of that port (`abuse`).

use std::net::SocketAddr;
use std::ops::Range;

use crate::support::broker::Vhost;
use crate::support::daemon::Daemon;
use crate::support::deadline::within;
use crate::support::scene::Scene;
use crate::support::standin::{Fault, Rule};

/// The scene, its daemon, and where the admin port of that listens.
pub async fn stage(place: Vhost) -> (Scene, Daemon, SocketAddr) {
    let scene = Scene::empty(place).await;
    scene.api.plan(vec![Rule::always(Fault::Delay { ms: 20 })]);
    let mut daemon = Daemon::start(&scene.setup().broker("topology = \"declare\""));
    within(60, "consuming", daemon.consuming()).await;
    let address = within(60, "its address", daemon.admin()).await;
    let address = address.strip_prefix("http://").unwrap().parse().unwrap();
    (scene, daemon, address)
}

/// Publishes the events of these numbers, of about so many bytes each, until all up to them are processes.
pub async fn delivered(scene: &Scene, numbers: Range<usize>, bytes: usize) {
    within(120, "publishing", scene.publish_those(numbers.clone(), bytes)).await;
    within(300, "all created", scene.until_created(numbers.end)).await;
}
