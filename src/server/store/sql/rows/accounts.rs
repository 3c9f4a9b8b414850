//! Reads rows of people, sessions, tokens and sign-ins.

use jiff::Timestamp;

use super::{Columns, optional_time, owner, time};
use crate::server::{
    auth::accounts::{Digest, Person, Session, SignIn, Token},
    store::{Result, StoreError},
};

/// Reads a row of `people`.
pub(in crate::server::store) fn person(row: &impl Columns) -> Result<Person> {
    Ok(Person {
        owner: owner(row, "owner")?,
        name: row.text("name")?,
        role: row.text("role")?.parse().map_err(|_| StoreError::Corrupt { what: "role" })?,
        seen: time(row.number("seen_ms")?)?,
    })
}

/// Reads a row of `sessions` with its person, and the time at which it expires if it is not used.
pub(in crate::server::store) fn session(row: &impl Columns) -> Result<(Session, Timestamp)> {
    let session = Session { person: person(row)?, ends: time(row.number("ends_ms")?)? };
    Ok((session, time(row.number("idle_ms")?)?))
}

/// Reads a row of `tokens`.
pub(in crate::server::store) fn token(row: &impl Columns) -> Result<Token> {
    Ok(Token {
        id: row.text("id")?,
        person: owner(row, "person")?,
        name: row.text("name")?,
        scope: row.text("scope")?.parse().map_err(|_| StoreError::Corrupt { what: "scope" })?,
        made: time(row.number("made_ms")?)?,
        expires: time(row.number("expires_ms")?)?,
        used: optional_time(row, "used_ms")?,
        revoked: optional_time(row, "revoked_ms")?,
    })
}

/// Reads a row of `sign_ins`.
pub(in crate::server::store) fn sign_in(row: &impl Columns) -> Result<SignIn> {
    Ok(SignIn {
        browser: Digest(row.text("browser")?),
        state: row.text("state")?,
        nonce: row.text("nonce")?,
        verifier: row.text("verifier")?,
        return_to: row.text("return_to")?,
        expires: time(row.number("expires_ms")?)?,
    })
}
