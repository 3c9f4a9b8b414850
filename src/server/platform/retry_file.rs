//! The portal's own file of the reverse proxy, with the middleware by which visitors wait while a
//! container is replaced.
//!
//! A host that names a middleware which does not exist answers 404, and a file that the proxy cannot
//! read, or that has an empty map, freezes all hosts (recordings day-two 466, 476, 549). So the
//! content is fixed, and nothing in it comes from a person.

use super::routes::FOLDER;

/// The attempts and the first pause with which visitors waited, and got no error, for all of the 4 s
/// that a container took (recordings day-two 541 to 544).
const ATTEMPTS: u32 = 12;
const FIRST_PAUSE: &str = "300ms";
/// The status by which the proxy itself answers at the host of the file.
const NOOP_STATUS: u16 = 418;

/// The file of a portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryFile {
    /// The name of the middleware, which begins with that of the portal.
    name: String,
    /// The host at which the proxy itself answers through the middleware.
    host: String,
}

impl RetryFile {
    /// Returns the file of the portal called `portal`, whose stacks have hosts under `suffix`;
    /// `None` unless both have the form of a host's labels.
    pub fn of(portal: &str, suffix: &str) -> Option<Self> {
        let is_plain = |text: &str| {
            let allowed =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
            !text.is_empty() && text.chars().all(allowed)
        };
        let is_valid = is_plain(portal) && !portal.contains('.') && is_plain(suffix);
        // No stack has two hyphens in its name.
        let host = format!("retry--{portal}.{suffix}");
        is_valid.then(|| Self { name: format!("{portal}-retry"), host })
    }

    /// Returns its path on the platform's host.
    pub fn path(&self) -> String {
        format!("{FOLDER}/{}.yml", self.name)
    }

    /// Returns the name of the middleware as a domain names it.
    pub fn middleware(&self) -> String {
        format!("{}@file", self.name)
    }

    /// Returns the host of its router, which has no service and which nobody is told of.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns whether this answer at [`Self::host`] is that of the router, which the proxy uses only
    /// if it has read the file and has the middleware.
    pub fn is_proof(status: u16) -> bool {
        status == NOOP_STATUS
    }

    /// Returns whether a file with this content defines the middleware, as other versions of the portal
    /// or portals with another suffix write it.
    pub fn is_defined_in(&self, content: &str) -> bool {
        content.contains(&format!("{{{}: {{retry: {{", self.name))
    }

    /// Returns its content.
    pub fn content(&self) -> String {
        let Self { name, host } = self;
        format!(
            "http: {{middlewares: {{{name}: {{retry: {{attempts: {ATTEMPTS}, initialInterval: \
             {FIRST_PAUSE}}}}}}}, routers: {{{name}: {{rule: \"Host(`{host}`)\", entryPoints: \
             [web], service: \"noop@internal\", middlewares: [{name}]}}}}}}\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_content_is_fixed_and_has_no_empty_map() {
        let file = RetryFile::of("default", "stacks.test").unwrap();
        assert_eq!(file.path(), "/etc/dokploy/traefik/dynamic/default-retry.yml");
        assert_eq!(file.middleware(), "default-retry@file");
        assert!(file.is_defined_in(&file.content()) && !file.is_defined_in("http: {}"));
        let other = RetryFile::of("default", "elsewhere.test").unwrap();
        assert!(file.is_defined_in(&other.content()));
        let another = RetryFile::of("the-default", "stacks.test").unwrap();
        assert!(!file.is_defined_in(&another.content()));
        assert_eq!(
            file.content(),
            "http: {middlewares: {default-retry: {retry: {attempts: 12, initialInterval: \
             300ms}}}, routers: {default-retry: {rule: \"Host(`retry--default.stacks.test`)\", \
             entryPoints: [web], service: \"noop@internal\", middlewares: [default-retry]}}}\n"
        );
    }

    #[test]
    fn nothing_but_labels_gets_into_path_and_content() {
        for portal in ["", "../x", "a.b", "a b", "A", "a{}", "a\n", "ä"] {
            assert_eq!(RetryFile::of(portal, "stacks.test"), None, "{portal:?}");
        }
        for suffix in ["", "a`) || Host(`b", "a b", "a:80", "a/b", "a\n"] {
            assert_eq!(RetryFile::of("default", suffix), None, "{suffix:?}");
        }
    }
}
