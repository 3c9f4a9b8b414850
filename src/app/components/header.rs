//! The line at the top of every page: the mark, and whether the platform is there.

use leptos::prelude::*;

use crate::api::{service, wire::PlatformStatus};

/// Renders the mark and the platform's status.
#[component]
pub fn Header() -> impl IntoView {
    let service = service().ok();
    let status = Suspend::new(async move {
        match service {
            Some(service) => Some(service.platform_status().await),
            None => None,
        }
        .map(|status| view! { <PlatformBadge status /> })
    });
    view! {
        <header class="header">
            <a class="header__mark" href="/">
                <svg class="header__logo" viewBox="0 0 24 24" aria-hidden="true">
                    <path d="M12 2 22 7.5 12 13 2 7.5Z" />
                    <path d="m4.6 11.2-2.6 1.4 10 5.5 10-5.5-2.6-1.4L12 15.3Z" opacity=".65" />
                    <path d="m4.6 16.1-2.6 1.4L12 23l10-5.5-2.6-1.4L12 20.2Z" opacity=".35" />
                </svg>
                "AI Stack Deployer"
            </a>
            {status}
        </header>
    }
}

/// Says in a dot and words whether the platform answers.
#[component]
fn PlatformBadge(
    /// What is known of the platform.
    status: PlatformStatus,
) -> impl IntoView {
    let (state, words) = match status {
        PlatformStatus { too_old: true, .. } => ("away", "Platform too old"),
        PlatformStatus { reachable: false, .. } => ("away", "Platform not answering"),
        PlatformStatus { sandbox: false, .. } => ("ready", "Platform ready"),
        PlatformStatus { sandbox: true, .. } => ("ready", "Sandbox ready"),
    };
    view! {
        <p class="platform" data-state=state>
            <span class="platform__dot" aria-hidden="true"></span>
            {words}
        </p>
    }
}
