//! The pages, their server functions and the files of the site: all of Leptos' wiring.

use std::sync::Arc;

use axum::Router;
use leptos::{config::LeptosOptions, prelude::provide_context};
use leptos_axum::{
    LeptosRoutes, file_and_error_handler_with_context, generate_route_list, site_pkg_dir_service,
};

use crate::{
    app::{App, shell},
    server::service::Service,
};

/// Returns the routes of the pages, which find `service` in their context.
pub fn pages(options: LeptosOptions, service: Arc<Service>) -> Router {
    let context = move || provide_context(Arc::clone(&service));
    let document = {
        let options = options.clone();
        move || shell(options.clone())
    };
    let files = format!("/{}", options.site_pkg_dir);
    Router::new()
        .leptos_routes_with_context(&options, generate_route_list(App), context.clone(), document)
        // Serves `.br` and `.gz` where the build made them.
        .nest_service(&files, site_pkg_dir_service(&options))
        .fallback(file_and_error_handler_with_context::<LeptosOptions, _>(context, shell))
        .with_state(options)
}
