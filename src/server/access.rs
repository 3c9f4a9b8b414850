//! Who may do what: [`decide`] is the one function that says so.
//!
//! Every route, server function, stream and use case passes it: once at the door, before it is
//! known what is asked for ([`Target::Unnamed`]), and once with the operation in hand. It is
//! pure, and must not know how somebody was recognised.

mod owner;
mod words;

use std::net::IpAddr;

use jiff::Timestamp;

pub use owner::{OwnerId, ParseOwnerIdError};

/// Somebody who asks for something, as far as the portal knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who it is.
    pub identity: Identity,
    /// The address at the other end, behind the proxies that are trusted.
    pub address: IpAddr,
    /// Until when that is so: a stream ends then.
    pub until: Option<Timestamp>,
}

/// Who somebody is. The first two are there only where the portal is open to all, the others
/// only where people sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Somebody without a cookie of ours, such as a plain HTTP client.
    Guest,
    /// A browser that was given a cookie.
    Browser(OwnerId),
    /// Somebody who has not signed in.
    Stranger,
    /// Somebody who has signed in.
    Person {
        /// What they own things as.
        owner: OwnerId,
        /// What they are to the portal.
        role: Role,
    },
    /// A program that holds a person's API token. It never has an operator's rights.
    Program {
        /// Whose token it is.
        owner: OwnerId,
        /// What the token is good for.
        scope: Scope,
    },
}

/// What a person is to the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// One who uses it.
    Member,
    /// One who runs it.
    Operator,
}

/// What an API token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Looking.
    Read,
    /// Looking, and starting, cancelling, retrying and removing.
    Deploy,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Look around: the home page, and whether a name is free.
    Browse,
    /// Start a deployment.
    Start,
    /// See that a stack is live: its name, its address and its state.
    Glance,
    /// See an operation: its state, its log, its events; or list what is one's own.
    See,
    /// Cancel, retry or remove.
    Change,
    /// Look after one's own account and its tokens.
    Account,
    /// See and do what the portal's operators do.
    Operate,
}

/// What it is to be done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// Nothing yet, or nothing that somebody owns.
    Unnamed,
    /// An operation or its stack.
    Operation {
        /// Who started it; nobody in particular where a guest did.
        owner: Option<&'a OwnerId>,
        /// Whether the caller named it by its id, which nobody guesses.
        by: Knowing,
    },
}

/// What somebody named an operation by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knowing {
    /// Its id, which is as good as a key.
    Id,
    /// Only the name of its stack, which anybody can read.
    Name,
}

/// Why somebody may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// They have to sign in first.
    #[error("nobody is signed in")]
    SignIn,
    /// Their token is not good for it.
    #[error("the token is not good for this")]
    Scope,
    /// As far as they are concerned, it is not there.
    #[error("it is somebody else's")]
    Hidden,
}

/// Decides whether somebody may do something.
///
/// # Errors
///
/// Returns why not.
pub fn decide(identity: &Identity, need: Need, target: Target<'_>) -> Result<(), Refusal> {
    match identity {
        Identity::Guest => in_the_open(None, need, target),
        Identity::Browser(owner) => in_the_open(Some(owner), need, target),
        Identity::Stranger => Err(Refusal::SignIn),
        Identity::Person { role: Role::Operator, .. } => Ok(()),
        Identity::Person { owner, role: Role::Member } => match need {
            Need::Operate => Err(Refusal::Hidden),
            Need::Browse
            | Need::Start
            | Need::Glance
            | Need::See
            | Need::Change
            | Need::Account => only_own(owner, target),
        },
        Identity::Program { owner, scope } => match (need, scope) {
            (Need::Account | Need::Operate, _) | (Need::Start | Need::Change, Scope::Read) => {
                Err(Refusal::Scope)
            }
            (Need::Browse | Need::Glance | Need::See, _)
            | (Need::Start | Need::Change, Scope::Deploy) => only_own(owner, target),
        },
    }
}

/// Where the portal is open: whoever knows an id may look, and may change what nobody owns.
fn in_the_open(who: Option<&OwnerId>, need: Need, target: Target<'_>) -> Result<(), Refusal> {
    let may = match (need, target) {
        (Need::Account | Need::Operate, _) => false,
        (Need::Browse | Need::Start, _)
        | (Need::Glance | Need::See | Need::Change, Target::Unnamed)
        | (Need::Glance | Need::See, Target::Operation { by: Knowing::Id, .. })
        | (Need::Glance, Target::Operation { owner: None, .. }) => true,
        (Need::Glance | Need::See | Need::Change, Target::Operation { owner: Some(owner), .. }) => {
            who == Some(owner)
        }
        (Need::See | Need::Change, Target::Operation { owner: None, by }) => by == Knowing::Id,
    };
    if may { Ok(()) } else { Err(Refusal::Hidden) }
}

fn only_own(who: &OwnerId, target: Target<'_>) -> Result<(), Refusal> {
    match target {
        Target::Unnamed => Ok(()),
        Target::Operation { owner, .. } if owner == Some(who) => Ok(()),
        Target::Operation { .. } => Err(Refusal::Hidden),
    }
}

impl Identity {
    /// Returns what this somebody owns things as.
    pub fn owner(&self) -> Option<&OwnerId> {
        match self {
            Self::Guest | Self::Stranger => None,
            Self::Browser(owner) | Self::Person { owner, .. } | Self::Program { owner, .. } => {
                Some(owner)
            }
        }
    }

    /// Tells whether this is an operator, who has signed in.
    pub fn is_operator(&self) -> bool {
        matches!(self, Self::Person { role: Role::Operator, .. })
    }
}

impl Caller {
    /// Decides whether this caller may do something.
    ///
    /// # Errors
    ///
    /// Returns why not.
    pub fn may(&self, need: Need, target: Target<'_>) -> Result<(), Refusal> {
        decide(&self.identity, need, target)
    }
}

#[cfg(test)]
mod tests;
