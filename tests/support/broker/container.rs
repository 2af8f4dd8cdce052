//! A RabbitMQ of a given version, in a container of its own.
//!
//! Not here: which image; and no image is built here.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use testcontainers::core::client::docker_client_instance;
use testcontainers::core::{ExecCommand, IntoContainerPort as _};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, GenericImage, ImageExt as _, TestcontainersError};
use tokio::runtime::Runtime;

use super::keeper::Keeper;
use super::secured::Tls;
use super::wait::comes_true;
use super::{Address, ports, secured};

const SCRIPT: &str = include_str!("container.sh");
/// With the time to fetch the image.
const CREATE_DEADLINE: Duration = Duration::from_secs(600);
const PING_DEADLINE: Duration = Duration::from_secs(10);
const START_DEADLINE: Duration = Duration::from_secs(180);
/// Seconds for a graceful stop; an image whose first process does not pass the signal on is killed after them.
const GRACE: i32 = 20;

/// A container outlives the runtime of the test that began it, and so must the connections to its engine.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let builder = &mut tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().expect("a thread for the Docker engine")
});

type Inner = Arc<ContainerAsync<GenericImage>>;
/// With the host on which its ports are.
type Created = (ContainerAsync<GenericImage>, String);

/// A container, removed when it is dropped and when the test process is gone.
pub struct Container {
    // The keeper's end is what removes the container; the handle below then has nothing left to do.
    _keeper: Keeper,
    inner: Option<Inner>,
    address: Address,
    name: String,
}

impl Container {
    /// Whether an engine answers.
    pub async fn engine_answers() -> bool {
        let ping = async { docker_client_instance().await.map_err(|_| ())?.ping().await.map_err(|_| ()) };
        on_runtime(|| async { tokio::time::timeout(PING_DEADLINE, ping).await }).await.is_ok_and(|ping| ping.is_ok())
    }

    /// Starts a container of that image, `name:tag`, that listens with TLS as well if that is wanted, and waits until its
    /// broker answers.
    pub async fn start(image: &str, tls: Option<&Tls>) -> Self {
        let [amqp, http] = ports::free();
        let name = format!("chakra-bridge-tests-{:016x}", fastrand::u64(..));
        let keeper = Keeper::start(SCRIPT, std::slice::from_ref(&name), None);
        let (created, called, tls) = (image.to_owned(), name.clone(), tls.cloned());
        let inner = on_runtime(move || async move { create(&created, called, [amqp, http], tls).await }).await;
        let (inner, host) = inner.unwrap_or_else(|error| panic!("no container of {image}: {error}"));
        let address = Address::new(&host, amqp, http, "guest", "guest");
        let container = Self { _keeper: keeper, inner: Some(Arc::new(inner)), address, name };
        container.until_up().await;
        container
    }

    /// Where it listens, also after a restart.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Its name at the engine.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Crashes it; its data stay.
    pub async fn kill9(&self) {
        self.run(|inner| async move { inner.stop_with_timeout(Some(0)).await }).await;
    }

    /// Stops it as an engine would.
    pub async fn stop(&self) {
        self.run(|inner| async move { inner.stop_with_timeout(Some(GRACE)).await }).await;
    }

    /// Starts it again with its data and ports, stopped before if it runs.
    pub async fn restart(&self) {
        self.stop().await;
        self.run(|inner| async move { inner.start().await }).await;
        self.until_up().await;
    }

    /// Holds its processor: it answers nothing, and its connections stay open.
    pub async fn freeze(&self) {
        self.run(|inner| async move { inner.pause().await }).await;
    }

    /// Lets it go on.
    pub async fn thaw(&self) {
        self.run(|inner| async move { inner.unpause().await }).await;
    }

    /// Runs `rabbitmqctl` with these arguments inside and gives what it prints.
    pub async fn ctl(&self, arguments: &[&str]) -> Result<String, String> {
        let words: Vec<_> = ["rabbitmqctl"].iter().chain(arguments).map(|&word| word.to_owned()).collect();
        let (code, [said, complained]) = self.run(|inner| async move { execute(&inner, words).await }).await;
        if code == Some(0) { Ok(said) } else { Err(format!("{said}{complained}")) }
    }

    async fn until_up(&self) {
        let up = comes_true(START_DEADLINE, || self.address.answers()).await;
        assert!(up, "the broker of the container did not answer within {START_DEADLINE:?}");
    }

    async fn run<T, F>(&self, action: impl FnOnce(Inner) -> F + Send + 'static) -> T
    where
        T: Send + 'static,
        F: Future<Output = Result<T, TestcontainersError>>,
    {
        let inner = self.inner.as_ref().expect("taken in drop only");
        let inner = Arc::clone(inner);
        let done = on_runtime(move || action(inner)).await;
        done.unwrap_or_else(|error| panic!("the Docker engine refused: {error}"))
    }
}

/// The handle wants to remove the container itself, from a thread that is in no other runtime.
impl Drop for Container {
    fn drop(&mut self) {
        let inner = self.inner.take();
        let removal = std::thread::spawn(move || {
            let _runtime = RUNTIME.enter();
            drop(inner);
        });
        drop(removal.join());
    }
}

async fn create(
    image: &str,
    name: String,
    [amqp, http]: [u16; 2],
    tls: Option<Tls>,
) -> Result<Created, TestcontainersError> {
    let (image, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
    let mut request = GenericImage::new(image, tag)
        .with_container_name(name)
        .with_mapped_port(amqp, 5672.tcp())
        .with_mapped_port(http, 15672.tcp())
        .with_startup_timeout(CREATE_DEADLINE);
    if let Some(tls) = tls {
        let [of_amqp, of_http] = secured::INSIDE;
        request = request
            .with_mapped_port(tls.port, of_amqp.tcp())
            .with_mapped_port(tls.https, of_http.tcp())
            .with_copy_to(secured::SETTINGS, tls.settings_inside().into_bytes());
        for (name, path) in tls.files() {
            request = request.with_copy_to(name, path);
        }
    }
    let inner = request.start().await?;
    let host = inner.get_host().await?.to_string();
    Ok((inner, host))
}

async fn execute(
    inner: &ContainerAsync<GenericImage>,
    words: Vec<String>,
) -> Result<(Option<i64>, [String; 2]), TestcontainersError> {
    let mut run = inner.exec(ExecCommand::new(words)).await?;
    let said = [run.stdout_to_vec().await?, run.stderr_to_vec().await?];
    Ok((run.exit_code().await?, said.map(|text| String::from_utf8_lossy(&text).into_owned())))
}

/// From a thread that may wait: what `testcontainers` gives cannot all be sent between threads.
async fn on_runtime<T, F>(work: impl FnOnce() -> F + Send + 'static) -> T
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let waited = tokio::task::spawn_blocking(move || RUNTIME.block_on(work()));
    waited.await.expect("work for the Docker engine neither panics nor is stopped")
}
