//! The forms of names, paths and images.

/// Returns whether `text` is an id: a lower-case letter, then letters, digits and hyphens.
pub(super) fn is_id(text: &str) -> bool {
    let may = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(may)
        && !text.ends_with('-')
        && text.len() <= 32
}

/// Returns whether `text` is a key: a lower-case letter, then letters, digits and underscores.
pub(super) fn is_key(text: &str) -> bool {
    let may = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(may) && text.len() <= 48
}

/// Returns whether `text` is a version.
pub(super) fn is_version(text: &str) -> bool {
    let may = |c: char| c.is_ascii_alphanumeric() || ".+-_".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(may)
        && text.len() <= 32
}

/// Returns whether `text` is a path below an address: one slash first, and nothing that leads to
/// another host.
pub(super) fn is_path(text: &str) -> bool {
    let may = |c: char| c.is_ascii_graphic() && !"\\\"'`<>{}^|".contains(c);
    text.starts_with('/') && !text.starts_with("//") && text.chars().all(may) && text.len() <= 200
}

/// Returns whether `text` is a registry if there is one, a name, and a tag if there is one.
fn is_reference(text: &str) -> bool {
    let (folders, last) = text.rsplit_once('/').unwrap_or(("", text));
    let (last, tag) = match last.split_once(':') {
        Some((last, tag)) => (last, Some(tag)),
        None => (last, None),
    };
    let mut parts: Vec<_> = folders.split('/').filter(|_| !folders.is_empty()).collect();
    // A registry has a dot, a port or upper case in its name, which tells it from a folder.
    let is_registry = |part: &&str| part.contains(['.', ':']) || part.contains(char::is_uppercase);
    let registry = parts.first().copied().filter(is_registry);
    if registry.is_some() {
        parts.remove(0);
    }
    let is_part = |part: &str| {
        let may = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let is_separator = |run: &str| {
            matches!(run, "" | "." | "_" | "__") || run.bytes().all(|byte| byte == b'-')
        };
        part.starts_with(may) && part.ends_with(may) && part.split(may).all(is_separator)
    };
    registry.is_none_or(is_host)
        && parts.into_iter().chain([last]).all(is_part)
        && tag.is_none_or(is_tag)
}

/// Returns whether `text` is the name of a host, with a port if there is one.
fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, "0"));
    let may = |c: char| c.is_ascii_alphanumeric() || c == '-';
    name.split('.').all(|label| !label.is_empty() && label.chars().all(may))
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok()
}

/// Returns whether `text` is a tag.
fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.starts_with(word)
        && text.chars().all(|c| word(c) || c == '.' || c == '-')
        && text.len() <= 128
}

/// Says what is wrong with the reference of an image.
pub(super) fn image_fault(image: &str) -> Option<String> {
    let (reference, digest) = match image.split_once('@') {
        Some((reference, digest)) => (reference, Some(digest)),
        None => (image, None),
    };
    if !is_reference(reference) || image.len() > 255 {
        return Some(String::from(
            "`image` is no reference of an image: write one such as ghcr.io/example/app:1.2.3",
        ));
    }
    let is_digest = |digest: &str| {
        let hex = digest.strip_prefix("sha256:").unwrap_or_default();
        hex.len() == 64
            && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return Some(String::from(
            "the digest of `image` must be sha256: and 64 hexadecimal digits in lower case",
        ));
    }
    None
}

/// Returns whether an image without a digest can change under its name: it has no tag, or one
/// that does not name one release.
pub(super) fn is_floating(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or_default();
    let tag = name.split_once(':').map(|(_, tag)| tag.trim_start_matches('v'));
    !image.contains('@')
        && !tag.is_some_and(|tag| {
            let numbers = tag
                .split(['.', '-', '_'])
                .filter(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
            // A date, or at least two numbers of a version.
            numbers.clone().count() > 1 || numbers.clone().any(|number| number.len() >= 8)
        })
}

/// Says what is wrong with the name of a variable that a template sets.
pub(super) fn variable_fault(name: &str) -> Option<String> {
    if !domain::template::carry::is_variable_name(name) || name.len() > 100 {
        return Some(format!(
            "{name:?} cannot name a variable: use letters, digits and underscores, no digit first"
        ));
    }
    let is_reserved = name == "PATH" || name.starts_with("STACK_") || name.starts_with("LD_");
    is_reserved.then(|| {
        format!(
            "the variable {name} is reserved: PATH, STACK_* and LD_* cannot be set by a template"
        )
    })
}

/// The folders of the system, in which no volume may be.
const SYSTEM: [&str; 10] =
    ["/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys"];
/// The folders that no volume may cover, but in which it may be.
const SHARED: [&str; 7] = ["/", "/home", "/opt", "/root", "/tmp", "/usr", "/var"];

/// Says what is wrong with the folder of a volume.
pub(super) fn volume_fault(path: &str) -> Option<String> {
    let may = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let is_plain = path.starts_with('/')
        && path.chars().all(may)
        && path.split('/').skip(1).all(|part| !part.is_empty() && part != "." && part != "..");
    if path != "/" && (!is_plain || path.len() > 200) {
        return Some(String::from(
            "`path` of a volume must be an absolute path without `..`, such as /app/data",
        ));
    }
    let is_in_system = SYSTEM.iter().any(|folder| is_in(path, folder));
    (is_in_system || SHARED.contains(&path)).then(|| {
        format!("{path} belongs to the system of the image: choose a folder of the program's data")
    })
}

/// Returns whether `path` is `folder`, or is in it.
pub(super) fn is_in(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Reads an amount of memory, such as `512MiB`, in bytes.
pub(super) fn memory(text: &str) -> Option<u64> {
    let (digits, unit) = [("MiB", 1_u64 << 20), ("GiB", 1 << 30)]
        .into_iter()
        .find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)))?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let bytes = digits.parse::<u64>().ok().filter(|_| is_number)?.checked_mul(unit)?;
    // Docker takes no less than 6 MiB.
    (6 << 20..=1 << 42).contains(&bytes).then_some(bytes)
}
