//! The number of bytes that a browser loads on its first visit, for the home page and for the page of
//! a deployment: as they go over the wire.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use dokploy_sandbox::Timing;
use reqwest::Client;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use serde_json::{Value, json};

use super::figure::{Figure, Unit};
use super::world::{World, client};

/// The pages: the names of their figures, and the aim in kilobytes.
const HOME: (&str, &str, f64) = ("first load, home, Brotli", "first load, home, raw", 110.0);
const DEPLOYMENT: (&str, &str, f64) =
    ("first load, deployment, Brotli", "first load, deployment, raw", 140.0);

/// A file of the first load.
struct Loaded {
    path: String,
    brotli: usize,
    raw: usize,
    compressed: bool,
}

/// Loads both pages and everything that they name, from the site built in `site`.
pub(crate) async fn measure(site: &Path) -> anyhow::Result<Vec<Figure>> {
    if !site.join("pkg").is_dir() {
        let reason = format!("No site in {}: build it with `scripts/serve`.", site.display());
        let skipped = |name| Figure::skipped(name, Unit::Kilobytes, reason.clone());
        return Ok([HOME.0, HOME.1, DEPLOYMENT.0, DEPLOYMENT.1].map(skipped).into());
    }
    let world = World::start(Timing::NONE, site).await?;
    let client = client()?;
    let name = json!({ "name": "weighed" });
    let started = client.post(format!("{}/api/deploy", world.root())).json(&name).send().await?;
    let started: Value = started.error_for_status()?.json().await?;
    let id = started.get("deploymentId").and_then(Value::as_str).context("no deployment")?;
    let mut all = figures(HOME, &load_all(&client, &world, "/").await?);
    let deployment = format!("/deployments/{id}");
    all.extend(figures(DEPLOYMENT, &load_all(&client, &world, &deployment).await?));
    world.end().await;
    Ok(all)
}

/// Loads the page at `address` and everything that it names.
async fn load_all(client: &Client, world: &World, address: &str) -> anyhow::Result<Vec<Loaded>> {
    let (page, _) = load(client, world, address, "identity").await?;
    let mut paths = BTreeSet::from([address.to_owned()]);
    paths.extend(files_in(&String::from_utf8_lossy(&page)));
    let mut loaded = Vec::new();
    for path in paths {
        let (brotli, compressed) = load(client, world, &path, "br").await?;
        let (raw, _) = load(client, world, &path, "identity").await?;
        loaded.push(Loaded { path, brotli: brotli.len(), raw: raw.len(), compressed });
    }
    Ok(loaded)
}

#[expect(clippy::cast_precision_loss, reason = "pages are no terabytes")]
fn figures(
    (brotli_name, raw_name, aim): (&'static str, &'static str, f64),
    loaded: &[Loaded],
) -> Vec<Figure> {
    let kilobytes = |bytes: usize| bytes as f64 / 1_000.0;
    let brotli = loaded.iter().map(|file| file.brotli).sum();
    let raw = loaded.iter().map(|file| file.raw).sum();
    let mut figure = Figure::new(brotli_name, Unit::Kilobytes, kilobytes(brotli))
        .baseline(kilobytes(raw))
        .aim(aim)
        .note("Bodies as the portal sends them for the page and the files that it names, headers left out.")
        .note("Baseline: the same without compression.");
    for Loaded { path, brotli, raw, compressed } in loaded {
        let form = if *compressed { "Brotli" } else { "not compressed" };
        figure = figure.note(format!("{brotli:>9} of {raw:>9} bytes  {path} ({form})"));
    }
    vec![figure, Figure::new(raw_name, Unit::Kilobytes, kilobytes(raw))]
}

/// Loads `path`, and tells whether it came as Brotli.
async fn load(
    client: &Client,
    world: &World,
    path: &str,
    encoding: &str,
) -> anyhow::Result<(Vec<u8>, bool)> {
    let request = client.get(format!("{}{path}", world.root())).header(ACCEPT_ENCODING, encoding);
    let response = request.send().await?.error_for_status()?;
    let compressed = response.headers().get(CONTENT_ENCODING).is_some_and(|value| value == "br");
    Ok((response.bytes().await?.into(), compressed))
}

/// Finds the files that `html` names: what stands in quotes, begins at the root and has an
/// ending.
fn files_in(html: &str) -> impl Iterator<Item = String> {
    let quoted = html.split(['"', '\'', '`']);
    let is_file = |text: &&str| {
        let name = text.rsplit('/').next().unwrap_or_default();
        text.starts_with('/') && name.contains('.') && !text.contains(char::is_whitespace)
    };
    quoted.filter(is_file).map(str::to_owned)
}
