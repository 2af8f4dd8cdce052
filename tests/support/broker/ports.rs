//! Free ports of the loopback.
//!
//! Not here: holding them; a port can be taken between the lookup and its use, so who starts something tries again.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

/// Below what the kernel hands to outgoing connections: a port of a broker that is down is not taken by one of them,
/// and a client that knocks at it cannot be connected to itself.
const RANGE: Range<u16> = 10_240..32_000;

/// So many different ports on which nobody listens now.
pub fn free<const N: usize>() -> [u16; N] {
    let mut held: Vec<TcpListener> = Vec::new();
    std::array::from_fn(|_| {
        let (port, listener) = one();
        held.push(listener);
        port
    })
}

fn one() -> (u16, TcpListener) {
    (0..1000)
        .map(|_| fastrand::u16(RANGE))
        .find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok().map(|listener| (port, listener)))
        .expect("one of a thousand ports is free")
}
