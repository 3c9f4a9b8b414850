//! Implements the accounts port: people, their sessions and API tokens, and sign-ins in progress.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;

use super::SqlStore;
use super::audit::insert_audit_entry;
use super::dialect::Dialect;
use super::pool::Transaction;
use super::purge::delete_expired;
use super::rows::{self, Columns};
use super::statement::Statement;
use crate::server::audit::AuditEntry;
use crate::server::auth::accounts::{
    Accounts, Digest, NewSession, NewToken, Person, Profile, Session, SignIn, Token,
};
use crate::server::store::{Result, StoreError, warn_unless_written};
use crate::server::visible;
use domain::owner::OwnerId;

/// Selects the columns of a token.
const TOKEN: &str = "SELECT id, person, name, scope, made_ms, expires_ms, used_ms, revoked_ms
    FROM tokens";

#[async_trait]
impl<D: Dialect> Accounts for SqlStore<D> {
    async fn begin_sign_in(&self, sign_in: &SignIn, now: Timestamp) -> Result<()> {
        let (store, sign_in) = (self.clone(), sign_in.clone());
        self.finish(async move {
            let mut tx = store.transaction().await?;
            delete_expired::<D>("sign_ins", "browser", "expires_ms", now).execute(&mut tx).await?;
            Statement::new(
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
            .bind(sign_in.expires)
            .execute(&mut tx)
            .await?;
            tx.commit().await
        })
        .await
    }

    async fn take_sign_in(&self, browser: &Digest, now: Timestamp) -> Result<Option<SignIn>> {
        let take = Statement::new(
            "DELETE FROM sign_ins WHERE browser = $1 AND expires_ms > $2
             RETURNING browser, state, nonce, verifier, return_to, expires_ms",
        );
        let taken = self.change(take.bind(&browser.0).bind(now)).await?;
        taken.first().map(read_sign_in).transpose()
    }

    async fn find_sign_in(&self, browser: &Digest, now: Timestamp) -> Result<Option<SignIn>> {
        let find = Statement::new(
            "SELECT browser, state, nonce, verifier, return_to, expires_ms FROM sign_ins
             WHERE browser = $1 AND expires_ms > $2",
        );
        let found = self.row(find.bind(&browser.0).bind(now)).await?;
        found.as_ref().map(read_sign_in).transpose()
    }

    async fn sign_in(&self, profile: &Profile, session: &NewSession) -> Result<Person> {
        let (store, profile, session) = (self.clone(), profile.clone(), session.clone());
        self.finish(async move {
            let mut tx = store.transaction().await?;
            delete_expired::<D>("sessions", "digest", "idle_ms", session.begun)
                .execute(&mut tx)
                .await?;
            let person = read_person(&take_over(&profile, &session).fetch_one(&mut tx).await?)?;
            Statement::new(
                "INSERT INTO sessions (digest, person, idle_ms, ends_ms, begun_ms)
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(&session.secret.0)
            .bind(&person.owner)
            .bind(session.idle_until.min(session.ends))
            .bind(session.ends)
            .bind(session.begun)
            .execute(&mut tx)
            .await?;
            let who = person.owner.to_string();
            let audit_entry = session.audit_entry.map(|entry| AuditEntry { who, ..entry });
            insert_audit_entry(&mut tx, audit_entry.as_ref()).await?;
            tx.commit().await?;
            Ok(person)
        })
        .await
    }

    async fn session(
        &self,
        session: &Digest,
        now: Timestamp,
        idle_until: Timestamp,
    ) -> Result<Option<Session>> {
        let find = Statement::new(
            "SELECT owner, name, role, seen_ms, email, groups, idle_ms, ends_ms, begun_ms
             FROM sessions JOIN people ON owner = person WHERE digest = $1 AND idle_ms > $2",
        );
        let found = self.row(find.bind(&session.0).bind(now)).await?;
        let Some((found, idle)) = found.as_ref().map(read_session).transpose()? else {
            return Ok(None);
        };
        if let Some(until) = found.prolong(idle, idle_until) {
            let prolong = Statement::new("UPDATE sessions SET idle_ms = $1 WHERE digest = $2");
            let prolonged = self.change_rows(prolong.bind(until).bind(&session.0)).await;
            warn_unless_written(prolonged, "A session was not prolonged");
        }
        Ok(Some(found))
    }

    async fn end_session(
        &self,
        session: &Digest,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool> {
        let end = Statement::new("DELETE FROM sessions WHERE digest = $1").bind(&session.0);
        self.change_and_audit(end, audit_entry).await
    }

    async fn end_sessions_of(
        &self,
        person: &OwnerId,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<u64> {
        let (store, person, audit_entry) = (self.clone(), person.clone(), audit_entry.cloned());
        self.finish(async move {
            let mut tx = store.transaction().await?;
            let count = end_each(&mut tx, &person).await?;
            insert_audit_entry(&mut tx, audit_entry.as_ref()).await?;
            tx.commit().await?;
            Ok(count)
        })
        .await
    }

    async fn revoke_access(
        &self,
        person: &OwnerId,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<(u64, u64)> {
        let (store, person, audit_entry) = (self.clone(), person.clone(), audit_entry.cloned());
        self.finish(async move {
            let mut tx = store.transaction().await?;
            let sessions = end_each(&mut tx, &person).await?;
            let revoke = Statement::new(
                "UPDATE tokens SET revoked_ms = $1
                 WHERE person = $2 AND revoked_ms IS NULL AND expires_ms > $1",
            );
            let tokens = revoke.bind(now).bind(&person).execute(&mut tx).await?;
            let audit_entry = audit_entry.filter(|_| sessions + tokens > 0);
            insert_audit_entry(&mut tx, audit_entry.as_ref()).await?;
            tx.commit().await?;
            Ok((sessions, tokens))
        })
        .await
    }

    async fn person(&self, person: &OwnerId) -> Result<Option<Person>> {
        let find = Statement::new(
            "SELECT owner, name, role, seen_ms, email, groups FROM people WHERE owner = $1",
        );
        self.row(find.bind(person)).await?.as_ref().map(read_person).transpose()
    }

    async fn people(&self, limit: u32) -> Result<Vec<Person>> {
        let people = Statement::new(
            "SELECT owner, name, role, seen_ms, email, groups FROM people
             ORDER BY seen_ms DESC, owner LIMIT $1",
        );
        self.rows(people.bind(i64::from(limit))).await?.iter().map(read_person).collect()
    }

    async fn add_token(&self, token: &NewToken, max: u32) -> Result<bool> {
        let (store, NewToken { token, secret, audit_entry }) = (self.clone(), token.clone());
        self.finish(async move {
            let mut tx = store.transaction().await?;
            // With the person's row locked, concurrent calls cannot exceed `max`.
            if let Some(lock) = D::FOR_UPDATE {
                let hold = Statement::new("SELECT owner FROM people WHERE owner = $1 ").push(lock);
                hold.bind(&token.person).fetch_optional(&mut tx).await?;
            }
            let insert = Statement::new(
                "INSERT INTO tokens (id, digest, person, name, scope, made_ms, expires_ms)
                 SELECT $1, $2, $3, $4, $5, $6, $7
                 WHERE (SELECT count(*) FROM tokens
                        WHERE person = $3 AND revoked_ms IS NULL AND expires_ms > $6) < $8",
            );
            let inserted = insert
                .bind(&token.id)
                .bind(&secret.0)
                .bind(&token.person)
                .bind(&token.name)
                .bind(token.scope.as_str())
                .bind(token.made)
                .bind(token.expires)
                .bind(i64::from(max))
                .execute(&mut tx)
                .await?;
            let audit_entry = audit_entry.filter(|_| inserted == 1);
            insert_audit_entry(&mut tx, audit_entry.as_ref()).await?;
            tx.commit().await?;
            Ok(inserted == 1)
        })
        .await
    }

    async fn tokens(&self, person: &OwnerId, now: Timestamp) -> Result<Vec<Token>> {
        let tokens = Statement::new(TOKEN).push(
            " WHERE person = $1
             ORDER BY (revoked_ms IS NOT NULL OR expires_ms <= $2), made_ms DESC, id",
        );
        self.rows(tokens.bind(person).bind(now)).await?.iter().map(read_token).collect()
    }

    async fn revoke_token(
        &self,
        person: &OwnerId,
        id: &str,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool> {
        let revoke = Statement::new(
            "UPDATE tokens SET revoked_ms = $1 WHERE person = $2 AND id = $3 AND revoked_ms IS NULL",
        );
        self.change_and_audit(revoke.bind(now).bind(person).bind(id), audit_entry).await
    }

    async fn token(&self, secret: &Digest, now: Timestamp) -> Result<Option<Token>> {
        let find = Statement::new(TOKEN)
            .push(" WHERE digest = $1 AND revoked_ms IS NULL AND expires_ms > $2");
        let found = self.row(find.bind(&secret.0).bind(now)).await?;
        let Some(mut token) = found.as_ref().map(read_token).transpose()? else {
            return Ok(None);
        };
        if let Some(used) = token.use_at(now) {
            let note = Statement::new("UPDATE tokens SET used_ms = $1 WHERE id = $2");
            let noted = self.change_rows(note.bind(used).bind(&token.id)).await;
            warn_unless_written(noted, "The time of a token's use was not stored");
            token.used = Some(used);
        }
        Ok(Some(token))
    }
}

impl<D: Dialect> SqlStore<D> {
    /// Executes a statement that changes at most one row. Only if it does, it adds the audit entry,
    /// and returns `true`.
    async fn change_and_audit(
        &self,
        change: Statement,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool> {
        let (store, audit_entry) = (self.clone(), audit_entry.cloned());
        self.finish(async move {
            let mut tx = store.transaction().await?;
            let is_changed = change.execute(&mut tx).await? == 1;
            let audit_entry = audit_entry.filter(|_| is_changed);
            insert_audit_entry(&mut tx, audit_entry.as_ref()).await?;
            tx.commit().await?;
            Ok(is_changed)
        })
        .await
    }
}

/// Inserts the person, or updates the profile of a known one, who keeps their id.
fn take_over(profile: &Profile, session: &NewSession) -> Statement {
    Statement::new(
        "INSERT INTO people (owner, issuer, subject, name, role, seen_ms, email, groups)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (issuer, subject) DO UPDATE
         SET name = excluded.name, role = excluded.role, seen_ms = excluded.seen_ms,
             email = excluded.email, groups = excluded.groups
         RETURNING owner, name, role, seen_ms, email, groups",
    )
    .bind(&session.person)
    .bind(&profile.issuer)
    .bind(&profile.subject)
    .bind(&profile.name)
    .bind(profile.role.as_str())
    .bind(session.begun)
    .bind(profile.email.as_deref())
    .bind(serde_json::to_string(&profile.groups).unwrap_or_default())
}

async fn end_each<D: Dialect>(tx: &mut Transaction<D>, person: &OwnerId) -> Result<u64> {
    Statement::new("DELETE FROM sessions WHERE person = $1").bind(person).execute(tx).await
}

/// Reads a row of `people`.
fn read_person(row: &impl Columns) -> Result<Person> {
    Ok(Person {
        owner: rows::owner(row, "owner")?,
        name: visible::name(&row.text("name")?),
        role: row.text("role")?.parse().map_err(|_| StoreError::Corrupt { what: "role" })?,
        seen: rows::time(row.number("seen_ms")?)?,
        email: row.optional_text("email")?,
        groups: match row.optional_text("groups")? {
            Some(groups) => {
                serde_json::from_str(&groups).map_err(|_| StoreError::Corrupt { what: "groups" })?
            }
            None => BTreeSet::new(),
        },
    })
}

/// Reads a row of `sessions` with its person, and the time at which it expires if it is not used.
fn read_session(row: &impl Columns) -> Result<(Session, Timestamp)> {
    let session = Session {
        person: read_person(row)?,
        ends: rows::time(row.number("ends_ms")?)?,
        begun: rows::optional_time(row, "begun_ms")?,
    };
    Ok((session, rows::time(row.number("idle_ms")?)?))
}

/// Reads a row of `tokens`.
fn read_token(row: &impl Columns) -> Result<Token> {
    Ok(Token {
        id: row.text("id")?,
        person: rows::owner(row, "person")?,
        name: visible::name(&row.text("name")?),
        scope: row.text("scope")?.parse().map_err(|_| StoreError::Corrupt { what: "scope" })?,
        made: rows::time(row.number("made_ms")?)?,
        expires: rows::time(row.number("expires_ms")?)?,
        used: rows::optional_time(row, "used_ms")?,
        revoked: rows::optional_time(row, "revoked_ms")?,
    })
}

/// Reads a row of `sign_ins`.
fn read_sign_in(row: &impl Columns) -> Result<SignIn> {
    Ok(SignIn {
        browser: Digest(row.text("browser")?),
        state: row.text("state")?,
        nonce: row.text("nonce")?,
        verifier: row.text("verifier")?,
        return_to: row.text("return_to")?,
        expires: rows::time(row.number("expires_ms")?)?,
    })
}
