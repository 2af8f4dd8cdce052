//! A connection to each address of the configuration, under a name that no other has: it tells which addresses fail, and whoever
//! sees the connections of a cluster sees which of the others belong to it.
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

/// Connects to all addresses at once, each within `call_timeout`: a connection, or why there is none.
pub async fn call(config: &Config) -> Vec<Result<Caller, String>> {
    let call = async |address| {
        let what_for = format!("compares {:016x}", fastrand::u64(..));
        let connected = connect::connect(config, address, &what_for, &mut Tries::default()).await;
        let connection = connected.map_err(|error| error.to_string())?;
        Ok(Caller { address: address.to_string(), name: connect::name(config, &what_for), connection })
    };
    join_all(config.addresses.iter().map(call)).await
}

/// Closes them.
pub async fn hang_up(callers: &[Caller]) {
    join_all(callers.iter().map(|caller| connect::close(&caller.connection))).await;
}
