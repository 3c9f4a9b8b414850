//! What really differs between the databases. Everything else is one text for both.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use sqlx::{Connection, Database, error::BoxDynError};

use super::{
    pool::Transaction,
    rows::Columns,
    statement::{RunStatement, Value},
};
use crate::server::{notifier::Nudge, store::StoreError};

/// A kind of database.
#[async_trait]
pub trait Dialect: Database<Row: Columns, Connection: RunStatement<Self>> {
    /// Its name, as `/health` shows it.
    const KIND: &'static str;
    /// True if a connection can be lost while nobody uses it.
    const IS_REMOTE: bool;
    /// The time that one of the ports' calls may take as a whole, where it is bounded.
    const LIMIT: Option<Duration>;
    /// True if a text can hold the character NUL.
    const HOLDS_NUL: bool;
    /// Begins a transaction that is going to write, and reads the schema's generation, which stays
    /// the same until the end. It is one message, so it costs no more than `BEGIN` alone.
    const BEGIN: &'static str;
    /// Ends a query whose rows nobody else may change before the transaction ends. It is missing
    /// where one transaction at a time writes.
    const FOR_UPDATE: Option<&'static str>;
    /// Names a row within its table, where that is faster than its key.
    const ROW_ID: Option<&'static str>;
    /// Locks what is counted together, until the transaction ends. It is missing where one
    /// transaction at a time writes as well.
    const LOCK_COUNT: Option<&'static str>;
    /// The function that finds a text within another, and counts from one.
    const POSITION: &'static str;

    /// What a store has beside its connections.
    type Companion: Clone + fmt::Debug + Send + Sync + 'static;

    /// Makes a connection.
    async fn connect(
        options: &<Self::Connection as Connection>::Options,
    ) -> Result<Self::Connection, sqlx::Error>;
    /// Returns whether a connection is as good as before although a statement failed so.
    fn survives(error: &sqlx::Error) -> bool;

    /// Adds a value to the arguments of a statement.
    fn bind(arguments: &mut Self::Arguments, value: Value) -> Result<(), BoxDynError>;
    /// Returns the number of rows that a statement has changed.
    fn rows_affected(done: &Self::QueryResult) -> u64;
    /// Returns the condition that something is in the list that the parameter `list` holds.
    fn is_in(list: &str) -> String;
    /// Returns the condition that something is found by this query, and that nobody else is changing
    /// its row.
    fn is_locked_in(query: &str) -> String;
    /// Returns a table, called `given`, of the lists in these parameters, which are equally long:
    /// a column has a name, a type and a parameter.
    fn table_of(columns: &[(&str, &str, &str)]) -> String;
    /// Returns the statement that claims up to `$4` operations for `$1`, at `$2` and for `$3`, of
    /// those that fulfil one of these conditions.
    fn claim(conditions: &[String]) -> String;
    /// Tells the other portals on the database, once the transaction is committed.
    async fn notify(
        _: &Self::Companion,
        _: &mut Transaction<Self>,
        _: &Nudge,
    ) -> Result<(), StoreError> {
        Ok(())
    }
    /// Waits until a task of the companion has ended that should go on.
    async fn broken(_: &Self::Companion) {
        std::future::pending::<()>().await;
    }
    /// Ends what must end before the connections are closed.
    async fn before_close(_: &Self::Companion) {}
    /// Ends what must end after the connections are closed.
    async fn after_close(_: &Self::Companion) {}
}
