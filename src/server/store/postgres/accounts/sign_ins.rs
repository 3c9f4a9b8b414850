//! Sign-ins that were sent to the provider and are not back yet.

use jiff::Timestamp;

use crate::server::{
    auth::accounts::{Digest, SignIn},
    store::{StoreError, postgres::Pool, rows::accounts as rows, unavailable},
};

/// Keeps a sign-in, and purges those that have expired, but for those that another portal is
/// purging.
pub(super) async fn begin(pool: Pool, sign_in: SignIn, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = pool.begin().await?;
    sqlx::query(
        "DELETE FROM sign_ins WHERE ctid = ANY (ARRAY
             (SELECT ctid FROM sign_ins WHERE expires_ms <= $1
              ORDER BY expires_ms LIMIT 100 FOR UPDATE SKIP LOCKED))",
    )
    .bind(now.as_millisecond())
    .execute(&mut *tx)
    .await
    .map_err(unavailable)?;
    sqlx::query(
        "INSERT INTO sign_ins (browser, state, nonce, verifier, return_to, expires_ms)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (browser) DO UPDATE
         SET state = excluded.state, nonce = excluded.nonce, verifier = excluded.verifier,
             return_to = excluded.return_to, expires_ms = excluded.expires_ms",
    )
    .bind(&sign_in.browser.0)
    .bind(&sign_in.state)
    .bind(&sign_in.nonce)
    .bind(&sign_in.verifier)
    .bind(&sign_in.return_to)
    .bind(sign_in.expires.as_millisecond())
    .execute(&mut *tx)
    .await
    .map_err(unavailable)?;
    tx.commit().await.map_err(unavailable)
}

/// Takes out the sign-in that this browser began.
pub(super) async fn take(
    pool: Pool,
    browser: Digest,
    now: Timestamp,
) -> Result<Option<SignIn>, StoreError> {
    let mut tx = pool.begin().await?;
    let row =
        sqlx::query("DELETE FROM sign_ins WHERE browser = $1 AND expires_ms > $2 RETURNING browser, state, nonce, verifier, return_to, expires_ms")
            .bind(&browser.0)
            .bind(now.as_millisecond())
            .fetch_optional(&mut *tx)
            .await
            .map_err(unavailable)?;
    tx.commit().await.map_err(unavailable)?;
    row.as_ref().map(rows::sign_in).transpose()
}
