//! The document around every page, and the routes.

use std::sync::{Arc, LazyLock};

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::location::RequestUrl;
use leptos_router::{SsrMode, path};

use super::frame::{Footer, Header};
use super::inline;
use super::pages::account::AccountPage;
use super::pages::admin::AdminPage;
use super::pages::admin::audit::AuditLogPage;
use super::pages::api_docs::ApiDocsPage;
use super::pages::data::DataPage;
use super::pages::deployment::DeploymentPage;
use super::pages::home::HomePage;
use super::pages::logs::LogPage;
use super::pages::new::NewPage;
use super::pages::notice::NotFoundPage;
use super::pages::sign_in::SignInPage;
use super::pages::stack::history::StackHistoryPage;
use super::pages::stack::overview::OverviewPage;
use super::pages::stack::settings::SettingsPage;
use super::policy;
use super::words::frame as words;
use crate::api::is_hidden_page;
use crate::api::page_data::page_data;
use crate::server::page::{API_DOCS, DEPLOYMENTS, STACKS, is_settings};

/// Applies the stored theme before the first paint, and manages without the page's code if that
/// fails to start, or has not started within 20 seconds. The attribute `data-code` of the root
/// element says which: elements that need the code are hidden without it, and the refresh that
/// stands in `noscript` then counts.
///
/// Before the code starts, the islands become what the server rendered: the translators of browsers
/// replace the nodes that it looks for.
///
/// A page whose code or style does not exist on the server is of another build, so it is loaded
/// again, at most once a minute. A page with the attribute `data-once` is not: it shows what is
/// shown only once.
static START_SCRIPT: LazyLock<String> = LazyLock::new(|| inline::script(include_str!("start.js")));

/// The names of the small forms of the code.
#[derive(Clone, Debug)]
pub struct SmallForms {
    /// The one for the questions of templates.
    pub questions: Arc<str>,
    /// The one for all other pages without a deployment.
    pub controls: Arc<str>,
    /// The name of the style sheet that the pages of stacks have besides, if it was built.
    pub stack_style: Option<Arc<str>>,
}

/// Renders the document. Only the page of a deployment loads the whole code; the others load a
/// `small` form of it. The page about the API has no scripts.
pub fn shell(mut options: LeptosOptions, small: &SmallForms) -> impl IntoView + use<> {
    policy::send();
    let stylesheet = format!("/{}/{}.css", options.site_pkg_dir, options.output_name);
    let url = use_context::<RequestUrl>().and_then(|url| url.parse().ok());
    let has_stacks = url.as_ref().is_some_and(|url| url.path().starts_with(STACKS))
        || page_data().is_some_and(|data| data.content.has_stacks());
    let stack_style = small.stack_style.as_ref().filter(|_| has_stacks).map(|name| {
        view! { <link rel="stylesheet" href=format!("/{}/{name}.css", options.site_pkg_dir) /> }
    });
    let has_scripts = url.as_ref().is_none_or(|url| url.path() != API_DOCS);
    let is_settings = url.as_ref().is_some_and(|url| is_settings(url.path()));
    let is_whole = url.is_none_or(|url| url.path().starts_with(DEPLOYMENTS));
    if !is_whole {
        let has_questions =
            is_settings || page_data().is_some_and(|data| data.content.has_questions());
        let form = if has_questions { &small.questions } else { &small.controls };
        options.output_name = Arc::clone(form);
    }
    let start =
        has_scripts.then(|| view! { <script nonce=use_nonce()>{START_SCRIPT.as_str()}</script> });
    let hydration = has_scripts.then(|| view! { <HydrationScripts options islands=true /> });
    view! {
        <!DOCTYPE html>
        <html lang=words::LANGUAGE>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="description" content=words::DESCRIPTION />
                {start}
                <link rel="icon" type="image/svg+xml" href="/favicon.svg" />
                <link rel="stylesheet" href=stylesheet />
                {stack_style}
                {hydration}
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// Renders the body of the document: the header, the page and the footer.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <a class="skip-link" href="#main">
            {words::SKIP}
        </a>
        <Router>
            <Header />
            <main id="main" class="page">
                <Page />
            </main>
            <Footer />
        </Router>
    }
}

/// Renders the page of the route, unless it is hidden from the caller.
#[component]
fn Page() -> impl IntoView {
    if is_hidden_page() {
        return Either::Left(view! { <NotFoundPage /> });
    }
    Either::Right(view! {
        <Routes fallback=NotFoundPage>
            <Route path=path!("/") view=HomePage ssr=SsrMode::Async />
            <Route path=path!("/new") view=NewPage ssr=SsrMode::Async />
            <Route path=path!("/new/:template") view=NewPage ssr=SsrMode::Async />
            <Route path=path!("/deployments/:id") view=DeploymentPage ssr=SsrMode::Async />
            <Route path=path!("/stacks/:name/logs") view=LogPage ssr=SsrMode::Async />
            <Route path=path!("/stacks/:name") view=OverviewPage ssr=SsrMode::Async />
            <Route path=path!("/stacks/:name/settings") view=SettingsPage ssr=SsrMode::Async />
            <Route path=path!("/stacks/:name/history") view=StackHistoryPage ssr=SsrMode::Async />
            <Route path=path!("/data") view=DataPage ssr=SsrMode::Async />
            <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async />
            <Route path=path!("/account") view=AccountPage ssr=SsrMode::Async />
            <Route path=path!("/admin") view=AdminPage ssr=SsrMode::Async />
            <Route path=path!("/admin/audit") view=AuditLogPage ssr=SsrMode::Async />
            <Route path=path!("/api/docs") view=ApiDocsPage ssr=SsrMode::Async />
        </Routes>
    })
}
