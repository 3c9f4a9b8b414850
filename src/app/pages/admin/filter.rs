//! Parts that the operators' pages share: filters, tables and lists of facts.

use leptos::either::Either;
use leptos::prelude::*;

use crate::api::respond_with;
use crate::app::deployment::forms::LinkButton;
use crate::app::pages::notice::Refused;
use crate::app::words::admin as words;
use crate::server::page::percent_encode;
use crate::server::stacks::admin::Owner;
use crate::wire::ApiError;

/// Renders a select field, with an option for no choice.
#[component]
pub fn Choice(
    /// The label.
    label: &'static str,
    /// The parameter's name.
    name: &'static str,
    /// The options: values with their labels.
    options: Vec<(String, String)>,
    /// The current choice.
    chosen: String,
) -> impl IntoView {
    let options = options.into_iter().map(|(value, label)| {
        let selected = value == chosen;
        view! {
            <option value=value selected=selected>
                {label}
            </option>
        }
    });
    let options = options.collect_view();
    view! {
        <div class="filter__field">
            <label for=id(name)>{label}</label>
            <select id=id(name) name=name>
                <option value="">{words::ANY}</option>
                {options}
            </select>
        </div>
    }
}

/// Renders a text field.
#[component]
pub fn Field(
    /// The label.
    label: &'static str,
    /// The parameter's name.
    name: &'static str,
    /// An example value.
    #[prop(default = "")]
    example: &'static str,
    /// The current value.
    value: String,
) -> impl IntoView {
    view! {
        <div class="filter__field">
            <label for=id(name)>{label}</label>
            <input
                id=id(name)
                name=name
                value=value
                placeholder=example
                maxlength="200"
                autocomplete="off"
            />
        </div>
    }
}

/// Renders why a list cannot be shown. The response has the status of the error.
#[component]
pub fn NoList(
    /// The reason.
    error: ApiError,
) -> impl IntoView {
    respond_with(error.status());
    view! { <Refused sentence=Some(error.message) /> }
}

/// Renders the link to the next page of a list, if there is one.
#[component]
pub fn NextPage(
    /// Its address.
    address: Option<String>,
) -> impl IntoView {
    address.map(|address| {
        view! {
            <p class="actions">
                <LinkButton href=address label=words::OLDER />
            </p>
        }
    })
}

/// Renders an owner's name as a link to their operations.
#[component]
pub fn OwnerLink(
    /// The owner; `None` if an anonymous client started the operation.
    owner: Option<Owner>,
) -> impl IntoView {
    let Some(Owner { id, name }) = owner else { return Either::Left(words::NO_OWNER) };
    let address = address("/admin", &[("owner", id.as_str())]) + "#operations";
    Either::Right(view! { <a href=address><bdi>{name}</bdi></a> })
}

/// Renders a table that scrolls horizontally if it is too wide for the page.
#[component]
pub fn Table(
    /// The id of its heading.
    labelled_by: &'static str,
    /// The headings of its columns.
    columns: &'static [&'static str],
    /// Its rows.
    children: Children,
) -> impl IntoView {
    let heads = columns.iter().map(|label| view! { <th scope="col">{*label}</th> }).collect_view();
    view! {
        <div class="table" role="group" aria-labelledby=labelled_by tabindex="0">
            <table>
                <thead>
                    <tr>{heads}</tr>
                </thead>
                <tbody>{children()}</tbody>
            </table>
        </div>
    }
}

/// Renders one line of a list of facts.
#[component]
pub fn Fact(
    /// The label.
    label: &'static str,
    /// The fact.
    value: String,
) -> impl IntoView {
    view! {
        <div>
            <dt>{label}</dt>
            <dd>{value}</dd>
        </div>
    }
}

fn id(name: &str) -> String {
    format!("filter-{name}")
}

/// Returns `path` with those of `parameters` that are not empty as its query.
pub(super) fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let said = parameters.iter().filter(|(_, value)| !value.is_empty());
    let said: Vec<_> =
        said.map(|(name, value)| format!("{name}={}", percent_encode(value))).collect();
    if said.is_empty() { path.to_owned() } else { format!("{path}?{}", said.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_only_parameters_that_are_not_empty() {
        assert_eq!(address("/admin", &[("owner", ""), ("state", "")]), "/admin");
        let parameters = [("owner", "person:7"), ("state", ""), ("search", "a&b=c")];
        assert_eq!(address("/admin", &parameters), "/admin?owner=person%3A7&search=a%26b%3Dc");
    }
}
