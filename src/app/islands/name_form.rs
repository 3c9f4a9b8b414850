//! The name form: what is typed is judged at once by the rules, after a pause by the server.
//!
//! Without JavaScript it is a plain form that posts the server function; the answer is a
//! redirect either way. With it, the same server function is called from here, so that a
//! refusal is said in place and a failed connection does not cost the page.

#![expect(missing_docs, reason = "the island macro makes a struct without a doc comment")]

mod field;
pub mod hint_lines;

use field::Field;
use hint_lines::HintLines;
use leptos::{
    ev::{self, SubmitEvent},
    html,
    prelude::*,
    server_fn::{ServerFn, redirect::set_redirect_hook},
};

use crate::{
    api::{
        deployments::StartDeployment,
        wire::{AddressPattern, NameVerdict, PlatformStatus},
    },
    app::{browser, words::hint::Hint},
};
use domain::{platform_problem::PlatformProblem, refusal::RefusalCode};

/// Renders the field, the button and what is known about the name.
#[island]
pub fn NameForm(
    /// The initial value of the field.
    name: String,
    /// The server's verdict on that name, if it was asked.
    verdict: Option<NameVerdict>,
    /// The reason why the form came back, if the name is not the reason.
    problem: Option<String>,
    /// Describes how an address is made of a name.
    pattern: AddressPattern,
    /// The known state of the platform.
    platform: PlatformStatus,
) -> impl IntoView {
    let field = Field::new(name.clone(), verdict, problem);
    let hint = Memo::new(move |_| field.hint(&pattern));
    let start = ServerAction::<StartDeployment>::new();
    let is_posting = Signal::derive(move || {
        // After an acceptance the browser is on its way to the deployment's page.
        start.pending().get() || start.value().with(|answer| matches!(answer, Some(Ok(()))))
    });
    let input = NodeRef::<html::Input>::new();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        field.submit();
        if hint.with_untracked(Hint::is_refusal) {
            // It may have become free since.
            field.ask();
            focus(input);
        } else if !is_posting.get_untracked() {
            start.dispatch(StartDeployment { name: field.text() });
        }
    };
    follow_answers(start, field, input);
    view! {
        <form class="name-form" action=StartDeployment::url() method="post" on:submit=submit>
            <label class="name-form__label" for="name">
                "Name"
            </label>
            <div class="name-form__row">
                <input
                    class="name-form__input"
                    id="name"
                    name="name"
                    type="text"
                    value=name
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    autofocus
                    aria-describedby="name-address name-verdict"
                    aria-invalid=move || {
                        hint.with(Hint::is_refusal).then_some("true")
                    }
                    node_ref=input
                    on:input=move |event| field.type_in(event_target_value(&event))
                    on:blur=move |_| field.leave()
                />
                <button class="button button--primary" type="submit" disabled=is_posting>
                    {move || if is_posting.get() { "Starting…" } else { "Deploy" }}
                </button>
            </div>
            <HintLines
                hint
                problem=field.problem
                choose=move |name: String| {
                    if let Some(input) = input.get_untracked() {
                        input.set_value(&name);
                    }
                    field.type_in(name);
                    focus(input);
                }
            />
            {warning(&platform).map(|words| view! { <p class="name-form__warning">{words}</p> })}
        </form>
    }
}

/// Says before the press that it would be in vain.
fn warning(platform: &PlatformStatus) -> Option<&'static str> {
    match platform {
        PlatformStatus { too_old: true, .. } => Some(
            "The platform is too old for this portal, so a new stack could not be started. An \
             operator must update it.",
        ),
        PlatformStatus { problem: Some(PlatformProblem::Wedged), .. } => Some(
            "The platform hangs, so a new stack could not be started. The portal has reported this \
             to its operators.",
        ),
        PlatformStatus { problem: Some(PlatformProblem::KeyRefused), .. } => Some(
            "The platform does not accept the portal's key, so a new stack could not be started. \
             An operator must configure another key.",
        ),
        PlatformStatus { reachable: false, .. } => Some(
            "The platform does not answer right now, so a new stack could not be started. \
             Reload this page in a minute.",
        ),
        PlatformStatus { .. } => None,
    }
}

/// Leaves for where the server redirects to, and takes refusals and early typing in.
fn follow_answers(start: ServerAction<StartDeployment>, field: Field, input: NodeRef<html::Input>) {
    Effect::new(move |_| {
        // No router runs in the browser, so nothing else has set the hook.
        set_redirect_hook(browser::go_to).ok();
        window_event_listener(ev::pageshow, move |event| {
            if event.persisted() {
                start.clear();
            }
        });
    });
    Effect::new(move |_| {
        // What was typed before this island woke up is in the input already.
        if let Some(typed) = input.get().map(|input| input.value())
            && typed != field.text()
        {
            field.type_in(typed);
        }
    });
    Effect::new(move |_| match start.value().get() {
        Some(Err(error)) if error.code == RefusalCode::SignInRequired => {
            redirect_to_sign_in(&field.text());
        }
        Some(Err(error)) => field.refuse(error.message),
        Some(Ok(())) | None => {}
    });
}

/// Leaves for the sign-in page, which leads back here with the name in the field.
fn redirect_to_sign_in(name: &str) {
    // A name that could be posted needs no escape.
    browser::go_to(&format!("/sign-in?return_to=/?name={name}"));
}

fn focus(input: NodeRef<html::Input>) {
    if let Some(input) = input.get_untracked() {
        // Only an element that cannot be focused fails here, and this one can.
        input.focus().ok();
    }
}
