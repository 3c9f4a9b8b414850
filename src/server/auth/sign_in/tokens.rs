//! API tokens: their owner creates, lists and revokes them.

use std::net::IpAddr;
use std::time::Duration;

use super::SignInService;
use crate::server::audit::AuditAction;
use crate::server::auth::access::{Caller, Identity, Role, Scope};
use crate::server::auth::accounts::{NewToken, Token};
use crate::server::auth::secret::{self, Secret};
use crate::server::store_error::{Result, StoreError};
use crate::server::visible::is_visible;
use domain::owner::OwnerId;
use domain::refusal::RefusalCode;

/// The maximum number of valid tokens of a person.
pub const MAX_TOKENS: u32 = 20;
/// The maximum number of characters of a token's name.
const NAME_LENGTH: usize = 60;

/// The name of a token: 1 to 60 characters that show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenName(String);

/// The lifetime of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Seven days.
    Week,
    /// Thirty days.
    Month,
    /// Ninety days.
    Quarter,
    /// 365 days.
    Year,
}

/// A token could not be created or revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The name is empty, too long, or contains characters that do not show.
    #[error("the name is not valid")]
    Name,
    /// The scope or the lifetime is not one of the choices.
    #[error("the choice is not valid")]
    Choice,
    /// The person already has [`MAX_TOKENS`] valid tokens.
    #[error("there are {MAX_TOKENS} tokens already")]
    TooMany,
    /// The person has no such token that is not revoked.
    #[error("there is no such token")]
    Unknown,
    /// The store is unavailable.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl TokenName {
    /// Parses a name. Surrounding spaces are removed.
    ///
    /// # Errors
    ///
    /// Returns [`TokenError::Name`] if it is empty, too long, or contains characters that do not
    /// show.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let name = text.trim();
        let is_name =
            (1..=NAME_LENGTH).contains(&name.chars().count()) && name.chars().all(is_visible);
        if is_name { Ok(Self(name.to_owned())) } else { Err(TokenError::Name) }
    }
}

impl Lifetime {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Week, Self::Month, Self::Quarter, Self::Year];

    /// Parses a number of days.
    ///
    /// # Errors
    ///
    /// Returns [`TokenError::Choice`] if it is not one of the choices.
    pub fn parse(days: &str) -> Result<Self, TokenError> {
        let found = Self::ALL.into_iter().find(|lifetime| lifetime.days().to_string() == days);
        found.ok_or(TokenError::Choice)
    }

    /// Returns the number of days.
    pub fn days(self) -> u16 {
        match self {
            Self::Week => 7,
            Self::Month => 30,
            Self::Quarter => 90,
            Self::Year => 365,
        }
    }
}

impl TokenError {
    /// Returns the code on the wire, which the page translates to words.
    pub fn code(&self) -> RefusalCode {
        match self {
            Self::Name => RefusalCode::InvalidTokenName,
            Self::Choice => RefusalCode::InvalidRequest,
            Self::TooMany => RefusalCode::TooManyTokens,
            Self::Unknown => RefusalCode::NoSuchToken,
            Self::Store(_) => RefusalCode::StoreUnavailable,
        }
    }
}

impl SignInService {
    /// Lists a person's tokens, newest first, with invalid ones at the end.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the store is unavailable.
    pub async fn tokens(&self, who: &OwnerId) -> Result<Vec<Token>> {
        self.parts.accounts.tokens(who, self.parts.clock.now()).await
    }

    /// Creates a token and returns its secret, which cannot be read again.
    ///
    /// # Errors
    ///
    /// Returns [`TokenError::TooMany`] at the limit, and [`TokenError::Store`] if the store is
    /// unavailable.
    pub async fn make_token(
        &self,
        who: &OwnerId,
        (name, scope, lifetime): (TokenName, Scope, Lifetime),
        from: IpAddr,
    ) -> Result<Secret, TokenError> {
        let secret = Secret::token((self.parts.random)());
        let made = self.parts.clock.now();
        let token = Token {
            id: secret::id((self.parts.random)()),
            person: who.clone(),
            name: name.0,
            scope,
            made,
            expires: made + Duration::from_hours(24 * u64::from(lifetime.days())),
            used: None,
            revoked: None,
        };
        let audit_entry = Some(self.parts.audit.entry_of(
            who.as_str(),
            AuditAction::MakeToken,
            Some(&token.id),
            from,
        ));
        let new = NewToken { token, secret: secret.digest(), audit_entry };
        if self.parts.accounts.add_token(&new, MAX_TOKENS).await? {
            return Ok(secret);
        }
        let error = TokenError::TooMany;
        let identity = Identity::Person { owner: who.clone(), role: Role::Member };
        let caller = Caller { identity, address: from, until: None };
        self.parts.audit.rejection(&caller, AuditAction::MakeToken, None, error.code()).await;
        Err(error)
    }

    /// Revokes a person's own token permanently.
    ///
    /// # Errors
    ///
    /// Returns [`TokenError::Unknown`] if there is no such token, and [`TokenError::Store`] if the
    /// store is unavailable.
    pub async fn revoke_token(
        &self,
        who: &OwnerId,
        id: &str,
        from: IpAddr,
    ) -> Result<(), TokenError> {
        let now = self.parts.clock.now();
        let audit_entry =
            self.parts.audit.entry_of(who.as_str(), AuditAction::RevokeToken, Some(id), from);
        if self.parts.accounts.revoke_token(who, id, now, Some(&audit_entry)).await? {
            Ok(())
        } else {
            Err(TokenError::Unknown)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::server::auth::sign_in::tokens::*;

    #[test]
    fn a_tokens_name_is_visible_and_fits_a_line() {
        assert_eq!(TokenName::parse("  CI of alice ").unwrap().0, "CI of alice");
        assert!(TokenName::parse(&"ä".repeat(60)).is_ok());
        for name in [
            "",
            "   ",
            "a\nb",
            "a\u{1b}[0m",
            "a\u{202e}b",
            "\u{3164}",
            "a\u{200b}",
            &"a".repeat(61),
        ] {
            assert!(TokenName::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_token_lasts_as_long_as_one_of_the_choices() {
        for lifetime in Lifetime::ALL {
            assert_eq!(Lifetime::parse(&lifetime.days().to_string()).unwrap(), lifetime);
        }
        for days in ["", "0", "07", "8", "-7", "3650"] {
            assert!(Lifetime::parse(days).is_err(), "{days:?}");
        }
    }
}
