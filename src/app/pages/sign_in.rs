//! The sign-in page: `/sign-in`.
//!
//! Its parameters are `return_to`, the page to return to; `refused=<code>`, the error of a rejected
//! sign-in; `signed_out`, which is set after a sign-out; and `cookie_sent`, the time at which a cookie was
//! sent that must have come back.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::notice::{NotFoundPage, Refused};
use crate::api::{page_cookies, provider_sign_out, redirect_to, sign_in_service, signed_in};
use crate::app::deployment::forms::LinkButton;
use crate::app::pages::PageTitle;
use crate::app::words::{FormPage, refusal, sign_in as words};
use crate::server::auth::sign_in::ReturnTo;
use crate::server::page::{COOKIE_SENT, PageCookies, percent_encode, was_cookie_just_sent};

/// The reason for showing the sign-in page.
enum SignInReason {
    /// The person wants to sign in.
    Arriving,
    /// Their sign-in was rejected. Contains the error code.
    Refused(String),
    /// Their session has ended.
    Ended,
    /// They have just signed out.
    SignedOut,
    /// Their browser did not send a cookie back.
    CookieRefused,
}

/// Renders the sign-in button, and the reason for showing the page.
#[component]
pub fn SignInPage() -> impl IntoView {
    let Some(sign_in_service) = sign_in_service() else {
        return view! { <NotFoundPage /> }.into_any();
    };
    let query = use_query_map().get_untracked();
    let return_to = ReturnTo::parse(&query.get("return_to").unwrap_or_default());
    if signed_in().is_some() {
        redirect_to(return_to.as_str());
    }
    let PageCookies { had_session, had_probe, .. } = page_cookies();
    let sent = query.get(COOKIE_SENT);
    let was_sent = was_cookie_just_sent(sent.as_deref(), sign_in_service.now());
    let reason = match query.get("refused") {
        Some(_) if was_sent && !had_probe => SignInReason::CookieRefused,
        None if was_sent && !had_session => SignInReason::CookieRefused,
        Some(code) => SignInReason::Refused(code),
        None if query.get("signed_out").is_some() => SignInReason::SignedOut,
        None if had_session => SignInReason::Ended,
        None => SignInReason::Arriving,
    };
    let provider = sign_in_service.provider_name().to_owned();
    let address = format!("/auth/sign-in?return_to={}", percent_encode(return_to.as_str()));
    let farewell = matches!(reason, SignInReason::SignedOut).then(|| {
        let provider = provider.clone();
        Suspend::new(async move {
            let address = provider_sign_out(&sign_in_service).await;
            address.map(|address| view! { <ProviderSignOut provider address /> })
        })
    });
    view! {
        <PageTitle text=words::SIGN_IN />
        <section class="sign-in">
            <Opening reason provider=provider.clone() />
            {farewell}
            <p class="actions">
                <LinkButton
                    href=address
                    label=words::sign_in_with(&provider)
                    class="button button--primary button--big"
                />
            </p>
        </section>
    }
    .into_any()
}

/// Renders the heading and the reason for showing the page.
#[component]
fn Opening(
    /// The reason for showing the page.
    reason: SignInReason,
    /// The display name of the provider.
    provider: String,
) -> impl IntoView {
    let (heading, lead) = match &reason {
        SignInReason::Arriving | SignInReason::Refused(_) | SignInReason::CookieRefused => {
            (words::SIGN_IN, words::lead(&provider))
        }
        SignInReason::Ended => (words::ENDED, words::ENDED_LEAD.to_owned()),
        SignInReason::SignedOut => (words::SIGNED_OUT, words::SIGNED_OUT_LEAD.to_owned()),
    };
    let refused = match reason {
        SignInReason::Refused(code) => refusal::sentence(FormPage::SignIn(&provider), &code),
        SignInReason::CookieRefused => Some(words::COOKIE_REFUSED.to_owned()),
        SignInReason::Arriving | SignInReason::Ended | SignInReason::SignedOut => None,
    };
    view! {
        <h1>{heading}</h1>
        <Refused sentence=refused />
        <p class="sign-in__lead">{lead}</p>
    }
}

/// Redirects to the provider, where the person is still signed in. It uses a refresh directive: the
/// content security policy forbids the answer to a form to redirect to another site.
#[component]
fn ProviderSignOut(
    /// The display name of the provider.
    provider: String,
    /// The provider's URL for signing out.
    address: String,
) -> impl IntoView {
    let refresh = format!("0; url={address}");
    let [before, after] = words::MAY_BE_SIGNED_IN;
    view! {
        <meta http-equiv="refresh" content=refresh />
        <p class="sign-in__lead">
            {before} {provider.clone()} {after}
            <a href=address>{words::sign_out_at(&provider)}</a> "."
        </p>
    }
}
