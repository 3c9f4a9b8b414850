//! The audit port: keeps who did what, when, from which address, and with what outcome.
//!
//! Entries are never changed, and deleted only when they are too old. An entry must not contain a
//! secret, and of a person only their owner id and address.

mod throttle;
mod trail;

use std::net::IpAddr;

use async_trait::async_trait;
use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr, VariantArray};

pub use trail::{Actor, AuditTrail};

use crate::server::store_error::Result;

/// Keeps the audit log.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Adds an entry. Fails with a `StoreError` if it is not stored.
    async fn append(&self, entry: &AuditEntry) -> Result<()>;
    /// Lists the entries that pass `filter`, newest first, with their numbers.
    async fn entries(&self, filter: &AuditFilter) -> Result<Vec<(i64, AuditEntry)>>;
    /// Deletes the oldest entries before `cutoff`, at most 20,000, and returns their number. If
    /// there are any, `entry`, which says so, is added in the same transaction. Nothing is deleted
    /// if no other entry is later than `cutoff`.
    async fn purge_entries(&self, cutoff: Timestamp, entry: &AuditEntry) -> Result<u64>;
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// The time at which it happened.
    pub at: Timestamp,
    /// The actor: an owner's id, `guest`, `stranger`, `command line`, or `portal`.
    pub who: String,
    /// The action.
    pub act: AuditAction,
    /// The target: a stack's name, the id of an operation or a token, or a path.
    pub target: Option<String>,
    /// The address of the client; `None` for the command line.
    pub from: Option<IpAddr>,
    /// The outcome: `done`, or the code of the error.
    pub outcome: String,
}

/// An action in the audit log. Its word is persisted: never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum AuditAction {
    /// Signed in.
    SignIn,
    /// Signed out.
    SignOut,
    /// Started a deployment.
    Start,
    /// Cancelled one.
    Cancel,
    /// Tried one again.
    Retry,
    /// Removed a stack.
    Remove,
    /// Stopped a stack.
    StopStack,
    /// Started a stopped stack again.
    StartStack,
    /// Restarted a stack.
    RestartStack,
    /// Changed a stack.
    ChangeStack,
    /// Requested the deletion of kept data, or deleted it once its time was over.
    DeleteData,
    /// Created an API token.
    MakeToken,
    /// Revoked one.
    RevokeToken,
    /// Was rejected because of a limit.
    ReachLimit,
    /// Was denied access.
    Enter,
    /// Requested another attempt of a clean-up.
    RetryCleanUp,
    /// Viewed another owner's operation, as an operator.
    Inspect,
    /// Deleted the entries before the time that is its target.
    Purge,
    /// Ended the sessions and revoked the tokens of another person, as an operator.
    #[strum(serialize = "shut_out")]
    RevokeAccess,
    /// Had the generated secrets of a stack shown.
    Reveal,
}

impl AuditAction {
    /// All of them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Returns the word in the database and on the wire. Persisted: never rename.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The entries to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only those of this actor.
    pub who: Option<String>,
    /// Only those with this action.
    pub act: Option<AuditAction>,
    /// Only those to this target.
    pub target: Option<String>,
    /// Only those at this time or later.
    pub since: Option<Timestamp>,
    /// Only those with a lower number: the next page.
    pub before: Option<i64>,
    /// The maximum number of rows.
    pub limit: u32,
}
