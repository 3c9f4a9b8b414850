//! The description of the API: an OpenAPI document, made from the table of routes.
//!
//! It is the same for every portal of a version. What depends on the settings, such as whether people
//! sign in, is said in sentences.

mod codes;
mod described;
pub(super) mod lives;
pub(super) mod logs;
pub(super) mod operations;
mod schema;
mod schemas;
mod view;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem,
};

pub(super) use self::described::{Describe, Described, Row};
use super::site;
use crate::api::docs::ApiDocs;
use crate::server::auth::cookies;
use described::{Group, SESSION_SCHEME, TOKEN_SCHEME};

const TITLE: &str = "ai-stack-deployer";
const ABOUT: &str = "Starts AI stacks, reports how it goes on, and removes them. \
    All times are in UTC, all durations in the unit that their names or descriptions say. \
    A request with HEAD is answered like GET, without the content. \
    Where people sign in (`AUTH=oidc`), a request needs an API token or the cookie of a session; \
    where the portal is open to all (`AUTH=open`), it needs neither. \
    A stack that a browser started belongs to the cookie of that browser. \
    The probes `/livez`, `/readyz` and `/health`, the metrics at `/metrics`, the icons of templates \
    and the pages are not part of this document.";

/// The document, as programs get it and as the page shows it.
#[derive(Debug)]
pub(super) struct Document {
    json: Bytes,
    tag: HeaderValue,
    /// What the page shows.
    pub(super) docs: Arc<ApiDocs>,
}

impl Document {
    /// Makes the document of these routes.
    pub(super) fn of(described: impl Iterator<Item = Described>) -> Self {
        let openapi = openapi(described);
        let json = serde_json::to_value(&openapi).unwrap_or_default();
        let docs = Arc::new(view::of(&json));
        // The order of the fields is that of the types, not of the alphabet.
        let json = Bytes::from(openapi.to_json().unwrap_or_default());
        let tag = site::tag(&json);
        Self { json, tag, docs }
    }

    /// Returns the document as JSON.
    pub(super) fn json(&self) -> &str {
        std::str::from_utf8(&self.json).unwrap_or_default()
    }

    /// Answers a request for the document.
    pub(super) fn answer(&self, headers: &HeaderMap) -> Response {
        let fixed = [
            (header::CACHE_CONTROL, HeaderValue::from_static("public, no-cache")),
            (header::ETAG, self.tag.clone()),
        ];
        if site::has(headers, &self.tag) {
            return (StatusCode::NOT_MODIFIED, fixed).into_response();
        }
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        (fixed, kind, Body::from(self.json.clone())).into_response()
    }
}

fn openapi(described: impl Iterator<Item = Described>) -> OpenApi {
    let paths = described.fold(PathsBuilder::new(), |paths, described| {
        let (path, method, operation) = described.finish();
        paths.path(path, PathItem::new(method, operation))
    });
    let info = InfoBuilder::new()
        .title(TITLE)
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build()));
    let tags = Group::ALL
        .map(|group| TagBuilder::new().name(group.name()).description(Some(group.about())).build());
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API token, which people make on their account page."));
    let session = ApiKeyValue::with_description(
        cookies::SESSION,
        "The cookie of a session, which browsers get by a sign-in.",
    );
    let components = schemas::add(ComponentsBuilder::new())
        .security_scheme(TOKEN_SCHEME, SecurityScheme::Http(token.build()))
        .security_scheme(SESSION_SCHEME, SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    OpenApiBuilder::new()
        .info(info.build())
        .paths(paths)
        .components(Some(components.build()))
        .tags(Some(tags))
        .build()
}
