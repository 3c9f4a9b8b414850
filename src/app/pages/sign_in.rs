//! The way in: `/sign-in`.
//!
//! `return_to` says where somebody wanted to go, `refused=<code>` why they were not let in, and
//! `signed_out` that they have just gone.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::not_found::NotFoundPage;
use crate::{
    api::{entrance, lead_to, percent_encode, signed_in, visit},
    app::words::sign_in,
    server::sign_in::ReturnTo,
};

/// What a visit to the page is about.
enum Occasion {
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
    let Some(entrance) = entrance() else { return view! { <NotFoundPage /> }.into_any() };
    let query = use_query_map().get_untracked();
    let return_to = ReturnTo::parse(&query.get("return_to").unwrap_or_default());
    if signed_in().is_some() {
        lead_to(return_to.as_str());
    }
    let occasion = match query.get("refused") {
        Some(code) => Occasion::Refused(code),
        None if query.get("signed_out").is_some() => Occasion::SignedOut,
        None if visit().had_session => Occasion::Ended,
        None => Occasion::Arriving,
    };
    let provider = entrance.provider_name().to_owned();
    let address = format!("/auth/sign-in?return_to={}", percent_encode(return_to.as_str()));
    let farewell = matches!(occasion, Occasion::SignedOut).then(|| {
        let provider = provider.clone();
        Suspend::new(async move {
            let address = entrance.sign_out_address().await;
            address.map(|address| view! { <Farewell provider address /> })
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
    /// What the visit is about.
    occasion: Occasion,
    /// What people call the provider.
    provider: String,
) -> impl IntoView {
    let (heading, lead) = match &occasion {
        Occasion::Arriving | Occasion::Refused(_) => ("Sign in", sign_in::lead(&provider)),
        Occasion::Ended => ("Your sign-in has ended", sign_in::ENDED.to_owned()),
        Occasion::SignedOut => ("You are signed out", sign_in::SIGNED_OUT.to_owned()),
    };
    let refused = match occasion {
        Occasion::Refused(code) => Some(sign_in::refusal(&code, &provider)),
        Occasion::Arriving | Occasion::Ended | Occasion::SignedOut => None,
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
fn Farewell(
    /// What people call the provider.
    provider: String,
    /// Where they sign out there.
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
