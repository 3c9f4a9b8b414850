//! The page of one deployment or removal: `/deployments/<id>`.
//!
//! A form on the page that was refused redirects back with `?refused=<code>`. The form that started the
//! deployment leads to `?cookie_sent=<time>` if the browser came without a cookie.

pub mod way_on;

use std::sync::LazyLock;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use self::way_on::{WayOn, way_on};
use super::data::{KeptList, ListedFor, ToData};
use super::logs::LastLines;
use super::notice::{Notice, Refused};
use crate::api::page_data::{Content, PageData, page_data};
use crate::api::{caller, forbid_storing, generated, service};
use crate::app::deployment::forms::{LinkButton, PRIMARY};
use crate::app::inline;
use crate::app::islands::buttons::CopyButton;
use crate::app::islands::live_deployment::LiveDeployment;
use crate::app::kind;
use crate::app::page_state::{PageState, PageStateInputs};
use crate::app::pages::PageTitle;
use crate::app::words::deployment::START_ANOTHER;
use crate::app::words::{FormPage, data as data_words, operation as words, page_state, refusal};
use crate::server::auth::access::Identity;
use crate::server::page::{
    COOKIE_SENT, NEW, NewSecret, is_mended_by_form, page_of, percent_encode, was_cookie_just_sent,
};
use crate::server::stacks::deployment_id;
use crate::wire::{ApiError, DeploymentView, StackRemoval, StackSecrets};
use domain::deployment::{Deployment, DeploymentId};
use domain::event::Failure;
use domain::last_log::LastLog;
use domain::message::MessageCode;
use domain::refusal::{InternalFault, Refusal, RefusalCode};
use domain::stack_name::StackName;

/// Adds what the container wrote last to a page that was open when the operation failed.
static LAST_LOG_SCRIPT: LazyLock<String> =
    LazyLock::new(|| inline::script(include_str!("../last_log.js")));

/// Renders the current state of the operation that the address names.
#[component]
pub fn DeploymentPage() -> impl IntoView {
    forbid_storing();
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let refused = use_query_map().with_untracked(|query| query.get("refused"));
    let code = refused.as_deref().and_then(|code| code.parse::<RefusalCode>().ok());
    let is_full = code == Some(RefusalCode::KeptDataFull);
    let is_mended_by_form = code.is_some_and(is_mended_by_form);
    let refused = refused.and_then(|code| refusal::sentence(FormPage::Operation, &code));
    let sent = use_query_map().with_untracked(|query| query.get(COOKIE_SENT));
    let was_sent = || {
        let (Ok(service), Ok(caller)) = (service(), caller()) else { return false };
        caller.identity == Identity::Anonymous
            && was_cookie_just_sent(sent.as_deref(), service.clock().now())
    };
    let data = page_data();
    let found = data.as_deref().map_or_else(not_read, operation);
    let is_cookie_missing = deployment_id(&id).is_ok() && was_sent();
    let refused = refused.or_else(|| is_cookie_missing.then(|| words::COOKIE_REFUSED.to_owned()));
    let kept = sent.filter(|_| is_cookie_missing);
    match found {
        Ok(DeploymentView {
            stack_removal: Some(stack_removal),
            deployment,
            form,
            leads_to_data,
            ..
        }) => {
            let form = form.filter(|_| stack_removal == StackRemoval::Done);
            view! {
                <Refused sentence=refused />
                <RemovedStack deployment stack_removal />
                <ToData leads_to_data />
                <WayOn way=way_on(None, form) />
            }
            .into_any()
        }
        Ok(mut view) => {
            let failure = view.progress.failure();
            let has_failed = failure.is_some();
            let last_log = view.last_log.take().map(|last_log| beside(*last_log, failure));
            let may_crash = view.may_change && !view.progress.is_finished();
            let is_change = kind(view.deployment.kind).makes_revision();
            let is_mended_by_form = is_mended_by_form || view.secrets == StackSecrets::Lost;
            let form = view.form.clone().filter(|_| is_mended_by_form || is_change);
            // It is beside what it mends: a refusal, or how a change ended.
            let way = way_on(code, form);
            let (above, below) =
                if is_mended_by_form || code.is_some() { (way, None) } else { (None, way) };
            view! {
                <Refused sentence=refused />
                <SecretsLost secrets=view.secrets />
                <WayOn way=above />
                {is_full.then(|| view! { <KeptBeside id=view.deployment.id.clone() /> })}
                <Generated secrets=view.secrets />
                <Found view kept />
                <WayOn way=below />
                {last_log.map(|last_log| view! { <LastLines last_log has_failed /> })}
                {may_crash
                    .then(|| view! { <script nonce=use_nonce()>{LAST_LOG_SCRIPT.as_str()}</script> })}
            }
            .into_any()
        }
        Err(error) if error.status() == 404 => view! {
            <Notice status=404 title=words::NOT_FOUND heading=words::NOT_FOUND>
                <p>{words::NOT_FOUND_LEAD}</p>
            </Notice>
        }
        .into_any(),
        Err(error) => view! {
            <Notice
                status=error.status()
                title=words::UNAVAILABLE
                heading=words::UNAVAILABLE_HEADING
            >
                <p>{error.message}</p>
                <p>{words::UNAVAILABLE_LEAD}</p>
            </Notice>
        }
        .into_any(),
    }
}

