//! Connections to the file, and the tables that a portal finds there.

use sqlx::SqliteConnection;

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
