//! The error of every port that the store implements.

use jiff::Timestamp;

use domain::refusal::LimitReached;

/// The result of a port that the store implements.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The store rejected or could not do what was requested.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The name is reserved.
    #[error("the name is taken")]
    NameTaken,
    /// The name is reserved for the former owner of a removed stack.
    #[error("the name is reserved for its former owner")]
    NameHeld {
        /// The end of the reservation.
        until: Timestamp,
    },
    /// A limit of the quota is reached.
    #[error("a limit is reached")]
    LimitReached(LimitReached),
    /// The version of the template has another definition, which stacks are made of.
    #[error("the version of the template has another definition")]
    TemplateChanged,
    /// The kept data belongs to a stack by now, or is being deleted.
    #[error("the kept data is in use")]
    DataInUse,
    /// The idempotency key already has a response.
    #[error("the idempotency key is in use")]
    KeyUsed,
    /// Another worker has the lease, or the operation has ended.
    #[error("the lease is lost")]
    LeaseLost,
    /// A request to cancel came before this end: read it, and end as cancelled.
    #[error("a cancel request arrived in the meantime")]
    CancelPending,
    /// Another version of the portal has migrated the tables, so nothing may be written.
    #[error(
        "the schema generation of the database is {found}, and this version of the portal was \
         built for {built_for}"
    )]
    OtherGeneration {
        /// The generation of the database.
        found: i64,
        /// The generation that this program was built for.
        built_for: i64,
    },
    /// It contains a value that the portal cannot have written.
    #[error("the store holds an unreadable {what}")]
    Corrupt {
        /// The value that cannot be read.
        what: &'static str,
    },
    /// The database does not answer, or a write failed.
    #[error("the store is out of reach")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
