//! Takes connections in and serves each until it ends.
//!
//! Not here: what is answered (`api`, `control`).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::api::Call;
use super::books::House;
use super::staging::{Manner, Staging};
use super::wire::{Inbox, Request, Unreadable};
use super::{api, control, staging};

/// The pause after a connection could not be taken in, for want of descriptors.
const BREATH: Duration = Duration::from_millis(10);

/// Serves for ever. Dropping it ends every connection.
pub async fn serve(listener: TcpListener, house: Arc<House>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            taken = listener.accept() => take(taken, &house, &mut connections).await,
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn take(taken: io::Result<(TcpStream, SocketAddr)>, house: &Arc<House>, connections: &mut JoinSet<()>) {
    let Ok((stream, _)) = taken else {
        return tokio::time::sleep(BREATH).await; // tidy: allow sleep, a listener that has run out of sockets must not spin
    };
    let house = Arc::clone(house);
    connections.spawn(async move {
        // A client that goes in the middle of an answer is nothing to report.
        let _ = converse(stream, &house).await;
    });
}

async fn converse(mut stream: TcpStream, house: &House) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut inbox, mut is_reused) = (Inbox::default(), false);
    loop {
        match inbox.next(&mut stream).await {
            Ok(request) => {
                let keep_alive = request.keep_alive;
                if !answer(&mut stream, house, request, is_reused).await? || !keep_alive {
                    return Ok(());
                }
                is_reused = true;
            }
            Err(Unreadable::Refused(reply)) => return send(&mut stream, &reply.render(false)).await,
            Err(Unreadable::Gone) => return Ok(()),
        }
    }
}

async fn send(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    Manner::Whole.send(stream, bytes).await.map(drop)
}

/// Answers one request, or stages what goes wrong with it; answers whether the connection can go on.
async fn answer(stream: &mut TcpStream, house: &House, mut request: Request, is_reused: bool) -> io::Result<bool> {
    if let Some(path) = request.path.strip_prefix("/control/") {
        let reply = control::answer(house, &request, path);
        return send(stream, &reply.render(request.keep_alive)).await.map(|()| true);
    }
    let (call, staging) = house.update(|books| api::arrive(books, &request, is_reused));
    let ticket = call.ticket;
    let result = perform(stream, house, call, &staging, &mut request).await;
    house.update(|books| books.request(ticket).map(|seen| seen.over = true));
    result
}

async fn perform(
    stream: &mut TcpStream,
    house: &House,
    call: Call,
    staging: &Staging,
    request: &mut Request,
) -> io::Result<bool> {
    if !staging.delay.is_zero() && staging::client_goes_within(stream, staging.delay).await {
        return Ok(false);
    }
    if !staging.late.is_zero() {
        tokio::time::sleep(staging.late).await; // tidy: allow sleep, a create that comes late is what it plays
    }
    let reply = house.update(|books| api::carry_out(books, call, staging, request));
    let reply = staging.coding.iter().fold(reply, |reply, coding| reply.encoded(coding));
    staging.manner.send(stream, &reply.render(request.keep_alive)).await
}
