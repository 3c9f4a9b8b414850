//! The page about the API: `/api/docs`. It needs no scripts, and loads none.

use leptos::prelude::*;

use super::notice::NotFoundPage;
use crate::api::docs::{
    AnswerDocs, ApiDocs, ContentDocs, FieldDocs, GroupDocs, Kind, OperationDocs, SchemaDocs,
    api_docs,
};
use crate::app::pages::PageTitle;
use crate::app::words::api_docs as words;

/// Renders the API's document.
#[component]
pub fn ApiDocsPage() -> impl IntoView {
    let Some(docs) = api_docs() else { return view! { <NotFoundPage /> }.into_any() };
    let ApiDocs { about, groups, schemas } = &*docs;
    let contents = groups.iter().map(|group| contents_of(&group.operations)).collect_view();
    let groups = groups.iter().map(group_section).collect_view();
    let schemas = schemas.iter().map(schema_section).collect_view();
    view! {
        <PageTitle text=words::TITLE />
        <div class="docs">
            <section class="account">
                <h1 class="account__name">{words::TITLE}</h1>
                <p>{text(about)}</p>
                <p>
                    <a href="/api/openapi.json">{words::DOCUMENT}</a>
                </p>
                <nav aria-label=words::OPERATIONS>
                    <ul>
                        {contents}
                        <li>
                            <a href="#schemas">{words::SCHEMAS}</a>
                        </li>
                    </ul>
                </nav>
            </section>
            {groups}
            <section class="account" aria-labelledby="schemas">
                <h2 id="schemas">{words::SCHEMAS}</h2>
                {schemas}
            </section>
        </div>
    }
    .into_any()
}

/// Renders the links to operations.
fn contents_of(operations: &[OperationDocs]) -> AnyView {
    let link = |operation: &OperationDocs| {
        view! {
            <li>
                <a href=format!("#{}", operation.id)>{operation.summary.clone()}</a>
            </li>
        }
    };
    operations.iter().map(link).collect_view().into_any()
}

fn group_section(group: &GroupDocs) -> AnyView {
    let id = group.name.to_lowercase().replace(' ', "-");
    let operations = group.operations.iter().map(operation_section).collect_view();
    view! {
        <section class="account" aria-labelledby=id.clone()>
            <h2 id=id.clone()>{group.name.clone()}</h2>
            <p class="account__lead">{text(&group.about)}</p>
            {operations}
        </section>
    }
    .into_any()
}

fn operation_section(operation: &OperationDocs) -> AnyView {
    let id = operation.id.clone();
    let access = if operation.is_open { words::FOR_ALL } else { words::NEEDS_CALLER };
    let parameters = (!operation.parameters.is_empty())
        .then(|| part(words::PARAMETERS, field_list(&operation.parameters)));
    let body = operation.body.as_ref().map(|body| {
        let content = view! { <p>{text(&body.about)}</p> {content_line(body)} };
        part(words::BODY, content.into_any())
    });
    let answers = operation.answers.iter().map(answer_item).collect_view();
    view! {
        <article class="docs__part" aria-labelledby=id.clone()>
            <h3 id=id.clone()>
                <a href=format!("#{id}")>{operation.summary.clone()}</a>
            </h3>
            <p translate="no">
                <code>{operation.method.clone()} " " {operation.path.clone()}</code>
            </p>
            <p>{text(&operation.about)}</p>
            <p class="account__note">{access}</p>
            {parameters}
            {body}
            <details class="disclosure">
                <summary>{words::ANSWERS}</summary>
                <dl class="facts">{answers}</dl>
            </details>
        </article>
    }
    .into_any()
}

/// Renders a part of an operation below its heading.
fn part(heading: &'static str, content: AnyView) -> AnyView {
    view! {
        <h4>{heading}</h4>
        {content}
    }
    .into_any()
}

fn answer_item(answer: &AnswerDocs) -> AnyView {
    let about = answer.about.iter().map(|line| view! { <p>{text(line)}</p> }).collect_view();
    let contents = answer.contents.iter().map(content_line).collect_view();
    let header = |(name, about): &(String, String)| {
        view! {
            <p>
                {words::HEADER} " " <code translate="no">{name.clone()}</code> ": " {text(about)}
            </p>
        }
    };
    let headers = answer.headers.iter().map(header).collect_view();
    view! {
        <div>
            <dt>{answer.status.clone()}</dt>
            <dd>{about} {contents} {headers}</dd>
        </div>
    }
    .into_any()
}

fn content_line(content: &ContentDocs) -> AnyView {
    let schema = content.schema.as_ref().map(|name| view! { ": " {schema_link(name)} });
    view! {
        <p translate="no">
            <code>{content.kind.clone()}</code>
            {schema}
        </p>
    }
    .into_any()
}

fn schema_section(schema: &SchemaDocs) -> AnyView {
    let id = format!("schema-{}", schema.name);
    let one_of = (!schema.one_of.is_empty()).then(|| {
        let links = schema.one_of.iter().map(|name| view! { " " {schema_link(name)} });
        view! { <p>{words::ONE_OF} {links.collect_view()}</p> }
    });
    view! {
        <article class="docs__part" aria-labelledby=id.clone()>
            <h3 id=id.clone() translate="no">
                {schema.name.clone()}
            </h3>
            <p>{text(&schema.about)}</p>
            {one_of}
            {field_list(&schema.fields)}
        </article>
    }
    .into_any()
}

/// Renders parameters, or the fields of a schema.
fn field_list(fields: &[FieldDocs]) -> AnyView {
    if fields.is_empty() {
        return ().into_any();
    }
    let item = |field: &FieldDocs| {
        let place = field.place.map(|place| view! { ", " {words::place(place)} });
        view! {
            <div>
                <dt>
                    <code translate="no">{field.name.clone()}</code>
                    ": "
                    {kind(&field.kind)}
                    ", "
                    {words::presence(field.is_required)}
                    {place}
                </dt>
                <dd>{text(&field.about)}</dd>
            </div>
        }
    };
    view! { <dl class="facts">{fields.iter().map(item).collect_view()}</dl> }.into_any()
}

fn kind(of: &Kind) -> AnyView {
    match of {
        Kind::Schema(name) => schema_link(name),
        Kind::List(items) => view! { {words::LIST_OF} " " {kind(items)} }.into_any(),
        Kind::Map(values) => view! { {words::MAP_OF} " " {kind(values)} }.into_any(),
        Kind::Plain(types, limits) => {
            let limits = limits.iter().map(|limit| view! { ", " {text(&words::limit(limit))} });
            view! { {types.join(" | ")} {limits.collect_view()} }.into_any()
        }
        Kind::OneOf(values) => values.join(" | ").into_any(),
        Kind::Any => words::ANY.into_any(),
    }
}

fn schema_link(name: &str) -> AnyView {
    view! {
        <a translate="no" href=format!("#schema-{name}")>
            {name.to_owned()}
        </a>
    }
    .into_any()
}

/// Renders a text of the document, with its code between backticks.
fn text(of: &str) -> AnyView {
    let parts = of.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    let parts = parts.map(|(number, part)| {
        if number % 2 == 0 {
            part.to_owned().into_any()
        } else {
            view! { <code translate="no">{part.to_owned()}</code> }.into_any()
        }
    });
    parts.collect_view().into_any()
}
