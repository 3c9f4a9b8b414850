//! The accounts port in memory.

use std::cmp::Reverse;
use std::collections::HashMap;

use ai_stack_deployer::server::audit::AuditEntry;
use ai_stack_deployer::server::auth::accounts::{
    Accounts, Digest, NewSession, NewToken, Person, Profile, Session, SignIn, Token,
};
use ai_stack_deployer::server::store::Result;
use async_trait::async_trait;
use domain::owner::OwnerId;
use jiff::Timestamp;

use super::MemoryStore;
use super::tables::Tables;

/// The tables of people, sessions, tokens and sign-ins. Credentials are digests.
#[derive(Default)]
pub(super) struct AccountTables {
    /// By issuer and subject.
    people: HashMap<(String, String), Person>,
    sessions: HashMap<String, Row>,
    sign_ins: HashMap<String, SignIn>,
    tokens: Vec<NewToken>,
}

/// A session.
struct Row {
    person: OwnerId,
    idle: Timestamp,
    ends: Timestamp,
    begun: Timestamp,
}

impl AccountTables {
    fn end_sessions_of(&mut self, person: &OwnerId) -> u64 {
        let count = self.sessions.len();
        self.sessions.retain(|_, row| row.person != *person);
        (count - self.sessions.len()) as u64
    }
}

#[async_trait]
impl Accounts for MemoryStore {
    async fn begin_sign_in(&self, sign_in: &SignIn, now: Timestamp) -> Result<()> {
        let sign_ins = &mut self.up()?.accounts.sign_ins;
        sign_ins.retain(|_, sign_in| sign_in.expires > now);
        sign_ins.insert(sign_in.browser.0.clone(), sign_in.clone());
        Ok(())
    }

    async fn take_sign_in(&self, browser: &Digest, now: Timestamp) -> Result<Option<SignIn>> {
        let sign_ins = &mut self.up()?.accounts.sign_ins;
        let is_there = sign_ins.get(&browser.0).is_some_and(|sign_in| sign_in.expires > now);
        Ok(if is_there { sign_ins.remove(&browser.0) } else { None })
    }

    async fn find_sign_in(&self, browser: &Digest, now: Timestamp) -> Result<Option<SignIn>> {
        let sign_ins = &self.up()?.accounts.sign_ins;
        Ok(sign_ins.get(&browser.0).filter(|sign_in| sign_in.expires > now).cloned())
    }

    async fn sign_in(&self, profile: &Profile, session: &NewSession) -> Result<Person> {
        let Tables { accounts: tables, audit, .. } = &mut *self.up()?;
        tables.sessions.retain(|_, row| row.idle > session.begun);
        let key = (profile.issuer.clone(), profile.subject.clone());
        let owner = tables.people.get(&key).map_or(&session.person, |person| &person.owner).clone();
        let Profile { name, role, email, groups, .. } = profile.clone();
        let person =
            Person { owner: owner.clone(), name, role, seen: session.begun, email, groups };
        tables.people.insert(key, person.clone());
        let idle = session.idle_until.min(session.ends);
        let row = Row { person: owner, idle, ends: session.ends, begun: session.begun };
        tables.sessions.insert(session.secret.0.clone(), row);
        let who = person.owner.to_string();
        audit.extend(session.audit_entry.clone().map(|entry| AuditEntry { who, ..entry }));
        Ok(person)
    }

    async fn session(
        &self,
        session: &Digest,
        now: Timestamp,
        idle_until: Timestamp,
    ) -> Result<Option<Session>> {
        let AccountTables { people, sessions, .. } = &mut self.up()?.accounts;
        let row = sessions.get_mut(&session.0).filter(|row| row.idle > now);
        let Some(row) = row else { return Ok(None) };
        let person = people.values().find(|person| person.owner == row.person).unwrap().clone();
        let found = Session { person, ends: row.ends, begun: Some(row.begun) };
        row.idle = found.prolong(row.idle, idle_until).unwrap_or(row.idle);
        Ok(Some(found))
    }

