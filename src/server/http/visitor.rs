//! Who asks, as the handlers of sign-in and account need to know it.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
};

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::server::access::{Caller, Identity, OwnerId};

/// Who asks, and from where.
pub(super) struct Visitor {
    /// The person who has signed in; a program with a token of theirs is none.
    pub person: Option<OwnerId>,
    /// Where they are.
    pub address: IpAddr,
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let caller = parts.extensions.get::<Caller>();
        let person = match caller.map(|caller| &caller.identity) {
            Some(Identity::Person { owner, .. }) => Some(owner.clone()),
            Some(
                Identity::Guest
                | Identity::Browser(_)
                | Identity::Stranger
                | Identity::Program { .. },
            )
            | None => None,
        };
        // Whoever gets here has come in by the door, which knows.
        let address = caller.map_or(Ipv4Addr::UNSPECIFIED.into(), |caller| caller.address);
        Ok(Self { person, address })
    }
}
