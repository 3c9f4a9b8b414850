//! Which record in the store belongs to a sign-in.
//!
//! It follows from the secret of the browser and the `state` of the sign-in together: another
//! browser does not find it, and another sign-in of the same browser has another one.

use crate::server::auth::accounts::{Digest, SignIn};
use crate::server::auth::secret::Secret;

/// Returns the key of a sign-in in progress.
pub(super) fn in_progress(browser: &str, state: &Secret) -> Digest {
    Digest::of(&format!("begun {browser} {}", state.expose()))
}

/// Returns the key of a sign-in that succeeded.
pub(super) fn of_finished(browser: &str, state: &Secret) -> Digest {
    Digest::of(&format!("finished {browser} {}", state.expose()))
}

/// Returns the record of a sign-in that succeeded: only where it led, and until when it is kept.
pub(super) fn finished(browser: &str, state: &Secret, sign_in: SignIn) -> SignIn {
    SignIn {
        browser: of_finished(browser, state),
        state: String::new(),
        nonce: String::new(),
        verifier: String::new(),
        ..sign_in
    }
}
