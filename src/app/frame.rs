//! The frame of every page: the header with the platform's status and the account link, and the
//! footer.

use leptos::prelude::*;

use crate::api::page_data::page_data;
use crate::api::{AccountLink, SignedIn};
use crate::app::islands::buttons::ThemeSwitch;
use crate::app::words::frame as words;
use crate::wire::PlatformStatus;

/// Renders the header: the logo, the platform's status and the account link.
#[component]
pub fn Header() -> impl IntoView {
    let data = page_data().map(|data| data.frame.clone());
    let (status, account) = data.map(|data| (data.platform, data.account)).unzip();
    let status = status.map(|status| view! { <PlatformBadge status /> });
    let account = account.map(|account| view! { <AccountNav account /> });
    view! {
        <header class="header">
            <a class="header__mark" href="/">
                <svg class="header__logo" viewBox="0 0 24 24" aria-hidden="true">
                    <path d="M12 2 22 7.5 12 13 2 7.5Z" />
                    <path d="m4.6 11.2-2.6 1.4 10 5.5 10-5.5-2.6-1.4L12 15.3Z" opacity=".65" />
                    <path d="m4.6 16.1-2.6 1.4L12 23l10-5.5-2.6-1.4L12 20.2Z" opacity=".35" />
                </svg>
                {words::PORTAL}
            </a>
            <div class="header__end">
                {status} {account}
            </div>
        </header>
    }
}

/// Renders the link to the account or to the sign-in page, and for operators the one to the
/// operators' page. Renders nothing if the portal is open to all.
#[component]
fn AccountNav(
    /// Where it leads to.
    account: AccountLink,
) -> impl IntoView {
    match account {
        AccountLink::None => ().into_any(),
        AccountLink::Account(SignedIn { name, is_operator }) => {
            let admin = is_operator.then(|| {
                view! {
                    <a class="header__link" href="/admin">
                        {words::ADMIN}
                    </a>
                }
            });
            view! {
                <nav class="header__visitor" aria-label=words::ACCOUNT>
                    {admin}
                    <a class="header__link header__name" href="/account">
                        <bdi>{name}</bdi>
                    </a>
                </nav>
            }
            .into_any()
        }
        AccountLink::SignIn => view! {
            <nav class="header__visitor" aria-label=words::ACCOUNT>
                <a class="header__link" href="/sign-in">
                    {words::SIGN_IN}
                </a>
            </nav>
        }
        .into_any(),
    }
}

/// Renders the platform's status as a dot with words.
#[component]
fn PlatformBadge(
    /// The known state of the platform.
    status: PlatformStatus,
) -> impl IntoView {
    let is_ready = status.reachable && !status.too_old && status.problem.is_none();
    view! {
        <p class="platform" data-state=if is_ready { "ready" } else { "away" }>
            <span class="platform__dot" aria-hidden="true"></span>
            {words::platform(&status)}
        </p>
    }
}

/// Renders the footer with the theme switch.
#[component]
pub fn Footer() -> impl IntoView {
    view! {
        <footer class="footer">
            <p>{words::FOOTER}</p>
            <ThemeSwitch />
        </footer>
    }
}
