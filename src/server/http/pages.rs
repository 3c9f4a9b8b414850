//! The pages: all that Leptos needs to be wired into the router.
//!
//! What a page shows, and its content policy, are `app`'s business.

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, Response, header},
    middleware::{Next, from_fn},
    response::IntoResponse,
};
use leptos::prelude::{LeptosOptions, provide_context};
use leptos_axum::{
    LeptosRoutes, file_and_error_handler_with_context, generate_route_list, site_pkg_dir_service,
    site_pkg_dir_service_route_path,
};
use tower::ServiceBuilder;
use tower_http::{limit::RequestBodyLimitLayer, set_header::SetResponseHeaderLayer};

use super::{error, page_cookies};
use crate::{
    app::{App, shell},
    server::{auth::sign_in::SignInService, stacks::Service},
};

/// Returns the pages, their server functions and the built site's files. Where people sign in,
/// the pages know the `sign_in_service`.
pub fn pages(
    options: LeptosOptions,
    service: Arc<Service>,
    sign_in_service: Option<Arc<SignInService>>,
) -> Router {
    let context = move || {
        provide_context(Arc::clone(&service));
        if let Some(sign_in_service) = sign_in_service.clone() {
            provide_context(sign_in_service);
        }
    };
    let document = {
        let options = options.clone();
        move || shell(options.clone())
    };
    let files = ServiceBuilder::new()
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            lifetime(options.hash_files),
        ))
        .service(site_pkg_dir_service(&options));
    Router::new()
        .leptos_routes_with_context(&options, generate_route_list(App), context.clone(), document)
        .route_service(&site_pkg_dir_service_route_path(&options), files)
        .fallback(file_and_error_handler_with_context::<LeptosOptions, _>(context, shell))
        .layer(RequestBodyLimitLayer::new(error::BODY_LIMIT))
        .layer(from_fn(refuse_long_bodies))
        .layer(from_fn(page_cookies::read))
        .with_state(options)
}

/// Says how long a browser may use a file without asking again: for good where the name
/// changes with the content, else never, since the page and its code must be of one build.
fn lifetime<B>(hashed: bool) -> impl FnMut(&Response<B>) -> Option<HeaderValue> + Clone {
    let found = HeaderValue::from_static(if hashed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    });
    move |response: &Response<B>| response.status().is_success().then(|| found.clone())
}

/// Refuses a body that says that it is too long, in the form of every other error.
async fn refuse_long_bodies(request: Request, next: Next) -> axum::response::Response {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > error::BODY_LIMIT) {
        return error::body_too_large().into_response();
    }
    next.run(request).await
}
