//! The templates that are built in for the sandbox.

use crate::folder::{Catalogue, Files, Reading};

/// The definition of the next version of the template `workflow`.
const NEXT_WORKFLOW: &str = include_str!("../builtin/workflow/next.toml");

impl Catalogue {
    /// Returns the templates that are built in for the sandbox.
    pub fn built_in() -> Reading {
        let all = all().into_iter().map(|(id, files)| (id, Ok(files))).collect();
        Self::default().with(all, Vec::new())
    }

    /// Returns the built-in templates after `workflow` has a newer version, whose image fails its
    /// health check.
    pub fn next_built_in(&self) -> Reading {
        let all = next().into_iter().map(|(id, files)| (id, Ok(files))).collect();
        self.with(all, Vec::new())
    }
}

/// Returns their files by their ids, after `workflow` has a newer version.
fn next() -> Vec<(String, Files)> {
    let newer = |(id, files): (String, Files)| {
        let definition = match id.as_str() {
            "workflow" => NEXT_WORKFLOW.to_owned(),
            _ => files.definition,
        };
        (id, Files { definition, ..files })
    };
    all().into_iter().map(newer).collect()
}

/// Returns their files, by their ids.
fn all() -> Vec<(String, Files)> {
    macro_rules! built_in {
        ($id:literal) => {
            (
                $id,
                include_str!(concat!("../builtin/", $id, "/template.toml")),
                include_str!(concat!("../builtin/", $id, "/icon.svg")),
            )
        };
    }
    let files = |(id, definition, icon): (&str, &str, &str)| {
        let file = format!("{id}/template.toml");
        let files = Files {
            file,
            definition: definition.to_owned(),
            icon: Some(icon.to_owned()),
            readme: None,
        };
        (id.to_owned(), files)
    };
    [built_in!("chat"), built_in!("notebook"), built_in!("workflow")]
        .into_iter()
        .map(files)
        .collect()
}
