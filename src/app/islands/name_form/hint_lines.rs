//! The lines under the name field.

use leptos::either::EitherOf4;
use leptos::ev::MouseEvent;
use leptos::prelude::*;

use super::hint::Hint;
use crate::app::renewed::{renewed, renewed_text};
use crate::app::words::name_form as words;
use domain::stack_name::StackName;

/// Renders the address while the name is typed, and the verdict once there is one.
///
/// They are two elements: screen readers announce the verdict, but not the address, which changes
/// with every key.
#[component]
pub fn HintLines(
    /// The known state of the name.
    hint: Memo<Hint>,
    /// The problem that prevented a start, if not the name.
    problem: RwSignal<Option<String>>,
    /// Puts another name into the field.
    #[prop(into)]
    choose: Callback<String>,
) -> impl IntoView {
    let address = move || match hint.get() {
        Hint::Address(url) => url,
        Hint::Free(_) | Hint::Taken(..) | Hint::Refused(_) => String::new(),
    };
    let known = move || [(hint.get(), problem.get())];
    let verdict = move |known| match known {
        (Hint::Address(_), None) => EitherOf4::A(()),
        (Hint::Free(url), None) => EitherOf4::B(view! { <Free url /> }),
        (Hint::Taken(name, suggestions), _) => {
            EitherOf4::C(view! { <Taken name suggestions choose /> })
        }
        (Hint::Refused(sentence), _) | (Hint::Address(_) | Hint::Free(_), Some(sentence)) => {
            EitherOf4::D(view! { <p class="hint hint--bad">{sentence}</p> })
        }
    };
    view! {
        <div class="hints">
            <p class="hint hint--address" id="name-address" translate="no">
                {renewed_text(address)}
            </p>
            <div id="name-verdict" role="status">
                {renewed(known, verdict)}
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
    /// Puts another name into the field.
    choose: Callback<String>,
) -> impl IntoView {
    let offer = move |name: StackName| {
        let name = name.to_string();
        let href = format!("/?name={name}");
        let label = name.clone();
        let take = move |event: MouseEvent| {
            event.prevent_default();
            choose.run(name.clone());
        };
        view! {
            <a class="chip" href=href translate="no" on:click=take>
                {label}
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
