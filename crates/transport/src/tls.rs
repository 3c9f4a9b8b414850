//! TLS as the HTTP clients share it: the crypto provider, and how its failures are told.

use std::error::Error;

use super::causes;

/// Makes ring the process's crypto provider, unless one is installed already.
pub fn install_crypto_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Lost only to another thread that has just installed one.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}

/// Finds the TLS failure behind `error`, if it is one.
pub fn find_tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// Writes out `error` and its causes, without what is said twice.
pub fn describe(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
