//! How the clients reach others: the authorities that they trust, and the proxies in between.
//!
//! The variables of the environment are not read here. A client uses only what it is given.

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder, Proxy, Url, retry};

use super::exceptions::Exceptions;

/// The name of the clients, and their version.
const USER_AGENT: &str = concat!("ai-stack-deployer/", env!("CARGO_PKG_VERSION"));

/// The address of an HTTP proxy. It may contain a password, so it is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyAddress(Url);

/// Which requests go through which proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// The proxy for https addresses.
    pub https: Option<ProxyAddress>,
    /// The proxy for http addresses.
    pub http: Option<ProxyAddress>,
    /// What is reached without a proxy.
    pub except: Exceptions,
}

/// The certificate authorities in a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    /// The file cannot be read.
    #[error(
        "the certificate authorities in {} cannot be read: check the path, and make the file \
         readable for the portal's user",
        path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file contains none, or one that is damaged.
    #[error(
        "{} holds no certificate authority in PEM form, or a damaged one: give a file with one or \
         more blocks that begin with -----BEGIN CERTIFICATE-----",
        .0.display()
    )]
    Unusable(PathBuf),
}

/// How the clients reach others.
#[derive(Clone, Debug, Default)]
pub struct Outbound {
    authorities: Vec<Certificate>,
    proxies: Proxies,
}

impl ProxyAddress {
    /// Parses an address, whose scheme is http unless it says otherwise; `None` if it is not that
    /// of an HTTP proxy.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_whole = text.contains("://");
        let url = if is_whole { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
        let is_bare = |url: &Url| {
            matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none()
        };
        let is_http = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        url.ok().filter(|url| is_http(url) && is_bare(url)).map(Self)
    }

    /// Returns the host and the port at which the proxy listens.
    pub fn server(&self) -> Option<(&str, u16)> {
        let host = self.0.host_str()?.trim_matches(['[', ']']);
        Some((host, self.0.port_or_known_default()?))
    }
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyAddress(..)")
    }
}

impl Proxies {
    /// Returns whether `address` is reached through none of these proxies, although it is no
    /// exception.
    pub fn lack_one_for(&self, address: &str) -> bool {
        let url = Url::parse(address).ok();
        url.is_some_and(|url| self.of(&url).is_none() && !self.except.have(&url))
    }

    /// Returns the proxy through which `url` is reached, if there is one.
    fn of(&self, url: &Url) -> Option<&ProxyAddress> {
        let proxy = match url.scheme() {
            "https" => self.https.as_ref(),
            "http" => self.http.as_ref(),
            _ => None,
        };
        proxy.filter(|_| !self.except.have(url))
    }
}

impl Outbound {
    /// Reads the authorities in `ca_file`, which are trusted besides the system's.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be used.
    pub fn new(ca_file: Option<&Path>, proxies: Proxies) -> Result<Self, AuthoritiesError> {
        let authorities = ca_file.map(authorities).transpose()?.unwrap_or_default();
        Ok(Self { authorities, proxies })
    }

    /// Returns the same authorities with `proxy` for every request, or none.
    #[must_use]
    pub fn through(&self, proxy: Option<ProxyAddress>) -> Self {
        let except = Exceptions::default();
        let proxies = Proxies { https: proxy.clone(), http: proxy, except };
        Self { authorities: self.authorities.clone(), proxies }
    }

    /// Returns the host and the port to which a request to `url` connects: those of the proxy, which
    /// resolves the name in `url` itself, or its own.
    pub fn server<'a>(&'a self, url: &'a Url) -> Option<(&'a str, u16)> {
        match self.proxies.of(url) {
            Some(proxy) => proxy.server(),
            None => Some((url.host_str()?.trim_matches(['[', ']']), url.port_or_known_default()?)),
        }
    }

    /// Configures a client: by whom it is recognised, and how it reaches others. It follows no
    /// redirect, which could send a secret to another server, and repeats no request. One for http
    /// addresses only needs no authorities: the system's may be missing.
    pub fn configure(&self, builder: ClientBuilder, is_secure: bool) -> ClientBuilder {
        let builder = builder.redirect(Policy::none()).retry(retry::never()).user_agent(USER_AGENT);
        // This ignores the variables of the environment as well.
        let builder = builder.no_proxy();
        let proxies = self.proxies.clone();
        let of = move |url: &Url| proxies.of(url).map(|proxy| proxy.0.clone());
        let builder = builder.proxy(Proxy::custom(of));
        let Proxies { https, http, except: _ } = &self.proxies;
        let is_proxy_secure = https.iter().chain(http).any(|proxy| proxy.0.scheme() == "https");
        if is_secure || is_proxy_secure {
            builder.tls_certs_merge(self.authorities.clone())
        } else {
            builder.tls_certs_only([])
        }
    }
}

/// Reads the certificate authorities in a PEM file.
///
/// # Errors
///
/// Returns an error if the file cannot be read, contains none, or contains a damaged one.
pub fn authorities(path: &Path) -> Result<Vec<Certificate>, AuthoritiesError> {
    let unusable = || AuthoritiesError::Unusable(path.to_owned());
    let pem = fs::read(path)
        .map_err(|source| AuthoritiesError::Unreadable { path: path.to_owned(), source })?;
    let authorities = Certificate::from_pem_bundle(&pem).map_err(|_| unusable())?;
    super::install_crypto_provider();
    // Only a client looks into the certificates.
    let client = reqwest::Client::builder().no_proxy().tls_certs_only(authorities.clone()).build();
    if authorities.is_empty() || client.is_err() {
        return Err(unusable());
    }
    Ok(authorities)
}

#[cfg(test)]
mod tests {
    use super::ProxyAddress;

    #[test]
    fn a_proxy_has_a_host_and_shows_no_password() {
        for (text, server) in [
            ("http://proxy.example.com:3128", Some(("proxy.example.com", 3128))),
            ("http://user:canary@proxy.example.com:3128/", Some(("proxy.example.com", 3128))),
            ("https://proxy.example.com", Some(("proxy.example.com", 443))),
            ("proxy.example.com:3128", Some(("proxy.example.com", 3128))),
            ("http://[::1]:3128", Some(("::1", 3128))),
            ("socks5://proxy.example.com:1080", None),
            ("http://", None),
            ("http://proxy.example.com/path", None),
        ] {
            let proxy = ProxyAddress::parse(text);
            assert_eq!(proxy.as_ref().and_then(ProxyAddress::server), server, "{text}");
            assert!(!format!("{proxy:?}").contains("canary"));
        }
    }
}
