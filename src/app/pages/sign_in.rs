//! The sign-in page: `/sign-in`.
//!
//! `return_to` says where somebody wanted to go, `refused=<code>` why they were not let in, and
//! `signed_out` that they have just gone.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::not_found::NotFoundPage;
use crate::{
    api::{page_cookies, redirect_to, sign_in_service, signed_in},
    app::words::{refusal, sign_in},
    server::{auth::sign_in::ReturnTo, page::percent_encode},
};

/// The reason for showing the sign-in page.
enum SignInReason {
    /// Somebody wants to come in.
    Arriving,
    /// They were not let in, for this reason.
    Refused(String),
    /// They were signed in, and are not any more.
    Ended,
    /// They have just signed out.
    SignedOut,
}

/// Renders the one button, and what led here.
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
    let occasion = match query.get("refused") {
        Some(code) => SignInReason::Refused(code),
        None if query.get("signed_out").is_some() => SignInReason::SignedOut,
        None if page_cookies().had_session => SignInReason::Ended,
        None => SignInReason::Arriving,
    };
    let provider = sign_in_service.provider_name().to_owned();
    let address = format!("/auth/sign-in?return_to={}", percent_encode(return_to.as_str()));
    let farewell = matches!(occasion, SignInReason::SignedOut).then(|| {
        let provider = provider.clone();
        Suspend::new(async move {
            let address = sign_in_service.sign_out_address().await;
            address.map(|address| view! { <ProviderSignOut provider address /> })
        })
    });
    view! {
        <Title text="Sign in" />
        <section class="sign-in">
            <Opening occasion provider=provider.clone() />
            {farewell}
            <p class="actions">
                <a class="button button--primary button--big" href=address>
                    {format!("Sign in with {provider}")}
                </a>
            </p>
        </section>
    }
    .into_any()
}

/// Says what led here.
#[component]
fn Opening(
    /// The reason for showing the page.
    occasion: SignInReason,
    /// The display name of the provider.
    provider: String,
) -> impl IntoView {
    let (heading, lead) = match &occasion {
        SignInReason::Arriving | SignInReason::Refused(_) => ("Sign in", sign_in::lead(&provider)),
        SignInReason::Ended => ("Your session has ended", sign_in::ENDED.to_owned()),
        SignInReason::SignedOut => ("You are signed out", sign_in::SIGNED_OUT.to_owned()),
    };
    let refused = match occasion {
        SignInReason::Refused(code) => refusal::sentence(refusal::Page::SignIn(&provider), &code),
        SignInReason::Arriving | SignInReason::Ended | SignInReason::SignedOut => None,
    };
    let refused = refused.map(|sentence| {
        view! {
            <p class="refused" role="alert">
                {sentence}
            </p>
        }
    });
    view! {
        <h1>{heading}</h1>
        {refused}
        <p class="sign-in__lead">{lead}</p>
    }
}

/// Leads on to the provider, where the person is still signed in. Other sites are reached this
/// way and not by the form's answer, which the policy keeps here.
#[component]
fn ProviderSignOut(
    /// The display name of the provider.
    provider: String,
    /// The place where they sign out there.
    address: String,
) -> impl IntoView {
    let refresh = format!("0; url={address}");
    view! {
        <meta http-equiv="refresh" content=refresh />
        <p class="sign-in__lead">
            "You may still be signed in at " {provider.clone()} ". "
            <a href=address>{format!("Sign out at {provider}, too")}</a> "."
        </p>
    }
}
