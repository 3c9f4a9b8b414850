//! The `Content-Security-Policy` header of pages.

use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use leptos::nonce::{Nonce, use_nonce};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

/// Adds the policy to the response of the page that is being rendered.
pub(super) fn send() {
    let (Some(nonce), Some(options)) = (use_nonce(), use_context::<ResponseOptions>()) else {
        return;
    };
    if let Some(value) = header(&nonce) {
        options.insert_header(CONTENT_SECURITY_POLICY, value);
    }
}

/// Returns the value of the header for a page with this `nonce`.
pub(crate) fn header(nonce: &Nonce) -> Option<HeaderValue> {
    HeaderValue::from_str(&policy(nonce)).ok()
}

/// Returns the policy, which allows scripts with `nonce` or from this origin.
///
/// It has no `strict-dynamic`, which would block the preload of our own module, since that has no
/// nonce. It is not needed: this origin serves no content of others.
fn policy(nonce: &str) -> String {
    [
        "default-src 'none'",
        &format!("script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'"),
        &format!("style-src 'self' 'nonce-{nonce}'"),
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
    .join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_starts_from_nothing_and_allows_no_inline_code_without_the_nonce() {
        let policy = policy("n0nce");
        assert!(policy.starts_with("default-src 'none'; "));
        assert!(policy.contains("script-src 'self' 'nonce-n0nce' 'wasm-unsafe-eval';"));
        assert!(policy.ends_with("; frame-ancestors 'none'"));
        for loose in ["'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:"] {
            assert!(!policy.contains(loose), "{loose} in {policy}");
        }
    }
}
