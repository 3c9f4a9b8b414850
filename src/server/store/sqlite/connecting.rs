//! Connections to the file, and the tables that a portal finds there.

use async_trait::async_trait;
use sqlx::{
    ConnectOptions as _, Row as _, Sqlite, SqliteConnection, error::ErrorKind,
    sqlite::SqliteConnectOptions,
};

use crate::server::store::pool::Backend;

/// Reads the schema's generation, where the tables have one yet.
pub(super) async fn generation(
    connection: &mut SqliteConnection,
) -> Result<Option<i64>, sqlx::Error> {
    let is_there = "SELECT count(*) FROM sqlite_master WHERE name = 'schema_generation'";
    if sqlx::query_scalar::<_, i64>(is_there).fetch_one(&mut *connection).await? == 0 {
        return Ok(None);
    }
    let question = "SELECT generation FROM schema_generation";
    sqlx::query_scalar(question).fetch_optional(connection).await
}

#[async_trait]
impl Backend for Sqlite {
    const IS_REMOTE: bool = false;

    async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, sqlx::Error> {
        options.connect().await
    }

    async fn begin(connection: &mut SqliteConnection) -> Result<Option<i64>, sqlx::Error> {
        let begin = "BEGIN IMMEDIATE; SELECT generation FROM schema_generation";
        let rows = sqlx::raw_sql(begin).fetch_all(connection).await?;
        rows.first().map(|row| row.try_get(0)).transpose()
    }

    async fn execute(
        connection: &mut SqliteConnection,
        word: &'static str,
    ) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(word).execute(connection).await.map(drop)
    }

    fn survives(error: &sqlx::Error) -> bool {
        match error {
            // What breaks a constraint; a disk that is full or broken is another matter.
            sqlx::Error::Database(error) => !matches!(error.kind(), ErrorKind::Other),
            sqlx::Error::RowNotFound => true,
            _ => false,
        }
    }
}
