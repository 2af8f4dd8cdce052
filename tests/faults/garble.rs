//! A way to a broker on which one word becomes bytes that are no UTF-8: so a message gets in that the client library
//! cannot parse.
//!
//! Not here: reading frames. The word has the same length before and after, so that nothing else changes.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Goes in, and comes out as as many bytes of 0xff.
pub const WORD: &str = "no-text-at-all";

/// Takes one connection to the broker at `far`, and answers where. Ends with the set.
pub async fn way(far: String, running: &mut JoinSet<()>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    running.spawn(async move {
        let (near, _) = listener.accept().await.expect("a client comes");
        let far = TcpStream::connect(far).await.expect("the broker is there");
        let (mut from_near, mut to_near) = near.into_split();
        let (mut from_far, mut to_far) = far.into_split();
        let out = async {
            let mut bytes = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = from_near.read(&mut bytes).await {
                garble(&mut bytes[..count]);
                if to_far.write_all(&bytes[..count]).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = out => {}
            _ = tokio::io::copy(&mut from_far, &mut to_near) => {}
        }
    });
    port
}

fn garble(bytes: &mut [u8]) {
    for at in 0..=bytes.len().saturating_sub(WORD.len()) {
        if bytes[at..].starts_with(WORD.as_bytes()) {
            bytes[at..at + WORD.len()].fill(0xff);
        }
    }
}
