//! The account page: `/account`.
//!
//! A form on the page that was refused redirects back to `/account?refused=<code>`, which shows the
//! error.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::{
    not_found::{NotFoundPage, Notice},
    tokens::{FreshToken, MakeTokenForm, TokenList},
};
use crate::api::{AccountView, account, redirect_to, respond_with, sign_in_service};
use crate::app::words::refusal;
use crate::server::page::sign_in_location;
use crate::wire::ApiError;

/// Renders the account of the person who is signed in. Redirects others to the sign-in page.
#[component]
pub fn AccountPage() -> impl IntoView {
    if sign_in_service().is_none() {
        return view! { <NotFoundPage /> }.into_any();
    }
    let query = use_query_map().get_untracked();
    let (refused, name) = (query.get("refused"), query.get("name").unwrap_or_default());
    Suspend::new(async move {
        match account().await {
            Some(Ok(view)) => view! { <Account view refused name /> }.into_any(),
            Some(Err(error)) => view! { <Unavailable error /> }.into_any(),
            None => {
                redirect_to(&sign_in_location("/account", None));
                ().into_any()
            }
        }
    })
    .into_any()
}

/// Renders the person's name, the sign-out buttons and the API tokens.
#[component]
fn Account(
    /// The account.
    view: AccountView,
    /// The error code of a form that was refused, if one was.
    refused: Option<String>,
    /// The name of the token that was refused, to fill the form again.
    name: String,
) -> impl IntoView {
    let AccountView { who, provider, fresh_token, tokens } = view;
    let role = who.is_operator.then_some(" You are an operator of this portal.");
    let refused = refused.map(|code| {
        view! {
            <p class="refused" role="alert">
                {refusal::sentence(refusal::Page::Account, &code)}
            </p>
        }
    });
    view! {
        <Title text=format!("{} · Account", who.name) />
        {refused}
        <section class="account">
            <h1 class="account__name">{who.name}</h1>
            <p class="account__lead">{format!("You have signed in with {provider}.")} {role}</p>
            <div class="actions">
                <form action="/auth/sign-out" method="post">
                    <button class="button" type="submit">
                        "Sign out"
                    </button>
                </form>
                <form action="/account/sign-out-everywhere" method="post">
                    <button class="button" type="submit">
                        "Sign out everywhere"
                    </button>
                </form>
            </div>
            <p class="account__note">
                "\"Sign out everywhere\" ends your sessions in all browsers. Your tokens stay \
                 valid until you revoke them."
            </p>
        </section>
        <section class="account" aria-labelledby="tokens">
            <h2 id="tokens">"API tokens"</h2>
            <p class="account__lead">
                "A program that sends one in the header " <code>"Authorization: Bearer"</code>
                " acts on your behalf. It sees your stacks, and changes them if the token allows it."
            </p>
            {fresh_token.map(|token| view! { <FreshToken token /> })}
            <TokenList tokens />
            <MakeTokenForm name />
        </section>
    }
}

/// Renders that the account cannot be shown now. The response has the status of the error.
#[component]
fn Unavailable(
    /// The reason.
    error: ApiError,
) -> impl IntoView {
    respond_with(error.status());
    view! {
        <Title text="Account not available" />
        <Notice heading="We cannot show your account now">
            <p>{error.message}</p>
        </Notice>
    }
}
