//! A connection to each address of the configuration, under a name that no other has: whoever sees the connections of a cluster
//! sees which of the addresses belong to it.
//!
//! Not here: looking (`management`), and what follows (`cli`). Nothing is asked over them.

use futures_util::future::join_all;
use lapin::Connection;

use super::Config;
use super::connect::{self, Tries};

/// One connection.
pub struct Caller {
    /// Where it leads.
    pub address: String,
    /// Its name in the broker.
    pub name: String,
    connection: Connection,
}

/// Connects to each address; one that fails is left out. Each may take `call_timeout`.
pub async fn call(config: &Config) -> Vec<Caller> {
    let call = async |address| {
        let what_for = format!("compares {:016x}", fastrand::u64(..));
        let connection = connect::connect(config, address, &what_for, &mut Tries::default()).await.ok()?;
        let (address, name) = (address.to_string(), connect::name(config, &what_for));
        Some(Caller { address, name, connection })
    };
    join_all(config.addresses.iter().map(call)).await.into_iter().flatten().collect()
}

/// Closes them.
pub async fn hang_up(callers: &[Caller]) {
    join_all(callers.iter().map(|caller| connect::close(&caller.connection))).await;
}
