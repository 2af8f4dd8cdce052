//! A host of pictures that does what its path says, over real sockets. TLS stands before it (`tls/front.rs`).
//!
//! Not here: tests.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What a picture begins with.
pub const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01";

/// The host. Dropping it ends every connection.
pub struct Host {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    /// What was asked for, and by which headers.
    heads: Arc<std::sync::Mutex<Vec<String>>>,
    _running: JoinSet<()>,
}

impl Host {
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, heads) = (Arc::new(AtomicUsize::new(0)), Arc::default());
        let (count, seen) = (Arc::clone(&asked), Arc::clone(&heads));
        let mut running = JoinSet::new();
        running.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let (count, seen) = (Arc::clone(&count), Arc::clone(&seen));
                connections.spawn(async move { drop(serve(near, &count, &seen).await) });
            }
        });
        Self { address, asked, heads, _running: running }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The heads of all requests.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn serve(mut near: TcpStream, count: &AtomicUsize, seen: &std::sync::Mutex<Vec<String>>) -> io::Result<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(near.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let is_first = {
            let mut seen = seen.lock().unwrap();
            let is_first = !seen.iter().any(|before| before.split(' ').nth(1) == Some(path.as_str()));
            seen.push(head);
            is_first
        };
        count.fetch_add(1, Ordering::SeqCst);
        let path = path.split('?').next().unwrap_or_default().to_owned();
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        answer(&mut near, &parts, is_first).await?;
    }
}

async fn answer(near: &mut TcpStream, parts: &[&str], is_first: bool) -> io::Result<()> {
    let number = |at: usize| parts.get(at).and_then(|text| text.parse().ok()).unwrap_or(1000);
    match parts[0] {
        "jpeg" => sized(near, number(1), number(1)).await,
        "short" => {
            sized(near, 2000, 1000).await?;
            Err(io::ErrorKind::BrokenPipe.into())
        }
        "long" => {
            sized(near, 1000, 5000).await?;
            Err(io::ErrorKind::BrokenPipe.into())
        }
        "said-huge" => sized(near, 1 << 30, 1 << 30).await,
        "chunked" => chunked(near, number(1)).await,
        "endless" => chunked(near, usize::MAX).await,
        "slow" => slow(near).await,
        "hang" => std::future::pending().await,
        "html" => {
            let page = "<!DOCTYPE html><html><body>log in first</body></html>";
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-type: image/jpeg\r\ncontent-length: {}\r\n\r\n{page}", page.len());
            near.write_all(head.as_bytes()).await
        }
        "to" => {
            // The rest of the path, with `~` for `/`.
            let to = parts[1].replace('~', "/");
            near.write_all(format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n").as_bytes())
                .await
        }
        "round" => near.write_all(b"HTTP/1.1 302 Found\r\nlocation: /round/x\r\ncontent-length: 0\r\n\r\n").await,
        "flaky" if is_first => status(near, 503).await,
        // So long that it is waited for in a delay queue.
        "later" if is_first => near.write_all(b"HTTP/1.1 503 So\r\nretry-after: 4\r\ncontent-length: 0\r\n\r\n").await,
        "flaky" | "later" => sized(near, 1000, 1000).await,
        code => status(near, code.parse().unwrap_or(404)).await,
    }
}

async fn status(near: &mut TcpStream, status: u16) -> io::Result<()> {
    near.write_all(format!("HTTP/1.1 {status} So\r\ncontent-length: 0\r\n\r\n").as_bytes()).await
}

/// A picture of `length` bytes that is said to have `said`.
async fn sized(near: &mut TcpStream, said: usize, length: usize) -> io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {said}\r\n\r\n");
    near.write_all(head.as_bytes()).await?;
    near.write_all(JPEG).await?;
    let mut left = length.saturating_sub(JPEG.len());
    let filler = vec![0x5a; 64 * 1024];
    while left > 0 {
        let piece = left.min(filler.len());
        near.write_all(&filler[..piece]).await?;
        left -= piece;
    }
    Ok(())
}

async fn chunked(near: &mut TcpStream, length: usize) -> io::Result<()> {
    near.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
    near.write_all(format!("{:x}\r\n", JPEG.len()).as_bytes()).await?;
    near.write_all(JPEG).await?;
    near.write_all(b"\r\n").await?;
    let mut left = length.saturating_sub(JPEG.len());
    let filler = vec![0x5a; 64 * 1024];
    while left > 0 {
        let piece = left.min(filler.len());
        near.write_all(format!("{piece:x}\r\n").as_bytes()).await?;
        near.write_all(&filler[..piece]).await?;
        near.write_all(b"\r\n").await?;
        left -= piece;
    }
    near.write_all(b"0\r\n\r\n").await
}

/// A byte now and then.
async fn slow(near: &mut TcpStream) -> io::Result<()> {
    near.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await?;
    near.write_all(JPEG).await?;
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await; // tidy: allow sleep, the host is slow
        near.write_all(b"Z").await?;
    }
}
