//! What the platform's reverse proxy routes: hosts, and the file by which it routes to a service.
//!
//! The file outlives a project that somebody deletes by hand, and goes on routing. It cannot be
//! deleted, only overwritten, and the same two calls reach every file of the host: so nothing but
//! the file of a service of ours is ever touched.

use super::AppName;

/// Where the proxy's files are.
const FOLDER: &str = "/etc/dokploy/traefik/dynamic";
/// Describes how the name of every service of ours begins.
const OURS: &str = "stack-";
/// The longest name that a service can have.
const LONGEST: usize = 63;

/// The file of a service of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteFile(AppName);

impl RouteFile {
    /// Returns the file of the service `name`; `None` unless it can only be the name of a service
    /// of ours, made of letters, digits and hyphens.
    pub fn of(name: &AppName) -> Option<Self> {
        let rest = name.0.strip_prefix(OURS)?;
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_well = name.0.len() <= LONGEST
            && rest.chars().all(allowed)
            && !rest.starts_with('-')
            && !rest.ends_with('-')
            && !rest.is_empty();
        is_well.then(|| Self(name.clone()))
    }

    /// Returns where it is.
    pub fn path(&self) -> String {
        format!("{FOLDER}/{}.yml", self.0)
    }

    /// Returns what is written into it in place of routes. An empty map or text would stop the
    /// proxy from taking up any change of any host (recordings day-two 466 and 549), and so would
    /// a name that is there twice.
    pub fn without_routes(&self) -> String {
        let name = &self.0;
        format!(
            "http: {{middlewares: {{removed-{name}: {{redirectScheme: {{scheme: https}}}}}}}}\n"
        )
    }
}

/// Returns whether a file routes `host`, by naming it in a rule.
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
