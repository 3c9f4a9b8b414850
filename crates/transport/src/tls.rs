//! The TLS code that the HTTP clients share: the crypto provider, and the description of errors.

use std::error::Error;

use super::causes;

/// Installs ring as the crypto provider of this process, unless one is installed already.
pub fn install_crypto_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // This fails only if another thread has just installed one.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}

/// Returns the TLS error among the sources of `error`, if there is one.
pub fn find_tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// Returns the messages of `error` and its sources, without repetitions.
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
