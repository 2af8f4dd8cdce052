//! A Docker network with a RabbitMQ in it, the API on the host, and replicas of the image between them.
//!
//! Not here: what is tested.

use super::docker::{docker, image};
use super::replica::Replica;
use crate::support::broker::Broker;
use crate::support::broker::keeper::Keeper;
use crate::support::daemon::Setup;
use crate::support::scene::Scene;
use crate::support::standin::StandIn;

const SCRIPT: &str = include_str!("keeper.sh");
/// The broker's name in the network.
const BROKER: &str = "rabbit";
const AMQP: u16 = 5672;

pub struct Stage {
    pub scene: Scene,
    _broker: Broker,
    pub image: &'static str,
    pub network: String,
    // Last: a network is removed when nothing is in it.
    _keeper: Keeper,
}

impl Stage {
    /// With a broker of that image. Nothing, and said so, without a Docker engine.
    pub async fn with(broker: &str) -> Option<Self> {
        let image = image().await?;
        let broker = Broker::image(broker).await?;
        let network = format!("chakra-bridge-tests-{:016x}", fastrand::u64(..));
        let keeper = Keeper::start(SCRIPT, std::slice::from_ref(&network), None);
        docker(&["network", "create", &network]).await;
        docker(&["network", "connect", "--alias", BROKER, &network, broker.container_name()]).await;
        let host = docker(&["network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", &network]).await;
        let host: std::net::IpAddr = host.parse().expect("an address");
        // A free port of the host, on the one address that the network sees.
        let api = StandIn::start_on((host, 0).into()).await.expect("the host is in the network");
        let place = broker.vhost().await;
        let scene = Scene { client: place.client().await, api, place };
        Some(Self { scene, _broker: broker, image, network, _keeper: keeper })
    }

    /// The configuration of a replica: the broker by its name, the probes where the engine can ask.
    pub fn setup(&self) -> Setup {
        let mut url = reqwest::Url::parse(&self.scene.place.url).expect("the fixture's URL");
        url.set_host(Some(BROKER)).expect("a host");
        url.set_port(Some(AMQP)).expect("a port");
        Setup { amqp: url.into(), admin: "0.0.0.0:9464".to_owned(), ..self.scene.setup() }
    }

    /// A replica that consumes.
    pub async fn replica(&self, setup: &Setup) -> Replica {
        let mut replica = Replica::start(self, self.image, setup);
        crate::support::deadline::within(120, "consuming", replica.daemon.consuming()).await;
        replica
    }
}
