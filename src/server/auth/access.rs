//! Authorization: [`decide`] is the one function that says who may do what.
//!
//! Every route, server function, stream and use case calls it: once after authentication, before
//! the requested operation is known ([`Target::Unnamed`]), and once for that operation. It is a
//! pure function, and must not know how a caller was authenticated.

use std::net::IpAddr;

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use crate::server::audit::Actor;
use domain::owner::OwnerId;

/// The caller of a request, as far as the portal knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The identity.
    pub identity: Identity,
    /// The client's address, as reported by trusted proxies.
    pub address: IpAddr,
    /// The time at which the authentication expires and a stream ends; `None` if it does not
    /// expire.
    pub until: Option<Timestamp>,
}

/// The identity of a caller. The first two exist only if the portal is open to all, the others only
/// if people sign in.
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
    /// Uses the portal.
    Member,
    /// Operates the portal: sees and changes what belongs to others, too.
    Operator,
}

/// The scope of an API token. Its word is persisted: never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Scope {
    /// Allows reading.
    Read,
    /// Allows reading, and starting, cancelling, retrying and removing.
    Deploy,
}

/// The permission that an action needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// View the home page, and check whether a name is available.
    Browse,
    /// Start a deployment.
    Start,
    /// View that a stack is live: its name, address and state.
    ViewPublic,
    /// View an operation: its state, log and events; or list one's own operations.
    View,
    /// Cancel, retry or remove.
    Change,
    /// Manage one's own account and API tokens.
    Account,
    /// Use the operators' pages and actions.
    Operate,
}

/// The target of the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// No operation, or one that is not known yet.
    Unnamed,
    /// An operation or its stack.
    Operation {
        /// Its owner; `None` if an anonymous client started it.
        owner: Option<&'a OwnerId>,
        /// The way in which the caller identified it.
        by: IdentifiedBy,
    },
}

/// The way in which a caller identified an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentifiedBy {
    /// Its id, which cannot be guessed, so knowing it is a credential.
    Id,
    /// Only the name of its stack, which anybody can read.
    Name,
}

/// The reason why access is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The caller must sign in first.
    #[error("nobody is signed in")]
    SignIn,
    /// The caller's token lacks the scope.
    #[error("the token lacks the required scope")]
    Scope,
    /// The caller must not learn that the target exists.
    #[error("it belongs to another owner")]
    Hidden,
}

/// Decides whether `identity` may do what `permission` says with `target`.
///
/// # Errors
///
/// Returns the reason for a denial.
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

/// Decides for a portal that is open to all: a client that knows an operation's id may view it, and
/// may change it if it has no owner.
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
    /// Returns the owner id of the caller; `None` if they cannot own anything.
    pub fn owner(&self) -> Option<&OwnerId> {
        match self {
            Self::Anonymous | Self::Unauthenticated => None,
            Self::Browser(owner) | Self::Person { owner, .. } | Self::Program { owner, .. } => {
                Some(owner)
            }
        }
    }

    /// Returns whether this is an operator who has signed in.
    pub fn is_operator(&self) -> bool {
        matches!(self, Self::Person { role: Role::Operator, .. })
    }
}

impl Role {
    /// Returns the word in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Scope {
    /// Returns the word in the database and in forms.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Caller {
    /// Decides whether this caller may do what `permission` says with `target`.
    ///
    /// # Errors
    ///
    /// Returns the reason for a denial.
    pub fn may(&self, permission: Permission, target: Target<'_>) -> Result<(), Denial> {
        decide(&self.identity, permission, target)
    }
}

impl Actor for Caller {
    fn name(&self) -> String {
        match &self.identity {
            Identity::Anonymous => String::from("guest"),
            Identity::Unauthenticated => String::from("stranger"),
            Identity::Browser(owner) | Identity::Person { owner, .. } => owner.to_string(),
            Identity::Program { owner, .. } => format!("{owner} (token)"),
        }
    }

    fn address(&self) -> IpAddr {
        self.address
    }

    fn is_known(&self) -> bool {
        self.identity != Identity::Unauthenticated
    }

    fn person(&self) -> Option<&OwnerId> {
        self.identity.owner().filter(|owner| owner.person_id().is_some())
    }

    fn operator(&self) -> Option<&OwnerId> {
        self.identity.owner().filter(|_| self.identity.is_operator())
    }
}

#[cfg(test)]
mod tests;
