//! The account page: `/account`.
//!
//! A form on the page that was refused redirects back to `/account?refused=<code>`, which shows the
//! error.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::notice::{NotFoundPage, Notice, Refused};
use super::tokens::{FreshToken, MakeTokenForm, TokenList};
use crate::api::{AccountView, account, redirect_to, sign_in_service};
use crate::app::pages::PageTitle;
use crate::app::words::{FormPage, account as words, data, refusal};
use crate::server::page::{API_DOCS, DATA, sign_in_location};
use domain::refusal::RefusalCode;

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
            Some(Err(error)) => view! {
                <Notice
                    status=error.status()
                    title=words::UNAVAILABLE
                    heading=words::UNAVAILABLE_HEADING
                >
                    <p>{error.message}</p>
                </Notice>
            }
            .into_any(),
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
    let role = who.is_operator.then_some(words::IS_OPERATOR);
    let is_about_name = refused.as_deref() == Some(RefusalCode::InvalidTokenName.as_str());
    let refused = refused.and_then(|code| refusal::sentence(FormPage::Account, &code));
    let (problem, refused) = if is_about_name { (refused, None) } else { (None, refused) };
    let [before, header, after] = words::TOKENS_LEAD;
    let [about, api, end] = words::API_DOCS;
    view! {
        <PageTitle text=words::title(&who.name) />
        <Refused sentence=refused />
        <section class="account">
            <h1 class="account__name">{who.name}</h1>
            <p class="account__lead">{words::signed_in_with(&provider)} {role}</p>
            <div class="actions">
                <form action="/auth/sign-out" method="post">
                    <button class="button" type="submit">
                        {words::SIGN_OUT}
                    </button>
                </form>
                <form action="/account/sign-out-everywhere" method="post">
                    <button class="button" type="submit">
                        {words::SIGN_OUT_EVERYWHERE}
                    </button>
                </form>
            </div>
            <p class="account__note">{words::SIGN_OUT_NOTE}</p>
            <p class="account__note">
                <a href=DATA>{data::PAGE_LINK}</a>
            </p>
        </section>
        <section class="account" aria-labelledby="tokens">
            <h2 id="tokens">{words::TOKENS}</h2>
            <p class="account__lead">{before} <code>{header}</code> {after}</p>
            <p class="account__lead">{about} <a href=API_DOCS>{api}</a> {end}</p>
            {fresh_token.map(|token| view! { <FreshToken token /> })}
            <TokenList tokens />
            <MakeTokenForm name problem />
        </section>
    }
}
