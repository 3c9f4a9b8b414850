//! Signing in and out, with a real provider, and with one that sends forged answers.

mod callback;
mod check;
mod cookies;
mod foreign;
mod forged;
mod levels;
mod open;
mod origins;
mod outage;
mod quirks;
mod recent;
mod secrets;
mod sessions;
mod tabs;
mod tokens;
mod user_info;
mod whole;
mod world;

use crate::support::app::TestApp;

/// Returns the portal with its pages and these variables.
fn portal(variables: &[(&'static str, String)]) -> (TestApp, tempfile::TempDir) {
    let site = tempfile::tempdir().unwrap();
    std::fs::create_dir(site.path().join("pkg")).unwrap();
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    (TestApp::with_pages(&variables, site.path()), site)
}
