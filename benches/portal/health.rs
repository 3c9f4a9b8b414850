//! Health checks per second.

use std::path::Path;

use super::Effort;
use super::connection::{Connection, get};
use super::figure::{Figure, Unit};
use super::load::{CONNECTIONS, Side, in_turns};
use super::older;
use super::sides::Servers;

const NAMES: [(&str, &str); 2] = [("/health", "/health, older server"), ("/readyz", "")];

/// Measures both health checks beside bare routes that answer with as many bytes, and beside the
/// older server if there is one.
pub(crate) async fn measure(binary: &Path, effort: Effort) -> anyhow::Result<Vec<Figure>> {
    let servers = Servers::start(binary, &[]).await?;
    let folder = tempfile::tempdir()?;
    for (number, (path, _)) in NAMES.iter().enumerate() {
        let mut connection = Connection::open(servers.portal.addr()).await?;
        std::fs::write(folder.path().join(number.to_string()), connection.ask(&get(path)).await?)?;
    }
    let bare = servers.bare(Some(folder.path())).await?;
    let older = servers.older().await?;
    let mut figures = Vec::new();
    for (number, (path, beside_older)) in NAMES.into_iter().enumerate() {
        let mut sides = vec![
            Side::of_one(servers.portal.addr(), get(path)),
            Side::of_one(bare.addr(), get(&format!("/body/{number}"))),
        ];
        let older = older.as_ref().filter(|_| !beside_older.is_empty());
        sides.extend(older.map(|older| Side::of_one(older.server.addr(), get("/health"))));
        let rates = in_turns(&sides, effort).await?;
        let [ours, bare, rest @ ..] = rates.as_slice() else { continue };
        figures.push(
            Figure::median(path, Unit::PerSecond, ours)
                .baseline(bare.median())
                .at_least(0.5)
                .note(format!(
                    "Over {CONNECTIONS} connections, by a portal that is a process of its own."
                ))
                .note(
                    "Baseline: a bare axum server that sends the same body; all share the cores.",
                ),
        );
        figures.extend(rest.iter().map(|older| {
            let figure = Figure::median(beside_older, Unit::PerSecond, ours);
            figure.baseline(older.median()).note(older::NOTE)
        }));
    }
    servers.end().await;
    Ok(figures)
}
