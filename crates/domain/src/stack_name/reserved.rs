//! The names that no new stack may have: its host would be one that machines ask for by
//! themselves, or that people take for the operator's.
//!
//! Sources: "Dangerous Labels in DNS and E-mail" (draft-dkg-intarea-dangerous-labels-05), RFC 2142
//! (mailboxes for services and roles), RFC 6761 and 6762 (special-use names), RFC 8461 (`mta-sts`),
//! RFC 5389 and 6763 (names of services), the CA/Browser Forum's Baseline Requirements 3.2.2.4.4
//! (mailboxes that certificate authorities trust), "Hostnames and usernames to reserve"
//! (ldpreload.com), the manuals of what looks up a fixed name (Microsoft's device registration and
//! Skype for Business, Puppet, Salt, access points of Cisco, Aruba and Ubiquiti), and the user names
//! of a Debian system. Names that break a rule for stack names are left out, such as `ns` and
//! `_dmarc`.

/// Reserved names by reason.
const RESERVED: [&[&str]; 8] = [
    // Machines look these up by themselves, to find settings, proxies, gateways, servers or logs.
    &[
        "adfs", "aruba-master", "autoconfig", "autodiscover", "broadcasthost", "certauth",
        "cisco-lwapp-controller", "crl", "dialin", "enterpriseenrollment",
        "enterpriseregistration", "gateway", "isatap", "kerberos", "kms", "lan", "local",
        "localdomain", "localhost", "loghost", "lyncdiscover", "lyncdiscoverinternal", "meet",
        "mis", "msoid", "mta-sts", "ocsp", "openpgpkey", "pki", "puppet", "router", "salt",
        "sipexternal", "sipinternal", "sts", "time", "timeserver", "unifi", "wpad", "wsus",
    ],
    &["cisco-capwap-controller"],
    // Mailboxes of roles, to which certificate authorities and other operators write.
    &[
        "abuse", "admin", "administrator", "hostmaster", "info", "list", "mailer-daemon",
        "marketing", "news", "no-reply", "noc", "noreply", "postmaster", "sales", "security",
        "ssladmin", "ssladministrator", "sslwebmaster", "support", "sysadmin", "trouble", "usenet",
        "uucp", "webmaster",
    ],
    // Hosts that serve a protocol or the mail of a domain.
    &[
        "caldav", "carddav", "dav", "dhcp", "dns", "doh", "dot", "email", "finger", "ftp", "ftps",
        "git", "gopher", "imap", "imaps", "irc", "jabber", "ldap", "ldaps", "mail", "mailhost",
        "mqtt", "nfs", "nntp", "ntp", "pop", "pop3", "pop3s", "radius", "rdp", "relay", "rsync",
        "sftp", "sip", "sips", "smtp", "smtps", "snmp", "socks", "ssh", "stun", "stuns",
        "submission", "syslog", "telnet", "tftp", "turn", "turns", "vnc", "vpn", "web", "webdav",
        "webmail", "whois", "www", "xmpp",
    ],
    // Hosts at which people sign in, pay, or look for help.
    &[
        "account", "accounts", "auth", "authentication", "authorize", "billing", "console",
        "contact", "customer", "dashboard", "download", "downloads", "help", "helpdesk",
        "identity", "idp", "internal", "intranet", "invoice", "legal", "login", "logout", "oauth",
        "oauth2", "official", "oidc", "password", "passwords", "pay", "payment", "payments",
        "portal", "privacy", "register", "saml", "secure", "shop", "signin", "signout", "signup",
        "sso", "staff", "status", "store", "terms", "trust", "user", "users",
    ],
    // Hosts of an operator's own services.
    &[
        "about", "api", "apis", "app", "apps", "assets", "backup", "beta", "blog", "cdn", "cloud",
        "config", "demo", "dev", "developer", "developers", "development", "docs", "dokploy",
        "example", "files", "forum", "grafana", "graphql", "health", "host", "images", "media",
        "metrics", "monitor", "monitoring", "ops", "prod", "production", "prometheus", "proxy",
        "public", "registry", "server", "staging", "static", "stats", "system", "test", "traefik",
        "update", "updates", "wiki",
    ],
    // Words that programs give a meaning.
    &[
        "anonymous", "any", "default", "everyone", "false", "guest", "invalid", "null", "onion",
        "true", "undefined", "unknown", "wildcard",
    ],
    // Users of a Debian system.
    &[
        "bin", "daemon", "games", "gnats", "man", "mysql", "nobody", "postgres", "proxy", "root",
        "superuser", "sync", "sys", "www-data",
    ],
];

/// Names that are also reserved with a number after them, such as `ns1`.
const NUMBERED: [&str; 16] = [
    "dns", "ftp", "imap", "mail", "mx", "ns", "ntp", "pop", "proxy", "relay", "smtp", "time",
    "vpn", "web", "webmail", "www",
];

/// Returns whether a new stack may not have this name.
pub(super) fn is_reserved(name: &str) -> bool {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_numbered = stem.len() < name.len() && NUMBERED.contains(&stem);
    is_numbered || RESERVED.iter().any(|names| names.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack_name::{ParseStackNameError, StackName};

    #[test]
    fn no_new_stack_gets_a_reserved_name_and_an_older_one_keeps_it() {
        for name in RESERVED.concat() {
            let refused = StackName::for_new_stack(name);
            assert_eq!(refused, Err(ParseStackNameError::Reserved), "{name}");
            assert!(StackName::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn machines_find_no_stack_where_they_look_for_their_management() {
        for name in [
            "enterpriseregistration", "enterpriseenrollment", "puppet", "salt", "wsus", "ocsp",
            "crl", "msoid", "mis",
        ] {
            assert!(is_reserved(name), "{name}");
        }
    }

    #[test]
    fn numbers_after_the_name_of_a_server_change_nothing() {
        for name in ["ns1", "ns23", "mx1", "www2", "mail01", "dns9", "vpn3"] {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["alice", "alice1", "test2", "mailbox", "ns-one", "wwwild", "time-keeper"] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
