//! The longer words about queues.
//!
//! Not here: when they are said.

/// It belongs to another connection.
pub const LOCKED: &str = "belongs to another connection (exclusive): nobody else may use it, and it ends with that connection. \
     Make a durable quorum queue in its place";
/// Another consumer holds it.
pub const HELD: &str = "is held by another consumer for itself (exclusive): end that consumer, or let it subscribe without \
     `exclusive`";
pub(super) const STREAM: &str = "is a stream, and streams are not consumed: what is published while no daemon runs would never be \
     delivered. Make a quorum queue, bind it where the stream is bound, and name it in broker.queue";
pub(super) const AUTO_DELETE: &str = "is auto-delete: the broker deletes it, with every event in it, when this daemon stops. Make it \
     again without that";
pub(super) const CLASSIC: &str = "is a classic queue: it is on one node; the broker does not count how often an event was given \
     back, so that one that takes the daemon down is not recognised; and after a restart of the broker its whole backlog \
     counts as delivered before, so that each event is looked up first";
pub(super) const TRANSIENT: &str = "is not durable: a restart of the broker deletes it, with every event in it";
pub(super) const FEW_RETURNS: &str = "gives an event up after fewer than 20 returns: shutdowns, lost connections and delay queues \
     may each be counted, so that good events end as dead letters of the broker";
pub(super) const NO_TARGET: &str = "names no dead-letter exchange: what the broker gives up by itself (delivery limit, expiry, \
     length) is deleted, unless a policy says where it goes";
pub(super) const AT_MOST_ONCE: &str = "dead-letters at most once: what the broker gives up by itself can be lost on its way, unless \
     both x-dead-letter-strategy is at-least-once and x-overflow is reject-publish";
pub(super) const NO_DELAY_QUEUE: &str =
    "is not made as a delay queue of this work queue: it could drop or keep events. Make it again";
