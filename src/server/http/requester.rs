//! The extractor of the requester, for the handlers of sign-in and account.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
};

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::server::auth::access::{Caller, Identity, OwnerId};

/// The requester and their address.
pub(super) struct Requester {
    /// The person who has signed in; a program with a token of theirs is none.
    pub person: Option<OwnerId>,
    /// Their address.
    pub address: IpAddr,
}

impl<S: Sync> FromRequestParts<S> for Requester {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let caller = parts.extensions.get::<Caller>();
        let person = match caller.map(|caller| &caller.identity) {
            Some(Identity::Person { owner, .. }) => Some(owner.clone()),
            Some(
                Identity::Anonymous
                | Identity::Browser(_)
                | Identity::Unauthenticated
                | Identity::Program { .. },
            )
            | None => None,
        };
        // Whoever gets here has come in through authentication, which knows.
        let address = caller.map_or(Ipv4Addr::UNSPECIFIED.into(), |caller| caller.address);
        Ok(Self { person, address })
    }
}
