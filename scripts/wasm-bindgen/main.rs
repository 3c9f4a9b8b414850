//! Does what building the site asks of the command `wasm-bindgen`, and takes the same arguments:
//! `wasm-bindgen --target=web --out-name=NAME --out-dir=FOLDER INPUT`. cargo-leptos uses it as well.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

/// What the arguments ask for.
#[derive(Default)]
struct Job {
    name: Option<String>,
    folder: Option<PathBuf>,
    input: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments == ["--version"] {
        println!("wasm-bindgen {}", env!("CARGO_PKG_VERSION"));
        return Ok(());
    }
    generate(&parse(&arguments)?)
}

fn parse(arguments: &[String]) -> Result<Job> {
    let mut job = Job::default();
    for argument in arguments {
        match argument.split_once('=') {
            Some(("--target", "web")) => {}
            Some(("--out-name", name)) => job.name = Some(name.to_owned()),
            Some(("--out-dir", folder)) => job.folder = Some(folder.into()),
            None if !argument.starts_with('-') => job.input = Some(argument.into()),
            _ => bail!(
                "this wasm-bindgen only builds the portal's site and does not know {argument}"
            ),
        }
    }
    Ok(job)
}

/// Writes the module, its JavaScript and its TypeScript declarations, as the whole command does by default.
fn generate(job: &Job) -> Result<()> {
    Bindgen::new()
        .input_path(job.input.as_ref().context("the input is missing")?)
        .out_name(job.name.as_ref().context("--out-name is missing")?)
        .web(true)?
        .typescript(true)
        .omit_default_module_path(false)
        .generate(job.folder.as_ref().context("--out-dir is missing")?)
}
