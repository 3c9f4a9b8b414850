//! The templates that are built in for the sandbox.

use crate::folder::Files;

/// Returns their files, by their ids.
pub(crate) fn all() -> Vec<(String, Files)> {
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