    async fn end_session(
        &self,
        session: &Digest,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool> {
        let Tables { accounts, audit, .. } = &mut *self.up()?;
        let has_ended = accounts.sessions.remove(&session.0).is_some();
        audit.extend(audit_entry.filter(|_| has_ended).cloned());
        Ok(has_ended)
    }

    async fn end_sessions_of(
        &self,
        person: &OwnerId,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<u64> {
        let Tables { accounts, audit, .. } = &mut *self.up()?;
        audit.extend(audit_entry.cloned());
        Ok(accounts.end_sessions_of(person))
    }

    async fn revoke_access(
        &self,
        person: &OwnerId,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<(u64, u64)> {
        let Tables { accounts, audit, .. } = &mut *self.up()?;
        let sessions = accounts.end_sessions_of(person);
        let is_meant =
            |kept: &&mut NewToken| kept.token.person == *person && kept.token.is_valid(now);
        let revoked = accounts
            .tokens
            .iter_mut()
            .filter_map(|kept| is_meant(&kept).then(|| kept.token.revoked = Some(now)));
        let tokens = revoked.count() as u64;
        audit.extend(audit_entry.filter(|_| sessions + tokens > 0).cloned());
        Ok((sessions, tokens))
    }

    async fn person(&self, person: &OwnerId) -> Result<Option<Person>> {
        let people = &self.up()?.accounts.people;
        Ok(people.values().find(|found| found.owner == *person).cloned())
    }

    async fn people(&self, limit: u32) -> Result<Vec<Person>> {
        let mut people: Vec<_> = self.up()?.accounts.people.values().cloned().collect();
        people.sort_by_key(|person| (Reverse(person.seen), person.owner.clone()));
        people.truncate(limit as usize);
        Ok(people)
    }

    async fn add_token(&self, new: &NewToken, max: u32) -> Result<bool> {
        let Tables { accounts: tables, audit, .. } = &mut *self.up()?;
        let is_known = tables.people.values().any(|person| person.owner == new.token.person);
        assert!(is_known, "a token of nobody");
        let counts = |kept: &&NewToken| {
            kept.token.person == new.token.person && kept.token.is_valid(new.token.made)
        };
        let has_room = tables.tokens.iter().filter(counts).count() < max as usize;
        if has_room {
            tables.tokens.push(new.clone());
            audit.extend(new.audit_entry.clone());
        }
        Ok(has_room)
    }

    async fn tokens(&self, person: &OwnerId, now: Timestamp) -> Result<Vec<Token>> {
        let tables = self.up()?;
        let tokens = tables.accounts.tokens.iter().map(|kept| kept.token.clone());
        let mut own: Vec<_> = tokens.filter(|token| token.person == *person).collect();
        own.sort_by_key(|token| (!token.is_valid(now), Reverse(token.made), token.id.clone()));
        Ok(own)
    }

    async fn revoke_token(
        &self,
        person: &OwnerId,
        id: &str,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool> {
        let Tables { accounts: AccountTables { tokens, .. }, audit, .. } = &mut *self.up()?;
        let is_meant = |kept: &&mut NewToken| {
            let token = &kept.token;
            token.person == *person && token.id == id && token.revoked.is_none()
        };
        let Some(kept) = tokens.iter_mut().find(is_meant) else { return Ok(false) };
        kept.token.revoked = Some(now);
        audit.extend(audit_entry.cloned());
        Ok(true)
    }

    async fn token(&self, secret: &Digest, now: Timestamp) -> Result<Option<Token>> {
        let tokens = &mut self.up()?.accounts.tokens;
        let is_meant = |kept: &&mut NewToken| kept.secret == *secret && kept.token.is_valid(now);
        let Some(kept) = tokens.iter_mut().find(is_meant) else { return Ok(None) };
        kept.token.used = kept.token.use_at(now).or(kept.token.used);
        Ok(Some(kept.token.clone()))
    }
}
