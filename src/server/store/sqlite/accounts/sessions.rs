//! People, and the sessions in which they are signed in.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::tokens;
use crate::server::{
    audit::AuditEntry,
    auth::{
        access::OwnerId,
        accounts::{Digest, NewSession, Person, Profile, Session},
    },
    store::{
        StoreError,
        rows::accounts as rows,
        sqlite::{Pool, audit},
        unavailable,
    },
};

/// Finds or adds the person, begins a session of theirs, and purges a bounded number of those that
/// have expired.
pub(super) async fn begin(
    pool: Pool,
    profile: Profile,
    session: NewSession,
) -> Result<Person, StoreError> {
    let mut tx = pool.begin().await?;
    sqlx::query(
        "DELETE FROM sessions WHERE digest IN
             (SELECT digest FROM sessions WHERE idle_ms <= ? ORDER BY idle_ms LIMIT 100)",
    )
    .bind(session.begun.as_millisecond())
    .execute(&mut *tx)
    .await
    .map_err(unavailable)?;
    let person = take_over(&mut tx, &profile, &session).await?;
    sqlx::query("INSERT INTO sessions (digest, person, idle_ms, ends_ms) VALUES (?, ?, ?, ?)")
        .bind(&session.secret.0)
        .bind(person.owner.as_str())
        .bind(session.idle_until.min(session.ends).as_millisecond())
        .bind(session.ends.as_millisecond())
        .execute(&mut *tx)
        .await
        .map_err(unavailable)?;
    let who = person.owner.to_string();
    let audit_entry = session.audit_entry.map(|entry| AuditEntry { who, ..entry });
    audit::insert_audit_entry(&mut tx, audit_entry.as_ref()).await?;
    tx.commit().await.map_err(unavailable)?;
    Ok(person)
}

/// Takes over what the provider says of a person, who keeps their id.
async fn take_over(
    tx: &mut SqliteConnection,
    profile: &Profile,
    session: &NewSession,
) -> Result<Person, StoreError> {
    let row = sqlx::query(
        "INSERT INTO people (owner, issuer, subject, name, role, seen_ms)
         VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (issuer, subject) DO UPDATE
         SET name = excluded.name, role = excluded.role, seen_ms = excluded.seen_ms
         RETURNING owner, name, role, seen_ms",
    )
    .bind(session.person.as_str())
    .bind(&profile.issuer)
    .bind(&profile.subject)
    .bind(&profile.name)
    .bind(profile.role.as_str())
    .bind(session.begun.as_millisecond())
    .fetch_one(tx)
    .await
    .map_err(unavailable)?;
    rows::person(&row)
}

/// Finds a session, and until when it lasts unless it is used.
pub(super) async fn find(
    pool: &Pool,
    session: &Digest,
    now: Timestamp,
) -> Result<Option<(Session, Timestamp)>, StoreError> {
    let row = sqlx::query(
        "SELECT owner, name, role, seen_ms, idle_ms, ends_ms FROM sessions JOIN people ON owner = person
         WHERE digest = ? AND idle_ms > ?",
    )
    .bind(&session.0)
    .bind(now.as_millisecond())
    .fetch_optional(pool)
    .await
    .map_err(unavailable)?;
    row.as_ref().map(rows::session).transpose()
}

/// Lets a session last until `until`.
pub(super) async fn prolong(
    pool: Pool,
    session: Digest,
    until: Timestamp,
) -> Result<(), StoreError> {
    let mut tx = pool.begin().await?;
    sqlx::query("UPDATE sessions SET idle_ms = ? WHERE digest = ?")
        .bind(until.as_millisecond())
        .bind(&session.0)
        .execute(&mut *tx)
        .await
        .map_err(unavailable)?;
    tx.commit().await.map_err(unavailable)
}

/// Ends a session.
pub(super) async fn end(
    pool: Pool,
    session: Digest,
    audit_entry: Option<AuditEntry>,
) -> Result<bool, StoreError> {
    let mut tx = pool.begin().await?;
    let done = sqlx::query("DELETE FROM sessions WHERE digest = ?")
        .bind(&session.0)
        .execute(&mut *tx)
        .await
        .map_err(unavailable)?;
    let has_ended = done.rows_affected() == 1;
    audit::insert_audit_entry(&mut tx, audit_entry.filter(|_| has_ended).as_ref()).await?;
    tx.commit().await.map_err(unavailable)?;
    Ok(has_ended)
}

/// Ends all sessions of a person.
pub(super) async fn end_all(
    pool: Pool,
    person: OwnerId,
    audit_entry: Option<AuditEntry>,
) -> Result<u64, StoreError> {
    let mut tx = pool.begin().await?;
    let count = end_each(&mut tx, &person).await?;
    audit::insert_audit_entry(&mut tx, audit_entry.as_ref()).await?;
    tx.commit().await.map_err(unavailable)?;
    Ok(count)
}

/// Ends all sessions of a person, and revokes their tokens.
pub(super) async fn revoke_access(
    pool: Pool,
    person: OwnerId,
    now: Timestamp,
    audit_entry: Option<AuditEntry>,
) -> Result<(u64, u64), StoreError> {
    let mut tx = pool.begin().await?;
    let sessions = end_each(&mut tx, &person).await?;
    let tokens = tokens::revoke_all(&mut tx, &person, now).await?;
    audit::insert_audit_entry(&mut tx, audit_entry.filter(|_| sessions + tokens > 0).as_ref())
        .await?;
    tx.commit().await.map_err(unavailable)?;
    Ok((sessions, tokens))
}

async fn end_each(tx: &mut SqliteConnection, person: &OwnerId) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM sessions WHERE person = ?")
        .bind(person.as_str())
        .execute(tx)
        .await
        .map_err(unavailable)?;
    Ok(done.rows_affected())
}

/// Lists people, those who signed in last first.
pub(super) async fn people(pool: &Pool, limit: u32) -> Result<Vec<Person>, StoreError> {
    let found = sqlx::query(
        "SELECT owner, name, role, seen_ms FROM people ORDER BY seen_ms DESC, owner LIMIT ?",
    )
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    found.iter().map(rows::person).collect()
}