/// Returns what a container wrote last, without the exit code if the sentence of the failure has it.
fn beside(last_log: LastLog, failure: Option<&Failure>) -> LastLog {
    let said = failure.and_then(|failure| failure.reason.as_ref()).and_then(exit_code_of);
    let is_said = |code: &i64| said == Some(&*code.to_string());
    LastLog { exit_code: last_log.exit_code.filter(|code| !is_said(code)), ..last_log }
}

/// Returns the exit code that the sentence of a message has.
fn exit_code_of(message: &MessageCode) -> Option<&str> {
    match message {
        MessageCode::CrashLoop { exit_code } => exit_code.as_deref(),
        MessageCode::CancelledAfter { reason: Some(reason), .. } => exit_code_of(reason),
        _ => None,
    }
}

/// Renders what is kept of the owner's other stacks, to choose what to drop.
#[component]
fn KeptBeside(
    /// The deployment of the stack that was not removed.
    id: DeploymentId,
) -> impl IntoView {
    let known = service().and_then(|service| Ok((service, caller()?)));
    Suspend::new(async move {
        let (service, caller) = known.ok()?;
        let kept = service.kept_beside(&caller, &id).await.ok()?;
        Some(view! {
            <section class="account" aria-labelledby="kept">
                <h2 id="kept">{data_words::TITLE}</h2>
                <KeptList kept listed_for=ListedFor::Deletion />
            </section>
        })
    })
}

/// Renders that the portal's key does not open the secrets of the stack, if that is so.
#[component]
fn SecretsLost(
    /// What there is to say of the secrets.
    secrets: StackSecrets,
) -> impl IntoView {
    match secrets {
        StackSecrets::Lost => Some(view! { <p class="refused">{words::SECRETS_LOST}</p> }),
        StackSecrets::Quiet | StackSecrets::RevealableOnceLive | StackSecrets::Revealable => None,
    }
}

/// Renders the secrets that were just generated for the stack, or that its owner had shown again.
#[component]
fn Generated(
    /// What there is to say of the secrets.
    secrets: StackSecrets,
) -> impl IntoView {
    let lead = match secrets {
        StackSecrets::Quiet | StackSecrets::Lost => words::GENERATED_LEAD,
        StackSecrets::RevealableOnceLive | StackSecrets::Revealable => words::GENERATED_LEAD_OWN,
    };
    let secrets = generated();
    (!secrets.is_empty()).then(|| {
        let row = |NewSecret { label, text }| {
            view! {
                <h3>{label}</h3>
                <code translate="no" class="fresh-token__secret">
                    {text.clone()}
                </code>
                <CopyButton text />
            }
        };
        view! {
            <section class="fresh-token generated" aria-labelledby="generated" data-once="">
                <h2 id="generated">{words::GENERATED}</h2>
                <p>{lead}</p>
                <noscript>
                    <p>{words::GENERATED_STAYS}</p>
                </noscript>
                {secrets.into_iter().map(row).collect_view()}
            </section>
        }
    })
}

/// Renders the form that has the generated secrets shown again.
#[component]
fn Reveal(
    /// The deployment of the stack.
    id: DeploymentId,
) -> impl IntoView {
    let page = page_of(&id);
    let again = format!("/auth/sign-in?again=1&return_to={}", percent_encode(&page));
    view! {
        <details class="disclosure reveal">
            <summary>{words::GENERATED_SECRETS}</summary>
            <form action=format!("{page}/reveal") method="post">
                <p>{words::REVEAL_LEAD}</p>
                <p class="actions">
                    <button class="button" type="submit">
                        {words::REVEAL}
                    </button>
                    <a class="button" href=again rel="external">
                        {words::SIGN_IN_AGAIN}
                    </a>
                </p>
            </form>
        </details>
    }
}

/// Returns what the router has read for the page of an operation.
fn operation(data: &PageData) -> Result<DeploymentView, ApiError> {
    match &data.content {
        Content::Operation(found) => found.clone().map(|view| *view),
        Content::Home(_)
        | Content::MyStacks(_)
        | Content::New(_)
        | Content::ApiDocs
        | Content::Other => not_read(),
    }
}

fn not_read<T>() -> Result<T, ApiError> {
    Err(Refusal::Internal(InternalFault::NotReady).into())
}

