//! The recordings of the real platform: of deployments, and of later operation ("day two").

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The offset of the numbers of day-two recordings: day-two 45 has the number 1045.
const DAY_TWO: u32 = 1_000;

/// Reads all recordings: by number, each with its name and its text.
pub fn all() -> BTreeMap<u32, (String, String)> {
    let mut all = BTreeMap::new();
    for (folder, offset) in [("", 0), ("day-two", DAY_TWO)] {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../dokploy/recordings").join(folder);
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                let number: u32 = name.split('-').next().unwrap().parse().unwrap();
                let name = if offset == 0 { name } else { format!("day two {name}") };
                all.insert(number + offset, (name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    all
}
