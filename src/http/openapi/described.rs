//! What the document says about one route: its operation.
//!
//! What the guards in front of every handler may answer follows from the row of the route. A
//! description adds what the handler reads and answers.

use axum::http::{Method, StatusCode};
use domain::refusal::{Counted, RefusalCode};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema};
use utoipa::openapi::{
    Content, ContentBuilder, HeaderBuilder, Ref, RefOr, Required, ResponseBuilder,
    SecurityRequirement,
};

use super::codes::meaning;
use super::schema::{ERROR, integer, reference, text};
use crate::server::auth::access::Permission;

/// The name of the security scheme of API tokens.
pub(super) const TOKEN_SCHEME: &str = "token";
/// The name of the security scheme of the cookie of a session.
pub(super) const SESSION_SCHEME: &str = "session";
/// The content type of JSON.
const JSON: &str = "application/json";

/// What can be refused before any handler runs.
const ALWAYS: [RefusalCode; 6] = [
    RefusalCode::InvalidRequest,
    RefusalCode::IncompleteBody,
    RefusalCode::RequestTimeout,
    RefusalCode::BodyTooLarge,
    RefusalCode::UriTooLong,
    RefusalCode::Internal,
];

/// A group of operations in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// The names of stacks.
    Names,
    /// Deployments, and operations in general.
    Operations,
    /// Live stacks.
    Stacks,
    /// Templates.
    Templates,
    /// The description of the API.
    Description,
}

impl Group {
    pub(super) const ALL: [Self; 5] =
        [Self::Names, Self::Operations, Self::Stacks, Self::Templates, Self::Description];

    /// Returns the name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Names => "Names",
            Self::Operations => "Operations",
            Self::Stacks => "Stacks",
            Self::Templates => "Templates",
            Self::Description => "Description of the API",
        }
    }

    /// Returns what the operations of the group are about.
    pub(super) fn about(self) -> &'static str {
        match self {
            Self::Names => "Whether a name is available for a stack.",
            Self::Operations => {
                "An operation changes a stack and takes some time. A deployment brings a stack up, \
                 a removal takes it down. Its events say how far it is."
            }
            Self::Stacks => "The stacks that are live.",
            Self::Templates => "The templates of which stacks are made, and their questions.",
            Self::Description => "This document, for programs and for people.",
        }
    }
}

/// The row of a route, as far as it decides what the guards answer.
#[derive(Clone)]
pub(in crate::http) struct Row {
    pub(in crate::http) method: Method,
    pub(in crate::http) path: &'static str,
    /// What callers need; `None` if everyone may use it.
    pub(in crate::http) permission: Option<Permission>,
    /// What its requests count as, if they are limited.
    pub(in crate::http) counted: Option<Counted>,
}

/// A function that describes a route.
pub(in crate::http) type Describe = fn(Described) -> Described;

/// The operation of a route, under construction.
pub(in crate::http) struct Described {
    pub(super) row: Row,
    pub(super) operation: OperationBuilder,
    codes: Vec<RefusalCode>,
}

impl Described {
    /// Begins with what follows from the row.
    pub(in crate::http) fn of(row: Row) -> Self {
        let mut codes = ALWAYS.to_vec();
        if row.path.contains('{') {
            codes.push(RefusalCode::InvalidPath);
        }
        if row.method != Method::GET {
            codes.push(RefusalCode::CrossSite);
        }
        if row.counted.is_some() {
            codes.push(RefusalCode::TooManyRequests);
        }
        let mut operation = OperationBuilder::new();
        match row.permission {
            None => operation = operation.securities(Some([])),
            Some(permission) => {
                codes.extend([
                    RefusalCode::SignInRequired,
                    RefusalCode::TokenInvalid,
                    RefusalCode::StoreUnavailable,
                ]);
                if changes(permission) {
                    codes.push(RefusalCode::ScopeMissing);
                }
                operation = operation.securities(Some(securities())).response(
                    "303",
                    ResponseBuilder::new()
                        .description(
                            "The caller is not signed in, and the header `Accept` has `text/html`: \
                             the way to the sign-in page.",
                        )
                        .header("Location", header("The path of the sign-in page.")),
                );
            }
        }
        Self { row, operation, codes }
    }

    /// Sets the id, the group, the summary and the description.
    pub(super) fn named(mut self, id: &str, group: Group, summary: &str, about: &str) -> Self {
        let operation = self.operation.operation_id(Some(id)).tag(group.name());
        self.operation = operation.summary(Some(summary)).description(Some(about));
        self
    }

    /// Adds a parameter of the path.
    pub(super) fn path(self, name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameter(ParameterIn::Path, name, about, schema)
    }

    /// Adds an optional parameter of the query.
    pub(super) fn query(self, name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameter(ParameterIn::Query, name, about, schema)
    }

    /// Adds an optional header.
    pub(super) fn header(self, name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameter(ParameterIn::Header, name, about, schema)
    }

