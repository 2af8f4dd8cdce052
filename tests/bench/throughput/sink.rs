//! A collector of spans that takes all and keeps none.
//!
//! Not here: what spans say (`tests/log`).

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What is answered to each request.
const TAKEN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
const END: &[u8] = b"\r\n\r\n";

/// See the head of this file.
pub struct Sink {
    port: u16,
}

impl Sink {
    /// It runs as long as the tasks do.
    pub async fn begin(tasks: &mut JoinSet<()>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its port").port();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(takes_all(stream));
            }
        });
        Self { port }
    }

    /// The daemon's configuration.
    pub fn section(&self, sample: f64) -> String {
        format!("\n[telemetry]\notlp = \"http://127.0.0.1:{}\"\nsample = {sample:.2}\n", self.port)
    }
}

/// Each request on a connection is read to its end, and answered.
async fn takes_all(mut stream: TcpStream) {
    let mut bytes = Vec::new();
    loop {
        let head = bytes.windows(END.len()).position(|window| window == END).map(|at| at + END.len());
        let whole = head.map(|head| head + length(&bytes[..head]));
        if let Some(whole) = whole.filter(|whole| *whole <= bytes.len()) {
            bytes.drain(..whole);
            if stream.write_all(TAKEN).await.is_err() {
                return;
            }
            continue;
        }
        if stream.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
            continue;
        }
        return;
    }
}

/// How long the body is.
fn length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    length.and_then(|length| length.trim().parse().ok()).unwrap_or(0)
}
