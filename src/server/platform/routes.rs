//! The files by which the platform's reverse proxy routes hosts to services.
//!
//! If somebody deletes a project in Dokploy, the file remains and continues to route. It cannot be
//! deleted, only overwritten, and the two calls for this can access any file of the host. So this
//! module allows access only to the files of our own services.

use super::AppName;

/// The folder of the proxy's files.
pub(super) const FOLDER: &str = "/etc/dokploy/traefik/dynamic";
/// The prefix of the names of our services.
const NAME_PREFIX: &str = "stack-";
/// The maximum length of a service's name.
const MAX_NAME_LENGTH: usize = 63;

/// The route file of one of our services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteFile(AppName);

impl RouteFile {
    /// Returns the file of the service `name`; `None` unless the name has the form of our services'
    /// names, with letters, digits and hyphens only.
    pub fn of(name: &AppName) -> Option<Self> {
        let rest = name.0.strip_prefix(NAME_PREFIX)?;
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_valid = name.0.len() <= MAX_NAME_LENGTH
            && rest.chars().all(allowed)
            && !rest.starts_with('-')
            && !rest.ends_with('-')
            && !rest.is_empty();
        is_valid.then(|| Self(name.clone()))
    }

    /// Returns its path on the platform's host.
    pub fn path(&self) -> String {
        format!("{FOLDER}/{}.yml", self.0)
    }

    /// Returns content for the file that routes nothing. With an empty map or an empty text the
    /// proxy would no longer apply any change of any host (recordings day-two 466 and 549), nor
    /// with a duplicate name.
    pub fn without_routes(&self) -> String {
        let name = &self.0;
        format!(
            "http: {{middlewares: {{removed-{name}: {{redirectScheme: {{scheme: https}}}}}}}}\n"
        )
    }
}

/// Returns whether the content of a file routes `host`: a rule names it.
pub fn routes_host(file: &str, host: &str) -> bool {
    let (file, host) = (file.to_ascii_lowercase(), host.to_ascii_lowercase());
    let in_quotes = |quote: char| file.contains(&format!("{quote}{host}{quote}"));
    ['`', '"', '\''].into_iter().any(in_quotes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_of_a_service_of_ours_has_a_path() {
        let of = |name: &str| RouteFile::of(&AppName(name.to_owned())).map(|file| file.path());
        assert_eq!(
            of("stack-alice-x1y2z3").unwrap(),
            "/etc/dokploy/traefik/dynamic/stack-alice-x1y2z3.yml"
        );
        for name in [
            "dokploy",
            "middlewares",
            "",
            "stack-",
            "stack-../../../passwd",
            "../stack-alice",
            "stack-alice/../../x",
            "stack-alice.yml",
            "stack-Alice-x1y2z3",
            "stack-alice\n",
            "stack-alice\0x",
            "stack-älice",
            "stack--alice",
            "stack-alice-",
            " stack-alice",
            &format!("stack-{}", "a".repeat(60)),
        ] {
            assert_eq!(of(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_file_without_routes_is_no_empty_map_and_routes_nobody() {
        let file = RouteFile::of(&AppName(String::from("stack-alice-x1y2z3"))).unwrap();
        let text = file.without_routes();
        assert_eq!(
            text,
            "http: {middlewares: {removed-stack-alice-x1y2z3: {redirectScheme: {scheme: https}}}}\n"
        );
        assert!(!routes_host(&text, "alice.localhost"));
    }

    #[test]
    fn a_host_is_routed_where_a_rule_names_exactly_it() {
        let rule = |host: &str| format!("rule: Host(`{host}`) && PathPrefix(`/`)");
        assert!(routes_host(&rule("alice.stacks.test"), "alice.stacks.test"));
        assert!(routes_host(&rule("Alice.Stacks.test"), "alice.stacks.test"));
        assert!(!routes_host(&rule("malice.stacks.test"), "alice.stacks.test"));
        assert!(!routes_host(&rule("alice.stacks.test.example"), "alice.stacks.test"));
        assert!(!routes_host("null", "alice.stacks.test"));
    }
}
