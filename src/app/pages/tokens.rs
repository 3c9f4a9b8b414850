//! The API tokens on the account page: a new one, the list, and the form that creates one.

use leptos::either::Either;
use leptos::prelude::*;

use crate::api::{TokenStatus, TokenView};
use crate::app::islands::buttons::CopyButton;
use crate::app::words::account as words;
use crate::server::auth::sign_in::Lifetime;
use crate::server::visible;

/// The default lifetime of a token.
const USUAL: Lifetime = Lifetime::Quarter;

/// Renders a new token, which is shown only once.
#[component]
pub fn FreshToken(
    /// The token.
    token: String,
) -> impl IntoView {
    view! {
        <div class="fresh-token" role="status" data-once="">
            <h3>{words::FRESH_TOKEN}</h3>
            <p>{words::FRESH_TOKEN_LEAD}</p>
            <code translate="no" class="fresh-token__secret">{token.clone()}</code>
            <CopyButton text=token />
        </div>
    }
}

/// Renders the list of tokens.
#[component]
pub fn TokenList(
    /// The tokens.
    tokens: Vec<TokenView>,
) -> impl IntoView {
    if tokens.is_empty() {
        return Either::Left(view! { <p class="account__note">{words::NO_TOKENS}</p> });
    }
    let items = tokens.into_iter().map(|token| view! { <TokenItem token /> }).collect_view();
    Either::Right(view! { <ul class="tokens">{items}</ul> })
}

/// Renders one token, with the form that revokes it if it is valid.
#[component]
fn TokenItem(
    /// The token.
    token: TokenView,
) -> impl IntoView {
    let TokenView { id, name, may_change, made, used, status } = token;
    let is_valid = matches!(status, TokenStatus::Valid(_));
    let revoke = is_valid.then(|| view! { <RevokePanel id name=name.clone() /> });
    view! {
        <li class="token" data-state=if is_valid { "good" } else { "over" }>
            <p class="token__name">{name}</p>
            <p class="token__standing">{words::token_status(&status)}</p>
            <p class="token__facts">{words::token_facts(may_change, made, used)}</p>
            {revoke}
        </li>
    }
}

/// Renders the disclosure with the consequences of revoking and its button.
#[component]
fn RevokePanel(
    /// The token's id.
    id: String,
    /// The name that its owner gave it.
    name: String,
) -> impl IntoView {
    let [before, after] = words::REVOKES;
    view! {
        <details class="disclosure token__revoke">
            <summary>
                {words::REVOKE} <span class="visually-hidden">" " <bdi>{name.clone()}</bdi></span>
            </summary>
            <div class="remove__panel">
                <p>{before} <strong><bdi>{name.clone()}</bdi></strong> {after}</p>
                <form action="/account/tokens/revoke" method="post">
                    <input type="hidden" name="id" value=id />
                    <button class="button button--danger" type="submit">
                        <span>{words::REVOKE} " " <bdi>{name.clone()}</bdi></span>
                    </button>
                </form>
            </div>
        </details>
    }
}

/// Renders the form for a new token.
#[component]
pub fn MakeTokenForm(
    /// The name that was refused, to fill the field again.
    name: String,
    /// What is wrong with it.
    problem: Option<String>,
) -> impl IntoView {
    let is_refused = problem.is_some().then_some("true");
    let problem = problem.map(|problem| {
        view! {
            <p id="token-name-problem" class="hint hint--bad" role="alert">
                {problem}
            </p>
        }
    });
    let days = Lifetime::ALL.map(|lifetime| {
        view! {
            <option value=lifetime.days() selected=lifetime == USUAL>
                {words::days(lifetime.days())}
            </option>
        }
    });
    view! {
        <form class="token-form" action="/account/tokens" method="post">
            <h3>{words::NEW_TOKEN}</h3>
            <div class="token-form__field">
                <label for="token-name">{words::TOKEN_NAME}</label>
                <input
                    id="token-name"
                    name="name"
                    value=visible::line(&name)
                    required
                    maxlength="60"
                    autocomplete="off"
                    aria-invalid=is_refused
                    aria-describedby="token-name-problem token-name-hint"
                />
                {problem}
                <p id="token-name-hint" class="token-form__hint">
                    {words::TOKEN_NAME_HINT}
                </p>
            </div>
            <div class="token-form__field">
                <label for="token-scope">{words::SCOPE}</label>
                <select id="token-scope" name="scope">
                    <option value="read">{words::SCOPE_READ}</option>
                    <option value="deploy">{words::SCOPE_DEPLOY}</option>
                </select>
            </div>
            <div class="token-form__field">
                <label for="token-days">{words::LIFETIME}</label>
                <select id="token-days" name="days">
                    {days}
                </select>
            </div>
            <button class="button button--primary" type="submit">
                {words::CREATE_TOKEN}
            </button>
        </form>
    }
}
