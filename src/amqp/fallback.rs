//! The client library's runtime for the end of a connection, made at the start and not at the first end.
//!
//! Not here: connections to the broker (`connect`).
//!
//! A thread of the library ends each connection, outside of our runtime, and a compatibility layer makes a runtime of its own
//! for the first of them. If no descriptor is left at that moment, this fails for good: each later end of a connection panics
//! (seen with lapin 4.12.3 and async-compat 0.2.6).

use std::net::TcpListener;
use std::thread;

use lapin::runtime;
use lapin::tcp::AsyncTcpStream;

/// Ends a connection to ourselves as the library would. Where even that fails, the library makes its runtime when it needs it.
pub(super) async fn make() {
    let Ok(runtime) = runtime::default_runtime() else { return };
    let Ok(listener) = TcpListener::bind("127.0.0.1:0") else { return };
    let Ok(address) = listener.local_addr() else { return };
    let Ok(stream) = AsyncTcpStream::connect(&runtime, address).await else { return };
    let ended = thread::Builder::new().name("fallback".to_owned()).spawn(move || drop(stream));
    drop(ended.map(thread::JoinHandle::join));
}
