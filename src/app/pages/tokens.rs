//! The API tokens on the account page: a new one, the list, and the form that creates one.

use leptos::{either::Either, prelude::*};

use crate::api::{TokenStatus, TokenView};
use crate::app::{
    islands::buttons::CopyButton,
    words::sign_in::{day, minute},
};
use crate::server::auth::sign_in::Lifetime;

/// The default lifetime of a token.
const USUAL: Lifetime = Lifetime::Quarter;

/// Renders a new token, which is shown only once.
#[component]
pub fn FreshToken(
    /// The token.
    token: String,
) -> impl IntoView {
    view! {
        <div class="fresh-token" role="status">
            <h3>"Your new token"</h3>
            <p>
                "Copy it now: it is shown only once. Anyone who has it can act on your behalf, so \
                 keep it like a password."
            </p>
            <code class="fresh-token__secret">{token.clone()}</code>
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
        return Either::Left(view! { <p class="account__note">"You have no tokens."</p> });
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
    let scope = if may_change { "Reads, starts, cancels and removes" } else { "Reads only" };
    let (state, words) = match status {
        TokenStatus::Valid(until) => ("good", format!("Valid until {}", day(until))),
        TokenStatus::Expired(at) => ("over", format!("Expired on {}", day(at))),
        TokenStatus::Revoked(at) => ("over", format!("Revoked on {}", day(at))),
    };
    let used = used.map_or(String::from("never used"), |at| format!("last used {}", minute(at)));
    let revoke = matches!(status, TokenStatus::Valid(_)).then(|| {
        view! { <RevokePanel id name=name.clone() /> }
    });
    view! {
        <li class="token" data-state=state>
            <p class="token__name">{name}</p>
            <p class="token__standing">{words}</p>
            <p class="token__facts">{format!("{scope} · created {} · {used}", day(made))}</p>
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
    view! {
        <details class="disclosure token__revoke">
            <summary>
                "Revoke" <span class="visually-hidden">{format!(" {name}")}</span>
            </summary>
            <div class="remove__panel">
                <p>"Programs that use " <strong>{name.clone()}</strong> " are rejected from then on. This cannot be undone."</p>
                <form action="/account/tokens/revoke" method="post">
                    <input type="hidden" name="id" value=id />
                    <button class="button button--danger" type="submit">
                        {format!("Revoke {name}")}
                    </button>
                </form>
            </div>
        </details>
    }
}

/// Renders the form for a new token.
#[component]
pub fn MakeTokenForm(
    /// The initial value of the name field.
    name: String,
) -> impl IntoView {
    let days = Lifetime::ALL.map(|lifetime| {
        view! {
            <option value=lifetime.days() selected=lifetime == USUAL>
                {format!("{} days", lifetime.days())}
            </option>
        }
    });
    view! {
        <form class="token-form" action="/account/tokens" method="post">
            <h3>"Create a token"</h3>
            <div class="token-form__field">
                <label for="token-name">"Name"</label>
                <input
                    id="token-name"
                    name="name"
                    value=name
                    required
                    maxlength="60"
                    autocomplete="off"
                    aria-describedby="token-name-hint"
                />
                <p id="token-name-hint" class="token-form__hint">
                    "What the token is for, such as nightly build"
                </p>
            </div>
            <div class="token-form__field">
                <label for="token-scope">"It may"</label>
                <select id="token-scope" name="scope">
                    <option value="read">"read only"</option>
                    <option value="deploy">"read, start, cancel and remove"</option>
                </select>
            </div>
            <div class="token-form__field">
                <label for="token-days">"Valid for"</label>
                <select id="token-days" name="days">
                    {days}
                </select>
            </div>
            <button class="button button--primary" type="submit">
                "Create the token"
            </button>
        </form>
    }
}
