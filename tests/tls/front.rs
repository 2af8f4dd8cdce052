//! A server with TLS before the stand-in of the API, and a proxy that is told by CONNECT where to go.
//!
//! Not here: certificates, and what goes through.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

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
                let session = ServerConnection::new(Arc::clone(&seen.borrow())).unwrap();
                // A handshake that fails ends its connection, as it should.
                connections.spawn(async move { drop(relay(near, session, far).await) });
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

    /// Where what stands before it goes on to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn becomes(&self, manner: Manner) {
        self.manner.send_replace(manner);
    }

    /// How many connections it took.
    pub fn asked(&self) -> u64 {
        *self.asked.borrow()
    }
}

async fn lead(mut near: TcpStream, manner: Manner) -> io::Result<()> {
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
    let mut far = TcpStream::connect(far).await?;
    copy_bidirectional(&mut near, &mut far).await.map(drop)
}

/// What comes in by TLS goes on in the clear, and back.
async fn relay(mut near: TcpStream, mut session: ServerConnection, far: SocketAddr) -> io::Result<()> {
    let mut far = TcpStream::connect(far).await?;
    let (mut from_near, mut from_far) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        flush(&mut near, &mut session).await?;
        tokio::select! {
            read = near.read(&mut from_near) => match read? {
                0 => return Ok(()),
                count => far.write_all(&opened(&mut near, &mut session, &from_near[..count]).await?).await?,
            },
            read = far.read(&mut from_far), if !session.is_handshaking() => match read? {
                0 => {
                    session.send_close_notify();
                    return flush(&mut near, &mut session).await;
                }
                count => session.writer().write_all(&from_far[..count])?,
            },
        }
    }
}

/// What the session makes of these bytes. Its alert, if it does not like them, is sent before the connection ends.
async fn opened(near: &mut TcpStream, session: &mut ServerConnection, mut bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    while !bytes.is_empty() {
        session.read_tls(&mut bytes)?;
        match session.process_new_packets() {
            Ok(state) => {
                let held = plain.len();
                plain.resize(held + state.plaintext_bytes_to_read(), 0);
                session.reader().read_exact(&mut plain[held..])?;
            }
            Err(error) => {
                flush(near, session).await?;
                return Err(io::Error::other(error));
            }
        }
    }
    Ok(plain)
}

async fn flush(near: &mut TcpStream, session: &mut ServerConnection) -> io::Result<()> {
    let mut out = Vec::new();
    while session.wants_write() {
        session.write_tls(&mut out)?;
    }
    near.write_all(&out).await
}
