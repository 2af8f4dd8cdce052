//! A server with TLS before the stand-in of the API, and a proxy that is told by CONNECT where to go.
//!
//! Not here: certificates, and what goes through.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// The front. Dropping it ends every connection.
pub struct Front {
    address: SocketAddr,
    config: watch::Sender<Arc<ServerConfig>>,
    _running: JoinSet<()>,
}

impl Front {
    /// Before that address.
    pub async fn before(far: SocketAddr, config: ServerConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, config) = (listener.local_addr().unwrap(), watch::Sender::new(Arc::new(config)));
        let (mut running, seen) = (JoinSet::new(), config.subscribe());
        running.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let acceptor = TlsAcceptor::from(Arc::clone(&seen.borrow()));
                connections.spawn(async move {
                    // A handshake that fails ends its connection, as it should.
                    if let Ok(near) = acceptor.accept(near).await {
                        join(near, far).await;
                    }
                });
            }
        });
        Self { address, config, _running: running }
    }

    /// From the next connection on.
    pub fn becomes(&self, config: ServerConfig) {
        self.config.send_replace(Arc::new(config));
    }

    /// Where it is, by that host name.
    pub fn url(&self, name: &str) -> String {
        format!("https://{name}:{}", self.address.port())
    }
}

/// What the proxy does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Leads,
    /// Answers with this line, a page, and the end.
    Answers(&'static str),
}

/// The proxy. Dropping it ends every connection.
pub struct Proxy {
    address: SocketAddr,
    manner: watch::Sender<Manner>,
    asked: watch::Receiver<u64>,
    _running: JoinSet<()>,
}

impl Proxy {
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (manner, seen) = watch::channel(Manner::Leads);
        let (count, asked) = watch::channel(0);
        let mut running = JoinSet::new();
        running.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                count.send_modify(|count| *count += 1);
                let manner = *seen.borrow();
                connections.spawn(async move { drop(lead(near, manner).await) });
            }
        });
        Self { address, manner, asked, _running: running }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn becomes(&self, manner: Manner) {
        self.manner.send_replace(manner);
    }

    /// How many connections it took.
    pub fn asked(&self) -> u64 {
        *self.asked.borrow()
    }
}

async fn lead(mut near: TcpStream, manner: Manner) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(near.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let Some(far) = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()) else {
        return near.write_all(b"HTTP/1.1 405 Only CONNECT\r\nContent-Length: 0\r\n\r\n").await;
    };
    if let Manner::Answers(line) = manner {
        let page = "<html>the proxy speaks";
        let answer =
            format!("HTTP/1.1 {line}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}", page.len());
        return near.write_all(answer.as_bytes()).await;
    }
    near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    let far = TcpStream::connect(far).await?;
    join(near, far.peer_addr()?).await;
    Ok(())
}

async fn join(mut near: impl AsyncRead + AsyncWrite + Unpin, far: SocketAddr) {
    if let Ok(mut far) = TcpStream::connect(far).await {
        drop(copy_bidirectional(&mut near, &mut far).await);
    }
}
