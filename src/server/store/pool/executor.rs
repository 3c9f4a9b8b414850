//! Statements outside of a transaction, each on a connection of its own.

use futures::{
    StreamExt as _, TryFutureExt as _, TryStreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{Describe, Either, Execute, Executor, SqlStr};

use super::{Backend, Pool};

impl<'p, D: Backend> Executor<'p> for &'_ Pool<D>
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
{
    type Database = D;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<D::QueryResult, D::Row>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, D>,
    {
        let pool = self.clone();
        let all = async move {
            let mut connection_in_use = pool.acquire().await?;
            let answer =
                connection_in_use.connection.fetch_many(query).try_collect::<Vec<_>>().await;
            connection_in_use.release_after(&answer);
            answer
        };
        stream::once(all.map_ok(|steps| stream::iter(steps.into_iter().map(Ok))))
            .try_flatten()
            .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<D::Row>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, D>,
    {
        let pool = self.clone();
        Box::pin(async move {
            let mut connection_in_use = pool.acquire().await?;
            let answer = connection_in_use.connection.fetch_optional(query).await;
            connection_in_use.release_after(&answer);
            answer
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [D::TypeInfo],
    ) -> BoxFuture<'e, Result<D::Statement, sqlx::Error>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        Box::pin(async move {
            let mut connection_in_use = pool.acquire().await?;
            let answer = connection_in_use.connection.prepare_with(sql, parameters).await;
            connection_in_use.release_after(&answer);
            answer
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<D>, sqlx::Error>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        Box::pin(async move {
            let mut connection_in_use = pool.acquire().await?;
            let answer = connection_in_use.connection.describe(sql).await;
            connection_in_use.release_after(&answer);
            answer
        })
    }
}