/// The interval in seconds at which a page without JavaScript refreshes itself during an operation.
/// Each refresh moves the focus to the top, so a keyboard user needs enough time to reach the
/// button.
const REFRESH_S: u8 = 8;
/// The interval in seconds at which a page refreshes itself that waits for clean-up or a removal.
const CLEAN_UP_REFRESH_S: u8 = 15;

/// Renders an operation. Without JavaScript the page refreshes itself until the operation has ended
/// and nothing is left. The refreshed page no longer shows why a form was refused.
#[component]
fn Found(
    /// The deployment.
    view: DeploymentView,
    /// The time at which a cookie was sent that has not come back.
    kept: Option<String>,
) -> impl IntoView {
    let receipt = view.progress.receipt_by_now(view.metadata.receipt.as_ref());
    let is_clean = receipt.is_some_and(|receipt| receipt.clean);
    let page_state = PageState::of(
        &view.progress,
        PageStateInputs {
            kind: kind(view.deployment.kind),
            is_cancelling: view.is_cancelling,
            is_clean,
            is_down: view.not_running.is_some(),
            is_stopped: view.is_stopped,
        },
    );
    let reveal = match view.secrets {
        StackSecrets::Revealable => Some(view! { <Reveal id=view.deployment.id.clone() /> }),
        StackSecrets::Quiet | StackSecrets::RevealableOnceLive | StackSecrets::Lost => None,
    };
    let of = kind(view.deployment.kind);
    let title = page_state::title(page_state, &view.deployment.name, of, view.progress.percent);
    let refresh_s = match (page_state.is_under_way(), receipt.is_some() && !is_clean) {
        (true, _) => Some(REFRESH_S),
        (false, true) => Some(CLEAN_UP_REFRESH_S),
        (false, false) => None,
    };
    // What is shown only once stays until the person loads the page again.
    let refresh = refresh_s.filter(|_| generated().is_empty()).map(|seconds| {
        let mut content = refresh(&view.deployment.id, seconds);
        if let Some(sent) = &kept {
            content = format!("{content}?{COOKIE_SENT}={sent}");
        }
        view! {
            <noscript>
                <meta http-equiv="refresh" content=content />
            </noscript>
        }
    });
    let leads_to_data = view.leads_to_data;
    view! {
        <PageTitle text=title />
        {refresh}
        <LiveDeployment view />
        <ToData leads_to_data />
        {reveal}
    }
}

/// Returns the content of a refresh directive that loads the page of the operation `id` after
/// `seconds`, without query parameters.
fn refresh(id: &DeploymentId, seconds: u8) -> String {
    format!("{seconds}; url=/deployments/{id}")
}

/// Renders a deployment whose stack was live and is removed or being removed. Hardly anything
/// changes on this page, so it has no island: without JavaScript it refreshes itself during the
/// removal, and with it, `start.js` asks for the page and loads it again once it has another title.
#[component]
fn RemovedStack(
    /// The deployment.
    deployment: Deployment,
    /// The removal of its stack.
    stack_removal: StackRemoval,
) -> impl IntoView {
    let Deployment { id, name, url, .. } = deployment;
    let (heading, badge, refresh, next) = match stack_removal {
        StackRemoval::NotYet(removal) => {
            let content = refresh(&id, CLEAN_UP_REFRESH_S);
            let refresh = view! {
                <noscript data-watched="">
                    <meta http-equiv="refresh" content=content />
                </noscript>
            };
            let href = format!("/deployments/{removal}");
            let next = view! {
                <p class="ended__message">{words::REMOVAL_STARTED}</p>
                <p class="actions">
                    <LinkButton href label=words::SEE_REMOVAL class=PRIMARY />
                </p>
            };
            let heading = words::is_being_removed(&name);
            (heading, words::REMOVING, Some(refresh), Either::Left(next))
        }
        StackRemoval::Done => {
            let heading = words::was_removed(&name);
            (heading, words::REMOVED, None, Either::Right(view! { <NextSteps name /> }))
        }
    };
    view! {
        <PageTitle text=heading.clone() />
        {refresh}
        <article class="deployment" data-stage="over">
            <header class="headline">
                <h1 class="headline__name">{heading}</h1>
                <p class="badge">
                    <span class="badge__state">{badge}</span>
                </p>
                <p class="headline__address">{url}</p>
            </header>
            <section class="ended">{next}</section>
        </article>
    }
}

/// Renders links to deploy the name again, or another one.
#[component]
fn NextSteps(
    /// The stack's name.
    name: StackName,
) -> impl IntoView {
    view! {
        <p class="ended__message">{words::REMOVAL_DONE}</p>
        <p class="actions">
            <LinkButton
                href=format!("/?name={name}")
                label=words::deploy_again(&name)
                class=PRIMARY
            />
            <LinkButton href=NEW label=START_ANOTHER />
        </p>
    }
}
