//! The number of bytes that a browser loads for the first page: as they go over the wire.

use std::collections::BTreeSet;
use std::path::Path;

use dokploy_sandbox::Timing;
use reqwest::Client;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING};

use super::figure::{Figure, Unit};
use super::world::{World, client};

const BROTLI: &str = "first load, Brotli";
const RAW: &str = "first load, raw";

/// A file of the first load.
struct Loaded {
    path: String,
    brotli: usize,
    raw: usize,
    compressed: bool,
}

/// Loads the home page and everything that it names, from the site built in `site`.
pub(crate) async fn measure(site: &Path) -> anyhow::Result<Vec<Figure>> {
    if !site.join("pkg").is_dir() {
        let reason = format!(
            "No site in {}: build it with `cargo leptos build --release --precompress`.",
            site.display()
        );
        let skipped = |name| Figure::skipped(name, Unit::Kilobytes, reason.clone());
        return Ok(vec![skipped(BROTLI), skipped(RAW)]);
    }
    let world = World::start(Timing::NONE, site).await?;
    let client = client()?;
    let (page, _) = load(&client, &world, "/", "identity").await?;
    let mut paths = BTreeSet::from(["/".to_owned()]);
    paths.extend(files_in(&String::from_utf8_lossy(&page)));
    let mut loaded = Vec::new();
    for path in paths {
        let (brotli, compressed) = load(&client, &world, &path, "br").await?;
        let (raw, _) = load(&client, &world, &path, "identity").await?;
        loaded.push(Loaded { path, brotli: brotli.len(), raw: raw.len(), compressed });
    }
    world.end().await;
    Ok(figures(&loaded))
}

#[expect(clippy::cast_precision_loss, reason = "pages are no terabytes")]
fn figures(loaded: &[Loaded]) -> Vec<Figure> {
    let kilobytes = |bytes: usize| bytes as f64 / 1_000.0;
    let brotli = loaded.iter().map(|file| file.brotli).sum();
    let raw = loaded.iter().map(|file| file.raw).sum();
    let mut figure = Figure::new(BROTLI, Unit::Kilobytes, kilobytes(brotli))
        .baseline(kilobytes(raw))
        .aim(130.0)
        .note("Bodies as the portal sends them for `/` and the files that it names, headers left out.")
        .note("Baseline: the same without compression.");
    for Loaded { path, brotli, raw, compressed } in loaded {
        let form = if *compressed { "Brotli" } else { "not compressed" };
        figure = figure.note(format!("{brotli:>9} of {raw:>9} bytes  {path} ({form})"));
    }
    vec![figure, Figure::new(RAW, Unit::Kilobytes, kilobytes(raw))]
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
