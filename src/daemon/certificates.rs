//! When certificates expire: those that servers show, and our own, looked at again and again.
//!
//! Not here: reading one (`tls`), and noticing that a file holds another (`chakra::trust`).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::chakra::Client;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::tls::{Files, expiry};

/// How often our own files are read.
const EVERY: Duration = Duration::from_secs(60);

/// Looks, and tells the metrics. Never ends.
pub(super) fn watch(
    config: &Config,
    client: &Client,
    metrics: &Arc<Metrics>,
) -> impl Future<Output = Infallible> + use<> {
    let own = [("api_client", config.api.tls.clone()), ("broker_client", config.broker.tls.clone())];
    let (shown, metrics) = (client.shown(), Arc::clone(metrics));
    run(own, shown, metrics)
}

async fn run(
    own: [(&'static str, Files); 2],
    mut shown: watch::Receiver<Vec<u8>>,
    metrics: Arc<Metrics>,
) -> Infallible {
    loop {
        for (certificate, files) in own.iter().filter(|(_, files)| files.identity.is_some()) {
            // A file that is wrong is told of by whoever connects with it.
            let held = files.read().await.ok().and_then(|held| held.identity);
            if let Some((chain, _)) = held {
                metrics.certificate_expires(certificate, expiry::of_chain(&chain));
            }
        }
        metrics.certificate_expires("api", expiry::of_certificate(&shown.borrow_and_update()));
        let news = async {
            if shown.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        // Past this time nothing more is meant than that it is time.
        drop(tokio::time::timeout(EVERY, news).await);
    }
}
