//! Name checks per second: of an open portal, and of one where people sign in.

use std::net::SocketAddr;
use std::path::Path;

use ai_stack_deployer::server::auth::access::Role;
use anyhow::{bail, ensure};

use super::connection::{Connection, get_with};
use super::figure::{Figure, Unit};
use super::load::{CONNECTIONS, Side, in_turns};
use super::people::{self, SIGN_IN};
use super::sides::Servers;
use super::{Effort, older};

/// The number of names that are asked for in turn; all are free and equally long.
const NAMES: usize = 1_000;
/// A way to ask for name checks.
struct Way {
    name: &'static str,
    beside_older: &'static str,
    portal: SocketAddr,
    /// The fields of its requests.
    fields: String,
    note: &'static str,
}

/// Measures an open portal and one where people sign in, beside a bare route with the same JSON, and
/// beside the older server if there is one.
pub(crate) async fn measure(binary: &Path, effort: Effort) -> anyhow::Result<Vec<Figure>> {
    let limit = ("CHECK_RATE_LIMIT", "none");
    let open = Servers::start(binary, &[limit]).await?;
    let sign_in: Vec<_> = SIGN_IN.into_iter().chain([limit]).collect();
    let closed = Servers::start(binary, &sign_in).await?;
    let person = people::add(&closed.home.database, Role::Member).await?;
    let ways = [
        Way {
            name: "name checks",
            beside_older: "name checks, older server",
            portal: open.portal.addr(),
            fields: String::new(),
            note: "An open portal.",
        },
        Way {
            name: "name checks, session",
            beside_older: "name checks, session, older server",
            portal: closed.portal.addr(),
            fields: person.session,
            note: "A portal where people sign in, by the cookie of a session.",
        },
        Way {
            name: "name checks, API token",
            beside_older: "name checks, API token, older server",
            portal: closed.portal.addr(),
            fields: person.token,
            note: "A portal where people sign in, by an API token.",
        },
    ];
    let mut figures = Vec::new();
    for way in &ways {
        figures.extend(one_way(way, &open, effort).await?);
    }
    open.end().await;
    closed.end().await;
    Ok(figures)
}

/// Measures one way, with the servers beside `open`.
async fn one_way(way: &Way, open: &Servers, effort: Effort) -> anyhow::Result<Vec<Figure>> {
    let bare = open.bare(None).await?;
    let older = open.older().await?;
    let mut sides = vec![side(way.portal, &way.fields), side(bare.addr(), &way.fields)];
    ensure_same_size(&sides).await?;
    sides.extend(older.as_ref().map(|older| side(older.server.addr(), &way.fields)));
    let rates = in_turns(&sides, effort).await?;
    let [ours, bare, rest @ ..] = rates.as_slice() else { bail!("a side is missing") };
    let beside_bare = Figure::median(way.name, Unit::PerSecond, ours)
        .baseline(bare.median())
        .at_least(0.5)
        .note(way.note)
        .note(format!(
            "GET /api/check/:name over {CONNECTIONS} connections, {NAMES} free names, an empty \
             SQLite store, the sandbox as platform."
        ))
        .note(
            "Baseline: a bare axum route with the same JSON; client and servers share the cores.",
        );
    let beside_older = rest.iter().map(|older| {
        let figure = Figure::median(way.beside_older, Unit::PerSecond, ours);
        figure.baseline(older.median()).at_least(1.0).note(way.note).note(older::NOTE)
    });
    Ok([beside_bare].into_iter().chain(beside_older).collect())
}

fn side(addr: SocketAddr, fields: &str) -> Side {
    let names = (0..NAMES).map(|number| format!("/api/check/name-{number:05}"));
    Side { addr, requests: names.map(|path| get_with(&path, fields)).collect() }
}

/// Fails when they do not answer with equally long bodies.
async fn ensure_same_size(sides: &[Side]) -> anyhow::Result<()> {
    let mut lengths = Vec::new();
    for Side { addr, requests } in sides {
        let mut connection = Connection::open(*addr).await?;
        for request in requests.iter().take(2) {
            lengths.push(connection.ask(request).await?.len());
        }
    }
    lengths.dedup();
    ensure!(lengths.len() == 1, "the baseline answers with another body than the portal");
    Ok(())
}
