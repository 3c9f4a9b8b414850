//! API tokens: made, listed and revoked by the person whose they are.

use std::{net::IpAddr, time::Duration};

use super::SignInService;
use crate::server::{
    audit::AuditAction,
    auth::{
        access::{OwnerId, Scope},
        accounts::{NewToken, Token},
        secret::{self, Secret},
    },
    store::StoreError,
};
use domain::refusal::RefusalCode;

/// The maximum number of usable tokens of a person.
pub const MAX_TOKENS: u32 = 20;
/// The number of characters that a token's name may have.
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

/// A token was not made, or not revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The name is empty, too long, or does not show.
    #[error("the name is not valid")]
    Name,
    /// The scope or the lifetime is none of the choices.
    #[error("the choice is not valid")]
    Choice,
    /// There are [`MAX_TOKENS`] already.
    #[error("there are {MAX_TOKENS} tokens already")]
    TooMany,
    /// There is no such token to revoke.
    #[error("there is no such token")]
    Unknown,
    /// The records are out of reach.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl TokenName {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// Returns an error when it is empty, too long, or holds what does not show.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let name = text.trim();
        let is_name = (1..=NAME_LENGTH).contains(&name.chars().count())
            && !name.chars().any(char::is_control);
        if is_name { Ok(Self(name.to_owned())) } else { Err(TokenError::Name) }
    }
}

impl Lifetime {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Week, Self::Month, Self::Quarter, Self::Year];

    /// Reads a number of days.
    ///
    /// # Errors
    ///
    /// Returns an error when it is none of the choices.
    pub fn parse(days: &str) -> Result<Self, TokenError> {
        let found = Self::ALL.into_iter().find(|lifetime| lifetime.days().to_string() == days);
        found.ok_or(TokenError::Choice)
    }

    /// Returns how many days that is.
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
    /// Returns the code on the wire, for which the page has words.
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
    /// Lists a person's tokens: newest first, those that cannot be used any more at the end.
    ///
    /// # Errors
    ///
    /// Returns an error when the store is out of reach.
    pub async fn tokens(&self, who: &OwnerId) -> Result<Vec<Token>, StoreError> {
        self.parts.accounts.tokens(who, self.parts.clock.now()).await
    }

    /// Makes a token, which can be shown only now.
    ///
    /// # Errors
    ///
    /// Returns why none was made.
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
        let entry = self.parts.audit.entry_of(who.as_str(), AuditAction::MakeToken, None, from);
        self.parts.audit.record(entry, error.code().as_str()).await;
        Err(error)
    }

    /// Revokes a person's own token for good.
    ///
    /// # Errors
    ///
    /// Returns why it was not revoked.
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
    fn a_tokens_name_shows_and_fits_a_line() {
        assert_eq!(TokenName::parse("  CI of alice ").unwrap().0, "CI of alice");
        assert!(TokenName::parse(&"ä".repeat(60)).is_ok());
        for name in ["", "   ", "a\nb", "a\u{1b}[0m", &"a".repeat(61)] {
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
