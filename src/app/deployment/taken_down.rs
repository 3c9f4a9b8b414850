//! What the page says of a stack that was live once, and is not any more.

use leptos::{either::Either, prelude::*};

use crate::{api::wire::TakenDown, domain::stack_name::StackName};

/// Renders what became of the stack, and where to go from here.
#[component]
pub fn TakenDownPanel(
    /// The stack's name.
    name: StackName,
    /// What became of it.
    taken_down: TakenDown,
) -> impl IntoView {
    match taken_down {
        TakenDown::NotYet(removal) => Either::Left(view! {
            <section class="ended">
                <p class="ended__message">"It was live. Its removal has begun."</p>
                <p class="actions">
                    <a class="button button--primary" href=format!("/deployments/{removal}")>
                        "See the removal"
                    </a>
                </p>
            </section>
        }),
        TakenDown::Done => Either::Right(view! {
            <section class="ended">
                <p class="ended__message">
                    "It was live, and was taken down since. Nothing of it is kept."
                </p>
                <p class="actions">
                    <a class="button button--primary" href=format!("/?name={name}")>
                        {format!("Deploy {name} again")}
                    </a>
                    <a class="button" href="/">
                        "Start another"
                    </a>
                </p>
            </section>
        }),
    }
}
