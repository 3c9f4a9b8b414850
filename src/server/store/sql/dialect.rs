//! What differs between the databases. All other statements are the same for both.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::error::BoxDynError;
use sqlx::{AssertSqlSafe, Connection, Database, Executor, IntoArguments, SqlStr};

use super::rows::Columns;
use super::statement::{Statement, Value};
use crate::server::notifier::Notification;
use crate::server::store::Result;

/// A kind of database.
#[async_trait]
pub trait Dialect: Database<Row: Columns, Connection: RunStatement<Self>> {
    /// Its name, as `/health` shows it.
    const KIND: &'static str;
    /// True if a connection can be lost while it is idle.
    const IS_REMOTE: bool;
    /// The time limit of a whole call of a port, if there is one.
    const LIMIT: Option<Duration>;
    /// True if a text can contain NUL characters.
    const HOLDS_NUL: bool;
    /// Begins a transaction that writes, and reads the schema's generation, which cannot change
    /// until the transaction ends. It is one message, so it costs no more than `BEGIN` alone.
    const BEGIN: &'static str;
    /// The end of a query that locks its rows until the transaction ends; `None` if the database
    /// allows one writing transaction at a time.
    const FOR_UPDATE: Option<&'static str>;
    /// The expression that identifies a row of a table, if that is faster than its key.
    const ROW_ID: Option<&'static str>;
    /// The statement that locks a count until the transaction ends. Its parameters are the class of
    /// the lock and a text; `None` if the database allows one writing transaction at a time.
    const LOCK_COUNT: Option<&'static str>;
    /// The function that returns the position of a text within another, or 0.
    const POSITION: &'static str;

    /// What a store of this database holds besides its connections: the locked file of SQLite, or
    /// the listener of PostgreSQL.
    type Companion: Clone + fmt::Debug + Send + Sync + 'static;

    /// Opens a connection.
    async fn connect(
        options: &<Self::Connection as Connection>::Options,
    ) -> Result<Self::Connection, sqlx::Error>;
    /// Returns whether a connection can be reused after a statement failed with `error`.
    fn survives(error: &sqlx::Error) -> bool;

    /// Adds a value to a statement's arguments.
    fn bind(arguments: &mut Self::Arguments, value: Value) -> Result<(), BoxDynError>;
    /// Returns the number of rows that a statement has changed.
    fn rows_affected(done: &Self::QueryResult) -> u64;
    /// Returns the right side of a condition that is true for values in the list in the parameter
    /// `list`.
    fn is_in(list: &str) -> String;
    /// Returns the right side of a condition that is true for values that this query finds. Rows
    /// that another transaction has locked are left out.
    fn is_locked_in(query: &str) -> String;
    /// Returns a table called `given` whose columns are lists of equal length. A column has a name,
    /// a type, and the parameter with its list.
    fn table_of(columns: &[(&str, &str, &str)]) -> String;
    /// Returns the statement that claims up to `$4` operations for the owner `$1`, at the time `$2`
    /// and for the duration `$3`, of those that fulfil one of these conditions.
    fn claim(conditions: &[String]) -> String;
    /// Notifies the other replicas on the database when the transaction commits.
    async fn notify(_: &Self::Companion, _: &mut Self::Connection, _: &Notification) -> Result<()> {
        Ok(())
    }
    /// Waits until the companion's background task has ended unexpectedly.
    async fn broken(_: &Self::Companion) {
        std::future::pending::<()>().await;
    }
    /// Stops the parts of the companion that must stop before the connections are closed.
    async fn before_close(_: &Self::Companion) {}
    /// Stops the parts of the companion that must stop after the connections are closed.
    async fn after_close(_: &Self::Companion) {}
}

/// A connection that statements run on.
#[async_trait]
pub trait RunStatement<D: Dialect> {
    /// Executes a statement, and returns the number of changed rows.
    async fn execute(&mut self, statement: Statement) -> Result<u64, sqlx::Error>;
    /// Returns all rows of a statement.
    async fn fetch_all(&mut self, statement: Statement) -> Result<Vec<D::Row>, sqlx::Error>;
    /// Executes one or several statements without values in one message, and returns the first row.
    async fn execute_raw(&mut self, text: &'static str) -> Result<Option<D::Row>, sqlx::Error>;
}

#[async_trait]
impl<D, C> RunStatement<D> for C
where
    D: Dialect,
    D::Arguments: IntoArguments<D>,
    C: Send,
    for<'c> &'c mut C: Executor<'c, Database = D>,
{
    async fn execute(&mut self, statement: Statement) -> Result<u64, sqlx::Error> {
        let (text, arguments) = prepared::<D>(statement)?;
        let done = sqlx::query_with(text, arguments).execute(self).await?;
        Ok(D::rows_affected(&done))
    }

    async fn fetch_all(&mut self, statement: Statement) -> Result<Vec<D::Row>, sqlx::Error> {
        let (text, arguments) = prepared::<D>(statement)?;
        sqlx::query_with(text, arguments).fetch_all(self).await
    }

    async fn execute_raw(&mut self, text: &'static str) -> Result<Option<D::Row>, sqlx::Error> {
        Ok(sqlx::raw_sql(text).fetch_all(self).await?.into_iter().next())
    }
}

/// Converts a statement to the text and the arguments for sqlx.
fn prepared<D: Dialect>(statement: Statement) -> Result<(SqlStr, D::Arguments), sqlx::Error> {
    let mut arguments = D::Arguments::default();
    for value in statement.values {
        D::bind(&mut arguments, value).map_err(sqlx::Error::Encode)?;
    }
    // A text is composed of constants only, and everything from outside is a value, so nothing can
    // be injected.
    let text = sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(statement.text.into_owned()));
    Ok((text, arguments))
}
