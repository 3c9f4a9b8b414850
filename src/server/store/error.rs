//! The errors of the store.

use jiff::Timestamp;

use super::LimitReached;

/// The store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The name is reserved.
    #[error("the name is taken")]
    NameTaken,
    /// The name is kept for its former owner.
    #[error("the name is reserved for its former owner")]
    NameHeld {
        /// Until when.
        until: Timestamp,
    },
    /// A bound of the quota is reached.
    #[error("a limit is reached")]
    LimitReached(LimitReached),
    /// The idempotency key has an answer already.
    #[error("the idempotency key is in use")]
    KeyUsed,
    /// The lease is somebody else's now, or the deployment has ended.
    #[error("the lease is lost")]
    LeaseLost,
    /// A request to cancel came before this end: read it, and end as cancelled.
    #[error("a cancel request arrived in the meantime")]
    CancelPending,
    /// The tables are another version's by now: nothing may be written.
    #[error(
        "the schema generation of the database is {found}, and this version of the portal was \
         built for {built_for}"
    )]
    OtherGeneration {
        /// The database's.
        found: i64,
        /// The program's.
        built_for: i64,
    },
    /// It holds something that we did not write.
    #[error("the store holds an unreadable {what}")]
    Corrupt {
        /// The value that cannot be read.
        what: &'static str,
    },
    /// It does not answer.
    #[error("the store is out of reach")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