    fn parameter(
        mut self,
        place: ParameterIn,
        name: &str,
        about: &str,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        let is_path = place == ParameterIn::Path;
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(if is_path { Required::True } else { Required::False })
            .description(Some(about))
            .schema(Some(schema));
        self.operation = self.operation.parameter(parameter);
        self
    }

    /// Sets the body of the request, in JSON.
    pub(super) fn body(mut self, schema: &str, about: &str) -> Self {
        let body = RequestBodyBuilder::new()
            .description(Some(about))
            .required(Some(Required::True))
            .content(JSON, json(schema));
        self.operation = self.operation.request_body(Some(body.build()));
        self
    }

    /// Adds an answer in JSON.
    pub(super) fn answers(self, status: StatusCode, schema: &str, about: &str) -> Self {
        self.responds(status, ResponseBuilder::new().description(about).content(JSON, json(schema)))
    }

    /// Adds an answer in JSON with the path of what was begun in `Location`.
    pub(super) fn creates(self, schema: &str, about: &str) -> Self {
        let location = header("The path of the new operation, below `/api/deployment/`.");
        let response = ResponseBuilder::new().description(about).content(JSON, json(schema));
        self.responds(StatusCode::CREATED, response.header("Location", location))
    }

    /// Adds an answer with text of this content type.
    pub(super) fn answers_text(self, kind: &str, about: &str) -> Self {
        let content = ContentBuilder::new().schema(Some(text())).build();
        self.responds(
            StatusCode::OK,
            ResponseBuilder::new().description(about).content(kind, content),
        )
    }

    /// Adds an answer without content.
    pub(super) fn answers_nothing(self, status: StatusCode, about: &str) -> Self {
        self.responds(status, ResponseBuilder::new().description(about))
    }

    /// Adds an answer.
    pub(super) fn responds(mut self, status: StatusCode, response: ResponseBuilder) -> Self {
        self.operation = self.operation.response(status.as_str(), response);
        self
    }

    /// Adds what the handler refuses.
    pub(super) fn refuses(mut self, codes: impl IntoIterator<Item = RefusalCode>) -> Self {
        self.codes.extend(codes);
        self
    }

    /// Returns the path, the method and the operation with all its answers.
    pub(super) fn finish(mut self) -> (&'static str, HttpMethod, OperationBuilder) {
        let mut statuses: Vec<_> = self.codes.iter().map(|code| code.status()).collect();
        statuses.sort_unstable();
        statuses.dedup();
        for status in statuses {
            let mut codes = Vec::new();
            for code in &self.codes {
                if code.status() == status && !codes.contains(code) {
                    codes.push(*code);
                }
            }
            self.operation = self.operation.response(status.to_string(), refusal(status, &codes));
        }
        (self.row.path, method(&self.row.method), self.operation)
    }
}

/// Returns whether a token needs more than the scope to read.
fn changes(permission: Permission) -> bool {
    match permission {
        Permission::Start | Permission::Change => true,
        Permission::Browse
        | Permission::ViewPublic
        | Permission::View
        | Permission::Account
        | Permission::Operate => false,
    }
}

/// Returns the ways to be known: a token, a session, or none, in a portal without sign-in.
fn securities() -> [SecurityRequirement; 3] {
    let none: [&str; 0] = [];
    [
        SecurityRequirement::new(TOKEN_SCHEME, none),
        SecurityRequirement::new(SESSION_SCHEME, none),
        SecurityRequirement::default(),
    ]
}

/// Returns the answer to what is refused with this status for one of these reasons.
fn refusal(status: u16, codes: &[RefusalCode]) -> ResponseBuilder {
    let lines = codes.iter().map(|code| format!("- `{}`: {}", code.as_str(), meaning(*code)));
    let names = codes.iter().map(|code| code.as_str());
    let code = ObjectBuilder::new().property("code", text().enum_values(Some(names)));
    let error = AllOfBuilder::new().item(reference(ERROR)).item(code);
    let content = ContentBuilder::new().schema(Some(error)).build();
    let about = lines.collect::<Vec<_>>().join("\n");
    let response = ResponseBuilder::new().description(about).content(JSON, content);
    match status {
        401 => response.header("WWW-Authenticate", header("`Bearer`.")),
        409 | 429 | 503 => {
            let seconds = HeaderBuilder::new()
                .schema(Some(integer().minimum(Some(1))))
                .description(Some(
                    "The number of seconds after which another attempt may succeed, if waiting helps.",
                ))
                .build();
            response.header("Retry-After", seconds)
        }
        _ => response,
    }
}

/// Returns a header with text.
pub(super) fn header(about: &str) -> utoipa::openapi::Header {
    HeaderBuilder::new().schema(Some(text())).description(Some(about)).build()
}

/// Returns content with a schema of the document.
fn json(schema: &str) -> Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build()
}

fn method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::DELETE => HttpMethod::Delete,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        _ => HttpMethod::Get,
    }
}
