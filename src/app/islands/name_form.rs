//! The name form: input is checked against the rules at once, and by the server after a pause.
//!
//! Without JavaScript it is a plain form that posts to the server function, whose answer is always
//! a redirect. With JavaScript the island calls the same server function, so that errors are shown
//! in place and a failed connection does not replace the page.

#![expect(missing_docs, reason = "the island macro makes a struct without a doc comment")]

mod field;
pub mod hint;
pub mod hint_lines;

use field::Field;
use hint::Hint;
use hint_lines::HintLines;
use leptos::ev::{self, SubmitEvent};
use leptos::html;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::server_fn::redirect::set_redirect_hook;

use crate::api::deployments::StartDeployment;
use crate::app::browser;
use crate::app::renewed::renewed_text;
use crate::app::words::name_form as words;
use crate::wire::{AddressPattern, NameVerdict, PlatformStatus};
use domain::refusal::RefusalCode;

/// Renders the field, the button and the hints about the name.
#[island]
pub fn NameForm(
    /// The initial value of the field.
    name: String,
    /// The server's verdict on that name, if it was asked.
    verdict: Option<NameVerdict>,
    /// The reason why the form came back, if the name is not the reason.
    problem: Option<String>,
    /// The pattern of a stack's address.
    pattern: AddressPattern,
    /// The known state of the platform.
    platform: PlatformStatus,
) -> impl IntoView {
    let field = Field::new(name.clone(), verdict, problem);
    let hint = Memo::new(move |_| field.hint(&pattern));
    let start = ServerAction::<StartDeployment>::new();
    let is_posting = Signal::derive(move || {
        // After success, the browser is navigating to the deployment's page.
        start.pending().get() || start.value().with(|answer| matches!(answer, Some(Ok(()))))
    });
    let label = move || if is_posting.get() { words::STARTING } else { words::SUBMIT };
    let input = NodeRef::<html::Input>::new();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        field.submit();
        if hint.with_untracked(Hint::is_refusal) {
            // The name may have become available meanwhile.
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
                {words::NAME}
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
                    {renewed_text(label)}
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
            {words::warning(&platform)
                .map(|warning| view! { <p class="name-form__warning">{warning}</p> })}
        </form>
    }
}

/// Follows the server's redirects, shows its errors, and takes over text that was typed before the
/// island started.
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
        // Text that was typed before the island started is only in the input element.
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

/// Navigates to the sign-in page, which returns to the home page with the name in the field.
fn redirect_to_sign_in(name: &str) {
    // The name was valid, so it needs no escaping.
    browser::go_to(&format!("/sign-in?return_to=/?name={name}"));
}

fn focus(input: NodeRef<html::Input>) {
    if let Some(input) = input.get_untracked() {
        // This fails only for elements that cannot have the focus.
        input.focus().ok();
    }
}
