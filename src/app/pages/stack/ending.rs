//! The end of a stack's time: when that is, and the form that keeps the stack for longer.

use leptos::prelude::*;

use crate::api::service;
use crate::app::words::stack_ending as words;
use crate::server::page::STACKS;
use crate::wire::StackView;

/// Renders when the stack ends, from a day before on, with a button that keeps it for longer.
#[component]
pub fn Ending(
    /// The stack.
    stack: StackView,
) -> impl IntoView {
    let ending = service().ok().and_then(|service| service.ending(&stack));
    ending.map(|ending| {
        let id = stack.deployment_id.map(|id| format!("?id={id}")).unwrap_or_default();
        view! {
            <div class="ending">
                <p>{words::sentence(&ending)}</p>
                <form action=format!("{STACKS}{}/keep{id}", stack.name) method="post">
                    <button class="button" type="submit">
                        {words::keep(ending.keeps)}
                    </button>
                </form>
            </div>
        }
    })
}
