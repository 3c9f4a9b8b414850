//! Pages rendered per second.

use std::path::Path;

use super::Effort;
use super::connection::{Connection, get};
use super::deployment::{post, until, until_complete};
use super::figure::{Figure, Unit};
use super::load::{CONNECTIONS, Side, in_turns};
use super::older;
use super::sides::Servers;
use super::world::client;

/// The pages, in the order in which they are measured.
const NAMES: [&str; 3] =
    ["home page", "page of an ended deployment", "page of a running deployment"];
/// The home page beside that of the older server, which is a constant.
const BESIDE_OLDER: &str = "home page, older server";

/// The phase of a deployment whose stack does not answer yet, in an event.
const VERIFYING: &str = "\"phase\":\"verifying_health\"";

/// Measures the pages beside bare routes that send the same bytes, and the home page beside that of
/// the older server if there is one.
pub(crate) async fn measure(binary: &Path, effort: Effort) -> anyhow::Result<Vec<Figure>> {
    let servers = Servers::start(binary, &[]).await?;
    let paths = paths(&servers).await?;
    let folder = tempfile::tempdir()?;
    let mut lengths = Vec::new();
    for (number, path) in paths.iter().enumerate() {
        let mut connection = Connection::open(servers.portal.addr()).await?;
        let page = connection.ask(&get(path)).await?;
        lengths.push(page.len());
        std::fs::write(folder.path().join(number.to_string()), page)?;
    }
    let bare = servers.bare(Some(folder.path())).await?;
    let older = servers.older().await?;
    let mut figures = Vec::new();
    for (number, (name, path)) in NAMES.into_iter().zip(&paths).enumerate() {
        let mut sides = vec![
            Side::of_one(servers.portal.addr(), get(path)),
            Side::of_one(bare.addr(), get(&format!("/body/{number}"))),
        ];
        let older = older.as_ref().filter(|_| path == "/");
        sides.extend(older.map(|older| Side::of_one(older.server.addr(), get("/"))));
        let rates = in_turns(&sides, effort).await?;
        let [ours, bare, rest @ ..] = rates.as_slice() else { continue };
        let length = lengths.get(number).copied().unwrap_or_default();
        figures.push(
            Figure::median(name, Unit::PerSecond, ours)
                .baseline(bare.median())
                .note(format!("GET {path} over {CONNECTIONS} connections: {length} bytes, sent again while it shows the same."))
                .note("Baseline: a bare axum server that sends the same bytes; all share the cores."),
        );
        figures.extend(rest.iter().map(|older| {
            let figure = Figure::median(BESIDE_OLDER, Unit::PerSecond, ours);
            figure
                .baseline(older.median())
                .note(older::NOTE)
                .note("Its page is a constant of 96 bytes.")
        }));
    }
    servers.end().await;
    Ok(figures)
}

/// Returns the paths of the pages, with a deployment that has ended and one that goes on.
async fn paths(servers: &Servers) -> anyhow::Result<[String; 3]> {
    let (client, root) = (client()?, servers.portal.root());
    let ended = post(&client, &root, "ended").await?;
    // An address that answers before would be taken.
    until(&client, &ended, VERIFYING).await?;
    servers.gate.open();
    until_complete(&client, &ended).await?;
    servers.gate.shut();
    let running = post(&client, &root, "running").await?;
    until(&client, &running, VERIFYING).await?;
    let page =
        |events: &str| format!("/deployments/{}", events.rsplit('/').next().unwrap_or_default());
    Ok([String::from("/"), page(&ended), page(&running)])
}
