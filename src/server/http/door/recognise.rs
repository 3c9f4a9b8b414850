//! Who asks: by session, API token or cookie.

use std::{sync::Arc, time::Duration};

use axum::{
    http::{HeaderMap, header},
    response::Response,
};
use jiff::Timestamp;

use crate::server::{
    access::{Identity, OwnerId},
    http::cookies,
    ports::{
        accounts::{Accounts, Digest, Person, Session},
        store::StoreError,
    },
    secret::{RandomBits, Secret},
};

/// How long a browser keeps what it is known by.
const REMEMBERED: Duration = Duration::from_hours(365 * 24);
/// How many characters a secret of ours has.
const SECRET_LENGTH: usize = 43;

/// How people are recognised.
#[derive(Clone)]
pub enum Door {
    /// Whoever comes may in; a browser is known by its cookie.
    Open {
        /// Whether it is reached over https.
        is_secure: bool,
        /// Makes a new secret.
        random: Arc<dyn Fn() -> RandomBits + Send + Sync>,
    },
    /// People sign in, programs have a token.
    SignIn {
        /// Where both are kept.
        accounts: Arc<dyn Accounts>,
        /// How long a session lasts without use.
        idle: Duration,
    },
}

/// Nobody can tell who asks.
#[derive(Debug)]
pub(in crate::server::http) enum Unrecognised {
    /// The token is not good.
    Token,
    /// The records are out of reach.
    Store(StoreError),
}

/// Somebody who was recognised.
#[derive(Debug)]
pub(in crate::server::http) struct Known {
    /// Who it is.
    pub(in crate::server::http) identity: Identity,
    /// Until when that is so.
    pub(in crate::server::http) until: Option<Timestamp>,
    /// The person, where one has signed in.
    pub(in crate::server::http) person: Option<Person>,
}

/// Finds out who asks.
pub(in crate::server::http) async fn recognise(
    door: &Door,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Known, Unrecognised> {
    match door {
        Door::Open { is_secure, .. } => Ok(Known::just(browser(headers, *is_secure))),
        Door::SignIn { accounts, idle } => match headers.get(header::AUTHORIZATION) {
            Some(value) => {
                let token = value.to_str().ok().and_then(bearer).ok_or(Unrecognised::Token)?;
                program(&**accounts, token, now).await
            }
            None => person(&**accounts, *idle, headers, now).await,
        },
    }
}

/// Returns the token in an `Authorization` header (RFC 6750, section 2.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

async fn program(
    accounts: &dyn Accounts,
    token: &str,
    now: Timestamp,
) -> Result<Known, Unrecognised> {
    let found = accounts.token(&Digest::of(token), now).await.map_err(Unrecognised::Store)?;
    let token = found.ok_or(Unrecognised::Token)?;
    let identity = Identity::Program { owner: token.person, scope: token.scope };
    Ok(Known { until: Some(token.expires), ..Known::just(identity) })
}

async fn person(
    accounts: &dyn Accounts,
    idle: Duration,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Known, Unrecognised> {
    let Some(secret) = cookies::read(headers, cookies::SESSION) else {
        return Ok(Known::just(Identity::Stranger));
    };
    let idle_until = now.checked_add(idle).unwrap_or(now);
    let found = accounts.session(&Digest::of(secret), now, idle_until).await;
    Ok(match found.map_err(Unrecognised::Store)? {
        None => Known::just(Identity::Stranger),
        Some(Session { person, ends }) => {
            let identity = Identity::Person { owner: person.owner.clone(), role: person.role };
            Known { identity, until: Some(ends), person: Some(person) }
        }
    })
}

fn browser(headers: &HeaderMap, is_secure: bool) -> Identity {
    match cookies::read(headers, cookies::browser(is_secure)) {
        Some(secret) if secret.len() == SECRET_LENGTH => {
            Identity::Browser(OwnerId::browser(&Digest::of(secret).0))
        }
        Some(_) | None => Identity::Guest,
    }
}

impl Known {
    /// Knows who it is, and nothing else.
    pub(in crate::server::http) fn just(identity: Identity) -> Self {
        Self { identity, until: None, person: None }
    }
}

impl Door {
    /// Gives the browser something to be known by.
    pub(super) fn greet(&self, mut response: Response) -> Response {
        if let Self::Open { is_secure, random } = self {
            let secret = Secret::from_random(random());
            let cookie = cookies::write_browser(*is_secure, secret.expose(), REMEMBERED);
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_stands_behind_the_word_bearer() {
        for (value, token) in [
            ("Bearer asd_1", Some("asd_1")),
            ("bearer  asd_1 ", Some("asd_1")),
            ("Basic YTpi", None),
            ("asd_1", None),
            ("", None),
        ] {
            assert_eq!(bearer(value), token, "{value:?}");
        }
    }

    proptest! {
        #![proptest_config(crate::testing::properties())]

        #[test]
        fn whatever_is_sent_only_what_follows_bearer_is_a_token(value in "\\PC{0,40}|[Bb][Ee]arer? {0,2}\\PC{0,20}") {
            let rest = value.get(..7).filter(|head| head.eq_ignore_ascii_case("bearer "));
            let expected = rest.and_then(|head| value.strip_prefix(head)).map(str::trim);
            prop_assert_eq!(bearer(&value), expected);
        }

        #[test]
        fn a_token_is_read_as_it_was_made(bits: RandomBits, scheme in "[Bb][Ee][Aa][Rr][Ee][Rr]") {
            let token = Secret::token(bits);
            let sent = format!("{scheme} {}", token.expose());
            prop_assert_eq!(bearer(&sent), Some(token.expose()));
        }
    }
}
