//! Verifies the signature of a JSON Web Token (RFC 7519) with the provider's keys.
//!
//! It must not know the meaning of claims. No claim is read before the signature is verified, and
//! none has a type before it is needed: a provider may send any other claim in any form.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm as Algorithm};
use openidconnect::{JsonWebKey, SignatureVerificationError};

use super::form::{self, Object, WrongForm};

/// The accepted signature algorithms: those with a private key, which only the provider has. The
/// algorithms in the provider's metadata do not matter, so `none` and shared secrets are never
/// accepted.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];
/// The accepted types of a token (RFC 7515, section 4.1.9). An access token or a logout token has
/// another type, and is no ID token.
const TYPES: [&str; 2] = ["jwt", "jose"];

/// A token whose signature is not verified yet.
pub(super) struct Signed<'a> {
    algorithm: Algorithm,
    key_id: Option<String>,
    message: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

/// A token whose signature is valid.
pub(super) struct Verified<'k> {
    pub(super) claims: Object,
    pub(super) algorithm: Algorithm,
    pub(super) key: &'k CoreJsonWebKey,
}

/// The signature is not valid with the known keys.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignedError {
    /// It names a key, and no known key has this id and the right form.
    #[error("it is signed with an unknown key")]
    UnknownKey,
    /// No known key verifies it: without an id, or with an id that is used again, it may be signed
    /// with another key.
    #[error("its signature is invalid")]
    Signature,
    /// The portal does not accept tokens of this kind.
    #[error("{0}")]
    Unsupported(String),
    /// It is no token.
    #[error("{0} cannot be read")]
    Unreadable(&'static str),
    /// A member has an unexpected form.
    #[error(transparent)]
    Form(#[from] WrongForm),
}

impl<'a> Signed<'a> {
    /// Parses a token in the compact form: header, payload and signature in base64.
    pub(super) fn parse(token: &'a str) -> Result<Self, SignedError> {
        let unreadable = SignedError::Unreadable("the token");
        let (message, signature) = token.rsplit_once('.').ok_or(unreadable)?;
        let unreadable = SignedError::Unreadable("the token");
        let (head, payload) = message.split_once('.').ok_or(unreadable)?;
        let head = decode(head).ok_or(SignedError::Unreadable("the token's header"))?;
        let head = form::object("the token's header", &head)?;
        let signature =
            decode(signature).ok_or(SignedError::Unreadable("the token's signature"))?;
        let algorithm = algorithm(form::text(&head, "alg")?)?;
        if let Some(kind) = form::optional_text(&head, "typ")? {
            let kind = kind.to_ascii_lowercase();
            let kind = kind.strip_prefix("application/").unwrap_or(&kind);
            if !TYPES.contains(&kind) {
                return Err(SignedError::Unsupported(format!("the token's type is {kind:?}")));
            }
        }
        // Extensions that must be understood (RFC 7515, section 4.1.11), and tokens in tokens.
        if let Some(name) = ["crit", "cty"].into_iter().find(|name| head.contains_key(*name)) {
            return Err(SignedError::Unsupported(format!("the token's header has {name}")));
        }
        let key_id = form::optional_text(&head, "kid")?.map(ToOwned::to_owned);
        Ok(Self { algorithm, key_id, message, payload, signature })
    }

    /// Verifies the signature with the one of `keys` that fits, and returns the claims. A key fits
    /// if it has the token's key id, or if one of the two has no id.
    pub(super) fn verify(self, keys: &[CoreJsonWebKey]) -> Result<Verified<'_>, SignedError> {
        let mut fits = false;
        for key in keys {
            if let (Some(wanted), Some(id)) = (&self.key_id, key.key_id())
                && wanted != id.as_str()
            {
                continue;
            }
            let message = self.message.as_bytes();
            match key.verify_signature(&self.algorithm, message, &self.signature) {
                Ok(()) => {
                    let payload = decode(self.payload);
                    let payload = payload.ok_or(SignedError::Unreadable("the token's payload"))?;
                    let claims = form::object("the token's payload", &payload)?;
                    return Ok(Verified { claims, algorithm: self.algorithm, key });
                }
                // A key for another algorithm or another use.
                Err(SignatureVerificationError::InvalidKey(_)) => {}
                Err(_) => fits = true,
            }
        }
        let may_be_new = self.key_id.is_some() && !fits;
        Err(if may_be_new { SignedError::UnknownKey } else { SignedError::Signature })
    }
}

/// Returns the algorithm called `name`, if it is accepted.
fn algorithm(name: &str) -> Result<Algorithm, SignedError> {
    let algorithm = serde_json::from_value(name.into()).ok();
    algorithm.filter(|algorithm| ALGORITHMS.contains(algorithm)).ok_or_else(|| {
        let name: String = name.chars().filter(char::is_ascii_graphic).take(20).collect();
        SignedError::Unsupported(format!("the signature algorithm {name} is not accepted"))
    })
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}
