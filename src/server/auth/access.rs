//! Authorization: [`decide`] is the one function that says who may do what.
//!
//! Every route, server function, stream and use case passes it: once when the request is
//! authenticated, before it is known what is asked for ([`Target::Unnamed`]), and once with the
//! operation in hand. It is pure, and must not know how a caller was authenticated.

mod owner;

use std::net::IpAddr;

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

pub use owner::{OwnerId, ParseOwnerIdError};

/// The caller of a request, as far as the portal knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The identity.
    pub identity: Identity,
    /// The address at the other end, behind the proxies that are trusted.
    pub address: IpAddr,
    /// The time until which that is so: a stream ends then.
    pub until: Option<Timestamp>,
}

/// The identity of a caller. The first two are there only where the portal is open to all, the
/// others only where people sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A client without a cookie of ours, such as a plain HTTP client.
    Anonymous,
    /// A browser that was given a cookie.
    Browser(OwnerId),
    /// A client that has not signed in.
    Unauthenticated,
    /// A person who has signed in.
    Person {
        /// Their owner id.
        owner: OwnerId,
        /// Their role.
        role: Role,
    },
    /// A program that holds a person's API token. It never has an operator's rights.
    Program {
        /// The owner of the token.
        owner: OwnerId,
        /// The token's scope.
        scope: Scope,
    },
}

/// The role of a person in the portal. Its word is persisted: never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// One who uses it.
    Member,
    /// One who runs it.
    Operator,
}

/// The scope of an API token. Its word is persisted: never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Scope {
    /// Looking.
    Read,
    /// Looking, and starting, cancelling, retrying and removing.
    Deploy,
}

/// The permission that an action needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Look around: the home page, and whether a name is free.
    Browse,
    /// Start a deployment.
    Start,
    /// See that a stack is live: its name, its address and its state.
    ViewPublic,
    /// See an operation: its state, its log, its events; or list what is one's own.
    View,
    /// Cancel, retry or remove.
    Change,
    /// Look after one's own account and its tokens.
    Account,
    /// See and do what the portal's operators do.
    Operate,
}

/// The target of the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// Nothing yet, or nothing that somebody owns.
    Unnamed,
    /// An operation or its stack.
    Operation {
        /// Its owner; none where an anonymous client started it.
        owner: Option<&'a OwnerId>,
        /// True if the caller named it by its id, which nobody guesses.
        by: IdentifiedBy,
    },
}

/// The way in which a caller identified an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentifiedBy {
    /// Its id, which is as good as a key.
    Id,
    /// Only the name of its stack, which anybody can read.
    Name,
}

/// The reason why access is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// They have to sign in first.
    #[error("nobody is signed in")]
    SignIn,
    /// Their token is not good for it.
    #[error("the token lacks the required scope")]
    Scope,
    /// As far as they are concerned, it is not there.
    #[error("it belongs to another owner")]
    Hidden,
}

/// Decides whether somebody may do something.
///
/// # Errors
///
/// Returns why not.
pub fn decide(
    identity: &Identity,
    permission: Permission,
    target: Target<'_>,
) -> Result<(), Denial> {
    match identity {
        Identity::Anonymous => decide_when_open(None, permission, target),
        Identity::Browser(owner) => decide_when_open(Some(owner), permission, target),
        Identity::Unauthenticated => Err(Denial::SignIn),
        Identity::Person { role: Role::Operator, .. } => Ok(()),
        Identity::Person { owner, role: Role::Member } => match permission {
            Permission::Operate => Err(Denial::Hidden),
            Permission::Browse
            | Permission::Start
            | Permission::ViewPublic
            | Permission::View
            | Permission::Change
            | Permission::Account => allow_owner(owner, target),
        },
        Identity::Program { owner, scope } => match (permission, scope) {
            (Permission::Account | Permission::Operate, _)
            | (Permission::Start | Permission::Change, Scope::Read) => Err(Denial::Scope),
            (Permission::Browse | Permission::ViewPublic | Permission::View, _)
            | (Permission::Start | Permission::Change, Scope::Deploy) => allow_owner(owner, target),
        },
    }
}

/// Decides where the portal is open: whoever knows an id may look, and may change what nobody owns.
fn decide_when_open(
    who: Option<&OwnerId>,
    permission: Permission,
    target: Target<'_>,
) -> Result<(), Denial> {
    let may = match (permission, target) {
        (Permission::Account | Permission::Operate, _) => false,
        (Permission::Browse | Permission::Start, _)
        | (Permission::ViewPublic | Permission::View | Permission::Change, Target::Unnamed)
        | (
            Permission::ViewPublic | Permission::View,
            Target::Operation { by: IdentifiedBy::Id, .. },
        )
        | (Permission::ViewPublic, Target::Operation { owner: None, .. }) => true,
        (
            Permission::ViewPublic | Permission::View | Permission::Change,
            Target::Operation { owner: Some(owner), .. },
        ) => who == Some(owner),
        (Permission::View | Permission::Change, Target::Operation { owner: None, by }) => {
            by == IdentifiedBy::Id
        }
    };
    if may { Ok(()) } else { Err(Denial::Hidden) }
}

fn allow_owner(who: &OwnerId, target: Target<'_>) -> Result<(), Denial> {
    match target {
        Target::Unnamed => Ok(()),
        Target::Operation { owner, .. } if owner == Some(who) => Ok(()),
        Target::Operation { .. } => Err(Denial::Hidden),
    }
}

impl Identity {
    /// Returns what this somebody owns things as.
    pub fn owner(&self) -> Option<&OwnerId> {
        match self {
            Self::Anonymous | Self::Unauthenticated => None,
            Self::Browser(owner) | Self::Person { owner, .. } | Self::Program { owner, .. } => {
                Some(owner)
            }
        }
    }

    /// Returns whether this is an operator, who has signed in.
    pub fn is_operator(&self) -> bool {
        matches!(self, Self::Person { role: Role::Operator, .. })
    }
}

impl Role {
    /// Returns the word in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Finds a role by its word.
    pub fn from_word(word: &str) -> Option<Self> {
        word.parse().ok()
    }
}

impl Scope {
    /// Returns the word in the database and in forms.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Finds a scope by its word.
    pub fn from_word(word: &str) -> Option<Self> {
        word.parse().ok()
    }
}

impl Caller {
    /// Decides whether this caller may do something.
    ///
    /// # Errors
    ///
    /// Returns why not.
    pub fn may(&self, permission: Permission, target: Target<'_>) -> Result<(), Denial> {
        decide(&self.identity, permission, target)
    }
}

#[cfg(test)]
mod tests;
