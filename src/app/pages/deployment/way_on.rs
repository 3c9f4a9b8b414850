//! The link to what helps where a form was refused, or a change has failed.

use leptos::prelude::*;

use crate::app::deployment::forms::LinkButton;
use crate::app::words::new::TO_OTHERS;
use crate::app::words::operation as words;
use crate::server::page::NEW;
use domain::refusal::RefusalCode;

/// Returns where a form leads that was refused with this code: to the other templates, or to the form
/// that is filled with the answers, if there is one to offer.
pub(super) fn way_on(
    code: Option<RefusalCode>,
    form: Option<String>,
) -> Option<(String, &'static str)> {
    if code == Some(RefusalCode::NoSuchTemplate) {
        return Some((NEW.to_owned(), TO_OTHERS));
    }
    form.map(|href| (href, words::FILL_IN_AGAIN))
}

/// Renders the link to what helps where a form was refused.
#[component]
pub fn WayOn(
    /// The address and the label.
    way: Option<(String, &'static str)>,
) -> impl IntoView {
    way.map(|(href, label)| {
        view! {
            <p class="actions again" id="again">
                <LinkButton href label />
            </p>
        }
    })
}
