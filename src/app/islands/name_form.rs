//! The name form, as the server renders it. In the browser, `controls` checks what is typed.
//!
//! Without JavaScript it is a plain form that posts to the server function, whose answer is always
//! a redirect.

use leptos::either::EitherOf4;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::api::deployments::StartDeployment;
use crate::app::controls::hint::{Hint, Typing, hint};
use crate::app::words::buttons::START_STACK;
use crate::app::words::name_form as words;
use crate::wire::{AddressPattern, NameVerdict, PlatformStatus};
use domain::stack_name::StackName;

/// Renders the field, the button and the hints about the name.
#[component]
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
    let hint = hint(&name, Typing::at_first(verdict.as_ref()), verdict.as_ref(), &pattern);
    let data_verdict = verdict.and_then(|verdict| serde_json::to_string(&verdict).ok());
    let data_problem = problem.clone();
    // What was refused has its reason at the name.
    let warning = words::warning(&platform).filter(|_| problem.is_none());
    view! {
        <leptos-island
            data-component="name_form"
            data-before=pattern.before
            data-after=pattern.after
            data-verdict=data_verdict
            data-problem=data_problem
        >
            <form class="name-form" action=StartDeployment::url() method="post">
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
                        aria-invalid=hint.is_refusal().then_some("true")
                    />
                    <button class="button button--primary" type="submit">
                        <span>{START_STACK}</span>
                    </button>
                </div>
                <HintLines hint problem />
                {warning.map(|warning| view! { <p class="name-form__warning">{warning}</p> })}
            </form>
        </leptos-island>
    }
}

/// Renders the address while the name is typed, and the verdict once there is one.
///
/// They are two elements: screen readers announce the verdict, but not the address, which changes
/// with every key.
#[component]
fn HintLines(
    /// The known state of the name.
    hint: Hint,
    /// The problem that prevented a start, if not the name.
    problem: Option<String>,
) -> impl IntoView {
    let address = hint.address().to_owned();
    let address = (!address.is_empty()).then(|| view! { <span>{address}</span> });
    let verdict = match (hint, problem) {
        (Hint::Address(_), None) => EitherOf4::A(()),
        (Hint::Free(url), None) => EitherOf4::B(view! { <Free url /> }),
        (Hint::Taken(name, suggestions), _) => EitherOf4::C(view! { <Taken name suggestions /> }),
        (Hint::Refused(sentence), _) | (Hint::Address(_) | Hint::Free(_), Some(sentence)) => {
            EitherOf4::D(view! { <p class="hint hint--bad">{sentence}</p> })
        }
    };
    view! {
        <div class="hints">
            <p class="hint hint--address" id="name-address" translate="no">
                {address}
            </p>
            <div id="name-verdict" role="status">
                {verdict}
            </div>
        </div>
    }
}

/// Renders that the name is available.
#[component]
fn Free(
    /// The address at which its stack would be reached.
    url: String,
) -> impl IntoView {
    view! {
        <p class="hint hint--good">
            <span class="hint__address" translate="no">
                {url}
            </span>
            {words::IS_AVAILABLE}
        </p>
    }
}

/// Renders that the name is taken, and suggests others as links, which JavaScript puts into the
/// field.
#[component]
fn Taken(
    /// The name.
    name: StackName,
    /// Similar names that are available.
    suggestions: Vec<StackName>,
) -> impl IntoView {
    let offer = |name: StackName| {
        let href = format!("/?name={name}");
        view! {
            <a class="chip" href=href translate="no">
                {name.to_string()}
            </a>
        }
    };
    let offers = (!suggestions.is_empty()).then(|| {
        view! {
            <p class="hint__offers">
                {words::FREE} {suggestions.into_iter().map(offer).collect_view()}
            </p>
        }
    });
    view! {
        <p class="hint hint--bad">{name.to_string()} {words::IS_TAKEN}</p>
        {offers}
    }
}
