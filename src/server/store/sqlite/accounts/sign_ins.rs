//! Sign-ins that were sent to the provider and are not back yet.

use jiff::Timestamp;

use crate::server::{
    auth::accounts::{Digest, SignIn},
    store::{StoreError, rows::accounts as rows, sqlite::Pool, unavailable},
};

/// Keeps a sign-in, and purges a bounded number of those that have expired.
pub(super) async fn begin(pool: Pool, sign_in: SignIn, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = pool.begin().await?;
    sqlx::query(
        "DELETE FROM sign_ins WHERE browser IN
             (SELECT browser FROM sign_ins WHERE expires_ms <= ? ORDER BY expires_ms LIMIT 100)",
    )
    .bind(now.as_millisecond())
    .execute(&mut *tx)
    .await
    .map_err(unavailable)?;
    sqlx::query(
        "INSERT INTO sign_ins (browser, state, nonce, verifier, return_to, expires_ms)
         VALUES (?, ?, ?, ?, ?, ?)
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
    let row = sqlx::query("DELETE FROM sign_ins WHERE browser = ? AND expires_ms > ? RETURNING browser, state, nonce, verifier, return_to, expires_ms")
        .bind(&browser.0)
        .bind(now.as_millisecond())
        .fetch_optional(&mut *tx)
        .await
        .map_err(unavailable)?;
    tx.commit().await.map_err(unavailable)?;
    row.as_ref().map(rows::sign_in).transpose()
}
